//! What advice is about.

use std::time::Duration;

use super::super::histogram::Histogram;
use super::super::section::Section;
use super::super::snapshot::{ClassStats, Snapshot};
use super::super::stats::{Pair, Stats};
use super::Evidence;
use crate::finding::LockKind;
use crate::op::Mode;
use crate::site::Site;

/// A class, and what else is known of its locks.
#[derive(Clone, Copy)]
pub(super) struct Subject<'s> {
    pub(super) class: &'s ClassStats,
    pub(super) snapshot: &'s Snapshot,
}

impl<'s> Subject<'s> {
    /// What was counted of a lock that costs much in this mode, also without the longest wait: a machine that was
    /// asleep, or a debugger, makes one that tells nothing.
    pub(super) fn queue(&self) -> Option<&'s Stats> {
        let stats = &self.class.stats;
        (self.class.is_lock() && self.is_much(stats.waits.total_but_longest())).then_some(stats)
    }

    /// What was counted of a read-write lock's writes and reads, if both were.
    pub(super) fn writes_and_reads(&self) -> Option<(&'s Stats, &'s Stats)> {
        let is_write = self.class.kind == LockKind::RwLock && self.class.mode == Mode::Exclusive;
        let reads = self.modes().find(|class| class.mode == Mode::Read)?;
        is_write.then_some((&self.class.stats, &reads.stats))
    }

    /// The class and those of the same locks in other modes.
    pub(super) fn modes(&self) -> impl Iterator<Item = &'s ClassStats> {
        let Self { class, snapshot } = *self;
        let has_others = class.kind == LockKind::RwLock;
        let others = if has_others { &snapshot.classes[..] } else { std::slice::from_ref(class) };
        others.iter().filter(move |other| other.has_locks_of(class))
    }

    /// How long the locks were waited for in all modes.
    pub(super) fn waited(&self) -> Duration {
        self.modes().map(|class| class.stats.waits.total()).sum()
    }

    /// Whether that costs much, as in [`queue`](Self::queue).
    pub(super) fn is_queue(&self) -> bool {
        let waits = self.modes().map(|class| &class.stats.waits);
        let longest = waits.filter_map(Histogram::max).max().unwrap_or_default();
        self.is_much(self.waited().saturating_sub(longest))
    }

    /// What was measured of the holds that began at this line, in this mode or another one.
    pub(super) fn section(&self, site: Site) -> Option<&'s Section> {
        let mut sections = self.modes().flat_map(|class| &class.stats.sections);
        sections.find(|section| section.site == Some(site))
    }

    /// Whether that much time is worth a word.
    pub(super) fn is_much(&self, cost: Duration) -> bool {
        let part = self.snapshot.elapsed.mul_f64(Evidence::SHARE_OF_TIME_MIN);
        cost >= Evidence::TOTAL_MIN && cost >= part
    }

    /// Whether so many acquisitions are worth a word, although nobody has to wait for them.
    pub(super) fn is_often(&self, acquisitions: u64) -> bool {
        self.is_much(Evidence::ACQUISITION.mul_f64(acquisitions as f64))
    }

    /// Which part of the time that is; more than 1 if it is several threads' time.
    pub(super) fn part_of_time(&self, time: Duration) -> f64 {
        part(time, self.snapshot.elapsed)
    }
}

/// The longest of the waits at these lines.
pub(super) fn longest<'s>(pairs: impl Iterator<Item = &'s Pair>) -> Duration {
    pairs.map(|pair| pair.max).max().unwrap_or_default()
}

/// How much of `whole` some of it is, also without the `longest` of what that consists of: one that took very long
/// tells nothing of the others.
pub(super) fn part_of_many(some: Duration, whole: Duration, longest: Duration) -> f64 {
    part(some.saturating_sub(longest), whole.saturating_sub(longest))
}

/// How much of `whole` it is; 0 of nothing.
pub(super) fn part(time: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { time.as_secs_f64() / whole.as_secs_f64() }
}
