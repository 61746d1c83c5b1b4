//! The allow list for findings that other processes have written down: what `cargo sync-trace` asks.

use super::entry::{Facts, Names, names};
use super::pattern::Position;
use super::{Acceptance, AllowList, unused};
use crate::finding::{Code, Fingerprint, lock_identity};
pub use crate::op::Mode;
use std::cell::LazyCell;
use std::path::Path;

/// What the files accept, as the library reads them.
#[derive(Debug, Default)]
pub struct Rules(AllowList);

/// What is known of a finding that somebody has told.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Its code.
    pub code: Code,
    /// Its fingerprint.
    pub fingerprint: u64,
    /// File, line and column of its waits, and of where what is held was taken.
    pub sites: Vec<(&'a str, u32, u32)>,
    /// The locks that it names.
    pub locks: Vec<ToldLock<'a>>,
}

/// What is known of such a finding's lock.
#[derive(Clone, Debug)]
pub struct ToldLock<'a> {
    /// The name it was given.
    pub name: Option<&'a str>,
    /// What reports call it.
    pub label: &'a str,
    /// Its kind with its type, such as `std Mutex<u8>`.
    pub kind: String,
}

/// A wait for a lock that somebody has told.
#[derive(Clone, Copy, Debug)]
pub struct Wait<'a> {
    /// The call that waits.
    pub op: &'a str,
    /// The file it stands in.
    pub file: &'a str,
    /// The name that the lock was given.
    pub name: Option<&'a str>,
    /// Its kind, such as `std Mutex`.
    pub kind: &'a str,
    /// What it protects.
    pub type_name: &'a str,
    /// The file that creates it.
    pub created: &'a str,
    /// How it is wanted.
    pub mode: Mode,
}

/// The fingerprint that a finding with these waits has, in whichever process it is made.
pub fn fingerprint(code: Code, waits: &[Wait<'_>]) -> String {
    let identity = |wait: &Wait<'_>| {
        let created = [wait.kind, wait.type_name, wait.created];
        let target = lock_identity(wait.name, created, wait.mode);
        format!("{} {} {target}", wait.op, wait.file)
    };
    Fingerprint::of_waits(code, waits.iter().map(identity).collect()).to_string()
}

impl Rules {
    /// Reads the nearest `sync-trace.toml` and baseline, as a process that starts in `dir` does. Beside them
    /// come the mistakes.
    pub fn find_from(dir: &Path, baseline: Option<&Path>) -> (Self, Vec<String>) {
        let (list, errors) = AllowList::find_from(dir, baseline);
        (Self(list), errors.iter().map(ToString::to_string).collect())
    }

    /// Why this is accepted, if it is.
    pub fn permits(&self, told: &Told<'_>) -> Option<Acceptance> {
        let locks = &told.locks;
        let names = || -> Vec<Names> { locks.iter().map(ToldLock::names).collect() };
        let at = |&(file, line, column)| Position { file, line, column };
        let facts = Facts {
            code: told.code,
            fingerprint: Fingerprint(told.fingerprint),
            sites: told.sites.iter().map(at).collect(),
            names: LazyCell::new(Box::new(names)),
        };
        self.0.acceptance(&facts)
    }

    /// Where the entries of the file and of the baseline stand that have silenced nothing so far.
    pub fn unused(&self) -> (Vec<String>, Vec<String>) {
        (self.0.unused().collect(), unused(&self.0.baseline).collect())
    }

    /// The fingerprints that the baseline names.
    pub fn baseline(&self) -> impl Iterator<Item = u64> {
        self.0.baseline.iter().filter_map(|entry| entry.fingerprint).map(|it| it.0)
    }
}

impl ToldLock<'_> {
    fn names(&self) -> Names {
        let label = match self.label.rsplit_once(" #") {
            Some((label, number)) if number.parse::<u64>().is_ok() => label,
            _ => self.label,
        };
        names(self.name, label.to_owned(), self.kind.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Blocker, Target};
    use crate::report::cases::{abba, three};

    #[test]
    fn a_finding_has_one_fingerprint_whoever_makes_it() {
        for mut finding in [abba(), three()] {
            for named in [false, true] {
                for link in finding.links.iter_mut().filter(|_| named) {
                    let Target::Lock(lock, _) = &mut link.wait.target else { unreachable!() };
                    lock.name = Some("named");
                }
                let waits: Vec<_> = finding.links.iter().map(told).collect();
                let expected = Fingerprint::of(finding.code, &finding.links).to_string();
                let waits: Vec<_> =
                    waits.iter().map(|(op, kind, wait)| Wait { op, kind, ..*wait }).collect();
                assert_eq!(fingerprint(finding.code, &waits), expected);
            }
        }
    }

    fn told(link: &crate::finding::Link) -> (String, String, Wait<'static>) {
        let Target::Lock(lock, mode) = &link.wait.target else { unreachable!() };
        assert!(matches!(link.blocker, Blocker::Holds(_)));
        let wait = Wait {
            op: "",
            file: link.wait.site.file(),
            name: lock.name,
            kind: "",
            type_name: lock.type_name,
            created: lock.created.file(),
            mode: *mode,
        };
        (link.wait.op.to_string(), lock.kind.to_string(), wait)
    }
}
