//! Who and what takes part in a finding, what they are called, and the phrases that speak of them.

use super::names::{self, LockNames};
use super::source::Sources;
use super::threads::ThreadNames;
use super::words::signal;
use crate::finding::{Blocker, Finding, Hold, Link, Lock, Participant, Target};
use std::collections::BTreeMap;

/// The threads and locks of one finding, with their names.
pub(super) struct Cast<'a> {
    /// Each thread once, in wait order.
    pub(super) threads: Vec<&'a Participant>,
    /// Each lock once, oldest first.
    pub(super) locks: Vec<&'a Lock>,
    pub(super) thread_names: ThreadNames,
    pub(super) lock_names: LockNames,
}

impl<'a> Cast<'a> {
    /// Names all that takes part in `finding`; `sources` help to name its locks.
    pub(super) fn of(finding: &'a Finding, sources: &Sources) -> Self {
        let (threads, locks) = (threads(finding), locks(finding));
        Self {
            thread_names: ThreadNames::of(threads.iter().copied()),
            lock_names: LockNames::distinct(locks.iter().copied(), sources),
            threads,
            locks,
        }
    }

    /// The name of a thread.
    pub(super) fn thread(&self, thread: &Participant) -> &str {
        self.thread_names.name(thread.id)
    }

    /// The name of a lock as it stands in a sentence.
    pub(super) fn lock(&self, lock: &Lock) -> String {
        format!("`{}`", self.lock_names.of(lock))
    }

    /// What is held and how, such as `` `names` for reading``.
    pub(super) fn hold(&self, hold: &Hold) -> String {
        let how = match names::mode(&hold.lock, hold.mode) {
            "write" => " for writing",
            "read" => " for reading",
            "upgradable" => " as upgradable",
            _ => "",
        };
        self.lock(&hold.lock) + how
    }

    /// What `link` waits for, as it follows `waits`: `for ..` or `to ..`.
    pub(super) fn goal(&self, link: &Link) -> String {
        let (lock, mode) = match &link.wait.target {
            Target::Thread(thread) if thread.id == link.agent.id => {
                return "for itself to end".to_owned();
            }
            Target::Thread(thread) => return format!("for {} to end", self.thread(thread)),
            Target::Scope => return "for the threads of its scope to end".to_owned(),
            Target::Lock(lock, mode) => (lock, *mode),
        };
        let name = self.lock(lock);
        match (signal(link.wait.op), names::mode(lock, mode)) {
            (Some(signal), _) => format!("for {signal} {name}"),
            (_, verb @ ("write" | "read")) => format!("to {verb} {name}"),
            _ => format!("for {name}"),
        }
    }
}

/// The hold that a wait cannot get past.
pub(super) fn held(blocker: &Blocker) -> Option<&Hold> {
    match blocker {
        Blocker::Holds(hold) | Blocker::QueuedWriter { hold, .. } | Blocker::Ended { hold, .. } => {
            Some(hold)
        }
        Blocker::Runs => None,
    }
}

/// Each link with the one that waits for it.
pub(super) fn with_previous(links: &[Link]) -> impl Iterator<Item = (&Link, &Link)> {
    links.iter().zip(links.iter().cycle().skip(links.len().saturating_sub(1)))
}

fn threads(finding: &Finding) -> Vec<&Participant> {
    let mut threads: Vec<&Participant> = Vec::new();
    for link in &finding.links {
        let target = match &link.wait.target {
            Target::Thread(thread) => Some(thread),
            _ => None,
        };
        let blocker = match &link.blocker {
            Blocker::QueuedWriter { writer: Some((writer, _)), .. } => Some(writer),
            Blocker::Ended { owner, .. } => Some(owner),
            _ => None,
        };
        for thread in [Some(&link.agent), target, blocker].into_iter().flatten() {
            if !threads.iter().any(|known| known.id == thread.id) {
                threads.push(thread);
            }
        }
    }
    threads
}

fn locks(finding: &Finding) -> Vec<&Lock> {
    let mut locks = BTreeMap::new();
    for link in &finding.links {
        let target = match &link.wait.target {
            Target::Lock(lock, _) => Some(lock),
            _ => None,
        };
        let held = held(&link.blocker).map(|hold| &hold.lock);
        locks.extend(target.into_iter().chain(held).map(|lock| (lock.id, lock)));
    }
    locks.into_values().collect()
}
