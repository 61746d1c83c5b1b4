//! What a deadlock that has not happened comes to: how its locks contradict each other, and one thing
//! to do about it.

use super::advice::{self, LISTED};
use super::cast::{Cast, held};
use super::orders::{self, Order, orders};
use super::reasons;
use super::statements;
use super::verdict::Verdict;
use super::words::{line_of, list, times};
use crate::finding::{Condition, Finding, Hold, Level, Lock, Outcome, Participant, Target};
use crate::order::Key;
use std::collections::BTreeSet;

/// The verdict on locks that are taken in orders which contradict each other.
pub(super) fn on(finding: &Finding, cast: &Cast<'_>) -> Verdict {
    let shape = Shape::of(finding);
    Verdict {
        title: title(finding, &shape, cast),
        reasons: vec![
            ("stated", stated(finding, &shape, cast)),
            ("counts", orders::counts(finding, cast)),
            ("possible", reasons::possible(finding, &shape, cast)),
            ("condition", reasons::condition(finding, cast)),
        ],
        outcome: outcome(finding, cast),
        help: help(finding, &shape, cast),
        silencing: silencing(finding, cast),
    }
}

/// What was stated of the locks, where the title does not say so.
fn stated(finding: &Finding, shape: &Shape<'_>, cast: &Cast<'_>) -> String {
    match shape {
        Shape::AgainstKeys(..) => String::new(),
        _ => statements::stated(finding, cast),
    }
}

/// What the orders of a finding amount to.
pub(super) enum Shape<'a> {
    /// Nothing: there are none.
    Empty,
    /// A lock was taken inside another one of its class.
    SameClass(&'a Hold, &'a Lock),
    /// The same, and not in the order of their keys.
    AgainstKeys(&'a Hold, &'a Lock, [Key; 2]),
    /// A lock was taken inside itself.
    Again(&'a Hold),
    /// Some initialise what others use.
    Initialising,
    /// Locks were taken in a circle.
    Circle,
}

impl<'a> Shape<'a> {
    /// The shape of `finding`.
    pub(super) fn of(finding: &'a Finding) -> Self {
        let all: Vec<Order<'_>> = orders(finding).collect();
        match &all[..] {
            [] => Self::Empty,
            [one] => match (one.hold, one.inner()) {
                (Some(hold), _) if one.is_again() => Self::Again(hold),
                (Some(hold), Some(inner)) => match statements::keys(one) {
                    Some(keys) => Self::AgainstKeys(hold, inner, keys),
                    None => Self::SameClass(hold, inner),
                },
                _ => Self::Circle,
            },
            _ if finding.links.iter().any(advice::is_initialised) => Self::Initialising,
            _ => Self::Circle,
        }
    }
}

fn title(finding: &Finding, shape: &Shape<'_>, cast: &Cast<'_>) -> String {
    let is_possible = finding.level == Level::Predicted;
    let kind = match shape {
        Shape::SameClass(..) if is_possible => {
            "possible deadlock: two locks of one class are nested: "
        }
        _ if is_possible => "possible deadlock: ",
        Shape::SameClass(..) => "two locks of one class are nested: ",
        Shape::AgainstKeys(..) => "two locks of one class are not taken by their keys: ",
        Shape::Again(_) => "nested read: ",
        Shape::Empty | Shape::Initialising | Shape::Circle => "inconsistent lock order: ",
    };
    let locks = locks_of(finding, cast);
    let what = match shape {
        Shape::Empty => "locks are taken in orders that contradict each other".to_owned(),
        Shape::SameClass(hold, inner) => {
            format!("{} is taken while {} is held", cast.lock(inner), cast.lock(&hold.lock))
        }
        Shape::AgainstKeys(hold, inner, [outer_key, inner_key]) => format!(
            "{} with key {inner_key} is taken while {} with key {outer_key} is held",
            cast.lock(inner),
            cast.lock(&hold.lock)
        ),
        Shape::Again(hold) => {
            let writer = if is_possible { ", and a writer may queue in between" } else { "" };
            format!("a thread reads {} while it already reads it{writer}", cast.lock(&hold.lock))
        }
        Shape::Initialising if finding.links.len() == 2 => initialising(finding, &locks, cast),
        Shape::Initialising | Shape::Circle => match finding.links.len() {
            2 if locks.len() == 1 => format!("two locks of {} are taken in both orders", locks[0]),
            2 => format!("{} are taken in both orders", list(&locks)),
            count if is_possible => {
                let count_of_threads = threads(finding).len();
                let circle = match count <= LISTED {
                    true => format!("locks in a circle: {}", circle(finding, cast)),
                    false => format!("{count} locks in a circle"),
                };
                format!("{count_of_threads} threads take {circle}")
            }
            count if count <= LISTED => circle(finding, cast),
            count => format!("{count} locks are taken in a circle"),
        },
    };
    format!("{kind}{what}")
}

/// Such as `` `a` before `b` before `c` before `a` ``.
fn circle(finding: &Finding, cast: &Cast<'_>) -> String {
    let inner = orders(finding).filter_map(|order| order.inner());
    let inner: Vec<_> = inner.map(|lock| cast.lock(lock)).collect();
    let all: Vec<_> = inner.last().into_iter().chain(&inner).map(String::as_str).collect();
    all.join(" before ")
}

/// How an initialiser takes part in a circle of two.
fn initialising(finding: &Finding, locks: &[String], cast: &Cast<'_>) -> String {
    let lock = |is_once: bool| {
        let mut holds = finding.links.iter().filter_map(|link| held(&link.blocker));
        holds.find(|hold| hold.lock.kind.is_once() == is_once).map(|hold| cast.lock(&hold.lock))
    };
    match (lock(true), lock(false)) {
        (Some(init), Some(lock)) => {
            format!("the initialiser of {init} takes {lock}, and {init} is used while that is held")
        }
        _ => format!("the initialisers of {} use each other's values", list(locks)),
    }
}

pub(super) fn outcome(finding: &Finding, cast: &Cast<'_>) -> String {
    let before = match finding.links.first().map(|link| &link.wait.target) {
        Some(Target::Lock(lock, _)) if lock.kind.is_once() => {
            format!("before it uses {}", cast.lock(lock))
        }
        Some(Target::Lock(lock, _)) => format!("before it takes {}", cast.lock(lock)),
        _ => "instead of going on".to_owned(),
    };
    match finding.outcome {
        Outcome::Panicked => format!(
            "nothing hangs yet: this thread panics {before}, and unwinding releases its guards"
        ),
        Outcome::Ended => {
            "nothing hangs yet, but the process ends now, with status 66 unless it was configured to \
             abort"
                .to_owned()
        }
        Outcome::Logged => {
            "nothing hangs yet: the report was only printed, and the threads go on".to_owned()
        }
        Outcome::Deferred => {
            "nothing hangs yet: the next nested lock operation of one of these threads panics with this \
             report, or else the test or the process fails at its end"
                .to_owned()
        }
        Outcome::Noted => "this is only listed; nothing fails because of it".to_owned(),
    }
}

fn help(finding: &Finding, shape: &Shape<'_>, cast: &Cast<'_>) -> String {
    let order = match shape {
        Shape::Empty => return "take these locks in the same order everywhere".to_owned(),
        Shape::SameClass(hold, _) => {
            return statements::missing(cast.lock_names.class_of(&hold.lock));
        }
        Shape::AgainstKeys(hold, ..) => {
            return statements::broken(cast.lock_names.class_of(&hold.lock));
        }
        Shape::Again(hold) => {
            return advice::read_once(&line_of(hold.site), &cast.lock(&hold.lock));
        }
        Shape::Initialising => advice::initialised_in_time(&finding.links, cast),
        Shape::Circle => the_odd_one_out(finding, cast).unwrap_or_else(|| {
            let holds: Vec<_> = finding.links.iter().filter_map(|l| held(&l.blocker)).collect();
            advice::in_one_order(&finding.links, &holds, &locks_of(finding, cast))
        }),
    };
    match &finding.condition {
        Some(Condition::Gate(gate)) => {
            format!("keep {} around every such place, or {order}", cast.lock(gate))
        }
        Some(Condition::Undecided(lock)) => {
            format!("release {} only after the others have ended, or {order}", cast.lock(lock))
        }
        _ => order,
    }
}

/// Where the rarest order is to be turned round, if there is one that stands out.
fn the_odd_one_out(finding: &Finding, cast: &Cast<'_>) -> Option<String> {
    let mut all: Vec<Order<'_>> = orders(finding).collect();
    all.sort_by_key(Order::times);
    let [odd, others @ ..] = &all[..] else { return None };
    let (hold, inner) = (odd.hold?, odd.inner()?);
    let rarer = || others.iter().all(|other| odd.times() < other.times());
    let elsewhere =
        || others.iter().all(|other| other.hold.is_some_and(|other| other.site != hold.site));
    if all.len() > LISTED || odd.times() == 0 || !rarer() || !elsewhere() {
        return None;
    }
    let why = match others {
        [other] => format!(
            " too: that order was seen {}, the other way round {}",
            times(other.times()),
            times(odd.times())
        ),
        _ => ": the other orders agree with that, and the one there is the rarest".to_owned(),
    };
    let (first, then) = (cast.lock(inner), cast.lock(&hold.lock));
    let more = match odd.link.seen {
        Some(seen) if seen.sites > 1 => " and other lines like it",
        _ => "",
    };
    Some(format!("take {first} before {then} at {}{more}{why}", line_of(hold.site)))
}

pub(super) fn silencing(finding: &Finding, cast: &Cast<'_>) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    let names: BTreeSet<_> =
        in_circle(finding, cast).map(|lock| quoted(cast.lock_names.class_of(lock))).collect();
    let names: Vec<_> = names.into_iter().collect();
    format!(
        "fingerprint {}; to accept it, put into sync-trace.toml, with the reason:\n\
         [[allow]]\ncode = \"{}\"\nlocks = [{}]\nreason = \"\"",
        finding.fingerprint,
        finding.code,
        names.join(", ")
    )
}

/// The locks that are taken in orders which contradict each other, oldest first.
fn in_circle<'a>(finding: &'a Finding, cast: &'a Cast<'_>) -> impl Iterator<Item = &'a Lock> {
    let is_part = move |lock: &&Lock| {
        let is_it = |other: &Lock| other.id == lock.id;
        orders(finding).any(|order| {
            order.inner().is_some_and(is_it) || order.hold.is_some_and(|hold| is_it(&hold.lock))
        })
    };
    cast.locks.iter().copied().filter(is_part)
}

/// Their names, each once.
fn locks_of(finding: &Finding, cast: &Cast<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for lock in in_circle(finding, cast) {
        let name = cast.lock(lock);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Who takes part, each once; not the writers that may queue.
pub(super) fn threads(finding: &Finding) -> Vec<&Participant> {
    let mut threads: Vec<&Participant> = Vec::new();
    for link in &finding.links {
        if !threads.iter().any(|known| known.id == link.agent.id) {
            threads.push(&link.agent);
        }
    }
    threads
}

#[cfg(test)]
mod tests {
    use super::super::cases::inversions;
    use super::super::source::Sources;
    use super::*;
    use crate::finding::Sightings;

    fn verdict(finding: &Finding) -> Verdict {
        on(finding, &Cast::of(finding, &Sources::new()))
    }

    #[test]
    fn nothing_hangs_whatever_is_done_about_it() {
        let check = |outcome, expected: &str| {
            let finding = Finding { outcome, ..inversions::both_orders() };
            assert_eq!(verdict(&finding).outcome, expected);
        };
        check(
            Outcome::Panicked,
            "nothing hangs yet: this thread panics before it takes `Bank.audit`, and unwinding \
             releases its guards",
        );
        check(
            Outcome::Ended,
            "nothing hangs yet, but the process ends now, with status 66 unless it was configured \
             to abort",
        );
        check(
            Outcome::Logged,
            "nothing hangs yet: the report was only printed, and the threads go on",
        );
        check(
            Outcome::Deferred,
            "nothing hangs yet: the next nested lock operation of one of these threads panics with \
             this report, or else the test or the process fails at its end",
        );
        check(Outcome::Noted, "this is only listed; nothing fails because of it");
    }

    #[test]
    fn only_an_order_that_is_rarer_than_the_others_is_to_be_turned_round() {
        let check = |first: Option<u64>, second: u64, expected: &str| {
            let mut finding = inversions::both_orders();
            for (link, times) in finding.links.iter_mut().zip([first, Some(second)]) {
                link.seen = link.seen.zip(times).map(|(seen, times)| Sightings { times, ..seen });
            }
            let help = verdict(&finding).help;
            assert!(help.starts_with(expected), "{help}");
        };
        let either = "take `Bank.accounts` and `Bank.audit` in the same order in both places, ";
        check(Some(3), 3, either);
        check(None, 3, either);
        check(Some(3), 4, "take `Bank.audit` before `Bank.accounts` at ");
        check(Some(4), 3, "take `Bank.accounts` before `Bank.audit` at ");
    }

    #[cfg(feature = "pretty")]
    #[test]
    fn who_took_a_lock_around_anothers_deeds_is_named() {
        use crate::finding::{AgentId, Blocker, Participant};

        let mut finding = inversions::both_orders();
        let agent = finding.links[0].agent.clone();
        let parent = Participant { id: AgentId(99), name: Some("parent".into()), ..agent };
        let Blocker::Holds(hold) = &mut finding.links[0].blocker else { unreachable!() };
        hold.taken_by = Some(parent);
        let text = crate::report::text(&finding);
        for said in [
            "'parent' (21852) took `Bank.audit` here and held it around what 'reporter' did",
            "took `Bank.accounts` here while 'parent' held `Bank.audit`",
        ] {
            assert!(text.contains(said), "no `{said}` in {text}");
        }
    }

    #[test]
    fn an_allowed_lock_is_quoted_as_toml_asks() {
        let mut finding = inversions::same_class(Outcome::Noted);
        for link in &mut finding.links {
            let Target::Lock(lock, _) = &mut link.wait.target else { unreachable!() };
            lock.name = Some(r#"a "b" \ c"#);
        }
        let silencing = verdict(&finding).silencing;
        let entry = "code = \"ST0104\"\nlocks = [\"Bank.others[_]\", \"a \\\"b\\\" \\\\ c\"]\n";
        assert!(silencing.contains(entry), "{silencing}");
    }
}
