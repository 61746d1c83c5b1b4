//! What a report says, before it is laid out.

use super::advice;
use super::marks::{Mark, marks};
use super::names::{self, LockNames};
use super::source::Sources;
use super::threads::{ThreadNames, os_id};
use super::words::{columns, list, tame};
use crate::finding::{Blocker, Finding, Hold, Link, Lock, Outcome, Participant, Target};
use std::collections::BTreeMap;

/// A finding in words.
pub(super) struct Story {
    /// The verdict.
    pub(super) title: String,
    /// What happened where, in the order in which a reader meets it.
    pub(super) marks: Vec<Mark>,
    /// What else there is to say, each fact under a tag such as `help`.
    pub(super) facts: Vec<(&'static str, String)>,
}

impl Story {
    /// Tells `finding`; `sources` help to name its locks.
    pub(super) fn of(finding: &Finding, sources: &Sources) -> Self {
        let cast = Cast {
            threads: ThreadNames::of(threads(finding).into_iter()),
            locks: LockNames::distinct(locks(finding).into_iter(), sources),
        };
        let (title, help) = advice::on(&finding.links, &cast);
        let mut facts = cast.facts(finding);
        facts.push(("help", help));
        facts.push(("note", silencing(finding)));
        Self { title, facts, marks: marks(finding, &cast) }
    }
}

/// What the threads and locks of a finding are called.
pub(super) struct Cast {
    pub(super) threads: ThreadNames,
    pub(super) locks: LockNames,
}

impl Cast {
    /// The name of a lock as it stands in a sentence.
    pub(super) fn lock(&self, lock: &Lock) -> String {
        format!("`{}`", self.locks.of(lock))
    }

    fn facts(&self, finding: &Finding) -> Vec<(&'static str, String)> {
        let closed =
            !finding.links.iter().any(|link| matches!(link.blocker, Blocker::Ended { .. }));
        let mut facts = vec![
            (if closed { "cycle" } else { "chain" }, self.cycle(&finding.links)),
            ("locks", self.lock_table(finding)),
            ("threads", self.thread_table(finding)),
        ];
        facts.extend(finding.links.iter().filter_map(|link| self.stack(link)));
        if finding.roots.len() > 1 {
            let roots: Vec<_> =
                finding.roots.iter().map(|root| format!("'{}'", tame(root))).collect();
            facts.push(("note", format!("threads of {} take part", list(&roots))));
        }
        facts.push(("note", outcome(finding.outcome).to_owned()));
        facts.retain(|(_, text)| !text.is_empty());
        facts
    }

    fn cycle(&self, links: &[Link]) -> String {
        let Some(first) = links.first() else {
            return String::new();
        };
        let mut steps: Vec<String> = Vec::new();
        for link in links {
            steps.push(self.threads.name(link.agent.id).to_owned());
            steps.push(match &link.wait.target {
                Target::Lock(lock, _) => self.locks.of(lock).to_owned(),
                Target::Thread(_) => "join".to_owned(),
                Target::Scope => "end of scope".to_owned(),
            });
            match &link.blocker {
                Blocker::Holds(_) | Blocker::Runs => {}
                Blocker::QueuedWriter { writer: Some((writer, _)), .. } => {
                    steps.push(format!("{} (queued to write)", self.threads.name(writer.id)));
                }
                Blocker::QueuedWriter { writer: None, .. } => steps.push("a queued writer".into()),
                Blocker::Ended { owner, .. } => {
                    steps.push(format!("{} (ended)", self.threads.name(owner.id)));
                    return steps.join(" -> ");
                }
            }
        }
        steps.push(self.threads.name(first.agent.id).to_owned());
        steps.join(" -> ")
    }

    fn lock_table(&self, finding: &Finding) -> String {
        let row = |lock: &Lock| {
            let created = match lock.created {
                site if site.is_unknown() => String::new(),
                site => format!(", created at {site}"),
            };
            let name = self.locks.of(lock).to_owned();
            [name, names::kind(lock), format!("{}{created}", lock.id)]
        };
        columns(&locks(finding).into_iter().map(row).collect::<Vec<_>>())
    }

    fn thread_table(&self, finding: &Finding) -> String {
        let row = |thread: &Participant| {
            let name = self.threads.name(thread.id).to_owned();
            [name, os_id(thread), self.threads.origin(thread)]
        };
        columns(&threads(finding).into_iter().map(row).collect::<Vec<_>>())
    }

    fn stack(&self, link: &Link) -> Option<(&'static str, String)> {
        let stack = link.wait.stack.as_deref()?.trim_end();
        Some(("stack", format!("of {}\n{stack}", self.threads.name(link.agent.id))))
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Panicked => {
            "this thread panics instead of waiting; its guards are released without poisoning"
        }
        Outcome::Ended => {
            "a panic could not free the other threads, so the process ends with status 66"
        }
        Outcome::Logged => "the report was only printed; the threads stay blocked",
    }
}

fn silencing(finding: &Finding) -> String {
    format!(
        "fingerprint {}; to let it pass: `sync_trace::mute()` or SYNC_TRACE=on_violation=log",
        finding.fingerprint
    )
}

/// Every thread in `finding` once, in the order of the cycle.
fn threads<'a>(finding: &'a Finding) -> Vec<&'a Participant> {
    let mut threads: Vec<&Participant> = Vec::new();
    let mut add = |thread: &'a Participant| {
        if !threads.iter().any(|known| known.id == thread.id) {
            threads.push(thread);
        }
    };
    for link in &finding.links {
        add(&link.agent);
        if let Target::Thread(thread) = &link.wait.target {
            add(thread);
        }
        match &link.blocker {
            Blocker::QueuedWriter { writer: Some((writer, _)), .. } => add(writer),
            Blocker::Ended { owner, .. } => add(owner),
            _ => {}
        }
    }
    threads
}

/// Every lock in `finding` once, oldest first.
fn locks(finding: &Finding) -> Vec<&Lock> {
    let mut locks = BTreeMap::new();
    for link in &finding.links {
        if let Target::Lock(lock, _) = &link.wait.target {
            locks.insert(lock.id, lock);
        }
        if let Some(hold) = held(&link.blocker) {
            locks.insert(hold.lock.id, &hold.lock);
        }
    }
    locks.into_values().collect()
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
