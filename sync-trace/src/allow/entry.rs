//! One entry of the allow list, and when it fits a finding.

use super::pattern::{LockPattern, Position, SitePattern};
use crate::finding::{Blocker, Code, Finding, Fingerprint, Lock};
use crate::report;
use crate::site::Site;
use std::cell::LazyCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether findings of this code may be silenced: they say what could happen, not what has happened.
pub(super) fn may_be_allowed(code: Code) -> bool {
    !matches!(code, Code::Deadlock | Code::SelfDeadlock | Code::Stuck)
}

/// What it silences, and why. It fits a finding that fits all of its parts.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) origin: Origin,
    pub(super) code: Option<Code>,
    pub(super) fingerprint: Option<Fingerprint>,
    /// Each lock of a finding has to fit one of these; without any, locks do not matter.
    pub(super) locks: Vec<LockPattern>,
    /// Each of these has to fit a site of a finding.
    pub(super) sites: Vec<SitePattern>,
    pub(super) reason: String,
    pub(super) used: Used,
}

impl Entry {
    /// Whether it silences the finding.
    pub(super) fn fits(&self, facts: &Facts<'_>) -> bool {
        self.names_something()
            && may_be_allowed(facts.code)
            && self.code.is_none_or(|code| code == facts.code)
            && self.fingerprint.is_none_or(|fingerprint| fingerprint == facts.fingerprint)
            && self.sites.iter().all(|pattern| facts.sites.iter().any(|site| pattern.fits(*site)))
            && (self.locks.is_empty() || self.names_all_locks(facts))
    }

    /// Whether it says more than a code.
    pub(super) fn names_something(&self) -> bool {
        self.fingerprint.is_some() || !self.locks.is_empty() || !self.sites.is_empty()
    }

    fn names_all_locks(&self, facts: &Facts<'_>) -> bool {
        let is_named = |names: &Names| {
            self.locks.iter().any(|pattern| names.iter().any(|name| pattern.fits(name)))
        };
        !facts.names.is_empty() && facts.names.iter().all(is_named)
    }
}

/// Where an entry stands.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// In a file, at this line.
    File(Arc<str>, usize),
    /// In the program.
    Program(Site),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, line) => write!(f, "{file}:{line}"),
            Self::Program(site) => write!(f, "{}:{}", site.file(), site.line()),
        }
    }
}

/// Whether an entry has silenced anything.
#[derive(Debug, Default)]
pub(super) struct Used(AtomicBool);

impl Used {
    pub(super) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What entries look at in one finding.
pub(super) struct Facts<'a> {
    pub(super) code: Code,
    pub(super) fingerprint: Fingerprint,
    pub(super) sites: Vec<Position<'a>>,
    /// The names of each lock. To name one, its source file may have to be read, so that is done when an
    /// entry first asks.
    pub(super) names: LazyCell<Vec<Names>, Box<dyn FnOnce() -> Vec<Names> + 'a>>,
}

/// What one lock may be called.
pub(super) type Names = [String; 4];

impl<'a> Facts<'a> {
    /// Of `finding`, whose locks have the names in reports that `namer` gives.
    pub(super) fn of(finding: &'a Finding, namer: &'a dyn Fn(&Lock) -> String) -> Self {
        let names = move || {
            let locks = report::locks(finding).into_iter();
            locks.map(|lock| names_of(lock, namer(lock))).collect()
        };
        Self {
            code: finding.code,
            fingerprint: finding.fingerprint,
            sites: sites(finding).into_iter().map(Position::from).collect(),
            names: LazyCell::new(Box::new(names)),
        }
    }
}

/// The names by which a lock may be meant: the one that was given, the one that is shown, without its
/// number, and its kind and type.
fn names_of(lock: &Lock, mut shown: String) -> Names {
    let number = format!(" {}", lock.id);
    if shown.ends_with(&number) {
        shown.truncate(shown.len() - number.len());
    }
    names(lock.name, shown, report::kind(lock))
}

/// The same, of what is known of a lock.
pub(super) fn names(given: Option<&str>, shown: String, kind: String) -> Names {
    let given = given.unwrap_or(&shown).to_owned();
    let short = kind.strip_prefix("std ").unwrap_or(&kind).to_owned();
    [given, shown, kind, short]
}

/// Where its threads wait, and where they took what they hold.
fn sites(finding: &Finding) -> Vec<Site> {
    let of_link = finding.links.iter().flat_map(|link| {
        let queues = match &link.blocker {
            Blocker::QueuedWriter { writer: Some((_, site)), .. } => Some(*site),
            _ => None,
        };
        let took = report::held(&link.blocker).map(|hold| hold.site);
        [Some(link.wait.site), took, queues].into_iter().flatten()
    });
    let of_pairing = finding.pairing.iter().flat_map(|pairing| &pairing.waits);
    of_link.chain(of_pairing.map(|(_, wait)| wait.site)).collect()
}
