//! Entries that a program makes.

use super::entry::{Entry, Origin, Used, may_be_allowed};
use super::error::form;
use super::pattern::{LockPattern, SitePattern};
use crate::finding::Code;
use crate::site::Site;

/// Findings that are known and accepted, and why: what an `[[allow]]` in `sync-trace.toml` says, made by
/// the program.
///
/// It fits a finding of its code if every lock in the finding is named by [`locks`](Self::locks) and
/// every one of its [`sites`](Self::sites) is a site of the finding. At least one of the two has to be
/// given. A deadlock that has happened cannot be allowed.
///
/// # Example
///
/// ```
/// use sync_trace::Allow;
/// use sync_trace::finding::Code;
///
/// let allowed = Allow::new(Code::Inversion, "only ever taken under the registry's lock, see #123")
///     .locks(["Cache.index", "Cache.stats"])
///     .sites(["src/cache.rs"]);
/// # let _ = allowed;
/// ```
#[derive(Clone, Debug)]
#[must_use = "it allows nothing until it is on the allow list"]
pub struct Allow {
    site: Site,
    code: Code,
    reason: String,
    locks: Vec<LockPattern>,
    sites: Vec<SitePattern>,
}

impl Allow {
    /// Findings of this code, because of `reason`.
    ///
    /// # Panics
    ///
    /// If the reason is blank, and if the code is that of a deadlock that has happened.
    #[track_caller]
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        let reason = reason.into().trim().to_owned();
        assert!(
            !reason.is_empty(),
            "the reason to allow {code} is blank; say why it is no problem"
        );
        assert!(
            may_be_allowed(code),
            "{code} cannot be allowed: it is a deadlock that has happened; accepted: {}",
            form("code")
        );
        Self { site: Site::caller(), code, reason, locks: Vec::new(), sites: Vec::new() }
    }

    /// Every lock in the finding has to be one of these: names as the report shows them, in which `*`
    /// stands for any characters. The number behind a name does not matter.
    ///
    /// # Panics
    ///
    /// If a name is blank.
    #[track_caller]
    pub fn locks<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        for name in names {
            let Some(pattern) = LockPattern::parse(name.as_ref()) else {
                panic!("a lock's name is blank; accepted: {}", form("locks"));
            };
            self.locks.push(pattern);
        }
        self
    }

    /// Somebody in the finding has to wait or hold a lock since each of these: `file`, `file:line` or
    /// `file:line:column`. Of a path the last components are enough, and `*` stands for any characters in
    /// one of them.
    ///
    /// # Panics
    ///
    /// If one of them is nothing of that.
    #[track_caller]
    pub fn sites<S: AsRef<str>>(mut self, sites: impl IntoIterator<Item = S>) -> Self {
        for site in sites {
            let site = site.as_ref();
            let Some(pattern) = SitePattern::parse(site) else {
                panic!("`{site}` is not a file or line; accepted: {}", form("sites"));
            };
            self.sites.push(pattern);
        }
        self
    }

    /// The entry for the list.
    pub(super) fn into_entry(self) -> Entry {
        Entry {
            origin: Origin::Program(self.site),
            code: Some(self.code),
            fingerprint: None,
            locks: self.locks,
            sites: self.sites,
            reason: self.reason,
            used: Used::default(),
        }
    }
}
