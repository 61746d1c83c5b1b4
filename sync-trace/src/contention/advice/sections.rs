//! One line is to blame: what it does under the lock takes too long.

use std::time::Duration;

use super::super::section::Section;
use super::super::stats::Stats;
use super::subject::{Subject, longest, part, part_of_many};
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
    let waited = stats.waits.total();
    let share = part(total, waited);
    let behind = stats.pairs.iter().filter(|pair| pair.holder == holder);
    let is_one = stats.waits.count() >= Evidence::HOLDER_WAITS_MIN
        && part_of_many(total, waited, longest(behind)) >= Evidence::HOLDER_SHARE_MIN;
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
    let Behind { waited, left_out } = behind(stats, site);
    let others_too = stats.waits.total().saturating_sub(left_out);
    let is_one = is_of_many(section)
        && !is_said
        && part(waited, others_too) >= Evidence::SECTION_WAITING_MIN;
    is_one.then_some(Evidence::OneSection { site, share, mean: section.mean(), others, waited })
}

/// What was waited behind a line.
struct Behind {
    waited: Duration,
    /// The longest waits behind each of the others, which may have been long once: they tell nothing.
    left_out: Duration,
}

/// How long was waited behind this line, as far as that may be: also what was waited behind others for much longer
/// than they hold it.
fn behind(stats: &Stats, site: Site) -> Behind {
    // As many as wait at a time go first, each for about as long, or twice that.
    let queue = (stats.queued as f64 / stats.queues.max(1) as f64).max(1.0);
    let (mut waited, mut left_out) = (Duration::ZERO, Duration::ZERO);
    for pair in &stats.pairs {
        let Some(holder) = pair.holder else { continue };
        if holder == site {
            waited += pair.total;
        } else if let Some(holder) = stats.sections.iter().find(|known| known.site == pair.holder) {
            let usual = holder.mean().mul_f64(Evidence::SECTION_WAIT_FACTOR * queue);
            let usual = usual.mul_f64(pair.waits.saturating_sub(1) as f64);
            waited += pair.total.saturating_sub(pair.max).saturating_sub(usual);
            left_out += pair.max;
        }
    }
    Behind { waited, left_out }
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
        && section.samples >= Evidence::SAMPLES_MIN;
    stands_out.then_some(Dominant { section, share, others })
}

/// Whether not a single hold makes more than half of the time. It may be one during which the thread had no
/// processor.
fn is_of_many(section: &Section) -> bool {
    let longest = counted(section.max, section.holds, section.samples);
    longest.saturating_mul(2) <= section.total
}

/// For how much time a hold counts that was measured, if so many of so many were.
pub(super) fn counted(hold: Duration, holds: u64, samples: u64) -> Duration {
    let weight = holds.checked_div(samples).map(u32::try_from);
    hold.saturating_mul(weight.and_then(Result::ok).unwrap_or(u32::MAX))
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
        let Section { clocked, clocked_wall, clocked_cpu, max, .. } = *subject.section(holder)?;
        // One in which the whole machine slept tells nothing of the others.
        let others = clocked_wall.saturating_sub(max);
        let is_off = clocked >= Evidence::CLOCKED_MIN
            && clocked_cpu <= others.mul_f64(Evidence::RUNNING_MAX);
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

    #[test]
    fn one_long_wait_tells_nothing_of_the_others() {
        let waits = |first, second| {
            let made = Made::mutex().waits(first, 10 * MS, 1).waits(second, 10 * MS, 2);
            advised([made.waits(1, 400 * MS, 1)])
        };
        assert_eq!(waits(7, 3), ["OneHolder"]);
        assert!(waits(5, 5).is_empty());
        let short = Made::mutex().waits(90, US, 1);
        assert!(advised([short.waits(1, 400 * MS, 1)]).is_empty(), "the others cost little");
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
        // 20 ms behind it, and 19 times a millisecond behind what takes 10 us: one of those is left out.
        assert_eq!(waited, us(20_000 + 19 * 980));
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
    fn one_long_wait_behind_a_short_section_is_not_one_behind_the_long_section() {
        let held = |made: Made| made.holds(25, 400 * US, 1, 3).holds(50, 90 * US, 2, 3);
        let waits = Made::mutex().waits(200, 300 * US, 2).waits(1, 500 * MS, 2);
        assert_eq!(advised([held(waits)]), ["OneHolder", "Starvation"]);
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
        assert_eq!(holds(quarter(), 10, MS / 12), ["OffProcessor"]);
        assert!(holds(quarter(), 9, MS / 12).is_empty(), "too few to tell");
        assert!(holds(quarter(), 10, MS / 11).is_empty(), "it runs");
        let slept_once = quarter().sampled(1, &Sample { ns: 900 * MS, ..clocked(MS / 2) });
        assert!(holds(slept_once, 10, MS / 2).is_empty(), "but for once");
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
