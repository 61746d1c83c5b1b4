//! Who and what takes part in a finding, what they are called, and the phrases that speak of them.

use super::declared;
use super::names::{self, LockNames};
use super::pairing;
use super::source::Sources;
use super::threads::ThreadNames;
use super::words::{aim, signal};
use crate::finding::{
    Blocker, Condition, Finding, Hold, Link, Lock, Mode, Participant, Target, Wait,
};
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
        let bystanders = finding.also_waiting.iter();
        let also_named = bystanders.clone().filter_map(|(_, wait)| lock_waited_for(wait));
        let joined = bystanders.clone().filter_map(|(_, wait)| match &wait.target {
            Target::Thread(thread) => Some(thread),
            _ => None,
        });
        let others = bystanders.map(|(other, _)| other).chain(joined).chain(&finding.raised_by);
        let all_named = locks.iter().copied().chain(also_named);
        Self {
            thread_names: ThreadNames::of(threads.iter().copied().chain(others)),
            lock_names: match finding.condition {
                // Then it is about classes, and which instance was where says nothing.
                Some(Condition::OtherInstances) => LockNames::shared(all_named, sources),
                _ => LockNames::distinct(all_named, sources),
            },
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

    /// What is held and how, such as `` `names` for reading``; not for an initialiser, which is held
    /// by running it.
    pub(super) fn hold(&self, hold: &Hold) -> String {
        self.taken(&hold.lock, hold.mode)
    }

    /// What is or was taken and how.
    pub(super) fn taken(&self, lock: &Lock, mode: Mode) -> String {
        let how = match names::mode(lock, mode) {
            "write" => " for writing",
            "read" => " for reading",
            "upgradable" => " as upgradable",
            _ => "",
        };
        self.lock(lock) + how
    }

    /// What `agent` waits for, as it follows `waits`: `for ..` or `to ..`.
    pub(super) fn goal(&self, agent: &Participant, wait: &Wait) -> String {
        let (lock, mode) = match &wait.target {
            Target::Thread(thread) if thread.id == agent.id => {
                return "for itself to end".to_owned();
            }
            Target::Thread(thread) => return format!("for {} to end", self.thread(thread)),
            Target::Scope => return "for the threads of its scope to end".to_owned(),
            Target::Unpark if wait.op.is_timed() => {
                return "to be unparked, or for a timeout".to_owned();
            }
            Target::Unpark => return "to be unparked".to_owned(),
            Target::Time => return "for its sleep to end".to_owned(),
            Target::Lock(lock, mode) => (lock, *mode),
        };
        let name = self.lock(lock);
        if let Some(aim) = aim(wait.op, lock.kind, &name) {
            return aim;
        }
        match (signal(wait.op), names::mode(lock, mode)) {
            (Some(signal), _) => format!("for {signal} {name}"),
            (_, verb @ ("write" | "read")) => format!("to {verb} {name}"),
            _ => format!("for {name}"),
        }
    }
}

/// The hold that a wait cannot get past.
pub(crate) fn held(blocker: &Blocker) -> Option<&Hold> {
    match blocker {
        Blocker::Holds(hold) | Blocker::QueuedWriter { hold, .. } | Blocker::Ended { hold, .. } => {
            Some(hold)
        }
        Blocker::Nobody { holds, .. } => holds.first(),
        Blocker::Runs | Blocker::Gives(_) => None,
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
            Blocker::Nobody { last: Some(signal), .. } => Some(&signal.by),
            _ => None,
        };
        let taker = held(&link.blocker).and_then(|hold| hold.taken_by.as_ref());
        for thread in [Some(&link.agent), target, blocker, taker].into_iter().flatten() {
            if !threads.iter().any(|known| known.id == thread.id) {
                threads.push(thread);
            }
        }
    }
    threads.extend(finding.breach.iter().filter_map(|breach| breach.agent.as_ref()));
    threads.extend(finding.pairing.iter().flat_map(|pairing| pairing::threads(pairing)));
    threads
}

/// Each lock that is waited for or in the way, once, oldest first.
pub(crate) fn locks(finding: &Finding) -> Vec<&Lock> {
    let mut locks = BTreeMap::new();
    for link in &finding.links {
        let target = lock_waited_for(&link.wait);
        let held = held(&link.blocker).map(|hold| &hold.lock);
        locks.extend(target.into_iter().chain(held).map(|lock| (lock.id, lock)));
    }
    if let Some(breach) = &finding.breach {
        locks.extend(declared::locks(breach).map(|lock| (lock.id, lock)));
    }
    if let Some(pairing) = &finding.pairing {
        locks.extend(pairing::locks(pairing).map(|lock| (lock.id, lock)));
    }
    if let Some(
        Condition::Gate(lock)
        | Condition::NoWriter(lock)
        | Condition::WriterApart(lock)
        | Condition::Undecided(lock),
    ) = &finding.condition
    {
        locks.insert(lock.id, lock);
    }
    locks.into_values().collect()
}

fn lock_waited_for(wait: &Wait) -> Option<&Lock> {
    match &wait.target {
        Target::Lock(lock, _) => Some(lock),
        _ => None,
    }
}
