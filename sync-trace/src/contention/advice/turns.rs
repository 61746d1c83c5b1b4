//! In which order threads get a lock.

use super::Evidence;
use super::subject::Subject;

impl Evidence {
    /// See [`Convoy`](Self::Convoy).
    pub const CONVOY_WAITS_MIN: u64 = 100;
    /// See [`Convoy`](Self::Convoy).
    pub const CONVOY_SHARE_MIN: f64 = 0.75;
    /// See [`Barging`](Self::Barging).
    pub const BARGING_WAITS_MIN: u64 = 100;
    /// See [`Barging`](Self::Barging).
    pub const BARGING_FACTOR: u64 = 10;
}

pub(super) fn convoy(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = subject.queue()?;
    let (waits, handed_on) = (stats.waits.count(), stats.handed_on);
    let is_one = waits >= Evidence::CONVOY_WAITS_MIN
        && handed_on as f64 >= waits as f64 * Evidence::CONVOY_SHARE_MIN;
    is_one.then_some(Evidence::Convoy { waits, handed_on })
}

pub(super) fn barging(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = subject.queue()?;
    let (waits, bypasses) = (stats.waits.count(), stats.bypasses);
    let (wait, hold) = (stats.waits.quantile(0.5)?, stats.holds.quantile(0.5)?);
    let is_one = waits >= Evidence::BARGING_WAITS_MIN
        && bypasses >= waits * Evidence::BARGING_FACTOR
        && stats.samples() >= Evidence::SAMPLES_MIN;
    is_one.then_some(Evidence::Barging { waits, bypasses, wait, hold })
}

#[cfg(test)]
mod tests {
    use super::super::made::{MS, Made, US, advised, sample};
    use crate::contention::section::Sample;

    #[test]
    fn most_waits_of_a_convoy_are_behind_somebody_who_has_waited() {
        let even = || Made::mutex().handed_on(40, MS, 1).handed_on(40, MS, 2);
        assert_eq!(advised([even().waits(10, MS, 1).waits(10, MS, 2)]), ["Convoy"]);
        assert!(advised([even().waits(15, MS, 1).waits(15, MS, 2)]).is_empty());
        let few = Made::mutex().handed_on(49, MS, 1).handed_on(49, MS, 2);
        assert!(advised([few]).is_empty(), "too few to tell");
    }

    #[test]
    fn who_comes_later_and_is_first_ten_times_barges() {
        let passes = |waits, samples, weight| {
            let made = Made::mutex().waits(waits, MS, 1).waits(waits, MS, 2);
            let sample = Sample { bypassed: true, weight, ..sample(10 * US, 1) };
            advised([made.sampled(samples, &sample)])
        };
        assert_eq!(passes(50, 20, 50), ["Barging"]);
        assert!(passes(50, 20, 49).is_empty());
        assert!(passes(49, 20, 50).is_empty(), "too few to tell");
        assert!(passes(50, 19, 60).is_empty(), "too few samples");
    }
}
