//! Tries that come to nothing.

use super::Evidence;
use super::subject::Subject;

impl Evidence {
    /// See [`TriesInVain`](Self::TriesInVain).
    pub const TRY_FAILURES_MIN: u64 = 10_000;
    /// See [`TriesInVain`](Self::TriesInVain).
    pub const TRY_FAILURES_RATE_MIN: f64 = 1_000.0;
    /// See [`TriesInVain`](Self::TriesInVain).
    pub const TRY_FAILURES_FACTOR: u64 = 100;
}

pub(super) fn tries_in_vain(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = &subject.class.stats;
    let (failures, successes) = (stats.try_failures, stats.try_successes);
    let seconds = subject.snapshot.elapsed.as_secs_f64();
    let is_one = subject.class.is_lock()
        && failures >= Evidence::TRY_FAILURES_MIN
        && failures as f64 >= seconds * Evidence::TRY_FAILURES_RATE_MIN
        && failures >= successes * Evidence::TRY_FAILURES_FACTOR;
    is_one.then_some(Evidence::TriesInVain { failures, successes })
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, advised, names, snapshot};
    use crate::finding::LockKind;
    use crate::op::Mode;

    fn tried(kind: LockKind, failures: u64, successes: u64) -> Made {
        Made::of(kind, Mode::Exclusive).with(|stats| {
            (stats.try_failures, stats.try_successes) = (failures, successes);
        })
    }

    #[test]
    fn a_hundred_tries_for_one_that_succeeds_come_to_nothing() {
        let advice = |failures, successes| advised([tried(LockKind::Mutex, failures, successes)]);
        assert_eq!(advice(10_000, 0), ["TriesInVain"]);
        assert_eq!(advice(10_000, 100), ["TriesInVain"]);
        assert!(advice(10_000, 101).is_empty());
        assert!(advice(9_999, 0).is_empty());
        assert!(advised([tried(LockKind::Semaphore, 10_000, 0)]).is_empty(), "it is no lock");
    }

    #[test]
    fn a_try_now_and_then_is_no_livelock() {
        let mut snapshot = snapshot([tried(LockKind::Mutex, 10_000, 0)]);
        snapshot.elapsed *= 10;
        assert_eq!(names(&snapshot), ["TriesInVain"]);
        snapshot.elapsed *= 2;
        assert!(names(&snapshot).is_empty());
    }
}
