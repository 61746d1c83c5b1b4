//! What a deadlock that has happened comes to: its one-sentence verdict, and one thing to do about it.

use super::cast::{Cast, held, with_previous};
use super::standstill;
use super::verdict::Verdict;
use super::words::{line_of, list};
use crate::finding::{
    Blocker, Finding, Hold, Link, Lock, Mode, Op, Outcome, Participant, Site, Target,
};
use std::collections::BTreeSet;

/// The verdict on a cycle (or chain) of waits.
pub(super) fn on(finding: &Finding, cast: &Cast<'_>) -> Verdict {
    let (title, help) = title_and_help(finding, cast);
    Verdict {
        title,
        reasons: standstill::reasons(&finding.links, cast),
        outcome: match (&finding.raised_by, finding.outcome) {
            (Some(thread), Outcome::Panicked) => format!(
                "{} panics instead of waiting; unwinding releases its guards",
                cast.thread_names.full_name(thread)
            ),
            _ => outcome(finding.outcome).to_owned(),
        },
        help,
        silencing: silencing(finding),
    }
}

fn title_and_help(finding: &Finding, cast: &Cast<'_>) -> (String, String) {
    let links = &finding.links[..];
    if links.iter().any(standstill::is_part) {
        standstill::title_and_help(finding, cast)
    } else if let Some((owner, hold)) = links.iter().find_map(ended_owner) {
        leaked(links.len(), owner, hold, cast)
    } else if let [link] = links {
        alone(link, cast)
    } else if links.iter().any(is_initialised) {
        initialising(links, cast)
    } else if links.iter().any(gives_nothing_up) {
        holding_on(links, cast)
    } else {
        in_a_circle(links, cast)
    }
}

/// Whether the wait is not for a lock alone, so that taking locks in one order would not help.
fn gives_nothing_up(link: &Link) -> bool {
    matches!(link.blocker, Blocker::Runs) || link.wait.op.is_condvar_wait()
}

fn ended_owner(link: &Link) -> Option<(&Participant, &Hold)> {
    match &link.blocker {
        Blocker::Ended { owner, hold } => Some((owner, hold)),
        _ => None,
    }
}

fn leaked(waiting: usize, owner: &Participant, hold: &Hold, cast: &Cast<'_>) -> (String, String) {
    let who =
        if waiting == 1 { "a thread waits".into() } else { format!("{waiting} threads wait") };
    (
        format!("stuck: {who} for a lock whose holder has ended without releasing it"),
        format!(
            "find out where {} leaks the guard taken at {} (`mem::forget` does that), and drop it there",
            cast.thread(owner),
            line_of(hold.site)
        ),
    )
}

/// One thread stands in its own way.
fn alone(link: &Link, cast: &Cast<'_>) -> (String, String) {
    let Some(hold) = held(&link.blocker) else {
        let help = "let another thread wait for this one to end";
        return ("deadlock: a thread waits for its own end".to_owned(), help.to_owned());
    };
    let (lock, taken) = (cast.lock(&hold.lock), line_of(hold.site));
    if hold.lock.kind.is_once() {
        return (
            format!("deadlock: the initialiser of {lock} waits for {lock} itself"),
            format!(
                "do not use {lock} in what its own initialiser, called at {taken}, runs: pass on the parts that are needed there"
            ),
        );
    }
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
        _ => read_once(&taken, &lock),
    };
    (format!("deadlock: a thread {title}"), help)
}

/// How not to read a lock inside itself.
pub(super) fn read_once(taken: &str, lock: &str) -> String {
    format!(
        "drop the read guard taken at {taken} before this call, or pass it on and do not read {lock} again"
    )
}

/// Somebody waits for a signal or for a thread to end, and holds a lock meanwhile.
fn holding_on(links: &[Link], cast: &Cast<'_>) -> (String, String) {
    let culprits = with_previous(links).filter(|(link, _)| gives_nothing_up(link));
    let culprits = culprits.map(|(link, previous)| (link.wait.op, held(&previous.blocker)));
    let (op, hold) = culprits.max_by_key(|(_, hold)| hold.is_some()).unwrap_or((Op::Join, None));
    let title = match (links.len(), op) {
        (n, _) if hold.is_none() => format!("{n} threads wait for each other to end"),
        (2, Op::Scope) => {
            "a scope joins its threads while a lock is held that one of them is waiting for".into()
        }
        (2, Op::Join) => {
            "a thread joins another while it holds a lock that the other is waiting for".into()
        }
        (2, _) => {
            "a thread waits for a signal while it holds a lock that the owner of its mutex is waiting for"
                .into()
        }
        (n, Op::Join | Op::Scope) => {
            format!("{n} threads wait in a circle, one of them for another to end")
        }
        (n, _) => format!("{n} threads wait in a circle, one of them for a signal"),
    };
    let help = match hold {
        Some(hold) => format!(
            "drop the guard of {} taken at {} before {}",
            cast.lock(&hold.lock),
            line_of(hold.site),
            match op {
                Op::Scope => "the scope ends".to_owned(),
                Op::Join => "the `join`".to_owned(),
                _ => format!("the `{op}`, which gives up only its own mutex"),
            }
        ),
        None => "let only one of these threads wait for the end of the other".to_owned(),
    };
    (format!("deadlock: {title}"), help)
}

/// Somebody runs an initialiser for which others wait.
fn initialising(links: &[Link], cast: &Cast<'_>) -> (String, String) {
    let holds: Vec<&Hold> = links.iter().filter_map(|link| held(&link.blocker)).collect();
    let only_inits = holds.iter().all(|hold| hold.lock.kind.is_once());
    let joins = links.iter().any(|link| matches!(link.blocker, Blocker::Runs));
    let title = match (links.len(), only_inits, joins) {
        (2, _, true) => {
            "an initialiser waits for a thread that waits for the initialisation".to_owned()
        }
        (2, true, false) => "2 initialisers each use what the other one initialises".to_owned(),
        (2, ..) => {
            "an initialiser waits for a lock whose holder waits for the initialisation".to_owned()
        }
        (n, ..) => format!("{n} threads wait in a circle, one of them inside an initialiser"),
    };
    let help = match joins {
        true => format!(
            "do not wait inside the initialiser of {} for a thread that uses it",
            initialised(links, cast)
        ),
        false => initialised_in_time(links, cast),
    };
    (format!("deadlock: {title}"), help)
}

/// How to keep initialisers out of a circle.
pub(super) fn initialised_in_time(links: &[Link], cast: &Cast<'_>) -> String {
    match lock_around_use(links) {
        Some((init, around, inside)) => format!(
            "use {} before {} is taken at {}, so that it is initialised by then, or do not take {} in its initialiser",
            cast.lock(&init.lock),
            cast.lock(&around.lock),
            line_of(around.site),
            cast.lock(inside)
        ),
        None => format!(
            "initialise {} in one place and in one order, or let no initialiser use another's value",
            initialised(links, cast)
        ),
    }
}

/// The names of what is being initialised.
fn initialised(links: &[Link], cast: &Cast<'_>) -> String {
    let inits = links.iter().filter_map(|link| held(&link.blocker));
    let inits = inits.filter(|hold| hold.lock.kind.is_once()).map(|hold| cast.lock(&hold.lock));
    list(&inits.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>())
}

/// What somebody uses under a lock while it is being initialised: the initialiser, the lock that the
/// user holds, and the one that the initialiser waits for.
fn lock_around_use(links: &[Link]) -> Option<(&Hold, &Hold, &Lock)> {
    let nexts = links.iter().cycle().skip(1);
    with_previous(links).zip(nexts).find_map(|((link, previous), next)| {
        let init = held(&link.blocker).filter(|hold| hold.lock.kind.is_once())?;
        let around = held(&previous.blocker).filter(|hold| !hold.lock.kind.is_once())?;
        match &next.wait.target {
            Target::Lock(inside, _) if !inside.kind.is_once() => Some((init, around, inside)),
            _ => None,
        }
    })
}

/// Whether an initialiser is waited for.
pub(super) fn is_initialised(link: &Link) -> bool {
    held(&link.blocker).is_some_and(|hold| hold.lock.kind.is_once())
}

/// Only locks are waited for.
fn in_a_circle(links: &[Link], cast: &Cast<'_>) -> (String, String) {
    let count = links.len();
    let holds: Vec<&Hold> = links.iter().filter_map(|link| held(&link.blocker)).collect();
    let is_taken = |lock: &&&Lock| holds.iter().any(|hold| hold.lock.id == lock.id);
    let locks: Vec<_> = cast.locks.iter().filter(is_taken).map(|lock| cast.lock(lock)).collect();
    let is_queued = links.iter().any(|l| matches!(l.blocker, Blocker::QueuedWriter { .. }));
    let title = match count {
        n if is_queued => format!("{n} threads wait in a circle, one behind a queued writer"),
        n if locks.len() == 1 => {
            format!("{n} threads read a lock that each of them waits to write")
        }
        2 => "2 threads each hold a lock that the other is waiting for".to_owned(),
        n => format!("{n} threads wait in a circle, each for a lock that the next one holds"),
    };
    let help = match &locks[..] {
        [] => "let one of the threads give up what it holds before it waits".to_owned(),
        [lock] if is_queued => {
            format!("read {lock} once and pass the guard on: a second read queues behind writers")
        }
        [lock] => {
            format!("take {lock} with `write` from the start, or drop the read guard first")
        }
        _ => in_one_order(links, &holds, &locks),
    };
    (format!("deadlock: {title}"), help)
}

/// More locks or places than this are not listed.
pub(super) const LISTED: usize = 3;

/// How to take locks that are held and waited for in a circle.
pub(super) fn in_one_order(links: &[Link], holds: &[&Hold], locks: &[String]) -> String {
    let lines = |sites: &mut dyn Iterator<Item = Site>| {
        sites.map(line_of).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let first = lines(&mut holds.iter().map(|hold| hold.site));
    let then = lines(&mut links.iter().map(|link| link.wait.site));
    let locks = if locks.len() > LISTED { "these locks".to_owned() } else { list(locks) };
    match (&first[..], &then[..]) {
        ([first], [then]) if first == then => {
            format!(
                "always take {locks} in one fixed order, such as by index or address: they are all taken at {first}"
            )
        }
        ([first], [then]) => format!(
            "always take {locks} in one fixed order, such as by index or address: each thread takes one at {first} and its next at {then}"
        ),
        ([one, two], _) => {
            format!("take {locks} in the same order in both places, {one} and {two}")
        }
        (places, _) if places.len() <= LISTED => {
            format!("take {locks} in the same order everywhere: {}", list(places))
        }
        _ => format!("take {locks} in the same order everywhere"),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Panicked => "this thread panics instead of waiting; unwinding releases its guards",
        Outcome::Ended => "the process ends now, with status 66 unless it was configured to abort",
        Outcome::Logged => "the report was only printed; the threads stay blocked",
        Outcome::Deferred => {
            "a thread of it fails at its next nested lock operation, or the process at its end"
        }
        Outcome::Noted => "this is only listed; nothing fails because of it",
    }
}

fn silencing(finding: &Finding) -> String {
    format!(
        "fingerprint {}; SYNC_TRACE=on_violation=log reports without a panic, and the threads hang",
        finding.fingerprint
    )
}
