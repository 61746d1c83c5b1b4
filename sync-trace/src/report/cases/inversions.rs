//! Findings of what has not happened: locks that were taken in orders which contradict each other.

use super::{
    Probe, abba, bank, bank_with_config, circle, finding, hold, holds, initialises, link,
    queued_writer, read_again, thread, three, wait,
};
use crate::finding::{
    Blocker, Code, Condition, Finding, Level, Lock, LockId, Mode, Op, Outcome, Sightings, Stated,
    Statement, Target, Wait,
};

/// One of each.
pub(in crate::report) fn all() -> Vec<Finding> {
    let mut all = vec![both_orders(), three_orders(), philosophers(12), philosophers(50)];
    all.extend([behind_a_writer(), reads_again(), initialiser(), same_class(Outcome::Panicked)]);
    all.extend([
        gate(),
        one_thread(),
        ordered(),
        no_writer(),
        writer_apart(),
        reads_again_without_a_writer(),
    ]);
    all.extend([undecided(), other_instances(), same_class(Outcome::Noted)]);
    all.extend([against_keys(), levels()]);
    all
}

/// Two threads took two locks in both orders.
pub(in crate::report) fn both_orders() -> Finding {
    let [usual, other] = [seen(1_204, 3, 5), seen(1, 1, 1)];
    possible(abba(), &[other, usual])
}

/// Three threads took three locks in a circle; one did so elsewhere, and least often.
pub(in crate::report) fn three_orders() -> Finding {
    let mut finding = possible(three(), &[seen(12, 2, 1), seen(2, 1, 1), seen(12, 2, 1)]);
    let [elsewhere, _] = bank().0.total();
    if let Blocker::Holds(hold) = &mut finding.links[0].blocker {
        hold.site = elsewhere;
    }
    finding
}

/// This many threads took their neighbours' locks after their own.
pub(in crate::report) fn philosophers(size: u64) -> Finding {
    possible(circle(size), &[seen(1, 1, 1)])
}

/// Two locks in both orders, of which one is only read, and once written.
pub(in crate::report) fn behind_a_writer() -> Finding {
    possible(queued_writer(), &[seen(7, 1, 1), seen(7, 2, 3)])
}

/// A lock was read inside itself, and written elsewhere.
pub(in crate::report) fn reads_again() -> Finding {
    possible(read_again(), &[seen(2, 1, 1)])
}

/// A value was used under a lock that its initialiser takes.
pub(in crate::report) fn initialiser() -> Finding {
    let (bank, [audit, config]) = bank_with_config();
    let [made, locked, used, _] = bank.configure(&Probe::new());
    let deref = Wait { op: Op::Deref, ..wait(used, &config, None) };
    let links = vec![
        link(5, "maker", wait(locked, &audit, None), holds(locked, &audit)),
        link(6, "user", deref, Blocker::Holds(initialises(made, &config))),
    ];
    possible(finding(links), &[])
}

/// A lock was taken while another one of its class was held.
pub(in crate::report) fn same_class(outcome: Outcome) -> Finding {
    let mut finding = philosophers(12);
    finding.links.drain(1..);
    let Target::Lock(wanted, _) = &finding.links[0].wait.target else { unreachable!() };
    let held = Lock { id: LockId(10), ..wanted.clone() };
    let [took, _] = bank().0.transfer();
    finding.links[0].blocker = Blocker::Holds(hold(took, &held));
    Finding { code: Code::SameClass, level: Level::Order, outcome, ..finding }
}

/// The same, and they have keys, which say otherwise.
pub(in crate::report) fn against_keys() -> Finding {
    let mut finding = same_class(Outcome::Noted);
    let stated = |key: u64| Stated { level: 0, key: Some(key.into()) };
    finding.links[0].stated = Some(Statement { held: stated(7), wanted: stated(3) });
    finding
}

/// Two locks of one class were taken in two roles, and others of it the other way round.
pub(in crate::report) fn levels() -> Finding {
    let mut finding = other_instances();
    let at = |level| Stated { level, key: None };
    finding.links[0].stated = Some(Statement { held: at(0), wanted: at(1) });
    finding.links[1].stated = Some(Statement { held: at(1), wanted: at(0) });
    finding
}

/// Another lock was held around both.
pub(in crate::report) fn gate() -> Finding {
    listed(both_orders(), Condition::Gate(outer()))
}

/// One thread did both.
pub(in crate::report) fn one_thread() -> Finding {
    let mut finding = possible(abba(), &[seen(1, 1, 1), seen(12, 1, 2)]);
    finding.links.iter_mut().for_each(|link| link.agent = thread(5, "solo"));
    listed(finding, Condition::OneThread)
}

/// One was over before the other began.
pub(in crate::report) fn ordered() -> Finding {
    listed(three_orders(), Condition::Ordered)
}

/// Nobody was seen to write what one of them reads.
pub(in crate::report) fn no_writer() -> Finding {
    without_a_writer(behind_a_writer())
}

/// Who was seen to write what one of them reads could not be there with them.
pub(in crate::report) fn writer_apart() -> Finding {
    let Finding { condition: Some(Condition::NoWriter(lock)), .. } = no_writer() else {
        unreachable!()
    };
    listed(no_writer(), Condition::WriterApart(lock))
}

/// Nobody was seen to write what is read inside itself.
pub(in crate::report) fn reads_again_without_a_writer() -> Finding {
    without_a_writer(reads_again())
}

/// Another lock is still held around both.
pub(in crate::report) fn undecided() -> Finding {
    listed(both_orders(), Condition::Undecided(outer()))
}

/// The other order was that of two other locks.
pub(in crate::report) fn other_instances() -> Finding {
    let mut finding = both_orders();
    for link in &mut finding.links {
        if let Blocker::Holds(hold) = &mut link.blocker {
            hold.lock.id = LockId(hold.lock.id.0 + 10);
        }
    }
    listed(finding, Condition::OtherInstances)
}

/// What was found blocked, as if it had only been seen piece by piece.
fn possible(finding: Finding, seen: &[Option<Sightings>]) -> Finding {
    let mut links = finding.links;
    for (number, link) in links.iter_mut().enumerate() {
        link.wait.age = None;
        link.seen = seen.get(number).or(seen.last()).copied().flatten();
        if let Blocker::Holds(hold) | Blocker::QueuedWriter { hold, .. } = &mut link.blocker {
            hold.at_least = None;
        }
    }
    let also_waiting = Vec::new();
    Finding { code: Code::Inversion, level: Level::Predicted, links, also_waiting, ..finding }
}

/// The same, but something kept it from happening.
fn listed(finding: Finding, condition: Condition) -> Finding {
    let condition = Some(condition);
    Finding { level: Level::Order, outcome: Outcome::Noted, condition, ..finding }
}

fn without_a_writer(mut finding: Finding) -> Finding {
    let Blocker::QueuedWriter { hold, writer } = &mut finding.links[0].blocker else {
        unreachable!()
    };
    *writer = None;
    assert_eq!(hold.mode, Mode::Read);
    let condition = Condition::NoWriter(hold.lock.clone());
    listed(finding, condition)
}

/// A lock that is taken around others.
fn outer() -> Lock {
    let (_, [lock, _]) = bank();
    Lock { id: LockId(2), name: Some("gate"), type_name: "()", ..lock }
}

fn seen(times: u64, threads: u64, sites: u64) -> Option<Sightings> {
    Some(Sightings { times, threads, sites })
}
