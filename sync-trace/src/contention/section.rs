//! What was seen of the holds that began at one line, of those that were measured.

use std::time::Duration;

use crate::site::Site;

/// The measured holds of a lock that began at one line: a critical section.
///
/// Whatever is not a number of samples counts each of them for as many holds as it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The line where the lock was taken; `None` for all the lines that were too many to be told apart.
    pub site: Option<Site>,
    /// How many holds were measured.
    pub samples: u64,
    /// For how many holds they stand.
    pub holds: u64,
    /// How long those took together.
    pub total: Duration,
    /// How long the longest of the measured ones took. In a [difference](super::Snapshot::since) it may be an
    /// earlier one's.
    pub max: Duration,
    /// How many of the holds never gave mutable access to the data. One that did need not have written.
    pub never_mutable: u64,
    /// Of some measured holds also the time on the processor was measured, those of lines with long ones: so many.
    pub clocked: u64,
    /// How long those took together, counted once each.
    pub clocked_wall: Duration,
    /// How long the thread ran on a processor during them.
    pub clocked_cpu: Duration,
}

/// So many lines of one lock an agent tells apart.
pub(super) const SECTIONS_MAX: usize = 64;

/// A measured hold that is over.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) site: Site,
    pub(crate) ns: u64,
    /// For how many holds it stands.
    pub(crate) weight: u64,
    /// Whether the data was accessed mutably.
    pub(crate) was_mutable: bool,
    /// How long the thread ran meanwhile, if that was measured.
    pub(crate) cpu_ns: Option<u64>,
    /// Whether somebody had been waiting for the lock when it was had at once.
    pub(crate) bypassed: bool,
    /// Where the lock lies in memory.
    pub(crate) address: usize,
}

impl Sample {
    pub(super) fn section(&self) -> Section {
        let Self { site, ns, weight, was_mutable, cpu_ns, .. } = *self;
        let took = Duration::from_nanos(ns);
        Section {
            site: Some(site),
            samples: 1,
            holds: weight,
            total: Duration::from_nanos(ns.saturating_mul(weight)),
            max: took,
            never_mutable: if was_mutable { 0 } else { weight },
            clocked: u64::from(cpu_ns.is_some()),
            clocked_wall: cpu_ns.map_or(Duration::ZERO, |_| took),
            clocked_cpu: Duration::from_nanos(cpu_ns.unwrap_or(0)),
        }
    }
}

impl Section {
    fn add(&mut self, other: &Self) {
        self.samples += other.samples;
        self.holds += other.holds;
        self.total += other.total;
        self.max = self.max.max(other.max);
        self.never_mutable += other.never_mutable;
        self.clocked += other.clocked;
        self.clocked_wall += other.clocked_wall;
        self.clocked_cpu += other.clocked_cpu;
    }

    /// The mean length of a hold.
    pub fn mean(&self) -> Duration {
        let mean = self.total.as_nanos().checked_div(self.holds.into()).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }
}

/// Adds a section to those of the same line.
pub(super) fn add_section(sections: &mut Vec<Section>, section: &Section) {
    match sections.iter_mut().find(|known| known.site == section.site) {
        Some(known) => known.add(section),
        None => sections.push(*section),
    }
}

/// What has come since `earlier`, which is an earlier state.
pub(super) fn sections_since(sections: &[Section], earlier: &[Section]) -> Vec<Section> {
    let since = sections.iter().filter_map(|section| {
        let Some(before) = earlier.iter().find(|earlier| earlier.site == section.site) else {
            return Some(*section);
        };
        let count = |of: fn(&Section) -> u64| of(section).saturating_sub(of(before));
        let time = |of: fn(&Section) -> Duration| of(section).saturating_sub(of(before));
        let since = Section {
            site: section.site,
            samples: count(|section| section.samples),
            holds: count(|section| section.holds),
            total: time(|section| section.total),
            max: section.max,
            never_mutable: count(|section| section.never_mutable),
            clocked: count(|section| section.clocked),
            clocked_wall: time(|section| section.clocked_wall),
            clocked_cpu: time(|section| section.clocked_cpu),
        };
        (since.samples > 0).then_some(since)
    });
    since.collect()
}

/// The most expensive first.
pub(super) fn sort_sections(sections: &mut [Section]) {
    sections.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| a.site.cmp(&b.site)));
}
