//! Notifications that come to nothing.

use super::Evidence;
use super::subject::Subject;
use crate::finding::LockKind;

impl Evidence {
    /// See [`SignalsInVain`](Self::SignalsInVain).
    pub const SIGNALS_MIN: u64 = 10;
    /// See [`SignalsInVain`](Self::SignalsInVain).
    pub const SIGNALS_SHARE_MIN: f64 = 0.5;
    /// See [`SignalsInVain`](Self::SignalsInVain).
    pub const SIGNALS_FACTOR: u64 = 4;
}

pub(super) fn signals_in_vain(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = &subject.class.stats;
    let (waits, timeouts) = (stats.waits.count(), stats.timeouts);
    let (notifies, in_vain) = (stats.notifies, stats.notifies_in_vain);
    let are_many = |some: u64, all: u64| {
        some >= Evidence::SIGNALS_MIN && some as f64 >= all as f64 * Evidence::SIGNALS_SHARE_MIN
    };
    let is_one = subject.class.kind == LockKind::Condvar
        && subject.is_much(stats.waits.total())
        && are_many(timeouts, waits)
        && are_many(in_vain, notifies)
        && timeouts.max(in_vain) <= timeouts.min(in_vain) * Evidence::SIGNALS_FACTOR;
    is_one.then_some(Evidence::SignalsInVain { waits, timeouts, notifies, in_vain })
}

#[cfg(test)]
mod tests {
    use super::super::made::{MS, Made, advised};
    use super::*;
    use crate::op::Mode;

    /// Waits of a millisecond each, of which some time out, and notifications, of which some are in vain.
    fn signals(waits: (u64, u64), notifies: (u64, u64)) -> Vec<String> {
        let made = Made::of(LockKind::Condvar, Mode::Exclusive).waits(waits.0, MS, 0);
        advised([made.with(|stats| {
            stats.timeouts = waits.1;
            (stats.notifies, stats.notifies_in_vain) = notifies;
        })])
    }

    #[test]
    fn notifications_and_waits_that_miss_each_other_are_told() {
        assert_eq!(signals((20, 10), (20, 10)), ["SignalsInVain"]);
        assert_eq!(signals((40, 40), (20, 10)), ["SignalsInVain"]);
    }

    #[test]
    fn a_queue_that_is_full_and_then_empty_is_fine() {
        assert!(signals((20, 10), (41, 41)).is_empty(), "it works, and is told of more work");
        assert!(signals((41, 41), (20, 10)).is_empty(), "it is idle");
        assert!(signals((20, 9), (18, 9)).is_empty(), "too few to tell");
        assert!(signals((21, 10), (20, 10)).is_empty(), "most waits end with a signal");
        assert!(signals((20, 10), (21, 10)).is_empty(), "most notifications are waited for");
    }
}
