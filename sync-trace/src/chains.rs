//! Which requests an agent has made before, holding what: its chain cache.
//!
//! A chain is a set of held locks and a lock that is wanted, with their modes, as one number
//! ([`key`](crate::held::key)). Whoever makes a request again of which this agent's cache knows has
//! nothing global to look at: no edge of the lock order is new. Linux's lockdep does the same with
//! classes.
//!
//! The table is one that only its agent touches: open addressing, doubled when it is half full.

use std::sync::Arc;

use crate::atomics::{AtomicPtr, AtomicU64, Ordering, const_fn};
use crate::lock_order::prediction::Repeats;
use crate::news;

/// One agent's cache. Every method is for that agent only, or for whoever gives its record to
/// another one.
pub(crate) struct Chains {
    table: AtomicPtr<Table>,
}

struct Table {
    /// Null, or a leaked `Box`. Their number is a power of two.
    slots: Box<[AtomicPtr<Chain>]>,
    used: AtomicU64,
}

/// What is known of one chain.
struct Chain {
    key: u64,
    /// The sum of the agent's segment and the [news](crate::news) when it was last judged: two counts
    /// that only go up, so one comparison tells whether either has.
    stamp: AtomicU64,
    generation: u64,
    repeats: Arc<Repeats>,
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

    /// Whether the chain was judged under this very stamp; then it counts as seen once more.
    #[inline]
    pub(crate) fn is_known(&self, key: u64, stamp: u64) -> bool {
        match self.find(key) {
            Some(chain) if chain.stamp.load(Ordering::Relaxed) == stamp => {
                chain.repeats.add_one();
                true
            }
            _ => false,
        }
    }

    /// What is known of a chain, unless that was given up.
    pub(crate) fn repeats(&self, key: u64) -> Option<Arc<Repeats>> {
        let chain = self.find(key).filter(|chain| chain.generation == news::generation())?;
        Some(Arc::clone(&chain.repeats))
    }

    /// The chain was judged under this stamp.
    pub(crate) fn remember(&self, key: u64, stamp: u64, repeats: Arc<Repeats>) {
        let generation = news::generation();
        let chain = Chain { key, stamp: AtomicU64::new(stamp), generation, repeats };
        self.insert(Box::new(chain));
    }

    /// Forgets everything. Returns whether there was something.
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

    #[inline]
    fn find(&self, key: u64) -> Option<&Chain> {
        let table = self.table()?;
        let chain = table.slot(key).load(Ordering::Relaxed);
        // SAFETY: null, or from `insert`; only the agent itself frees it, and not while a reference
        // from here is in use.
        unsafe { chain.as_ref() }
    }

    fn insert(&self, chain: Box<Chain>) {
        if self.table().is_none_or(Table::is_half_full) {
            self.grow();
        }
        let Some(table) = self.table() else { return };
        let slot = table.slot(chain.key);
        let old = slot.swap(Box::into_raw(chain), Ordering::Relaxed);
        if old.is_null() {
            table.used.store(table.used.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        } else {
            // SAFETY: from `Box::into_raw`, and just taken out.
            drop(unsafe { Box::from_raw(old) });
        }
    }

    #[cold]
    fn grow(&self) {
        let size = self.table().map_or(SLOTS_MIN, |table| table.slots.len() * 2);
        if size > SLOTS_MAX {
            self.clear();
            return self.grow();
        }
        let empty = || AtomicPtr::new(std::ptr::null_mut());
        let slots = std::iter::repeat_with(empty).take(size).collect();
        let new = Box::new(Table { slots, used: AtomicU64::new(0) });
        if let Some(old) = self.table() {
            for slot in &old.slots {
                let chain = slot.swap(std::ptr::null_mut(), Ordering::Relaxed);
                // SAFETY: as in `find`.
                if let Some(known) = unsafe { chain.as_ref() } {
                    new.slot(known.key).store(chain, Ordering::Relaxed);
                }
            }
            new.used.store(old.used.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self.clear();
        self.table.store(Box::into_raw(new), Ordering::Relaxed);
    }
}

impl Table {
    fn is_half_full(&self) -> bool {
        self.used.load(Ordering::Relaxed) * 2 >= self.slots.len() as u64
    }

    /// The slot that has `key`, or else the empty one that is for it.
    #[inline]
    fn slot(&self, key: u64) -> &AtomicPtr<Chain> {
        let mask = self.slots.len() - 1;
        let mut at = key as usize & mask;
        loop {
            let slot = &self.slots[at];
            let chain = slot.load(Ordering::Relaxed);
            // SAFETY: as in `find`.
            if unsafe { chain.as_ref() }.is_none_or(|chain| chain.key == key) {
                return slot;
            }
            at = (at + 1) & mask;
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        for slot in &self.slots {
            let chain = slot.load(Ordering::Relaxed);
            if !chain.is_null() {
                // SAFETY: from `insert`, and in no other table.
                drop(unsafe { Box::from_raw(chain) });
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
        Arc::new(Repeats::new(Timeline::new(AgentId(1)).now(0)))
    }

    #[test]
    fn what_was_remembered_is_known_under_the_same_stamp_and_counted() {
        let chains = Chains::new();
        assert!(!chains.is_known(7, 1));
        let seen = repeats();
        chains.remember(7, 1, Arc::clone(&seen));
        assert!(chains.is_known(7, 1) && !chains.is_known(7, 2) && !chains.is_known(8, 1));
        assert_eq!(seen.count(), 2);
        chains.remember(7, 2, Arc::clone(&seen));
        assert!(chains.is_known(7, 2) && !chains.is_known(7, 1));
    }

    #[test]
    fn a_table_grows_and_forgets_nothing() {
        let chains = Chains::new();
        let key = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let seen = repeats();
        for number in 0..5_000 {
            chains.remember(key(number), number, Arc::clone(&seen));
        }
        assert!((0..5_000).all(|number| chains.is_known(key(number), number)));
        assert!((5_000..6_000).all(|number| chains.repeats(key(number)).is_none()));
        assert_eq!(Arc::strong_count(&seen), 5_001);
        chains.clear();
        assert_eq!(Arc::strong_count(&seen), 1);
    }
}
