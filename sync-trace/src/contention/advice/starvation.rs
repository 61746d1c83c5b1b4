//! Who waits for very much longer than others.

use std::time::Duration;

use super::Evidence;
use super::subject::{Subject, longest, part_of_many};

impl Evidence {
    /// See [`Starvation`](Self::Starvation).
    pub const STARVATION_WAITS_MIN: u64 = 100;
    /// See [`Starvation`](Self::Starvation).
    pub const STARVATION_MIN: Duration = Duration::from_millis(10);
    /// See [`Starvation`](Self::Starvation).
    pub const STARVATION_FACTOR: u32 = 100;
    /// See [`WritersWait`](Self::WritersWait).
    pub const WRITES_WAITED_MIN: u64 = 10;
    /// See [`WritersWait`](Self::WritersWait).
    pub const BEHIND_READERS_MIN: f64 = 0.6;
    /// See [`WritersWait`](Self::WritersWait).
    pub const WRITERS_FACTOR: u32 = 10;
}

pub(super) fn starvation(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = &subject.class.stats;
    let waits = &stats.waits;
    let (median, longest) = (waits.quantile(0.5)?, waits.max()?);
    let is_one = subject.class.is_lock()
        && subject.is_much(waits.total())
        && waits.count() >= Evidence::STARVATION_WAITS_MIN
        && longest >= Evidence::STARVATION_MIN
        && longest >= median * Evidence::STARVATION_FACTOR;
    let pair = stats.pairs.iter().max_by_key(|pair| pair.max);
    let (waiter, holder) = pair.map_or((None, None), |pair| (pair.waiter, pair.holder));
    is_one.then_some(Evidence::Starvation { median, longest, waiter, holder })
}

pub(super) fn writers_wait(subject: &Subject<'_>) -> Option<Evidence> {
    let (writes, reads) = subject.writes_and_reads()?;
    let waits = subject.queue()?.waits.count();
    let of_readers = |holder: Option<_>| {
        let mut lines = reads.sections.iter().filter_map(|section| section.site);
        lines.any(|line| Some(line) == holder)
    };
    let behind = || writes.pairs.iter().filter(|pair| of_readers(pair.holder));
    let behind_readers = behind().map(|pair| pair.total).sum();
    let mean = |total: Duration, count: u64| total.div_f64(count.max(1) as f64);
    let write = mean(writes.waits.total(), writes.acquisitions);
    let read = mean(reads.waits.total(), reads.acquisitions);
    let is_one = waits >= Evidence::WRITES_WAITED_MIN
        && part_of_many(behind_readers, writes.waits.total(), longest(behind()))
            >= Evidence::BEHIND_READERS_MIN
        && write >= read * Evidence::WRITERS_FACTOR;
    is_one.then_some(Evidence::WritersWait { waits, behind_readers, write, read })
}

#[cfg(test)]
mod tests {
    use super::super::made::{MS, Made, US, advised};
    use crate::finding::LockKind;
    use crate::op::Mode;

    #[test]
    fn the_longest_wait_has_to_be_far_from_the_others() {
        let short = || Made::mutex().waits(60, MS / 10, 1).waits(60, MS / 10, 2);
        assert_eq!(advised([short().waits(1, 11 * MS, 0)]), ["Starvation"]);
        assert!(advised([short().waits(1, 9 * MS, 0)]).is_empty());
        let long = Made::mutex().waits(120, 10 * MS, 1).waits(61, 500 * MS, 2);
        assert!(!advised([long]).contains(&"Starvation".to_owned()));
    }

    #[test]
    fn a_write_that_waits_for_much_longer_than_a_read_pays_for_readers() {
        let is_told = |behind_readers: u64, behind_others: u64, reads_wait| {
            // As many of both are had at once.
            let some = |mode| Made::of(LockKind::RwLock, mode);
            let waits = behind_readers + behind_others;
            let write = some(Mode::Exclusive).waits(behind_readers, 2 * MS, 1);
            let write = write.waits(behind_others, 2 * MS, 2);
            let read = some(Mode::Read).waits(waits, reads_wait, 2).holds(waits, 9 * US, 1, 2);
            let write = write.with(|stats| stats.acquisitions = 2 * waits);
            advised([write, read]).contains(&"WritersWait".to_owned())
        };
        assert!(is_told(7, 3, MS / 5));
        assert!(!is_told(7, 2, MS / 5), "too few to tell");
        assert!(!is_told(7, 3, MS / 4), "readers wait, too");
        assert!(!is_told(6, 4, MS / 5), "it hangs on one of the waits");
    }
}
