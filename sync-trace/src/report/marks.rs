//! The source positions of a finding: who waits or waited where, and where what they want was taken.

use super::cast::{Cast, held};
use super::declared;
use super::orders::{Order, orders};
use super::pairing;
use super::source::At;
use super::words::{deed, duration};
use crate::finding::{
    AgentId, Blocker, Finding, Hold, Link, Op, Outcome, Participant, Signal, Target,
};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A source position and what a thread did or does there.
#[derive(Clone)]
pub(super) struct Mark {
    /// Which part it plays.
    pub(super) role: Role,
    /// The position, and what stands there.
    pub(super) at: At,
    /// Who does what.
    pub(super) label: String,
    /// Who it is.
    who: Option<AgentId>,
    /// What a crowd of such threads does.
    crowd: &'static str,
}

impl Mark {
    /// One that shares its line with no crowd.
    pub(super) fn new(role: Role, at: At, label: String, who: Option<AgentId>) -> Self {
        Self { role, at, label, who, crowd: "" }
    }
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
    /// Something is declared.
    Declares,
}

/// The positions of `finding`, in the order in which a reader meets them in a report.
pub(super) fn marks(finding: &Finding, cast: &Cast<'_>) -> Vec<Mark> {
    if let Some(breach) = &finding.breach {
        return declared::marks(breach, cast);
    }
    if let Some(pairing) = &finding.pairing {
        return pairing::marks(pairing, cast);
    }
    let mut scenes = match finding.has_happened() {
        true => waits(finding, cast),
        false => nestings(finding, cast),
    };
    in_reading_order(&mut scenes, &finding.links);
    let mut met = BTreeSet::new();
    let label = |(who, mark): (&Participant, Mark)| {
        // At first sight also the number by which other tools know the thread.
        let name = match met.insert(who.id) {
            true => cast.thread_names.full_name(who),
            false => cast.thread(who).to_owned(),
        };
        Mark { label: format!("{name} {}", mark.label), ..mark }
    };
    scenes.into_iter().map(label).collect()
}

/// How many labels a line of source may have.
const CROWD: usize = 8;

/// The marks, but with one label for all threads that do the same at the same place, where a line
/// would have too many labels. The closing wait keeps its own.
pub(super) fn thinned(marks: &[Mark]) -> Vec<Mark> {
    let line = |mark: &Mark| (mark.at.file, mark.at.line);
    let alike = |a: &Mark, b: &Mark| a.at == b.at && a.role == b.role;
    let thin = |group: &[Mark]| {
        let first = &group[0];
        let is_crowded = marks.iter().filter(|mark| line(mark) == line(first)).count() > CROWD;
        if group.len() == 1 || !is_crowded {
            return group.to_vec();
        }
        let who: BTreeSet<_> = group.iter().map(|mark| mark.who).collect();
        let threads = if who.len() == 1 { "thread" } else { "threads" };
        let label = format!("{} {threads} {}", who.len(), first.crowd);
        vec![Mark { label, ..first.clone() }]
    };
    marks.chunk_by(alike).flat_map(thin).collect()
}

/// Positions, each with the thread that was there; the labels do not name it yet.
type Scenes<'a> = Vec<(&'a Participant, Mark)>;

/// The positions of threads that are blocked.
fn waits<'a>(finding: &'a Finding, cast: &Cast<'_>) -> Scenes<'a> {
    let mut scenes = Vec::new();
    let mut add = |who: &'a Participant, role, site, op, label| {
        let crowd = match role {
            Role::Holds => "took a lock here and still hold it",
            Role::Waits | Role::Closes | Role::Declares => "have been waiting here",
        };
        scenes.push((who, Mark { role, at: At::call(site, op), label, who: Some(who.id), crowd }));
    };
    let nexts = finding.links.iter().cycle().skip(1);
    for (number, (link, next)) in finding.links.iter().zip(nexts).enumerate() {
        let Link { agent, wait, blocker, .. } = link;
        let (role, waits) = match (number, finding.outcome, wait.age) {
            (0, Outcome::Logged, None) => (Role::Closes, "now waits here".to_owned()),
            (0, _, None) => (Role::Closes, "would now wait".to_owned()),
            (0, _, Some(age)) => (Role::Closes, format!("has been waiting here {}", duration(age))),
            (_, _, Some(age)) => (Role::Waits, format!("has been waiting here {}", duration(age))),
            (_, _, None) => (Role::Waits, "waits here".to_owned()),
        };
        // Elsewhere the label of the hold says it well enough.
        let is_signal = matches!(blocker, Blocker::Gives(_) | Blocker::Nobody { .. });
        let is_said = role == Role::Closes || wait.op.is_condvar_wait() || is_signal;
        let by = if is_said { by(link, next, cast) } else { String::new() };
        add(agent, role, wait.site, wait.op, format!("{waits} {}{by}", cast.goal(agent, wait)));
        let (holder, still) = match blocker {
            Blocker::Ended { owner, .. } => (owner, "ended without releasing it"),
            Blocker::Holds(hold) if hold.lock.kind.is_once() => (&next.agent, "has not finished"),
            Blocker::Nobody { .. } => (agent, "still holds it"),
            _ => (&next.agent, "still holds it"),
        };
        if let Some(hold) = held(blocker) {
            let label = format!("{} and {still}", took(hold, cast));
            add(holder, Role::Holds, hold.site, hold.op, label);
        }
        if let Blocker::Gives(signal) | Blocker::Nobody { last: Some(signal), .. } = blocker {
            let label = gave(signal);
            add(&signal.by, Role::Holds, signal.site, signal.op, label);
        }
        if let Blocker::QueuedWriter { hold, writer: Some((writer, site)) } = blocker {
            let label = format!("is queued here to write {}", cast.lock(&hold.lock));
            add(writer, Role::Waits, *site, Op::Write, label);
        }
    }
    scenes
}

/// The positions of locks that were taken while others were held.
fn nestings<'a>(finding: &'a Finding, cast: &Cast<'_>) -> Scenes<'a> {
    let mut scenes = Vec::new();
    let mut add = |who: &'a Participant, role, site, op, label| {
        let crowd = match role {
            Role::Holds => "took a lock here and held it",
            Role::Waits | Role::Closes | Role::Declares => "took another one here meanwhile",
        };
        scenes.push((who, Mark { role, at: At::call(site, op), label, who: Some(who.id), crowd }));
    };
    for (number, order) in orders(finding).enumerate() {
        let Link { agent, wait, blocker, .. } = order.link;
        let role = if number == 0 { Role::Closes } else { Role::Waits };
        let label = format!("{} here{}", order.took(cast), meanwhile(&order, cast));
        add(agent, role, wait.site, wait.op, label);
        if let Some(hold) = order.hold {
            let held = if hold.lock.kind.is_once() { "had not finished" } else { "held it" };
            let (who, held) = match &hold.taken_by {
                Some(taker) => (taker, format!("{held} around what {} did", cast.thread(agent))),
                None => (agent, held.to_owned()),
            };
            let label = format!("{} and {held}", took(hold, cast));
            add(who, Role::Holds, hold.site, hold.op, label);
        }
        if let Blocker::Gives(signal) = blocker {
            let label = format!("{} here", deed(signal.op));
            add(&signal.by, Role::Waits, signal.site, signal.op, label);
        }
        if let Blocker::QueuedWriter { hold, writer: Some((writer, site)) } = blocker {
            let lock = cast.lock(&hold.lock);
            let label =
                format!("wrote {lock} here: while it queues for that, new readers have to wait");
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
        if !files.contains(&mark.at.file) {
            files.push(mark.at.file);
        }
    }
    scenes.sort_by_key(|(who, Mark { role, at, .. })| {
        let file = files.iter().position(|file| *file == at.file);
        let turn = links.iter().position(|link| link.agent.id == who.id);
        (file, at.line, Reverse(at.column), *role != Role::Holds, turn)
    });
}

/// Who keeps the wait from ending, where the goal does not say so.
fn by(link: &Link, next: &Link, cast: &Cast<'_>) -> String {
    match (&link.blocker, &link.wait.target) {
        (Blocker::Holds(hold), _) if hold.lock.kind.is_once() => {
            match next.agent.id == link.agent.id {
                true => ", which it is doing itself".to_owned(),
                false => format!(", which {} is doing", cast.thread(&next.agent)),
            }
        }
        (Blocker::Holds(_), _) if next.agent.id == link.agent.id => ", held by itself".to_owned(),
        (Blocker::Holds(_), _) => format!(", held by {}", cast.thread(&next.agent)),
        (Blocker::Ended { owner, .. }, _) => {
            format!(", held by {}, which has ended", cast.thread(owner))
        }
        (Blocker::QueuedWriter { writer: Some((writer, _)), .. }, _) => {
            format!(", behind the queued writer {}", cast.thread(writer))
        }
        (Blocker::QueuedWriter { writer: None, .. }, _) => ", behind a queued writer".to_owned(),
        (Blocker::Gives(_), _) => format!(", as {} has given it so far", cast.thread(&next.agent)),
        (Blocker::Nobody { .. }, _) => ", and nobody is left who could end that".to_owned(),
        (Blocker::Runs, Target::Thread(_)) => String::new(),
        (Blocker::Runs, _) => format!(", among them {}", cast.thread(&next.agent)),
    }
}

/// What a thread did that others wait for again.
fn gave(signal: &Signal) -> String {
    let in_vain = if signal.in_vain { ", when nobody was waiting" } else { "" };
    format!("{} here {} ago{in_vain}", deed(signal.op), duration(signal.age))
}

fn took(hold: &Hold, cast: &Cast<'_>) -> String {
    let back = if hold.op.is_condvar_wait() { " back" } else { "" };
    let ago = hold.at_least.map(|time| format!(" at least {} ago", duration(time)));
    let took = match hold.lock.kind.is_once() {
        true => format!("began to initialise {}", cast.lock(&hold.lock)),
        false => format!("took {}{back}", cast.hold(hold)),
    };
    format!("{took} here{}", ago.unwrap_or_default())
}

/// What a thread held, as it follows what it took.
fn meanwhile(order: &Order<'_>, cast: &Cast<'_>) -> String {
    match order.hold {
        Some(hold) if hold.lock.kind.is_once() => {
            format!(" while it initialised {}", cast.lock(&hold.lock))
        }
        Some(hold) if !order.is_again() => {
            let holder = hold.taken_by.as_ref().map_or("it", |taker| cast.thread(taker));
            format!(" while {holder} held {}", cast.hold(hold))
        }
        _ => String::new(),
    }
}
