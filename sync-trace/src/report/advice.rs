//! What a finding comes to: its one-sentence verdict, and one thing to do about it.

use super::story::{Cast, held};
use super::words::{line_of, list};
use crate::finding::{Blocker, Hold, Link, Mode, Op, Participant, Target};

/// The title and the help for a cycle (or chain) of waits.
pub(super) fn on(links: &[Link], cast: &Cast) -> (String, String) {
    if let Some((owner, hold)) = links.iter().find_map(ended_owner) {
        leaked(links.len(), owner, hold, cast)
    } else if let [link] = links {
        alone(link, cast)
    } else if links.iter().any(|link| matches!(link.blocker, Blocker::Runs)) {
        unended(links, cast)
    } else {
        in_a_circle(links, cast)
    }
}

fn ended_owner(link: &Link) -> Option<(&Participant, &Hold)> {
    match &link.blocker {
        Blocker::Ended { owner, hold } => Some((owner, hold)),
        _ => None,
    }
}

fn leaked(waiting: usize, owner: &Participant, hold: &Hold, cast: &Cast) -> (String, String) {
    let who =
        if waiting == 1 { "a thread waits".into() } else { format!("{waiting} threads wait") };
    (
        format!("stuck: {who} for a lock whose holder has ended without releasing it"),
        format!(
            "find out where {} leaks the guard taken at {} (`mem::forget` does that), and drop it there",
            cast.threads.name(owner.id),
            line_of(hold.site)
        ),
    )
}

/// One thread stands in its own way.
fn alone(link: &Link, cast: &Cast) -> (String, String) {
    let Some(hold) = held(&link.blocker) else {
        let help = "let another thread wait for this one to end";
        return ("deadlock: a thread waits for its own end".to_owned(), help.to_owned());
    };
    let (lock, taken) = (cast.lock(&hold.lock), line_of(hold.site));
    let wants_to_write = matches!(link.wait.target, Target::Lock(_, Mode::Exclusive));
    let title = match (&link.blocker, hold.mode) {
        (Blocker::QueuedWriter { .. }, _) => {
            "reads a lock that it is already reading, behind a writer that waits for it"
        }
        (_, Mode::Exclusive) => "waits for a lock that it holds itself",
        (_, _) => "waits to write a lock that it is reading itself",
    };
    let help = match hold.mode {
        Mode::Exclusive if wants_to_write => {
            format!(
                "drop the guard taken at {taken} before this call, or pass it on and do not lock {lock} again"
            )
        }
        Mode::Exclusive => {
            format!("drop or `downgrade` the write guard taken at {taken} before this call")
        }
        _ if wants_to_write => {
            format!(
                "drop the read guard taken at {taken} before this call, or take {lock} with `write` there"
            )
        }
        _ => format!(
            "drop the read guard taken at {taken} before this call, or pass it on and do not read {lock} again"
        ),
    };
    (format!("deadlock: a thread {title}"), help)
}

/// Somebody waits for a thread to end.
fn unended(links: &[Link], cast: &Cast) -> (String, String) {
    let is_join = |link: &&Link| matches!(link.blocker, Blocker::Runs);
    let previous = links.iter().cycle().skip(links.len() - 1);
    // The one to blame holds something while it waits for the end.
    let culprit = links.iter().zip(previous).filter(|(link, _)| is_join(link));
    let culprit = culprit.map(|(link, previous)| (link, held(&previous.blocker)));
    let joins = links.iter().filter(is_join).count();
    let title = match links.len() {
        n if n == joins => format!("{n} threads wait for each other to end"),
        2 if links.iter().any(|link| link.wait.op == Op::Scope) => {
            "a scope joins its threads while a lock is held that one of them is waiting for".into()
        }
        2 => "a thread joins another while it holds a lock that the other is waiting for".into(),
        n => format!("{n} threads wait in a circle, one of them for another to end"),
    };
    let help = match culprit.max_by_key(|(_, hold)| hold.is_some()) {
        Some((link, Some(hold))) => format!(
            "drop the guard of {} taken at {} before {}",
            cast.lock(&hold.lock),
            line_of(hold.site),
            if link.wait.op == Op::Scope { "the scope ends" } else { "the `join`" }
        ),
        _ => "let only one of these threads wait for the end of the other".to_owned(),
    };
    (format!("deadlock: {title}"), help)
}

/// Only locks are waited for.
fn in_a_circle(links: &[Link], cast: &Cast) -> (String, String) {
    let holds: Vec<&Hold> = links.iter().filter_map(|link| held(&link.blocker)).collect();
    let mut locks: Vec<_> = holds.iter().map(|hold| cast.lock(&hold.lock)).collect();
    locks.sort();
    locks.dedup();
    let mut places: Vec<_> = holds.iter().map(|hold| line_of(hold.site)).collect();
    places.sort();
    places.dedup();
    let is_queued = links.iter().any(|l| matches!(l.blocker, Blocker::QueuedWriter { .. }));
    let title = match links.len() {
        n if is_queued => format!("{n} threads wait in a circle, one behind a queued writer"),
        n if locks.len() == 1 => {
            format!("{n} threads read a lock that each of them waits to write")
        }
        2 => "2 threads each hold a lock that the other is waiting for".to_owned(),
        n => format!("{n} threads wait in a circle, each for a lock that the next one holds"),
    };
    let help = match (&locks[..], &places[..]) {
        ([], _) => "let one of the threads give up what it holds before it waits".to_owned(),
        ([lock], _) if is_queued => {
            format!("read {lock} once and pass the guard on: a second read queues behind writers")
        }
        ([lock], _) => {
            format!("take {lock} with `write` from the start, or drop the read guard first")
        }
        (_, [one]) => format!(
            "all of them take their locks at {one}: always take {} in one fixed order there, such as by index",
            list(&locks)
        ),
        (_, [one, two]) => {
            format!("take {} in the same order in both places, {one} and {two}", list(&locks))
        }
        _ => format!("take {} in the same order everywhere: {}", list(&locks), list(&places)),
    };
    (format!("deadlock: {title}"), help)
}
