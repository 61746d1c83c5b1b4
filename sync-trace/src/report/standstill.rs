//! What it comes to that everything waits, and part of that for what nobody owns: its one-sentence verdict,
//! why it is certain, and one thing to do about it.

use super::cast::{Cast, held, with_previous};
use super::words::{deed, duration, line_of, list};
use crate::finding::{Blocker, Finding, Hold, Link, Lock, LockKind, Op, Signal, Target, Wait};

/// Whether a wait is one that anybody could have ended.
pub(super) fn is_part(link: &Link) -> bool {
    matches!(link.blocker, Blocker::Gives(_) | Blocker::Nobody { .. }) || is_for_permit(link)
}

fn is_for_permit(link: &Link) -> bool {
    lock(link).is_some_and(|lock| lock.kind == LockKind::Semaphore)
}

/// Why it is certain, and what was given last.
pub(super) fn reasons(links: &[Link], cast: &Cast<'_>) -> Vec<(&'static str, String)> {
    if !links.iter().any(is_part) {
        return Vec::new();
    }
    let mut reasons = vec![(
        "because",
        "every thread of the process sleeps until another one wakes it".to_owned(),
    )];
    for link in links {
        reasons.extend(history(link, cast).map(|history| ("note", history)));
    }
    reasons.dedup();
    reasons
}

/// What is known of who could have ended a wait.
fn history(link: &Link, cast: &Cast<'_>) -> Option<String> {
    let (last, parties) = match &link.blocker {
        Blocker::Nobody { last, parties, .. } => (last.as_ref(), *parties),
        Blocker::Gives(signal) => (Some(signal), None),
        _ => return None,
    };
    if let Some((parties, come)) = parties {
        let has = if come == 1 { "has" } else { "have" };
        let name = cast.lock(lock(link)?);
        return Some(format!("{name} lets its threads go when {parties} have come; {come} {has}"));
    }
    Some(match last {
        Some(Signal { by, has_ended, op, site, age, in_vain }) => format!(
            "{}{} was the last that {}, {} ago at {}{}",
            cast.thread(by),
            if *has_ended { ", which has ended," } else { "" },
            deed(*op),
            duration(*age),
            line_of(*site),
            match op {
                _ if *in_vain => ", when nobody was waiting",
                Op::NotifyOne => " by `notify_one`, which wakes only one thread",
                _ => "",
            },
        ),
        None => match lock(link)?.kind {
            LockKind::Condvar => format!("{} has never been signalled", cast.lock(lock(link)?)),
            _ => return None,
        },
    })
}

pub(super) fn title_and_help(finding: &Finding, cast: &Cast<'_>) -> (String, String) {
    let links = &finding.links[..];
    match links {
        [link] if matches!(link.blocker, Blocker::Nobody { .. }) => {
            (format!("stuck: a thread {}", hopeless(link)), alone(link, finding, cast))
        }
        [link, ..] if matches!(link.blocker, Blocker::Nobody { .. }) => (
            format!("stuck: {} threads wait for what nobody is left to give", links.len()),
            alone(
                links.iter().find(|link| held(&link.blocker).is_some()).unwrap_or(link),
                finding,
                cast,
            ),
        ),
        [link] if is_for_permit(link) => (
            "deadlock: a thread waits for a permit while it holds the last one itself".to_owned(),
            permits_at_once(links, cast),
        ),
        [link] => (
            format!("deadlock: a thread {} that only itself has given so far", wants(link)),
            "let another thread do that, or do it before this call".to_owned(),
        ),
        _ => in_a_circle(links, cast),
    }
}

/// What a thread waits for, and that it waits in vain.
fn hopeless(link: &Link) -> &'static str {
    match (lock(link).map(|lock| lock.kind), link.wait.op) {
        (Some(LockKind::Condvar), _) => "waits for a signal that nobody is left to give",
        (Some(LockKind::Channel), Op::Send) => {
            "waits for room in a channel that nobody is left to receive from"
        }
        (Some(LockKind::Channel), _) => "waits for a message that nobody is left to send",
        (Some(LockKind::Barrier), _) => "waits at a barrier for others that cannot come",
        (Some(LockKind::Semaphore), _) => "waits for a permit that nobody is left to give",
        (None, Op::Park) => "is parked, and nobody is left to unpark it",
        _ => "waits for what nobody is left to give",
    }
}

fn wants(link: &Link) -> &'static str {
    match (lock(link).map(|lock| lock.kind), link.wait.op) {
        (Some(LockKind::Condvar), _) => "waits for a signal",
        (Some(LockKind::Channel), Op::Send) => "waits for room in a channel",
        (Some(LockKind::Channel), _) => "waits for a message",
        (Some(LockKind::Semaphore), _) => "waits for a permit",
        _ => "waits for something",
    }
}

/// What to do about a wait that nobody will end.
fn alone(link: &Link, finding: &Finding, cast: &Cast<'_>) -> String {
    let Blocker::Nobody { last, holds, .. } = &link.blocker else { return String::new() };
    if let Some(hold) = holds.first() {
        return give_up_first(hold, link, cast);
    }
    let is_of = |kind| lock(link).is_some_and(|lock| lock.kind == kind);
    let is_lost = last.as_ref().is_some_and(|signal| signal.in_vain);
    let name = lock(link).map(|lock| cast.lock(lock)).unwrap_or_default();
    if is_of(LockKind::Condvar) {
        let waits_twice =
            |other: &&Link| lock(other).map(|lock| lock.id) == lock(link).map(|lock| lock.id);
        let by_one = last.as_ref().is_some_and(|signal| signal.op == Op::NotifyOne);
        return match () {
            () if is_lost => format!(
                "change the condition that {name} tells of under its mutex, and look at it there before waiting, as `wait_while` does: a signal that nobody waits for is gone"
            ),
            () if by_one && finding.links.iter().filter(waits_twice).count() > 1 => format!(
                "signal {name} with `notify_all`, or once for each thread that has to go on: `notify_one` wakes only one"
            ),
            () => format!(
                "signal {name} whenever its condition becomes true, also on the way out of an error, and wait in a loop that looks at the condition"
            ),
        };
    }
    if is_of(LockKind::Channel) && link.wait.op == Op::Send {
        return format!(
            "receive from {name} until its senders are done, or drop the receiver, so that `send` returns an error"
        );
    }
    if is_of(LockKind::Channel) {
        return format!(
            "drop every sender of {name} that will send no more, also the one that the receiving thread has itself: then `recv` returns an error"
        );
    }
    if is_of(LockKind::Barrier) {
        let make = format!("make {name} for as many threads as come to it");
        return match kept_elsewhere(link, finding, cast) {
            Some((threads, waits)) => format!(
                "if {threads} should come to {name}, end {waits} before this one begins, or else {make}"
            ),
            None => format!("{make}, also when one of them fails"),
        };
    }
    if is_of(LockKind::Semaphore) {
        return format!(
            "give every permit of {name} back, by dropping its guard or, after `forget`, with `add_permits`"
        );
    }
    "let a thread that goes on end this wait, or give it a time limit".to_owned()
}

/// Who waits elsewhere, and may be missed at a barrier.
fn kept_elsewhere(
    link: &Link,
    finding: &Finding,
    cast: &Cast<'_>,
) -> Option<(String, &'static str)> {
    let is_elsewhere = |wait: &Wait| match &wait.target {
        Target::Lock(other, _) => lock(link).is_some_and(|lock| lock.id != other.id),
        _ => true,
    };
    let links = finding.links.iter().map(|link| (&link.agent, &link.wait));
    let others = finding.also_waiting.iter().map(|(thread, wait)| (thread, wait));
    let missed = links.chain(others).filter(|(_, wait)| is_elsewhere(wait));
    let names: Vec<String> = missed.map(|(thread, _)| cast.thread(thread).to_owned()).collect();
    let waits = if names.len() == 1 { "its wait" } else { "their waits" };
    (!names.is_empty()).then(|| (list(&names), waits))
}

/// Somebody holds on to what others wait for, one of whom might have ended its wait.
fn give_up_first(hold: &Hold, link: &Link, cast: &Cast<'_>) -> String {
    let only_its_own = match link.wait.op.is_condvar_wait() {
        true => ", which gives up only its own mutex",
        false => "",
    };
    format!(
        "drop the guard of {} taken at {} before the `{}`{only_its_own}: who should end that wait may be waiting for it",
        cast.lock(&hold.lock),
        line_of(hold.site),
        link.wait.op,
    )
}

/// Some of them wait for what the next one has given so far.
fn in_a_circle(links: &[Link], cast: &Cast<'_>) -> (String, String) {
    if links.iter().all(is_for_permit) {
        let count = links.len();
        return (
            format!("deadlock: {count} threads each wait for a permit that another one holds"),
            permits_at_once(links, cast),
        );
    }
    let what = links.iter().find(|link| is_part(link)).map(wants).unwrap_or_default();
    let what = what.strip_prefix("waits ").unwrap_or(what);
    let title = format!("deadlock: {} threads wait in a circle, one of them {what}", links.len());
    let culprit = with_previous(links)
        .filter(|(link, _)| is_part(link))
        .find_map(|(link, previous)| Some((link, held(&previous.blocker)?)));
    let help = match culprit {
        Some((link, hold)) => give_up_first(hold, link, cast),
        None => {
            "let one of these threads do what the others wait for before it waits itself, or give its channel more room"
                .to_owned()
        }
    };
    (title, help)
}

fn permits_at_once(links: &[Link], cast: &Cast<'_>) -> String {
    let name = links.first().and_then(lock).map(|lock| cast.lock(lock)).unwrap_or_default();
    format!(
        "ask for all permits of {name} at once with `acquire_many`, or give the first one back before asking for another"
    )
}

fn lock(link: &Link) -> Option<&Lock> {
    match &link.wait.target {
        Target::Lock(lock, _) => Some(lock),
        _ => None,
    }
}
