//! The source positions of a finding: who waits where, and where what they wait for was taken.

use super::story::{Cast, held};
use super::words::duration;
use crate::finding::{
    Blocker, Finding, Hold, Link, LockKind, Mode, Op, Outcome, Participant, Site, Target,
};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A source position and what a thread did or does there.
pub(super) struct Mark {
    /// Which part it plays.
    pub(super) role: Role,
    /// The position.
    pub(super) site: Site,
    /// What is called there.
    #[cfg_attr(not(feature = "pretty"), expect(dead_code, reason = "only snippets need it"))]
    pub(super) op: Op,
    /// Who does what.
    pub(super) label: String,
}

/// The part that a marked position plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The wait that closes the cycle.
    Closes,
    /// Another wait.
    Waits,
    /// A lock was taken.
    Holds,
}

/// The positions of `finding`, in the order in which a reader meets them in a report.
pub(super) fn marks(finding: &Finding, cast: &Cast) -> Vec<Mark> {
    let mut scenes = scenes(finding, cast);
    in_reading_order(&mut scenes, &finding.links);
    let mut met = BTreeSet::new();
    let label = |(who, mark): (&Participant, Mark)| {
        // At first sight also the number by which other tools know the thread.
        let name = match met.insert(who.id) {
            true => cast.threads.full_name(who),
            false => cast.threads.name(who.id).to_owned(),
        };
        Mark { label: format!("{name} {}", mark.label), ..mark }
    };
    scenes.into_iter().map(label).collect()
}

/// Every position with the thread that was there; the labels do not name it yet.
fn scenes<'a>(finding: &'a Finding, cast: &Cast) -> Vec<(&'a Participant, Mark)> {
    let mut scenes = Vec::new();
    let mut add = |who, role, site, op, label| scenes.push((who, Mark { role, site, op, label }));
    let nexts = finding.links.iter().cycle().skip(1);
    for (number, (link, next)) in finding.links.iter().zip(nexts).enumerate() {
        let Link { agent, wait, blocker } = link;
        let goal = goal(link, cast);
        if number == 0 {
            let waits = about_to_wait(finding.outcome);
            let label = format!("{waits} {goal}{}", by(link, next, cast));
            add(agent, Role::Closes, wait.site, wait.op, label);
        } else {
            add(agent, Role::Waits, wait.site, wait.op, format!("{} {goal}", waited(link)));
        }
        let (holder, still) = match blocker {
            Blocker::Ended { owner, .. } => (owner, "ended without releasing it"),
            _ => (&next.agent, "still holds it"),
        };
        if let Some(hold) = held(blocker) {
            let label = format!("{} and {still}", took(hold, cast));
            add(holder, Role::Holds, hold.site, hold.op, label);
        }
        if let Blocker::QueuedWriter { hold, writer: Some((writer, site)) } = blocker {
            let label = format!("is queued here to write {}", cast.lock(&hold.lock));
            add(writer, Role::Waits, *site, Op::Write, label);
        }
    }
    scenes
}

/// The file of the closing wait comes first, then the others as the cycle meets them; within a
/// file from top to bottom, within a line from the right, as labels are drawn, and within a word
/// in the order of the cycle.
fn in_reading_order(scenes: &mut [(&Participant, Mark)], links: &[Link]) {
    let mut files: Vec<&str> = Vec::new();
    for (_, mark) in scenes.iter() {
        if !files.contains(&mark.site.file()) {
            files.push(mark.site.file());
        }
    }
    scenes.sort_by_key(|(who, Mark { role, site, .. })| {
        let file = files.iter().position(|file| *file == site.file());
        let turn = links.iter().position(|link| link.agent.id == who.id);
        (file, site.line(), Reverse(site.column()), *role != Role::Holds, turn)
    });
}

fn about_to_wait(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Logged => "now waits",
        Outcome::Panicked | Outcome::Ended => "would now wait",
    }
}

fn waited(link: &Link) -> String {
    match link.wait.age {
        Some(age) => format!("has been waiting here {}", duration(age)),
        None => "waits here".to_owned(),
    }
}

/// What is waited for, as it follows `waits`.
fn goal(link: &Link, cast: &Cast) -> String {
    match &link.wait.target {
        Target::Thread(thread) => format!("for {} to end", cast.threads.name(thread.id)),
        Target::Scope => "for the threads of its scope to end".to_owned(),
        Target::Lock(lock, mode) => {
            let name = cast.lock(lock);
            match (lock.kind, mode) {
                (LockKind::Condvar, _) => format!("for a signal on {name}"),
                _ if link.wait.op.is_condvar_wait() => format!("to take {name} back"),
                (LockKind::RwLock, Mode::Exclusive) => format!("to write {name}"),
                (_, Mode::Read | Mode::RecursiveRead) => format!("to read {name}"),
                (_, Mode::Exclusive | Mode::Upgradable) => format!("for {name}"),
            }
        }
    }
}

/// Who keeps the wait from ending, where the goal does not say so.
fn by(link: &Link, next: &Link, cast: &Cast) -> String {
    let name = |thread: &Participant| cast.threads.name(thread.id).to_owned();
    let holder = match &link.blocker {
        Blocker::Holds(_) if next.agent.id == link.agent.id => "itself".to_owned(),
        Blocker::Holds(_) => name(&next.agent),
        Blocker::Ended { owner, .. } => format!("{}, which has ended", name(owner)),
        Blocker::QueuedWriter { writer: Some((writer, _)), .. } => {
            return format!(", behind the queued writer {}", name(writer));
        }
        Blocker::QueuedWriter { writer: None, .. } => return ", behind a queued writer".to_owned(),
        Blocker::Runs if matches!(link.wait.target, Target::Thread(_)) => return String::new(),
        Blocker::Runs => return format!(", among them {}", name(&next.agent)),
    };
    format!(", held by {holder}")
}

fn took(hold: &Hold, cast: &Cast) -> String {
    let name = cast.lock(&hold.lock);
    let how = match (hold.lock.kind, hold.mode) {
        _ if hold.op.is_condvar_wait() => " back",
        (LockKind::RwLock, Mode::Exclusive) => " for writing",
        (_, Mode::Exclusive) => "",
        (_, Mode::Upgradable) => " as upgradable",
        (_, Mode::Read | Mode::RecursiveRead) => " for reading",
    };
    match hold.at_least {
        Some(time) => format!("took {name}{how} here at least {} ago", duration(time)),
        None => format!("took {name}{how} here"),
    }
}
