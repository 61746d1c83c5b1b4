//! Locks that lie too close to each other.

use super::super::snapshot::{ClassStats, LockStats};
use super::Evidence;
use super::subject::Subject;

impl Evidence {
    /// The size of a cache line of most processors. See [`Neighbours`](Self::Neighbours).
    pub const LINE: usize = 64;
    /// See [`Neighbours`](Self::Neighbours).
    pub const NEIGHBOURS_OVERLAP_MAX: f64 = 0.1;
}

/// A lock and the class that it is of.
type Located<'s> = (&'s ClassStats, &'s LockStats);

pub(super) fn neighbours(subject: &Subject<'_>) -> Option<Evidence> {
    let classes = &subject.snapshot.classes;
    let at = classes.iter().position(|class| std::ptr::eq(class, subject.class))?;
    let mine = busy(subject, subject.class);
    if mine.is_empty() {
        return None;
    }
    // Of each two it is told once, with the class that comes first.
    let later = classes[at + 1..].iter().flat_map(|class| busy(subject, class));
    let others: Vec<Located<'_>> = mine.iter().copied().chain(later).collect();
    let pairs = mine.iter().enumerate().flat_map(|(at, one)| {
        let others = others[at + 1..].iter().filter(|other| are_neighbours(one.1, other.1));
        others.map(move |other| (one.1, *other))
    });
    let pairs: Vec<(&LockStats, Located<'_>)> = pairs.collect();
    let acquired = |lock: &LockStats| lock.stats.acquisitions;
    let both = |pair: &&(&LockStats, Located<'_>)| acquired(pair.0) + acquired(pair.1.1);
    let &(one, (class, other)) = pairs.iter().max_by_key(both)?;
    Some(Evidence::Neighbours {
        pairs: pairs.len(),
        distance: one.uses.address.abs_diff(other.uses.address),
        locks: [one.id, other.id],
        acquisitions: [acquired(one), acquired(other)],
        name: class.name,
        created: class.created,
    })
}

/// The locks of a class that are acquired very often each.
fn busy<'s>(subject: &Subject<'_>, class: &'s ClassStats) -> Vec<Located<'s>> {
    let is_busy = |lock: &&LockStats| {
        class.is_lock() && lock.uses.address != 0 && subject.is_often(lock.stats.acquisitions)
    };
    class.locks.iter().filter(is_busy).map(|lock| (class, lock)).collect()
}

/// Whether the headers of both begin in one line, and other agents use the one than the other. Where one lock has come
/// to the place of another, they do not lie beside each other.
fn are_neighbours(one: &LockStats, other: &LockStats) -> bool {
    let [one_at, other_at] = [one, other].map(|lock| lock.uses.address);
    one.id != other.id
        && one_at / Evidence::LINE == other_at / Evidence::LINE
        && one_at.abs_diff(other_at) >= size_of::<crate::registry::LockHeader>()
        && one.uses.overlap(&other.uses) <= Evidence::NEIGHBOURS_OVERLAP_MAX
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, US, names, snapshot};
    use super::*;
    use crate::contention::Snapshot;
    use crate::finding::LockId;

    /// Two locks at these places, which agents acquire so often.
    fn two(uses: [(usize, usize, u64); 2]) -> Snapshot {
        let made = || Made::mutex().holds(20, 2 * US, 1, 1).with(|stats| stats.threads = 2);
        let mut snapshot = snapshot([made()]);
        let class = &mut snapshot.classes[0];
        class.locks.push(class.locks[0].clone());
        for (at, (address, agent, acquisitions)) in uses.into_iter().enumerate() {
            let lock = &mut class.locks[at];
            lock.id = LockId(10 + at as u64);
            lock.stats.acquisitions = acquisitions;
            lock.uses.add(agent, acquisitions);
            lock.uses.see_at(address);
        }
        snapshot
    }

    #[test]
    fn locks_that_different_threads_use_in_one_cache_line_are_told() {
        let told = |uses| names(&two(uses));
        let often = 500_000;
        assert_eq!(told([(640, 1, often), (680, 2, often)]), ["Neighbours"]);
        assert!(told([(640, 1, often), (704, 2, often)]).is_empty(), "the next line");
        assert!(told([(640, 1, often), (680, 1, often)]).is_empty(), "one thread");
        assert!(told([(640, 1, often), (680, 2, often - 1)]).is_empty(), "seldom");
        assert!(told([(640, 1, often), (648, 2, often)]).is_empty(), "one after the other");
        assert!(told([(0, 1, often), (40, 2, often)]).is_empty(), "not known where");
    }

    #[test]
    fn locks_that_some_threads_use_both_of_are_contended_anyway() {
        let mut snapshot = two([(640, 1, 500_000), (680, 2, 500_000)]);
        let add = |snapshot: &mut Snapshot, acquisitions| {
            snapshot.classes[0].locks[1].uses.add(1, acquisitions);
        };
        add(&mut snapshot, 50_000);
        assert_eq!(names(&snapshot), ["Neighbours"]);
        add(&mut snapshot, 10_000);
        assert!(names(&snapshot).is_empty());
    }

    #[test]
    fn of_two_classes_the_first_is_told_of_the_other() {
        let mut snapshot = two([(640, 1, 500_000), (680, 2, 600_000)]);
        let mut second = snapshot.classes[0].clone();
        second.name = Some("audit");
        second.locks.remove(0);
        snapshot.classes[0].locks.remove(1);
        snapshot.classes.push(second);
        let evidence: Vec<_> = snapshot.advice().iter().map(|advice| advice.evidence).collect();
        let [Evidence::Neighbours { pairs: 1, distance: 40, locks, acquisitions, name, .. }] =
            evidence[..]
        else {
            panic!("{evidence:?}")
        };
        assert_eq!(locks, [LockId(10), LockId(11)]);
        assert_eq!((acquisitions, name), ([500_000, 600_000], Some("audit")));
    }
}
