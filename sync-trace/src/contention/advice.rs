//! What waits alone can prove, and what to do about it. Each piece of advice has a threshold, so that noise makes
//! none.

use std::time::Duration;

use super::snapshot::{ClassStats, Snapshot};
use crate::site::Site;

/// What to do about one class of locks, and why.
///
/// Displayed, it is a sentence.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Advice<'s> {
    /// The locks that it is about.
    pub class: &'s ClassStats,
    /// What was seen.
    pub evidence: Evidence,
}

/// What a piece of [`Advice`] rests on.
///
/// None is given about locks that cost little: where the waits took less than [10 ms](Self::TOTAL_MIN) together, or
/// less than [a hundredth](Self::SHARE_OF_TIME_MIN) of the time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Evidence {
    /// One line takes the lock for most of the time that others wait: shorten what it does under the lock.
    ///
    /// Given if at least [10 waits](Self::HOLDER_WAITS_MIN) were counted, and [60 %](Self::HOLDER_SHARE_MIN) of
    /// their time goes to one line.
    OneHolder {
        /// That line.
        holder: Site,
        /// How many waits began during holds that began there.
        waits: u64,
        /// How long those took together.
        total: Duration,
        /// Which part of all waiting for the class that is, from 0 to 1.
        share: f64,
    },
    /// The lock goes from one that has waited to the next one that has waited; the queue is never empty, so that
    /// each pays for all others: take the lock less often, or split it.
    ///
    /// Given if at least [100 waits](Self::CONVOY_WAITS_MIN) were counted, and [75 %](Self::CONVOY_SHARE_MIN) of them
    /// began behind a hold that had been waited for.
    Convoy {
        /// How many waits there were.
        waits: u64,
        /// Before how many of them the holder had waited itself.
        handed_on: u64,
    },
    /// One wait took very much longer than the others: a thread was passed over again and again, or something
    /// that is usually short was once very long.
    ///
    /// Given if at least [100 waits](Self::STARVATION_WAITS_MIN) were counted, and the longest one took
    /// [10 ms](Self::STARVATION_MIN) or more, which is [100 times](Self::STARVATION_FACTOR) what half of them did not
    /// exceed.
    Starvation {
        /// What half of the waits did not exceed.
        median: Duration,
        /// How long the longest one took.
        longest: Duration,
        /// Where that was; `None` if it is not known.
        waiter: Option<Site>,
        /// Where the lock had been taken when it began; `None` if it is not known.
        holder: Option<Site>,
    },
}

impl Evidence {
    /// What the waits for a class have to come to.
    pub const TOTAL_MIN: Duration = Duration::from_millis(10);
    /// Which part of the time that the snapshot covers that has to be. Several threads can wait at once.
    pub const SHARE_OF_TIME_MIN: f64 = 0.01;
    /// See [`OneHolder`](Self::OneHolder).
    pub const HOLDER_WAITS_MIN: u64 = 10;
    /// See [`OneHolder`](Self::OneHolder).
    pub const HOLDER_SHARE_MIN: f64 = 0.6;
    /// See [`Convoy`](Self::Convoy).
    pub const CONVOY_WAITS_MIN: u64 = 100;
    /// See [`Convoy`](Self::Convoy).
    pub const CONVOY_SHARE_MIN: f64 = 0.75;
    /// See [`Starvation`](Self::Starvation).
    pub const STARVATION_WAITS_MIN: u64 = 100;
    /// See [`Starvation`](Self::Starvation).
    pub const STARVATION_MIN: Duration = Duration::from_millis(10);
    /// See [`Starvation`](Self::Starvation).
    pub const STARVATION_FACTOR: u32 = 100;
}

impl Snapshot {
    /// What the waits suggest to do: for the classes that cost the most first.
    ///
    /// # Example
    ///
    /// ```
    /// for advice in sync_trace::contention().advice() {
    ///     println!("{advice}");
    /// }
    /// ```
    pub fn advice(&self) -> Vec<Advice<'_>> {
        let classes = self.classes.iter().filter(|class| class.is_lock() && self.matters(class));
        let advice = classes.flat_map(|class| {
            let evidence = [one_holder(class), convoy(class), starvation(class)];
            evidence.into_iter().flatten().map(move |evidence| Advice { class, evidence })
        });
        advice.collect()
    }

    fn matters(&self, class: &ClassStats) -> bool {
        let total = class.stats.waits.total();
        total >= Evidence::TOTAL_MIN && total >= self.elapsed.mul_f64(Evidence::SHARE_OF_TIME_MIN)
    }
}

fn one_holder(class: &ClassStats) -> Option<Evidence> {
    let (holder, waits, total) = *class.stats.holders().first()?;
    let all = &class.stats.waits;
    let share = total.as_secs_f64() / all.total().as_secs_f64();
    let is_one = all.count() >= Evidence::HOLDER_WAITS_MIN && share >= Evidence::HOLDER_SHARE_MIN;
    let holder = holder.filter(|_| is_one)?;
    Some(Evidence::OneHolder { holder, waits, total, share })
}

fn convoy(class: &ClassStats) -> Option<Evidence> {
    let (waits, handed_on) = (class.stats.waits.count(), class.stats.handed_on);
    let is_one = waits >= Evidence::CONVOY_WAITS_MIN
        && handed_on as f64 >= waits as f64 * Evidence::CONVOY_SHARE_MIN;
    is_one.then_some(Evidence::Convoy { waits, handed_on })
}

fn starvation(class: &ClassStats) -> Option<Evidence> {
    let waits = &class.stats.waits;
    let (median, longest) = (waits.quantile(0.5)?, waits.max()?);
    let is_one = waits.count() >= Evidence::STARVATION_WAITS_MIN
        && longest >= Evidence::STARVATION_MIN
        && longest >= median * Evidence::STARVATION_FACTOR;
    let pair = class.stats.pairs.iter().max_by_key(|pair| pair.max);
    let (waiter, holder) = pair.map_or((None, None), |pair| (pair.waiter, pair.holder));
    is_one.then_some(Evidence::Starvation { median, longest, waiter, holder })
}

#[cfg(all(test, not(loom)))]
pub(crate) mod tests {
    use super::super::stats::{Ended, Stats};
    use super::*;
    use crate::finding::LockKind;
    use crate::op::Mode;

    const MS: u64 = 1_000_000;

    /// Waits for one mutex in a second: how many, how long each, whether behind the first line or the second, and
    /// whether behind somebody who had waited.
    fn snapshot(kind: LockKind, waits: &[(u64, u64, usize, bool)]) -> Snapshot {
        let [waiter, first, second] = [Site::caller(), Site::caller(), Site::caller()];
        let mut stats = Stats::default();
        for &(times, ns, holder, was_handed_on) in waits {
            let holder = [None, Some(first), Some(second)][holder];
            let ended = Ended { holder, was_handed_on, ns, ..Ended::new(waiter) };
            (0..times).for_each(|_| _ = stats.count(&ended));
        }
        let class = ClassStats::new(kind, Some("accounts"), waiter, Mode::Exclusive);
        let classes = vec![ClassStats { stats, ..class }];
        Snapshot { elapsed: Duration::from_secs(1), classes, ..Snapshot::default() }
    }

    fn names(waits: &[(u64, u64, usize, bool)]) -> Vec<&'static str> {
        let snapshot = snapshot(LockKind::Mutex, waits);
        let name = |advice: Advice<'_>| match advice.evidence {
            Evidence::OneHolder { .. } => "holder",
            Evidence::Convoy { .. } => "convoy",
            Evidence::Starvation { .. } => "starvation",
        };
        snapshot.advice().into_iter().map(name).collect()
    }

    #[test]
    fn most_of_the_waiting_has_to_be_because_of_one_line() {
        assert_eq!(names(&[(7, 10 * MS, 1, false), (3, 10 * MS, 2, false)]), ["holder"]);
        assert!(names(&[(5, 10 * MS, 1, false), (5, 10 * MS, 2, false)]).is_empty());
        // It is not known which.
        assert!(names(&[(7, 10 * MS, 0, false), (3, 10 * MS, 2, false)]).is_empty());
        // Too few to tell.
        assert!(names(&[(9, 10 * MS, 1, false)]).is_empty());
    }

    #[test]
    fn most_waits_of_a_convoy_are_behind_somebody_who_has_waited() {
        let even = [1, 2].map(|holder| (40, MS, holder, true));
        let rest = [1, 2].map(|holder| (10, MS, holder, false));
        assert_eq!(names(&[even, rest].concat()), ["convoy"]);
        let rest = [1, 2].map(|holder| (15, MS, holder, false));
        assert!(names(&[even, rest].concat()).is_empty());
        assert!(names(&[(49, MS, 1, true), (49, MS, 2, true)]).is_empty(), "too few to tell");
    }

    #[test]
    fn the_longest_wait_has_to_be_far_from_the_others() {
        let short = [(60, MS / 10, 1, false), (60, MS / 10, 2, false)];
        assert_eq!(names(&[&short[..], &[(1, 11 * MS, 0, false)]].concat()), ["starvation"]);
        assert!(names(&[&short[..], &[(1, 9 * MS, 0, false)]].concat()).is_empty());
        let [long, longer] = [(60, 10 * MS, 1, false), (61, 500 * MS, 0, false)];
        assert!(names(&[long, long, longer]).is_empty());
    }

    #[test]
    fn what_costs_little_or_is_no_lock_gets_no_advice() {
        let waits = [(2_000, 4_900, 1, true)];
        assert!(names(&waits).is_empty(), "9.8 ms");
        assert_eq!(names(&[(2_100, 4_900, 1, true)]), ["holder", "convoy"]);
        let mut idle = snapshot(LockKind::Mutex, &[(2_100, 4_900, 1, true)]);
        idle.elapsed = Duration::from_secs(2);
        assert!(idle.advice().is_empty());
        assert!(snapshot(LockKind::Channel, &[(2_100, 4_900, 1, true)]).advice().is_empty());
    }

    /// For those who show it: a snapshot with all three kinds of advice.
    pub(crate) fn with_all_advice() -> Snapshot {
        snapshot(
            LockKind::Mutex,
            &[(200, MS / 20, 1, true), (10, MS / 20, 2, true), (1, 11 * MS, 1, false)],
        )
    }

    #[test]
    fn one_class_can_get_all_of_it() {
        let snapshot = with_all_advice();
        assert_eq!(snapshot.advice().len(), 3);
    }
}
