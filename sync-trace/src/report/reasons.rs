//! Why a deadlock that has not happened can happen, or what kept it from that.

use super::cast::Cast;
use super::inversion::{Shape, threads};
use super::words::list;
use crate::finding::{Blocker, Condition, Finding, Level, Participant};
use std::collections::BTreeSet;

/// Why it can happen although it has not; empty if something kept it from happening.
pub(super) fn possible(finding: &Finding, shape: &Shape<'_>, cast: &Cast<'_>) -> String {
    let apart = "no outer lock, spawn, join or message";
    match shape {
        Shape::Empty => String::new(),
        Shape::SameClass(hold, _) | Shape::AgainstKeys(hold, ..) => format!(
            "a thread that takes two locks of `{}` the other way round could deadlock with this one",
            cast.lock_names.class_of(&hold.lock)
        ),
        _ if finding.level != Level::Predicted => String::new(),
        Shape::Again(hold) => {
            let writer = writers(finding, cast).pop().unwrap_or_else(|| "a writer".to_owned());
            let lock = cast.lock(&hold.lock);
            format!(
                "{writer} can queue to write {lock} between the two reads: {apart} keeps it away"
            )
        }
        Shape::Initialising | Shape::Circle => {
            let who = match &threads(finding)[..] {
                [one, other] => format!("{} and {}", cast.thread(one), cast.thread(other)),
                _ => "these threads".to_owned(),
            };
            let writers = match &writers(finding, cast)[..] {
                [] => String::new(),
                writers => format!(", and {} can queue to write in between", list(writers)),
            };
            format!("{who} can do this at the same time{writers}: {apart} keeps them apart")
        }
    }
}

/// What kept it from happening, and what would make it possible; empty if nothing did.
pub(super) fn condition(finding: &Finding, cast: &Cast<'_>) -> String {
    let is_pair = finding.links.len() == 2;
    let two = if is_pair { "both" } else { "two of these" };
    match &finding.condition {
        None => String::new(),
        Some(Condition::OneThread) => {
            let who = twice(finding).map_or("one thread", |who| cast.thread(who));
            format!(
                "{who} did {two}, one after the other; different threads that do so at the same time \
                 can deadlock"
            )
        }
        Some(Condition::Gate(gate)) => format!(
            "{} was held around {two}, which kept them apart; should one of them ever go without it, \
             they can deadlock",
            cast.lock(gate)
        ),
        Some(Condition::Ordered) => format!(
            "{} in every schedule: a spawn, a join, a message or the like stood in between; should \
             they ever run side by side, they can deadlock",
            if is_pair { "one came before the other" } else { "two of these came one after the other" }
        ),
        Some(Condition::NoWriter(lock)) => format!(
            "a read of {} waits for another read only if a writer queues in between, and no writer \
             was seen that could; with one, this can deadlock",
            cast.lock(lock)
        ),
        Some(Condition::WriterApart(lock)) => format!(
            "a read of {} waits for another read only if a writer queues in between, and the writers \
             that were seen were kept away by another lock or by order; without that, this can deadlock",
            cast.lock(lock)
        ),
        Some(Condition::Undecided(lock)) => format!(
            "a thread still holds {} around {two}; if it does so until the others have ended, they \
             are kept apart, and otherwise they can deadlock",
            cast.lock(lock)
        ),
        // That is said of broken declarations only.
        Some(Condition::DeclaredElsewhere) => String::new(),
        Some(Condition::OtherGivers(thing)) => format!(
            "what is waited for at {} was also given by a thread that nothing kept from that, or others may give \
             it who were not seen; if none of them does, this can deadlock",
            cast.lock(thing)
        ),
        Some(Condition::MayBeTold(lock)) => format!(
            "what {} protects may have told who joins that the other thread needs nothing any more; if nothing \
             did, this can deadlock",
            cast.lock(lock)
        ),
        Some(Condition::OtherInstances) => {
            "these were different locks of the same classes, so nobody could wait in a circle; where \
             they are the same ones, this can deadlock"
                .to_owned()
        }
    }
}

/// A thread that takes part more than once.
fn twice(finding: &Finding) -> Option<&Participant> {
    let agents = || finding.links.iter().map(|link| &link.agent);
    agents().find(|agent| agents().filter(|other| other.id == agent.id).count() > 1)
}

/// Who may queue to write while others read.
fn writers(finding: &Finding, cast: &Cast<'_>) -> Vec<String> {
    let queued = |blocker: &Blocker| match blocker {
        Blocker::QueuedWriter { writer: Some((writer, _)), .. } => {
            Some(cast.thread(writer).to_owned())
        }
        Blocker::QueuedWriter { writer: None, .. } => Some("a writer".to_owned()),
        _ => None,
    };
    let names: BTreeSet<_> =
        finding.links.iter().filter_map(|link| queued(&link.blocker)).collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::cases::inversions;
    use super::super::source::Sources;
    use super::*;

    #[test]
    fn what_kept_it_from_happening_is_told_only_if_something_did() {
        let check = |finding: Finding, expected: &str| {
            let cast = Cast::of(&finding, &Sources::new());
            assert_eq!(condition(&finding, &cast), expected);
            let possible = possible(&finding, &Shape::of(&finding), &cast);
            assert_eq!(possible.is_empty(), !expected.is_empty());
        };
        check(inversions::both_orders(), "");
        check(
            inversions::one_thread(),
            "'solo' did both, one after the other; different threads that do so at the same time \
             can deadlock",
        );
        check(
            inversions::ordered(),
            "two of these came one after the other in every schedule: a spawn, a join, a message \
             or the like stood in between; should they ever run side by side, they can deadlock",
        );
        check(
            inversions::no_writer(),
            "a read of `Bank.accounts` waits for another read only if a writer queues in between, \
             and no writer was seen that could; with one, this can deadlock",
        );
        check(
            inversions::writer_apart(),
            "a read of `Bank.accounts` waits for another read only if a writer queues in between, \
             and the writers that were seen were kept away by another lock or by order; without \
             that, this can deadlock",
        );
        check(
            inversions::undecided(),
            "a thread still holds `gate` around both; if it does so until the others have ended, \
             they are kept apart, and otherwise they can deadlock",
        );
    }
}
