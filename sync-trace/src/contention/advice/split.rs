//! One lock for too many.

use std::time::Duration;

use super::Evidence;
use super::sections::{counted, dominant};
use super::subject::Subject;
use crate::op::Mode;

impl Evidence {
    /// See [`BusyLock`](Self::BusyLock).
    pub const BUSY_THREADS_MIN: u64 = 4;
    /// See [`BusyLock`](Self::BusyLock).
    pub const BUSY_MIN: f64 = 0.5;
    /// See [`BusyLock`](Self::BusyLock).
    pub const BUSY_HOLD_MAX: Duration = Duration::from_micros(50);
    /// See [`BusyLock`](Self::BusyLock).
    pub const BUSY_WAITS_MIN: u64 = 100;
}

pub(super) fn busy_lock(subject: &Subject<'_>) -> Option<Evidence> {
    let all = subject.queue().filter(|_| subject.class.mode == Mode::Exclusive)?;
    // The class may be split already.
    let locks = subject.class.locks.iter();
    let stats = &locks.max_by_key(|lock| lock.stats.holds.total())?.stats;
    let (threads, waits) = (stats.threads, stats.waits.count());
    let (holds, samples) = (&stats.holds, stats.samples());
    let (hold, longest) = (holds.quantile(0.5)?, counted(holds.max()?, holds.count(), samples));
    let usual = holds.total().saturating_sub(longest);
    let is_one = threads >= Evidence::BUSY_THREADS_MIN
        && subject.part_of_time(usual) >= Evidence::BUSY_MIN
        && hold <= Evidence::BUSY_HOLD_MAX
        && waits >= Evidence::BUSY_WAITS_MIN
        && samples >= Evidence::SAMPLES_MIN
        && dominant(all).is_none();
    // What was measured may be a little more than there was.
    let busy = subject.part_of_time(holds.total()).min(1.0);
    is_one.then_some(Evidence::BusyLock { threads, busy, waits, hold })
}

#[cfg(test)]
mod tests {
    use super::super::made::{MS, Made, US, advised};
    use super::*;
    use crate::finding::LockKind;

    /// A lock that is held for so many of 1 000 milliseconds by holds of one line, and for as many by those of
    /// another one.
    fn held(made: Made, each_ms: u64, hold: u64) -> Made {
        let weight = each_ms * MS / hold / 20;
        made.holds(20, hold, 1, weight).holds(20, hold, 2, weight).with(|stats| stats.threads = 4)
    }

    fn queue() -> Made {
        Made::mutex().waits(150, MS, 1)
    }

    #[test]
    fn a_lock_that_many_use_all_the_time_is_to_be_split() {
        assert_eq!(advised([held(queue(), 260, 10 * US)]), ["BusyLock"]);
        let short = |made| advised([made]);
        assert_eq!(short(held(queue(), 240, 10 * US)), ["OneHolder"], "48 % of the time");
        assert_eq!(short(held(queue(), 260, 60 * US)), ["OneHolder"], "the sections are long");
        let three = held(queue(), 260, 10 * US).with(|stats| stats.threads = 3);
        assert_eq!(short(three), ["OneHolder"], "three threads");
        assert_eq!(short(held(Made::mutex().waits(99, MS, 1), 260, 10 * US)), ["OneHolder"]);
        assert!(short(held(Made::mutex().waits(150, 60 * US, 1), 260, 10 * US)).is_empty());
    }

    #[test]
    fn a_lock_that_is_kept_busy_by_a_few_long_holds_is_not() {
        let short = || held(queue(), 200, 10 * US);
        assert_eq!(advised([held(short(), 60, 10 * US)]), ["BusyLock"]);
        assert_eq!(advised([short().holds(1, 700 * MS, 2, 1)]), ["OneHolder"], "once");
        assert_eq!(advised([short().holds(20, 35 * MS, 2, 1)]), ["OneHolder"], "again and again");
    }

    #[test]
    fn a_line_that_stands_out_is_to_be_shortened_instead() {
        let long = held(queue(), 100, 5 * US).holds(40, 49 * US, 1, 400);
        assert_eq!(advised([long]), ["OneHolder"]);
    }

    #[test]
    fn locks_of_one_class_that_are_each_in_use_for_some_of_the_time_are_split_already() {
        let mut snapshot = super::super::made::snapshot([held(queue(), 260, 10 * US)]);
        let class = &mut snapshot.classes[0];
        let half = held(queue(), 125, 10 * US).stats;
        class.locks[0].stats = half;
        let other = class.locks[0].clone();
        class.locks.push(other);
        assert_eq!(super::super::made::names(&snapshot), ["OneHolder"]);
    }

    #[test]
    fn reads_that_overlap_keep_nobody_out() {
        let reads = Made { kind: LockKind::RwLock, mode: Mode::Read, ..queue() };
        assert_eq!(advised([held(reads, 260, 10 * US)]), ["OneHolder"]);
    }
}
