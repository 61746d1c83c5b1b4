//! What is counted: for one lock, or for all of a class.

use std::time::Duration;

use super::Histogram;
use super::section::{SECTIONS_MAX, Sample, Section, add_section, sections_since, sort_sections};
use crate::site::Site;

/// What was counted of one lock, or of all locks of a class: how often it was had, how long it was held, how long
/// it was waited for.
///
/// Acquisitions are counted one by one, and so are [waits](Self::waits) that block. Holds are [sampled](Self::holds), unless
/// `SYNC_TRACE=contention=full` asks for all.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// How often it was acquired, at once or after a wait; a hold counts when it ends. A write lock that is
    /// downgraded is a hold of each mode.
    pub acquisitions: u64,
    /// How many of them were tries.
    pub try_successes: u64,
    /// How often a mutex was acquired by another thread than the one before. Not known of other primitives.
    pub owner_changes: u64,
    /// How many threads have acquired it: of those that lived one after the other, several may count as one.
    pub threads: u64,
    /// How long it was held. Only some holds are measured, chosen at random before they begin, and each counts for
    /// as many as there were for each that was chosen: so numbers and sums are estimates without bias, and the
    /// longest hold may be missing.
    pub holds: Histogram,
    /// The same by the line where it was taken, with what else was seen of the holds that were measured.
    pub sections: Vec<Section>,
    /// How many threads waited when one of them began to, itself included, added up: for some waits that blocked,
    /// chosen at random.
    pub queued: u64,
    /// How many waits those were.
    pub queues: u64,
    /// How many waited when one of those began, at most.
    pub queue_max: u64,
    /// How often it was had at once while somebody else had been waiting for it. An estimate as of
    /// [`holds`](Self::holds).
    pub bypasses: u64,
    /// How long each wait took: of acquisitions that could not be had at once, and of waits for a signal, a message,
    /// a permit. A wait counts when it ends. All that blocked are counted; of those for locks that were free again
    /// within some microseconds, where there are many, some are chosen at random, and count for all.
    pub waits: Histogram,
    /// How many of them ended because their time was over.
    pub timeouts: u64,
    /// Before how many of them the holder had itself had to wait for the lock (at least: where the holder has
    /// taken other locks since, it is not known).
    pub handed_on: u64,
    /// How often the lock was tried, and was not free. Nobody waited then.
    pub try_failures: u64,
    /// How often a condition variable was notified.
    pub notifies: u64,
    /// How many of those notifications nobody waited for.
    pub notifies_in_vain: u64,
    /// Who waited because of whom: the waits again, by their lines.
    pub pairs: Vec<Pair>,
}

/// The waits at one line for what was held since another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pair {
    /// Where they waited; `None` for all the lines that were too many to be told apart.
    pub waiter: Option<Site>,
    /// Where the lock was taken by who held it when they began to wait. `None` if that was not seen: nobody
    /// holds a channel, readers come and go, and a lock may be released at that very moment.
    pub holder: Option<Site>,
    /// How many there were.
    pub waits: u64,
    /// How long they took together. Several threads that wait behind one hold count it several times.
    pub total: Duration,
    /// How long the longest took. In a [difference](super::Snapshot::since) it may be an earlier one's.
    pub max: Duration,
}

/// A wait that is over.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    /// For how many waits it stands.
    pub(crate) weight: u64,
    /// How many waited when it began, itself included; 0 if nobody looked.
    pub(crate) queued: u64,
    pub(crate) waiter: Site,
    pub(crate) holder: Option<Site>,
    pub(crate) was_handed_on: bool,
    pub(crate) has_timed_out: bool,
    pub(crate) ns: u64,
}

impl Ended {
    pub(crate) fn new(waiter: Site) -> Self {
        let (was_handed_on, has_timed_out) = (false, false);
        Self { weight: 1, queued: 0, waiter, holder: None, was_handed_on, has_timed_out, ns: 0 }
    }
}

impl Pair {
    fn new(waiter: Option<Site>, holder: Option<Site>) -> Self {
        Self { waiter, holder, waits: 0, total: Duration::ZERO, max: Duration::ZERO }
    }

    fn add(&mut self, other: &Self) {
        self.waits += other.waits;
        self.total += other.total;
        self.max = self.max.max(other.max);
    }
}

/// So many pairs of lines of one lock an agent tells apart.
pub(super) const PAIRS_MAX: usize = 64;

impl Stats {
    /// Counts a wait. False if there were too many lines to tell it from others.
    pub(super) fn count(&mut self, ended: &Ended) -> bool {
        let weight = ended.weight;
        self.waits.record_ns_times(ended.ns, weight);
        self.timeouts += if ended.has_timed_out { weight } else { 0 };
        self.handed_on += if ended.was_handed_on { weight } else { 0 };
        self.queued += ended.queued;
        self.queues += u64::from(ended.queued > 0);
        self.queue_max = self.queue_max.max(ended.queued);
        let [waiter, holder] = [Some(ended.waiter), ended.holder];
        let known =
            self.pairs.iter().position(|pair| is(pair.waiter, waiter) && is(pair.holder, holder));
        let is_told_apart = known.is_some() || self.pairs.len() < PAIRS_MAX;
        let pair = match known {
            Some(at) => &mut self.pairs[at],
            None if is_told_apart => self.pair(waiter, holder),
            None => self.pair(None, None),
        };
        let max = Duration::from_nanos(ended.ns);
        let total = Duration::from_nanos(ended.ns.saturating_mul(weight));
        pair.add(&Pair { waits: weight, total, max, ..*pair });
        is_told_apart
    }

    /// Counts a hold that was measured. False if there were too many lines to tell it from others.
    pub(super) fn sample(&mut self, sample: &Sample) -> bool {
        self.holds.record_ns_times(sample.ns, sample.weight);
        if sample.bypassed {
            self.bypasses += sample.weight;
        }
        let section = sample.section();
        let is_told_apart = self.sections.len() < SECTIONS_MAX
            || self.sections.iter().any(|known| known.site == section.site);
        let site = section.site.filter(|_| is_told_apart);
        add_section(&mut self.sections, &Section { site, ..section });
        is_told_apart
    }

    /// That pair, made if it is a new one.
    fn pair(&mut self, waiter: Option<Site>, holder: Option<Site>) -> &mut Pair {
        let known =
            self.pairs.iter().position(|pair| (pair.waiter, pair.holder) == (waiter, holder));
        let at = known.unwrap_or_else(|| {
            self.pairs.push(Pair::new(waiter, holder));
            self.pairs.len() - 1
        });
        &mut self.pairs[at]
    }

    /// Adds all that was counted in `other`.
    pub fn merge(&mut self, other: &Self) {
        self.acquisitions += other.acquisitions;
        self.try_successes += other.try_successes;
        self.owner_changes += other.owner_changes;
        self.threads += other.threads;
        self.holds.merge(&other.holds);
        other.sections.iter().for_each(|section| add_section(&mut self.sections, section));
        self.queued += other.queued;
        self.queues += other.queues;
        self.queue_max = self.queue_max.max(other.queue_max);
        self.bypasses += other.bypasses;
        self.waits.merge(&other.waits);
        self.timeouts += other.timeouts;
        self.handed_on += other.handed_on;
        self.try_failures += other.try_failures;
        self.notifies += other.notifies;
        self.notifies_in_vain += other.notifies_in_vain;
        other.pairs.iter().for_each(|pair| self.pair(pair.waiter, pair.holder).add(pair));
    }

    /// What was counted since `earlier`, which is an earlier state of this one.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.pairs.iter().filter_map(|pair| {
            let same =
                |earlier: &&Pair| (earlier.waiter, earlier.holder) == (pair.waiter, pair.holder);
            let Some(before) = earlier.pairs.iter().find(same) else { return Some(*pair) };
            let waits = pair.waits.saturating_sub(before.waits);
            let total = pair.total.saturating_sub(before.total);
            (waits > 0).then_some(Pair { waits, total, max: pair.max.min(total), ..*pair })
        });
        let count = |of: fn(&Self) -> u64| of(self).saturating_sub(of(earlier));
        Self {
            acquisitions: count(|stats| stats.acquisitions),
            try_successes: count(|stats| stats.try_successes),
            owner_changes: count(|stats| stats.owner_changes),
            threads: self.threads,
            holds: self.holds.since(&earlier.holds),
            sections: sections_since(&self.sections, &earlier.sections),
            queued: count(|stats| stats.queued),
            queues: count(|stats| stats.queues),
            queue_max: self.queue_max,
            bypasses: count(|stats| stats.bypasses),
            waits: self.waits.since(&earlier.waits),
            timeouts: count(|stats| stats.timeouts),
            handed_on: count(|stats| stats.handed_on),
            try_failures: count(|stats| stats.try_failures),
            notifies: count(|stats| stats.notifies),
            notifies_in_vain: count(|stats| stats.notifies_in_vain),
            pairs: pairs.collect(),
        }
    }

    /// How many holds were measured; [`holds`](Self::holds) tells how many they stand for.
    pub fn samples(&self) -> u64 {
        self.sections.iter().map(|section| section.samples).sum()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        let counts = [self.acquisitions, self.try_failures, self.notifies];
        self.waits.is_empty() && self.holds.is_empty() && counts == [0; 3]
    }

    /// The lines at which the lock was taken by those who kept others waiting, the worst first: each with the
    /// number of waits that began during such a hold, and how long those took together.
    ///
    /// # Example
    ///
    /// ```
    /// for class in sync_trace::contention().classes {
    ///     for (site, waits, total) in class.stats.holders() {
    ///         let site = site.map_or("an unknown line".to_owned(), |site| site.to_string());
    ///         println!("{site} has kept others waiting {waits} times, for {total:?}");
    ///     }
    /// }
    /// ```
    pub fn holders(&self) -> Vec<(Option<Site>, u64, Duration)> {
        self.by(|pair| pair.holder)
    }

    /// The lines at which threads waited, the worst first, in the same way.
    pub fn waiters(&self) -> Vec<(Option<Site>, u64, Duration)> {
        self.by(|pair| pair.waiter)
    }

    fn by(&self, which: impl Fn(&Pair) -> Option<Site>) -> Vec<(Option<Site>, u64, Duration)> {
        let mut sites: Vec<(Option<Site>, u64, Duration)> = Vec::new();
        for pair in &self.pairs {
            let site = which(pair);
            match sites.iter_mut().find(|(known, ..)| *known == site) {
                Some((_, waits, total)) => {
                    *waits += pair.waits;
                    *total += pair.total;
                }
                None => sites.push((site, pair.waits, pair.total)),
            }
        }
        sites.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        sites
    }

    /// Brings the pairs into an order: the most expensive first.
    pub(super) fn sort(&mut self) {
        let by_lines = |pair: &Pair| (pair.waiter, pair.holder);
        self.pairs
            .sort_by(|a, b| b.total.cmp(&a.total).then_with(|| by_lines(a).cmp(&by_lines(b))));
        sort_sections(&mut self.sections);
    }
}

/// Whether two positions are the same one, as far as their addresses tell: a line may have several, which are
/// put together when somebody looks.
fn is(a: Option<Site>, b: Option<Site>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::ptr::eq(a.0, b.0),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn ended(waiter: Site, holder: Option<Site>, ns: u64) -> Ended {
        Ended { holder, ns, ..Ended::new(waiter) }
    }

    #[test]
    fn what_waiters_are_charged_is_what_holders_are_charged() {
        let [a, b, c] = [Site::caller(), Site::caller(), Site::caller()];
        let mut stats = Stats::default();
        for (waiter, holder, ms) in
            [(a, Some(b), 5), (a, Some(c), 1), (b, Some(c), 2), (c, None, 9)]
        {
            assert!(stats.count(&ended(waiter, holder, ms * MS)));
        }
        let ms = Duration::from_millis;
        assert_eq!(stats.holders(), [(None, 1, ms(9)), (Some(b), 1, ms(5)), (Some(c), 2, ms(3))]);
        assert_eq!(
            stats.waiters(),
            [(Some(c), 1, ms(9)), (Some(a), 2, ms(6)), (Some(b), 1, ms(2))]
        );
        assert_eq!(stats.waits.total(), ms(17));
    }

    #[test]
    fn lines_that_are_too_many_are_counted_together_and_nothing_is_lost() {
        let a = Site::caller;
        #[rustfmt::skip]
        let sites = [a(), a(), a(), a(), a(), a(), a(), a(), a()];
        let mut stats = Stats::default();
        let pairs =
            sites.iter().flat_map(|one| sites.iter().map(move |other| (*one, Some(*other))));
        let all = pairs.clone().count();
        let told_apart = pairs.filter(|pair| stats.count(&ended(pair.0, pair.1, 3))).count();
        assert_eq!((all, told_apart), (81, PAIRS_MAX));
        assert_eq!(stats.pairs.iter().map(|pair| pair.waits).sum::<u64>(), 81);
        let others = stats.pairs.last().map(|pair| (pair.waiter, pair.holder, pair.waits));
        assert_eq!(others, Some((None, None, (81 - PAIRS_MAX) as u64)));
    }

    #[test]
    fn a_line_that_the_compiler_has_put_at_two_addresses_is_one() {
        let here = Site::caller();
        let again = Site(Box::leak(Box::new(*here.0)));
        let mut stats = Stats::default();
        for site in [here, again, again] {
            assert!(stats.count(&ended(site, Some(here), 3)));
        }
        assert_eq!(lines(&stats), [(Some(here), Some(here), 3)]);
        let mut merged = Stats::default();
        stats.pairs[0].waiter = Some(again);
        [&stats, &stats].into_iter().for_each(|stats| merged.merge(stats));
        assert_eq!(lines(&merged), [(Some(here), Some(here), 6)]);
    }

    fn lines(stats: &Stats) -> Vec<(Option<Site>, Option<Site>, u64)> {
        stats.pairs.iter().map(|pair| (pair.waiter, pair.holder, pair.waits)).collect()
    }

    #[test]
    fn a_difference_has_what_is_new_only() {
        let [a, b] = [Site::caller(), Site::caller()];
        let mut stats = Stats { notifies: 3, try_failures: 2, ..Stats::default() };
        stats.count(&ended(a, Some(b), 7 * MS));
        let before = stats.clone();
        assert!(stats.since(&before).is_empty() && stats.since(&before).pairs.is_empty());
        stats.count(&ended(b, Some(a), 4 * MS));
        stats.try_failures += 1;
        let since = stats.since(&before);
        assert_eq!((since.waits.count(), since.try_failures, since.notifies), (1, 1, 0));
        assert_eq!(since.holders(), [(Some(a), 1, Duration::from_millis(4))]);
    }
}
