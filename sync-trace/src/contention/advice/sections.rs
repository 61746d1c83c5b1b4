//! One line is to blame: what it does under the lock takes too long.

use std::time::Duration;

use super::super::section::Section;
use super::super::stats::{Pair, Stats};
use super::subject::{Subject, part};
use super::{Evidence, split};
use crate::site::Site;

impl Evidence {
    /// See [`OneHolder`](Self::OneHolder).
    pub const HOLDER_WAITS_MIN: u64 = 10;
    /// See [`OneHolder`](Self::OneHolder).
    pub const HOLDER_SHARE_MIN: f64 = 0.6;
    /// See [`OneSection`](Self::OneSection).
    pub const SECTION_SHARE_MIN: f64 = 0.6;
    /// See [`OneSection`](Self::OneSection).
    pub const SECTION_FACTOR: u32 = 4;
    /// See [`OneSection`](Self::OneSection).
    pub const SECTION_WAITING_MIN: f64 = 0.5;
    /// See [`OneSection`](Self::OneSection).
    pub const SECTION_WAIT_FACTOR: f64 = 2.0;
    /// See [`OffProcessor`](Self::OffProcessor).
    pub const CLOCKED_MIN: u64 = 10;
    /// See [`OffProcessor`](Self::OffProcessor).
    pub const RUNNING_MAX: f64 = 0.1;
    /// See [`OffProcessor`](Self::OffProcessor).
    pub const OFF_PROCESSOR_SHARE_MIN: f64 = 0.25;
}

pub(super) fn one_holder(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = subject.queue()?;
    let (holder, waits, total) = *stats.holders().first()?;
    let share = part(total, stats.waits.total());
    let is_one =
        stats.waits.count() >= Evidence::HOLDER_WAITS_MIN && share >= Evidence::HOLDER_SHARE_MIN;
    let holder = holder.filter(|_| is_one && split::busy_lock(subject).is_none())?;
    Some(Evidence::OneHolder { holder, waits, total, share })
}

pub(super) fn one_section(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = subject.queue()?;
    let Dominant { section, share, others } = dominant(stats)?;
    let site = section.site?;
    let is_said = matches!(
        one_holder(subject),
        Some(Evidence::OneHolder { holder, .. }) if holder == site
    );
    let waited = behind(stats, site);
    let is_one = !is_said && part(waited, stats.waits.total()) >= Evidence::SECTION_WAITING_MIN;
    is_one.then_some(Evidence::OneSection { site, share, mean: section.mean(), others, waited })
}

/// How long was waited behind this line, as far as that may be: also what was waited behind others for much longer
/// than they hold it.
fn behind(stats: &Stats, site: Site) -> Duration {
    // As many as wait at a time go first, each for about as long, or twice that.
    let queue = (stats.queued as f64 / stats.queues.max(1) as f64).max(1.0);
    let of_pair = |pair: &Pair| {
        let holder = stats.sections.iter().find(|section| section.site == pair.holder);
        match (pair.holder, holder) {
            (Some(holder), _) if holder == site => pair.total,
            (Some(_), Some(holder)) => {
                let usual = holder.mean().mul_f64(Evidence::SECTION_WAIT_FACTOR * queue);
                pair.total.saturating_sub(usual.mul_f64(pair.waits as f64))
            }
            _ => Duration::ZERO,
        }
    };
    stats.pairs.iter().map(of_pair).sum()
}

/// The holds of one line, which take more time than all others.
pub(super) struct Dominant<'s> {
    section: &'s Section,
    share: f64,
    others: Duration,
}

/// The line whose holds take most of the time because they are longer than others.
pub(super) fn dominant(stats: &Stats) -> Option<Dominant<'_>> {
    let section = stats.sections.iter().max_by_key(|section| section.total)?;
    let others = stats.sections.iter().filter(|other| !std::ptr::eq(*other, section));
    let (holds, total) = others.fold((0, Duration::ZERO), |(holds, total), other| {
        (holds + other.holds, total + other.total)
    });
    let others = mean(total, holds)?;
    let share = part(section.total, section.total + total);
    let stands_out = share >= Evidence::SECTION_SHARE_MIN
        && section.mean() >= others * Evidence::SECTION_FACTOR
        && section.samples >= Evidence::SAMPLES_MIN
        && is_of_many(section);
    stands_out.then_some(Dominant { section, share, others })
}

/// Whether not a single hold makes more than half of the time. It may be one during which the thread had no
/// processor, and count for a thousand.
fn is_of_many(section: &Section) -> bool {
    let Some(weight) = section.holds.checked_div(section.samples) else { return false };
    let longest = section.max.saturating_mul(u32::try_from(weight).unwrap_or(u32::MAX));
    longest.saturating_mul(2) <= section.total
}

fn mean(total: Duration, count: u64) -> Option<Duration> {
    (count > 0).then(|| total.div_f64(count as f64))
}

pub(super) fn off_processor(subject: &Subject<'_>) -> Option<Evidence> {
    let stats = subject.queue()?;
    let enough = stats.waits.total().mul_f64(Evidence::OFF_PROCESSOR_SHARE_MIN);
    let holders = stats.holders().into_iter().take_while(|holder| holder.2 >= enough);
    let mut found = holders.filter_map(|(holder, _, waited)| {
        let holder = holder?;
        let Section { clocked, clocked_wall, clocked_cpu, .. } = *subject.section(holder)?;
        let is_off = clocked >= Evidence::CLOCKED_MIN
            && part(clocked_cpu, clocked_wall) <= Evidence::RUNNING_MAX;
        let (holds, took, ran) = (clocked, clocked_wall, clocked_cpu);
        is_off.then_some(Evidence::OffProcessor { holder, holds, took, ran, waited })
    });
    found.next()
}

#[cfg(test)]
mod tests {
    use super::super::made::{MS, Made, US, advised, line, sample, snapshot};
    use super::*;
    use crate::contention::section::Sample;
    use crate::finding::LockKind;
    use crate::op::Mode;

    #[test]
    fn most_of_the_waiting_has_to_be_because_of_one_line() {
        let waits = |first, second, holder| {
            advised([Made::mutex().waits(first, 10 * MS, holder).waits(second, 10 * MS, 2)])
        };
        assert_eq!(waits(7, 3, 1), ["OneHolder"]);
        assert!(waits(5, 5, 1).is_empty());
        assert!(waits(7, 3, 0).is_empty(), "it is not known which");
        assert!(waits(9, 0, 1).is_empty(), "too few to tell");
    }

    /// Waits that are charged to both lines alike.
    fn even() -> Made {
        Made::mutex().waits(20, MS, 1).waits(20, MS, 2)
    }

    #[test]
    fn a_line_that_holds_for_longer_than_others_is_told_where_the_waits_do_not_tell() {
        let holds = |times, ns| advised([even().holds(times, ns, 1, 3).holds(60, 10 * US, 2, 3)]);
        assert_eq!(holds(25, 40 * US), ["OneSection"]);
        assert!(holds(19, 80 * US).is_empty(), "too few to tell");
        assert!(holds(40, 39 * US).is_empty(), "not long enough");
        assert!(holds(20, 44 * US).is_empty(), "59 % of the time");
        assert!(advised([even().holds(100, MS, 1, 1)]).is_empty(), "there is no other line");
    }

    #[test]
    fn it_says_how_much_longer() {
        let snapshot = snapshot([even().holds(25, 40 * US, 1, 3).holds(50, 10 * US, 2, 3)]);
        let us = Duration::from_micros;
        let [Evidence::OneSection { site, share, mean, others, waited }] =
            snapshot.advice().iter().map(|advice| advice.evidence).collect::<Vec<_>>()[..]
        else {
            panic!("{snapshot:#?}")
        };
        assert_eq!((site, mean, others), (line(1), us(40), us(10)));
        // 20 ms behind it, and 20 times a millisecond behind what takes 10 us.
        assert_eq!(waited, us(20_000 + 20 * 980));
        assert!((share - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_section_that_nobody_waits_behind_may_be_long() {
        let held = |made: Made| made.holds(25, 400 * US, 1, 3).holds(50, 90 * US, 2, 3);
        let behind_the_other = |ns| held(Made::mutex().waits(200, ns, 2));
        assert_eq!(advised([behind_the_other(360 * US)]), ["OneHolder", "OneSection"]);
        let told = advised([behind_the_other(358 * US)]);
        assert_eq!(told, ["OneHolder"], "half of the waiting is for that other");
        let two_wait = |stats: &mut Stats| (stats.queues, stats.queued) = (200, 400);
        assert_eq!(advised([behind_the_other(360 * US).with(two_wait)]), ["OneHolder"]);
        assert!(advised([held(Made::mutex().waits(200, MS, 0))]).is_empty(), "it is not known");
    }

    #[test]
    fn one_hold_that_was_once_very_long_is_not_a_long_section() {
        let holds = |long| {
            let others = even().holds(60, 10 * US, 2, 100);
            advised([others.holds(30, 60 * US, 1, 100).holds(1, long, 1, 100)])
        };
        assert_eq!(holds(1_000 * US), ["OneSection"]);
        assert!(holds(3 * MS).is_empty());
    }

    #[test]
    fn the_same_line_is_not_named_twice() {
        let holds = |made: Made| made.holds(25, 100 * US, 1, 1).holds(50, US, 2, 1);
        let behind = |holder| advised([holds(Made::mutex().waits(20, MS, holder))]);
        assert_eq!(behind(1), ["OneHolder"]);
        assert_eq!(behind(2), ["OneHolder", "OneSection"]);
    }

    fn clocked(cpu_ns: u64) -> Sample {
        Sample { cpu_ns: Some(cpu_ns), ..sample(MS, 1) }
    }

    #[test]
    fn who_holds_a_lock_while_off_the_processor_is_told_if_others_wait_behind_it() {
        let holds = |made: Made, times, cpu_ns| advised([made.sampled(times, &clocked(cpu_ns))]);
        let quarter = || Made::mutex().waits(10, MS, 1).waits(15, MS, 0).waits(15, MS, 2);
        assert_eq!(holds(quarter(), 10, MS / 10), ["OffProcessor"]);
        assert!(holds(quarter(), 9, MS / 10).is_empty(), "too few to tell");
        assert!(holds(quarter(), 10, MS / 9).is_empty(), "it runs");
        let less = Made::mutex().waits(10, MS, 1).waits(16, MS, 0).waits(15, MS, 2);
        assert!(holds(less, 10, 0).is_empty(), "others wait behind something else");
        // Nobody waits.
        assert!(holds(Made::mutex(), 10, 0).is_empty());
    }

    #[test]
    fn a_writer_may_wait_for_a_reader_who_is_off_the_processor() {
        let read = Made::of(LockKind::RwLock, Mode::Read).sampled(10, &clocked(0));
        let write = Made::of(LockKind::RwLock, Mode::Exclusive).waits(9, 2 * MS, 1);
        assert!(advised([write, read]).contains(&"OffProcessor".to_owned()));
    }
}
