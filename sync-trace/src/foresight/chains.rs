//! Which requests an agent has made before, holding what: its chain cache.
//!
//! A chain is a set of held locks and a lock that is wanted, with their modes, as one number
//! ([`key`](crate::held::key)). Whoever makes a request again of which this agent's cache knows has
//! nothing global to look at: no edge of the lock order is new. Linux's lockdep does the same with
//! classes.
//!
//! The table is one that only its agent touches: open addressing, doubled when it is three quarters
//! full.

use std::sync::Arc;

use crate::atomics::{AtomicPtr, AtomicU64, Ordering, const_fn};
use crate::foresight::news;
use crate::lock_order::prediction::Repeats;

/// One agent's cache. Every method is for that agent only, or for whoever gives its record to
/// another one.
pub(crate) struct Chains {
    table: AtomicPtr<Table>,
}

struct Table {
    /// Their number is a power of two.
    slots: Box<[Slot]>,
    used: AtomicU64,
    /// The generation of what is known here.
    generation: u64,
}

/// What is known of one chain; nothing if `repeats` is null.
struct Slot {
    key: AtomicU64,
    /// The sum of the agent's segment and the [news](crate::foresight::news) when it was last judged: two counts
    /// that only go up, so one comparison tells whether either has.
    stamp: AtomicU64,
    /// From `Arc::into_raw`.
    repeats: AtomicPtr<Repeats>,
}

/// A table does not get larger than this; an agent with more chains begins a new one.
const SLOTS_MAX: usize = 1 << 20;
const SLOTS_MIN: usize = 32;

impl Chains {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self { table: AtomicPtr::new(std::ptr::null_mut()) }
        }
    }

    /// What is known of the chain, if it was judged under this very stamp.
    #[inline]
    pub(crate) fn known(&self, key: u64, stamp: u64) -> Option<&Repeats> {
        let slot = self.table()?.slot(key);
        if slot.stamp.load(Ordering::Relaxed) == stamp { slot.repeats() } else { None }
    }

    /// What is known of a chain, unless that was given up.
    pub(crate) fn repeats(&self, key: u64) -> Option<Arc<Repeats>> {
        let table = self.table().filter(|table| table.is_current())?;
        let repeats = std::ptr::from_ref(table.slot(key).repeats()?);
        // SAFETY: `remember` got it from `Arc::into_raw`, and the slot keeps its own count.
        unsafe {
            Arc::increment_strong_count(repeats);
            Some(Arc::from_raw(repeats))
        }
    }

    /// What is known of all chains that were made in this segment.
    pub(crate) fn made_in(&self, segment: u64) -> Vec<Arc<Repeats>> {
        let Some(table) = self.table().filter(|table| table.is_current()) else {
            return Vec::new();
        };
        let repeats = |slot: &Slot| {
            let repeats = std::ptr::from_ref(slot.repeats()?);
            // SAFETY: as in `repeats`.
            unsafe {
                Arc::increment_strong_count(repeats);
                Some(Arc::from_raw(repeats))
            }
        };
        let mut all: Vec<_> = table.slots.iter().filter_map(repeats).collect();
        all.retain(|repeats| repeats.last().is_in(segment));
        all
    }

    /// The chain was judged under this stamp. Returns whether others had to be forgotten for it, also
    /// by whoever refers to them.
    #[must_use]
    pub(crate) fn remember(&self, key: u64, stamp: u64, repeats: Arc<Repeats>) -> Forgotten {
        let mut forgotten = Forgotten::Nothing;
        if self.table().is_some_and(|table| !table.is_current()) {
            self.clear();
            forgotten = Forgotten::All;
        }
        if self.table().is_none_or(Table::is_full) && self.grow() == Forgotten::All {
            forgotten = Forgotten::All;
        }
        if let Some(table) = self.table() {
            table.put(key, stamp, Arc::into_raw(repeats).cast_mut());
        }
        forgotten
    }

    /// Forgets everything; whoever refers to what is known has to do so too.
    pub(crate) fn clear(&self) {
        let table = self.table.swap(std::ptr::null_mut(), Ordering::Relaxed);
        if !table.is_null() {
            // SAFETY: `grow` made it from a `Box`, and nobody else can have the pointer any more.
            drop(unsafe { Box::from_raw(table) });
        }
    }

    #[inline]
    fn table(&self) -> Option<&Table> {
        // SAFETY: null, or from `grow`. Only the agent itself frees it, in `grow` and `clear`, and
        // neither is called while a reference from here is in use.
        unsafe { self.table.load(Ordering::Relaxed).as_ref() }
    }

    #[cold]
    fn grow(&self) -> Forgotten {
        let size = self.table().map_or(SLOTS_MIN, |table| table.slots.len() * 2);
        if size > SLOTS_MAX {
            self.clear();
            self.grow();
            return Forgotten::All;
        }
        let slots = std::iter::repeat_with(Slot::empty).take(size).collect();
        let generation = news::generation();
        let new = Box::new(Table { slots, used: AtomicU64::new(0), generation });
        for slot in self.table().iter().flat_map(|old| &old.slots) {
            let repeats = slot.repeats.swap(std::ptr::null_mut(), Ordering::Relaxed);
            if !repeats.is_null() {
                let [key, stamp] =
                    [&slot.key, &slot.stamp].map(|word| word.load(Ordering::Relaxed));
                new.put(key, stamp, repeats);
            }
        }
        self.clear();
        self.table.store(Box::into_raw(new), Ordering::Relaxed);
        Forgotten::Nothing
    }
}

/// What a cache had to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgotten {
    Nothing,
    All,
}

impl Slot {
    fn empty() -> Self {
        let repeats = AtomicPtr::new(std::ptr::null_mut());
        Self { key: AtomicU64::new(0), stamp: AtomicU64::new(0), repeats }
    }

    #[inline]
    fn repeats(&self) -> Option<&Repeats> {
        // SAFETY: null, or from `Arc::into_raw` in `remember`; the agent itself lets it go, and not
        // while a reference from here is in use.
        unsafe { self.repeats.load(Ordering::Relaxed).as_ref() }
    }
}

impl Table {
    fn is_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) * 4 >= self.slots.len() as u64 * 3
    }

    fn is_current(&self) -> bool {
        self.generation == news::generation()
    }

    /// The slot that has `key`, or else the empty one that is for it.
    #[inline]
    fn slot(&self, key: u64) -> &Slot {
        let mask = self.slots.len() - 1;
        let mut at = key as usize & mask;
        loop {
            let slot = &self.slots[at];
            let is_empty = || slot.repeats.load(Ordering::Relaxed).is_null();
            if slot.key.load(Ordering::Relaxed) == key || is_empty() {
                return slot;
            }
            at = (at + 1) & mask;
        }
    }

    fn put(&self, key: u64, stamp: u64, repeats: *mut Repeats) {
        let slot = self.slot(key);
        slot.key.store(key, Ordering::Relaxed);
        slot.stamp.store(stamp, Ordering::Relaxed);
        let old = slot.repeats.swap(repeats, Ordering::Relaxed);
        if old.is_null() {
            self.used.store(self.used.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        } else {
            // SAFETY: from `Arc::into_raw`, and just taken out.
            drop(unsafe { Arc::from_raw(old) });
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        for slot in &self.slots {
            let repeats = slot.repeats.load(Ordering::Relaxed);
            if !repeats.is_null() {
                // SAFETY: from `Arc::into_raw`, and in no other table.
                drop(unsafe { Arc::from_raw(repeats) });
            }
        }
    }
}

impl Drop for Chains {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::AgentId;
    use crate::lock_order::clock::Timeline;

    fn repeats() -> Arc<Repeats> {
        Arc::new(Repeats::new(Timeline::new(AgentId(1), 1).now(0), false))
    }

    #[test]
    fn what_was_remembered_is_known_under_the_same_stamp() {
        let chains = Chains::new();
        let known = |key, stamp| chains.known(key, stamp).is_some();
        assert!(!known(7, 1));
        let seen = repeats();
        assert_eq!(chains.remember(7, 1, Arc::clone(&seen)), Forgotten::Nothing);
        assert!(known(7, 1) && !known(7, 2) && !known(8, 1));
        assert_eq!(chains.remember(7, 2, Arc::clone(&seen)), Forgotten::Nothing);
        assert!(known(7, 2) && !known(7, 1));
        assert_eq!(Arc::strong_count(&seen), 2);
    }

    #[test]
    fn a_table_grows_and_forgets_nothing() {
        let chains = Chains::new();
        let key = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let seen = repeats();
        for number in 0..5_000 {
            let forgotten = chains.remember(key(number), number, Arc::clone(&seen));
            assert_eq!(forgotten, Forgotten::Nothing);
        }
        assert!((0..5_000).all(|number| chains.known(key(number), number).is_some()));
        assert!((5_000..6_000).all(|number| chains.repeats(key(number)).is_none()));
        assert_eq!(Arc::strong_count(&seen), 5_001);
        chains.clear();
        assert_eq!(Arc::strong_count(&seen), 1);
    }
}
