//! Whether threads could read together, and whether they do.

use std::time::Duration;

use super::super::section::Section;
use super::Evidence;
use super::subject::{Subject, part};
use crate::finding::LockKind;
use crate::op::Mode;
use crate::site::Site;

impl Evidence {
    /// See [`MostlyReads`](Self::MostlyReads).
    pub const READS_SHARE_MIN: f64 = 0.9;
    /// See [`MostlyReads`](Self::MostlyReads).
    pub const READ_HOLD_MIN: Duration = Duration::from_micros(5);
    /// See [`MostlyReads`](Self::MostlyReads).
    pub const SHARED_WAITING_MIN: f64 = 0.5;
    /// See [`SeldomShared`](Self::SeldomShared).
    pub const READERS_MAX: f64 = 0.5;
    /// See [`SeldomShared`](Self::SeldomShared).
    pub const SHARED_ACQUISITIONS_MIN: u64 = 100;
    /// See [`SeldomShared`](Self::SeldomShared).
    pub const READ_TINY_MAX: Duration = Duration::from_micros(1);
    /// See [`SeldomShared`](Self::SeldomShared).
    pub const WRITES_SHARE_MIN: f64 = 0.5;
}

pub(super) fn mostly_reads(subject: &Subject<'_>) -> Option<Evidence> {
    let class = subject.class;
    let can_read = matches!(class.kind, LockKind::Mutex | LockKind::RwLock);
    if !can_read || class.mode != Mode::Exclusive || !subject.is_queue() {
        return None;
    }
    let waited = subject.waited();
    let stats = &class.stats;
    let hold = stats.holds.quantile(0.5)?;
    let sum = |of: fn(&Section) -> u64| stats.sections.iter().map(of).sum::<u64>();
    let share = ratio(sum(|section| section.never_mutable), sum(|section| section.holds));
    let samples = stats.samples();
    let Shared { saved, longest: (longest, of_it) } = could_share(subject);
    let [others, saved_of_others] = [waited.saturating_sub(longest), saved.saturating_sub(of_it)];
    let is_one = samples >= Evidence::SAMPLES_MIN
        && share >= Evidence::READS_SHARE_MIN
        && hold >= Evidence::READ_HOLD_MIN
        && part(saved_of_others, others) >= Evidence::SHARED_WAITING_MIN;
    is_one.then_some(Evidence::MostlyReads { share, samples, hold, saved, waited })
}

/// Waits of somebody who only reads, as far as that is known, for somebody who only reads.
#[derive(Default)]
struct Shared {
    saved: Duration,
    /// The longest wait for whatever it may be, and how much of it counts as such.
    longest: (Duration, Duration),
}

fn could_share(subject: &Subject<'_>) -> Shared {
    // Of those who read already it is known.
    let exclusive = &subject.class.stats.sections;
    let readers = subject.modes().filter(|class| class.mode != Mode::Exclusive);
    let reading = readers.flat_map(|class| &class.stats.sections);
    let sites: Vec<(Option<Site>, f64)> = exclusive
        .iter()
        .map(|section| (section.site, ratio(section.never_mutable, section.holds)))
        .chain(reading.map(|section| (section.site, 1.0)))
        .collect();
    let reads = |site: Option<Site>| {
        sites.iter().find(|known| site.is_some() && known.0 == site).map_or(0.0, |known| known.1)
    };
    let pairs = subject.modes().flat_map(|class| &class.stats.pairs);
    pairs.fold(Shared::default(), |Shared { saved, longest }, pair| {
        let reads = reads(pair.waiter) * reads(pair.holder);
        let longest = longest.max((pair.max, pair.max.mul_f64(reads)));
        Shared { saved: saved + pair.total.mul_f64(reads), longest }
    })
}

fn ratio(some: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

pub(super) fn seldom_shared(subject: &Subject<'_>) -> Option<Evidence> {
    let (write, read) = subject.writes_and_reads()?;
    let (writes, reads) = (write.acquisitions, read.acquisitions);
    let all = writes + reads;
    if !subject.is_queue() && !subject.is_often(all) {
        return None;
    }
    let hold = read.holds.quantile(0.5)?;
    let readers = subject.part_of_time(read.holds.total());
    let gains_little = hold <= Evidence::READ_TINY_MAX
        || writes as f64 >= all as f64 * Evidence::WRITES_SHARE_MIN
        || read.threads == 1;
    let is_one = gains_little
        && readers <= Evidence::READERS_MAX
        && all >= Evidence::SHARED_ACQUISITIONS_MIN
        && read.samples() >= Evidence::SAMPLES_MIN;
    is_one.then_some(Evidence::SeldomShared { reads, writes, hold, readers })
}

#[cfg(test)]
mod tests {
    use super::super::made::{MS, Made, US, advised, sample};
    use super::*;
    use crate::contention::section::Sample;

    fn reads(ns: u64, line: usize) -> Sample {
        Sample { was_mutable: false, ..sample(ns, line) }
    }

    /// Holds of both lines, of which each tenth gives mutable access.
    fn mostly_reads(made: Made, ns: u64) -> Made {
        let holds = |made: Made, line| made.sampled(18, &reads(ns, line)).holds(2, ns, line, 1);
        holds(holds(made, 1), 2)
    }

    /// Waits at one of the two lines for the other, of so many milliseconds in all, and others.
    fn queue(kind: LockKind, among_them_ms: u64, others_ms: u64) -> Made {
        let made = Made::of(kind, Mode::Exclusive);
        let half = among_them_ms / 2;
        let made = made.waits_from(1, half, MS, 2, false).waits_from(2, half, MS, 1, false);
        let half = others_ms / 2;
        made.waits_from(0, half, MS, 2, false).waits_from(0, half, MS, 1, false)
    }

    #[test]
    fn those_who_mostly_read_could_read_together() {
        for kind in [LockKind::Mutex, LockKind::RwLock] {
            // 81 % of the first part is for a reader behind a reader.
            let advice =
                |among, others, ns| advised([mostly_reads(queue(kind, among, others), ns)]);
            assert_eq!(advice(40, 0, 5 * US), ["MostlyReads"]);
            assert_eq!(advice(40, 22, 5 * US), ["MostlyReads"], "52 %");
            assert!(advice(40, 26, 5 * US).is_empty(), "49 % of the waiting");
            assert!(advice(40, 0, 4_700).is_empty(), "sections are short");
            assert!(advice(10, 0, 5 * US).is_empty(), "nobody waits for long");
            let one_long = |among, others, waiter| {
                let queue = queue(kind, among, others).waits_from(waiter, 1, 500 * MS, 2, false);
                advised([mostly_reads(queue, 5 * US)]).contains(&"MostlyReads".to_owned())
            };
            assert!(one_long(40, 22, 0) && one_long(40, 22, 1), "it tells nothing of the others");
            assert!(!one_long(40, 26, 0) && !one_long(40, 26, 1));
        }
    }

    #[test]
    fn those_who_change_the_data_now_and_then_could_not() {
        let made = mostly_reads(queue(LockKind::Mutex, 40, 0), 5 * US).holds(1, 5 * US, 1, 1);
        assert!(advised([made]).is_empty(), "88 %");
        let few = queue(LockKind::Mutex, 40, 0);
        let few = few.sampled(9, &reads(5 * US, 1)).sampled(10, &reads(5 * US, 2));
        assert!(advised([few]).is_empty(), "too few to tell");
    }

    #[test]
    fn a_condition_variable_is_not_read() {
        assert!(advised([mostly_reads(queue(LockKind::Once, 40, 0), 5 * US)]).is_empty());
    }

    /// A read-write lock with so many reads of so many nanoseconds each, by two threads, and so many writes.
    fn shared(reads: u64, ns: u64, writes: u64, waits: u64) -> [Made; 2] {
        let read = Made::of(LockKind::RwLock, Mode::Read).holds(20, ns, 1, reads / 20);
        let write = Made::of(LockKind::RwLock, Mode::Exclusive).waits(waits, MS / 10, 0);
        [write.with(|stats| stats.acquisitions = writes), read.with(|stats| stats.threads = 2)]
    }

    #[test]
    fn reads_that_never_meet_need_no_read_write_lock() {
        let never = ["SeldomShared"];
        assert_eq!(advised(shared(10_000, 900, 5_000, 101)), never);
        assert!(advised(shared(10_000, 2 * US, 5_000, 101)).is_empty(), "reads are long");
        assert_eq!(advised(shared(10_000, 2 * US, 10_000, 101)), never, "half are writes");
        assert!(advised(shared(300_000, 2 * US, 300_000, 101)).is_empty(), "0.6 read at a time");
        assert!(advised(shared(40, 2 * US, 59, 101)).is_empty(), "too few to tell");
        assert!(advised(shared(10_000, 900, 5_000, 100)).is_empty(), "it costs little");
        assert_eq!(advised(shared(500_000, 900, 0, 0)), never, "it is used often");
        assert!(advised(shared(499_000, 900, 0, 0)).is_empty());
    }

    #[test]
    fn one_who_reads_alone_needs_no_read_write_lock() {
        let [write, read] = shared(10_000, 2 * US, 5_000, 101);
        let read = read.with(|stats| stats.threads = 1);
        assert_eq!(advised([write, read]), ["SeldomShared"]);
    }
}
