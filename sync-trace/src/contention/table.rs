//! Stats of locks, by number: what one agent has counted.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::section::Sample;
use super::stats::{Ended, Stats};
use super::tally::Counted;
use crate::finding::{LockId, LockKind};
use crate::lock_order::adjacency::QuickHash;
use crate::op::Mode;
use crate::registry::Access;
use crate::site::Origin;

/// What is waited for, or tried, or notified.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) lock: LockId,
    pub(crate) kind: LockKind,
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) mode: Mode,
    pub(crate) created: Origin,
}

impl Wanted {
    pub(crate) fn new(lock: LockId, access: &Access, created: Origin) -> Self {
        let Access { kind, type_name, mode, .. } = *access;
        // Permits are counted as their waits are, which know of no mode.
        let mode = if kind == LockKind::Semaphore { Mode::Exclusive } else { mode };
        Self { lock, kind, type_name, mode, created }
    }

    fn own_key(&self) -> Key {
        (self.lock.0 << 2 | self.mode as u64, 0, 0)
    }

    fn class_key(&self) -> Key {
        (self.mode as u64, self.created.to_ptr().addr(), self.type_name as usize)
    }
}

/// What is counted besides waits.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    /// A try has failed.
    TryFailed,
    /// A condition variable was notified.
    Notified {
        /// Nobody waited.
        in_vain: bool,
    },
}

/// What was counted of one lock, or of all further ones that were created at one place.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) wanted: Wanted,
    /// Whether it is one lock's.
    pub(super) is_own: bool,
    pub(super) stats: Stats,
    /// Where it was seen last; 0 if it was not.
    pub(super) address: usize,
}

/// A lock's number and the mode; or, for further ones, the mode, where they were created, and what they protect.
type Key = (u64, usize, usize);

/// Stats of locks.
#[derive(Clone)]
pub(super) struct Table {
    rows: HashMap<Key, Row, QuickHash>,
    /// What could not be told apart, because there were too many locks or lines: how many waits or other
    /// events.
    pub(super) folded: u64,
}

/// So many locks an agent tells apart, counting the modes of each. Further ones are counted together if they
/// were created at the same place.
pub(super) const LOCKS_MAX: usize = 256;

impl Table {
    pub(super) const fn new() -> Self {
        Self { rows: HashMap::with_hasher(QuickHash::new()), folded: 0 }
    }

    /// Counts a wait.
    pub(super) fn count(&mut self, wanted: &Wanted, ended: &Ended) {
        let row = self.row(wanted);
        let is_told_apart = row.stats.count(ended) && row.is_own;
        self.folded += u64::from(!is_told_apart);
    }

    /// Counts something else.
    pub(super) fn note(&mut self, wanted: &Wanted, event: Event) {
        let row = self.row(wanted);
        match event {
            Event::TryFailed => row.stats.try_failures += 1,
            Event::Notified { in_vain } => {
                row.stats.notifies += 1;
                row.stats.notifies_in_vain += u64::from(in_vain);
            }
        }
        self.folded += u64::from(!row.is_own);
    }

    /// Counts a hold that was measured.
    pub(super) fn sample(&mut self, wanted: &Wanted, sample: &Sample) {
        let row = self.row(wanted);
        row.address = sample.address;
        let is_told_apart = row.stats.sample(sample) && row.is_own;
        self.folded += u64::from(!is_told_apart);
    }

    /// Counts holds that have ended.
    pub(super) fn hold(&mut self, counted: &Counted) {
        let wanted = Wanted::new(counted.lock, counted.access, counted.created);
        let row = match counted.is_own {
            true => self.row(&wanted),
            false => self.row_at(wanted.class_key(), &wanted, false),
        };
        row.stats.acquisitions += counted.times;
        row.stats.owner_changes += counted.changes;
        if counted.access.op.is_try() {
            row.stats.try_successes += counted.times;
        }
    }

    /// Takes back what was counted as such holds, wherever it has got to.
    pub(super) fn forget(&mut self, counted: &Counted) {
        let wanted = Wanted::new(counted.lock, counted.access, counted.created);
        let (mut times, mut changes) = (counted.times, counted.changes);
        let is_try = counted.access.op.is_try();
        let keys = [counted.is_own.then(|| wanted.own_key()), Some(wanted.class_key())];
        for row in keys.into_iter().flatten() {
            let Some(row) = self.rows.get_mut(&row) else { continue };
            let stats = &mut row.stats;
            let take = |from: &mut u64, what: &mut u64| {
                let taken = (*from).min(*what);
                *from -= taken;
                *what -= taken;
                taken
            };
            let taken = take(&mut stats.acquisitions, &mut times);
            take(&mut stats.owner_changes, &mut changes);
            stats.try_successes -= if is_try { taken.min(stats.try_successes) } else { 0 };
        }
    }

    fn row(&mut self, wanted: &Wanted) -> &mut Row {
        let key = wanted.own_key();
        let has_room = self.rows.len() < LOCKS_MAX;
        let is_own = has_room || self.rows.contains_key(&key);
        self.row_at(if is_own { key } else { wanted.class_key() }, wanted, is_own)
    }

    fn row_at(&mut self, key: Key, wanted: &Wanted, is_own: bool) -> &mut Row {
        match self.rows.entry(key) {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(place) => {
                let (wanted, stats) = (*wanted, Stats::default());
                place.insert(Row { wanted, is_own, stats, address: 0 })
            }
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::registry::tests::ACCESS;
    use crate::site::Site;

    #[test]
    fn more_locks_than_can_be_told_apart_are_counted_together() {
        let (here, more) = (Site::caller(), 40);
        let mut table = Table::new();
        for round in 0..2 {
            for lock in 1..=(LOCKS_MAX + more) as u64 {
                let wanted = Wanted::new(LockId(lock), ACCESS, Origin::unnamed(here));
                table.count(&wanted, &Ended { ns: round, ..Ended::new(here) });
                table.note(&wanted, Event::TryFailed);
            }
        }
        assert_eq!(table.folded, 4 * more as u64);
        let (own, others): (Vec<_>, Vec<_>) = table.rows().partition(|row| row.is_own);
        assert!(own.iter().all(|row| row.stats.waits.count() == 2 && row.stats.try_failures == 2));
        assert_eq!((own.len(), others.len()), (LOCKS_MAX, 1));
        assert_eq!(others[0].stats.waits.count(), 2 * more as u64);
    }
}
