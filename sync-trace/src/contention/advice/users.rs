//! Who uses a lock at all.

use super::Evidence;
use super::subject::Subject;
use crate::finding::LockKind;

pub(super) fn one_thread(subject: &Subject<'_>) -> Option<Evidence> {
    let class = subject.class;
    let acquisitions = class.stats.acquisitions;
    // Those that are counted together may be the same ones, used by somebody else.
    let told_apart: u64 = class.locks.iter().map(|lock| lock.stats.acquisitions).sum();
    let is_one = matches!(class.kind, LockKind::Mutex | LockKind::RwLock)
        && subject.is_often(acquisitions)
        && told_apart == acquisitions
        && class.locks.iter().all(|lock| lock.stats.threads == 1)
        // It is not known whether who reads is who writes.
        && subject.modes().count() == 1;
    is_one.then_some(Evidence::OneThread { locks: class.locks.len(), acquisitions })
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, US, advised, names, snapshot};
    use super::*;
    use crate::finding::LockId;
    use crate::op::Mode;

    fn used(kind: LockKind, mode: Mode, acquisitions: u64) -> Made {
        Made::of(kind, mode).holds(20, 2 * US, 1, acquisitions / 20)
    }

    #[test]
    fn a_lock_that_one_thread_takes_very_often_may_not_be_needed() {
        let mutex = |acquisitions| used(LockKind::Mutex, Mode::Exclusive, acquisitions);
        assert_eq!(advised([mutex(500_000)]), ["OneThread"]);
        assert!(advised([mutex(499_980)]).is_empty(), "it costs less than 10 ms");
        assert!(advised([mutex(500_000).with(|stats| stats.threads = 2)]).is_empty());
        let mut longer = snapshot([mutex(1_000_000)]);
        longer.elapsed *= 2;
        assert_eq!(names(&longer), ["OneThread"]);
        longer.elapsed *= 2;
        assert!(names(&longer).is_empty(), "it costs less than a hundredth of the time");
    }

    #[test]
    fn every_lock_of_the_class_has_to_have_one_thread() {
        let mut snapshot = snapshot([used(LockKind::Mutex, Mode::Exclusive, 500_000)]);
        let other = used(LockKind::Mutex, Mode::Exclusive, 40);
        let class = &mut snapshot.classes[0];
        class.stats.merge(&other.stats);
        assert_eq!(class.stats.threads, 2);
        let counted_together = class.clone();
        class.locks.push(class.locks[0].clone());
        (class.locks[1].id, class.locks[1].stats) = (LockId(8), other.stats);
        let [Evidence::OneThread { locks, acquisitions }] =
            snapshot.advice().iter().map(|advice| advice.evidence).collect::<Vec<_>>()[..]
        else {
            panic!("{snapshot:#?}")
        };
        assert_eq!((locks, acquisitions), (2, 500_040));
        snapshot.classes[0].locks[1].stats.threads = 2;
        assert!(names(&snapshot).is_empty());
        snapshot.classes = vec![counted_together];
        assert!(names(&snapshot).is_empty(), "somebody else may have used the first one");
    }

    #[test]
    fn who_reads_may_be_somebody_else_than_who_writes() {
        let mode = |mode, acquisitions| used(LockKind::RwLock, mode, acquisitions);
        assert_eq!(advised([mode(Mode::Read, 500_000)]), ["OneThread"]);
        let both = advised([mode(Mode::Read, 500_000), mode(Mode::Exclusive, 20)]);
        assert!(!both.contains(&"OneThread".to_owned()), "{both:?}");
    }
}
