//! Snapshots that tests make up: locks called `accounts`, in a second.

use std::time::Duration;

use super::super::section::Sample;
use super::super::snapshot::{ClassStats, LockStats, Snapshot};
use super::super::stats::{Ended, Stats};
use super::super::uses::Uses;
use crate::finding::{LockId, LockKind};
use crate::op::Mode;
use crate::site::Site;

pub(super) const US: u64 = 1_000;
pub(super) const MS: u64 = 1_000_000;

/// A lock of a class, in one mode.
pub(crate) struct Made {
    pub(super) kind: LockKind,
    pub(super) mode: Mode,
    pub(super) stats: Stats,
}

/// Where others wait, and two lines that hold.
fn lines() -> [Site; 3] {
    [Site::caller(), Site::caller(), Site::caller()]
}

/// One of the two lines that hold.
pub(super) fn line(number: usize) -> Site {
    lines()[number]
}

impl Made {
    pub(super) fn mutex() -> Self {
        Self { kind: LockKind::Mutex, mode: Mode::Exclusive, stats: Stats::default() }
    }

    pub(super) fn of(kind: LockKind, mode: Mode) -> Self {
        Self { kind, mode, ..Self::mutex() }
    }

    /// So many waits of so many nanoseconds, behind the first line, the second, or nobody knows which.
    pub(super) fn waits(self, times: u64, ns: u64, holder: usize) -> Self {
        self.waits_from(0, times, ns, holder, false)
    }

    /// The same behind somebody who had waited.
    pub(super) fn handed_on(self, times: u64, ns: u64, holder: usize) -> Self {
        self.waits_from(0, times, ns, holder, true)
    }

    /// The same at one of the lines that hold.
    pub(super) fn waits_from(
        mut self,
        waiter: usize,
        times: u64,
        ns: u64,
        holder: usize,
        was_handed_on: bool,
    ) -> Self {
        let holder = [None, Some(line(1)), Some(line(2))][holder];
        let ended = Ended { holder, was_handed_on, ns, ..Ended::new(line(waiter)) };
        (0..times).for_each(|_| _ = self.stats.count(&ended));
        self
    }

    /// So many measured holds of so many nanoseconds from a line, each of which stands for that many, by one thread
    /// at a time.
    pub(super) fn holds(self, times: u64, ns: u64, at: usize, weight: u64) -> Self {
        self.sampled(times, &Sample { weight, ..sample(ns, at) })
    }

    pub(super) fn sampled(mut self, times: u64, sample: &Sample) -> Self {
        (0..times).for_each(|_| _ = self.stats.sample(sample));
        self.stats.acquisitions += times * sample.weight;
        self.stats.threads = self.stats.threads.max(1);
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Stats)) -> Self {
        change(&mut self.stats);
        self
    }

    fn finish(self) -> ClassStats {
        let Self { kind, mode, stats } = self;
        let (id, uses) = (LockId(7), Uses::default());
        let locks = vec![LockStats { id, stats: stats.clone(), uses }];
        let class = ClassStats::new(kind, Some("accounts"), line(0), mode);
        ClassStats { stats, locks, ..class }
    }
}

pub(super) fn sample(ns: u64, at: usize) -> Sample {
    let (was_mutable, cpu_ns, bypassed, address) = (true, None, false, 64);
    Sample { site: line(at), ns, weight: 1, was_mutable, cpu_ns, bypassed, address }
}

pub(super) fn snapshot(made: impl IntoIterator<Item = Made>) -> Snapshot {
    let classes = made.into_iter().map(Made::finish).collect();
    Snapshot { elapsed: Duration::from_secs(1), classes, ..Snapshot::default() }
}

/// What is advised: the names of the evidence.
pub(super) fn advised(made: impl IntoIterator<Item = Made>) -> Vec<String> {
    names(&snapshot(made))
}

pub(super) fn names(snapshot: &Snapshot) -> Vec<String> {
    let name = |debug: String| debug.split(' ').next().unwrap().to_owned();
    snapshot.advice().iter().map(|advice| name(format!("{:?}", advice.evidence))).collect()
}

/// For those who show it: a mutex with three kinds of advice.
pub(crate) fn with_all_advice() -> Snapshot {
    let queue = Made::mutex().handed_on(200, MS / 20, 1).handed_on(10, MS / 20, 2);
    let mut snapshot = snapshot([queue.waits(1, 11 * MS, 1)]);
    snapshot.classes[0].locks.clear();
    snapshot
}

#[test]
fn one_class_can_get_several_pieces() {
    assert_eq!(names(&with_all_advice()), ["OneHolder", "Convoy", "Starvation"]);
}

#[test]
fn what_costs_little_or_is_no_lock_gets_no_advice() {
    let queue = |times| Made::mutex().handed_on(times, 4_900, 1);
    assert!(advised([queue(2_000)]).is_empty(), "9.8 ms");
    assert_eq!(advised([queue(2_100)]), ["OneHolder", "Convoy"]);
    let mut idle = snapshot([queue(2_100)]);
    idle.elapsed = Duration::from_secs(2);
    assert!(idle.advice().is_empty());
    let channel = Made { kind: LockKind::Channel, ..queue(2_100) };
    assert!(advised([channel]).is_empty());
}
