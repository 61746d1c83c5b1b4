//! How long waits took: counts of durations, each known to one part in 32.
//!
//! The buckets are log-linear: each octave (from one power of two to the next) is cut into 16 of the same
//! width. So any two histograms have the same buckets, can be added to each other and subtracted from each
//! other, and no range has to be chosen beforehand. An octave takes memory when something first falls
//! into it.

use std::fmt;
use std::time::Duration;

/// Buckets in an octave, as bits.
const FINE_BITS: u32 = 4;
const FINE: usize = 1 << FINE_BITS;
/// The first one has the numbers below 16, each in a bucket of its own.
const OCTAVES: usize = 64 - FINE_BITS as usize + 1;

/// Durations that were counted, with their exact number, sum, minimum and maximum, and with quantiles that
/// are off by at most one part in 32.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use sync_trace::contention::Histogram;
///
/// let mut waits = Histogram::new();
/// (1..=100).for_each(|ms| waits.record(Duration::from_millis(ms)));
/// assert_eq!(waits.count(), 100);
/// assert_eq!(waits.max(), Some(Duration::from_millis(100)));
/// assert_eq!(waits.total(), Duration::from_millis(5050));
/// let median = waits.quantile(0.5).unwrap().as_secs_f64();
/// assert!((median / 0.050 - 1.0).abs() <= 1.0 / 32.0);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    octaves: [Option<Box<[u64; FINE]>>; OCTAVES],
    count: u64,
    total_ns: u128,
    /// Both mean nothing while the count is 0.
    min_ns: u64,
    max_ns: u64,
}

/// Where a number is counted: in which octave, and in which of its buckets.
fn place_of(ns: u64) -> (usize, usize) {
    match ns.checked_ilog2() {
        Some(log) if log >= FINE_BITS => {
            let fine = (ns >> (log - FINE_BITS)) as usize % FINE;
            ((log - FINE_BITS) as usize + 1, fine)
        }
        _ => (0, ns as usize),
    }
}

/// The smallest and the largest number that is counted there.
fn bounds_of(octave: usize, fine: usize) -> (u64, u64) {
    match octave.checked_sub(1) {
        Some(shift) => {
            let low = ((FINE + fine) as u64) << shift;
            (low, low + ((1 << shift) - 1))
        }
        None => (fine as u64, fine as u64),
    }
}

impl Histogram {
    /// One in which nothing was counted.
    pub const fn new() -> Self {
        Self {
            octaves: [const { None }; OCTAVES],
            count: 0,
            total_ns: 0,
            min_ns: u64::MAX,
            max_ns: 0,
        }
    }

    /// Counts `duration`. More than 584 years count as that.
    pub fn record(&mut self, duration: Duration) {
        self.record_ns(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn record_ns(&mut self, ns: u64) {
        self.record_ns_times(ns, 1);
    }

    /// Counts one duration that stands for so many.
    pub(crate) fn record_ns_times(&mut self, ns: u64, times: u64) {
        if times == 0 {
            return;
        }
        let (octave, fine) = place_of(ns);
        self.octaves[octave].get_or_insert_default()[fine] += times;
        self.count += times;
        self.total_ns += u128::from(ns) * u128::from(times);
        self.min_ns = self.min_ns.min(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Adds all that was counted in `other`.
    pub fn merge(&mut self, other: &Self) {
        for (mine, other) in self.octaves.iter_mut().zip(&other.octaves) {
            if let Some(other) = other {
                let mine = mine.get_or_insert_default();
                mine.iter_mut().zip(other.iter()).for_each(|(mine, other)| *mine += other);
            }
        }
        self.count += other.count;
        self.total_ns += other.total_ns;
        self.min_ns = self.min_ns.min(other.min_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// What was counted since `earlier`, which is an earlier state of this one.
    ///
    /// Number and sum are exact. The minimum is, if it is a new one, and so is the maximum; otherwise what
    /// is known of them is their bucket, that is one part in 16.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        for (mine, earlier) in since.octaves.iter_mut().zip(&earlier.octaves) {
            if let (Some(counts), Some(earlier)) = (mine.as_mut(), earlier) {
                let pairs = counts.iter_mut().zip(earlier.iter());
                pairs.for_each(|(count, earlier)| *count = count.saturating_sub(*earlier));
                if counts.iter().all(|count| *count == 0) {
                    *mine = None;
                }
            }
        }
        since.total_ns = self.total_ns.saturating_sub(earlier.total_ns);
        let filled: Vec<_> = since.filled().collect();
        since.count = filled.iter().map(|(_, _, count)| count).sum();
        let (first, last) = (filled.first(), filled.last());
        since.min_ns = match first {
            Some(_) if earlier.count == 0 || self.min_ns < earlier.min_ns => self.min_ns,
            Some((low, _, _)) => self.min_ns.max(*low),
            None => u64::MAX,
        };
        since.max_ns = match last {
            Some(_) if self.max_ns > earlier.max_ns => self.max_ns,
            Some((_, high, _)) => self.max_ns.min(*high),
            None => 0,
        };
        since
    }

    /// The buckets in which something was counted, from the shortest durations to the longest: the smallest
    /// and the largest number of nanoseconds that belong to it, and how many were counted.
    fn filled(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let octaves = self.octaves.iter().enumerate();
        let octaves = octaves.filter_map(|(octave, counts)| Some((octave, counts.as_ref()?)));
        octaves.flat_map(|(octave, counts)| {
            let counts = counts.iter().enumerate().filter(|(_, count)| **count != 0);
            counts.map(move |(fine, count)| {
                let (low, high) = bounds_of(octave, fine);
                (low, high, *count)
            })
        })
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Their sum.
    pub fn total(&self) -> Duration {
        nanos(self.total_ns)
    }

    /// Their mean; `None` if none was counted.
    pub fn mean(&self) -> Option<Duration> {
        self.total_ns.checked_div(u128::from(self.count)).map(nanos)
    }

    /// The shortest one.
    pub fn min(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_nanos(self.min_ns))
    }

    /// The longest one.
    pub fn max(&self) -> Option<Duration> {
        (!self.is_empty()).then(|| Duration::from_nanos(self.max_ns))
    }

    /// The duration that the share `q` of them (from 0 to 1) do not exceed, such as the median for 0.5; off by
    /// at most one part in 32. `None` if none was counted.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let wanted = (q.clamp(0.0, 1.0) * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let value = self.values().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        // Rounding may ask for one more than there is.
        value.or_else(|| self.values().last()).map(|(value, _)| value)
    }

    /// What was counted, from the shortest durations to the longest, each off by at most one part in 32; and how
    /// often.
    pub(crate) fn values(&self) -> impl Iterator<Item = (Duration, u64)> {
        self.filled().map(|(low, high, count)| {
            let middle = low + (high - low) / 2;
            (Duration::from_nanos(middle.clamp(self.min_ns, self.max_ns)), count)
        })
    }

    /// The sum of all but the longest one.
    pub(crate) fn total_but_longest(&self) -> Duration {
        self.total().saturating_sub(self.max().unwrap_or_default())
    }

    /// How many are shorter than `1 << log` nanoseconds, exactly.
    pub(crate) fn below_power_of_two(&self, log: u32) -> u64 {
        let below = self.filled().take_while(|(low, _, _)| low.checked_shr(log) == Some(0));
        below.map(|(_, _, count)| count).sum()
    }
}

fn nanos(ns: u128) -> Duration {
    let seconds = u64::try_from(ns / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, (ns % 1_000_000_000) as u32)
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("total", &self.total())
            .field("min", &self.min())
            .field("median", &self.quantile(0.5))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const QUANTILES: [f64; 8] = [0.0, 0.1, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0];

    /// Marsaglia's xorshift: the same numbers in every run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        /// Numbers of any magnitude, as many small ones as large ones.
        fn numbers(&mut self) -> Vec<u64> {
            let (count, largest) = (1 + self.next() % 2000, 1 + self.next() % 50);
            (0..count).map(|_| self.next() >> (63 - self.next() % largest)).collect()
        }
    }

    fn of(numbers: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        numbers.iter().for_each(|ns| histogram.record_ns(*ns));
        histogram
    }

    fn ns(duration: Option<Duration>) -> u64 {
        u64::try_from(duration.unwrap().as_nanos()).unwrap()
    }

    #[track_caller]
    fn assert_near(measured: u64, expected: u64, part: u64) {
        let off = measured.abs_diff(expected);
        assert!(off <= expected / part, "{measured} instead of {expected}");
    }

    #[test]
    fn every_number_lies_in_the_bucket_that_counts_it_and_buckets_touch() {
        let mut next = 0_u64;
        for octave in 0..OCTAVES {
            for fine in 0..FINE {
                let (low, high) = bounds_of(octave, fine);
                assert_eq!(
                    (low, place_of(low), place_of(high)),
                    (next, (octave, fine), (octave, fine))
                );
                assert!(high - low <= low / FINE as u64);
                next = high.wrapping_add(1);
            }
        }
        assert_eq!(next, 0, "the last one ends with the largest number");
    }

    #[test]
    fn quantiles_are_those_of_the_numbers_and_of_hdrhistogram() {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        for _ in 0..100 {
            let mut numbers = random.numbers();
            let histogram = of(&numbers);
            let mut theirs =
                hdrhistogram::Histogram::<u64>::new_with_bounds(1, 1 << 62, 3).unwrap();
            numbers.iter().for_each(|ns| theirs.record(*ns).unwrap());
            numbers.sort_unstable();
            assert_eq!(histogram.count(), theirs.len());
            assert_eq!(ns(histogram.min()), numbers[0]);
            assert_eq!(ns(histogram.max()), *numbers.last().unwrap());
            let total: u128 = numbers.iter().copied().map(u128::from).sum();
            assert_eq!(histogram.total(), nanos(total));
            let longest = Duration::from_nanos(*numbers.last().unwrap());
            assert_eq!(histogram.total_but_longest() + longest, nanos(total));
            for q in QUANTILES {
                let rank = (q * numbers.len() as f64).ceil().max(1.0) as usize;
                let measured = ns(histogram.quantile(q));
                assert_near(measured, numbers[rank - 1], 32);
                // Theirs is off by up to one part in 1000, and is the upper end of a bucket.
                assert_near(measured, theirs.value_at_quantile(q), 30);
            }
        }
    }

    #[test]
    fn parts_that_are_merged_are_the_whole_and_the_whole_less_one_part_is_the_rest() {
        let mut random = Random(88_172_645_463_325_252);
        for _ in 0..100 {
            let (first, second) = (random.numbers(), random.numbers());
            let (before, rest) = (of(&first), of(&second));
            let all = of(&[first.clone(), second].concat());
            let mut merged = before.clone();
            merged.merge(&rest);
            assert_eq!(merged, all);
            let since = all.since(&before);
            assert_eq!((since.count(), since.total()), (rest.count(), rest.total()));
            assert!(since.filled().eq(rest.filled()));
            assert_near(ns(since.min()), ns(rest.min()), 16);
            assert_near(ns(since.max()), ns(rest.max()), 16);
            for q in QUANTILES {
                assert_near(ns(since.quantile(q)), ns(rest.quantile(q)), 16);
            }
            let log = (random.next() % 64) as u32;
            let below = first.iter().filter(|ns| **ns < 1 << log).count() as u64;
            assert_eq!(before.below_power_of_two(log), below);
        }
    }

    #[test]
    fn new_extremes_of_a_difference_are_exact_and_nothing_is_nothing() {
        let before = of(&[1_000_003, 2_000_003]);
        let all = of(&[1_000_003, 2_000_003, 17, 5_000_009]);
        let since = all.since(&before);
        assert_eq!((ns(since.min()), ns(since.max())), (17, 5_000_009));
        let none = all.since(&all);
        assert_eq!(none, Histogram::new());
        assert_eq!(
            (none.min(), none.max(), none.mean(), none.quantile(0.5)),
            (None, None, None, None)
        );
        assert_eq!(all.since(&none), all);
    }

    #[test]
    fn the_largest_numbers_are_counted() {
        let mut histogram = of(&[0, u64::MAX]);
        histogram.record(Duration::MAX);
        assert_eq!((ns(histogram.min()), ns(histogram.max())), (0, u64::MAX));
        assert_eq!(ns(histogram.quantile(1.0)).leading_zeros(), 0);
        assert_eq!(histogram.below_power_of_two(63), 1);
    }
}
