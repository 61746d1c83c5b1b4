//! The permits of semaphores that an agent holds now.
//!
//! They are no locks: a permit may be given back by another thread than the one that acquired it, nobody in
//! particular is kept waiting by it, and what is taken while it is held is not nested in it. So they have a
//! stack of their own, which only those read who show what is held. The lock order, declarations and
//! gates know nothing of it.
//!
//! Which of several permits of one semaphore an agent gives back is not known, and all are alike but for
//! the line that acquired them: it counts as the newest.

use crate::atomics::{AtomicBool, Mutex, Ordering, const_fn, lock, push};
use crate::finding::LockId;
use crate::held::{Entry, Held, HeldStack, Popped};

/// An agent's permits.
pub(crate) struct Permits {
    stack: HeldStack,
    /// Of which semaphores other threads have given back one that this agent acquired, once for each.
    /// The owner drops those from the stack when it next comes by; readers leave them out.
    elsewhere: Mutex<Vec<LockId>>,
    /// Whether there are any of those. It only says that the mutex is worth taking: Relaxed.
    any_elsewhere: AtomicBool,
}

impl Permits {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                stack: HeldStack::new(),
                elsewhere: Mutex::new(Vec::new()),
                any_elsewhere: AtomicBool::new(false),
            }
        }
    }

    /// Makes them those of an agent that always takes the out-of-line path.
    #[cfg(not(loom))]
    pub(crate) const fn refuse_fast_path(&mut self) {
        self.stack.refuse_fast_path();
    }

    /// Whether the next [`push`](Self::push) will do.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        let has_to_come_by = self.any_elsewhere.load(Ordering::Relaxed) || self.stack.has_pending();
        self.stack.has_room() && !has_to_come_by
    }

    /// Makes room for one more, and drops what others have given back. Owner only; allocates.
    #[cold]
    pub(crate) fn make_room(&self) {
        if self.any_elsewhere.swap(false, Ordering::Relaxed) {
            while let Some(id) = { lock(&self.elsewhere).pop() } {
                self.stack.remove(|held| held.lock == id);
            }
        }
        self.stack.make_room();
    }

    /// Records an acquisition; false if it needs [`push_slow`](Self::push_slow). Owner only.
    #[inline]
    pub(crate) fn push(&self, entry: &Entry) -> bool {
        self.stack.push(entry)
    }

    /// The same after [`make_room`](Self::make_room). Owner only.
    pub(crate) fn push_slow(&self, held: &Held) {
        self.stack.push_slow(held);
    }

    /// Takes back the newest permit if it is of the semaphore with this header word; false if that needs
    /// [`remove`](Self::remove). Owner only.
    #[inline]
    pub(crate) fn pop(&self, word: u64) -> bool {
        match self.stack.pop_slow(word) {
            Popped::Yes => true,
            Popped::Due => {
                // How long permits are held is not measured.
                self.stack.measure_none();
                true
            }
            Popped::No => false,
        }
    }

    /// Takes back the newest permit of this semaphore. Owner only.
    pub(crate) fn remove(&self, id: LockId) {
        self.stack.remove(|held| held.lock == id);
    }

    /// One of this semaphore was given back by another thread. Any thread; allocates.
    pub(crate) fn given_back_elsewhere(&self, id: LockId) {
        push(&self.elsewhere, id);
        self.any_elsewhere.store(true, Ordering::Relaxed);
    }

    /// How often they were held, as [`HeldStack::counted`] tells. Any thread.
    #[cfg(not(loom))]
    pub(crate) fn counts(&self) -> &HeldStack {
        &self.stack
    }

    /// Forgets everything. Only for a record that no thread owns.
    pub(crate) fn clear(&self) {
        self.stack.clear();
        lock(&self.elsewhere).clear();
        self.any_elsewhere.store(false, Ordering::Relaxed);
    }

    /// Adds what is held to `holds`, without what was given back elsewhere. False if the owner was too
    /// busy.
    pub(crate) fn add_to(&self, holds: &mut Vec<Held>) -> bool {
        if self.stack.depth() == 0 {
            return true;
        }
        let Some(mut mine) = self.stack.read() else { return false };
        // Nothing is freed or allocated under the leaf lock: removing only moves.
        lock(&self.elsewhere).iter().for_each(|id| {
            if let Some(at) = mine.iter().rposition(|held| held.lock == *id) {
                mine.remove(at);
            }
        });
        holds.append(&mut mine);
        true
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::held::INLINE;
    use crate::registry::tests::DOWNGRADED;
    use crate::registry::word;
    use crate::site::{Origin, Site};

    fn acquire(permits: &Permits, id: u64) {
        let (access, site) = (DOWNGRADED, Site::caller());
        let created = Origin::unnamed(site);
        let entry = Entry { word: word::of(LockId(id)), access, created, site };
        if !permits.has_room() {
            permits.make_room();
        }
        if !permits.push(&entry) {
            let lock = LockId(id);
            permits.push_slow(&Held { lock, stamp: 0, told: false, access, created, site });
        }
    }

    fn held(permits: &Permits) -> Vec<u64> {
        let mut holds = Vec::new();
        assert!(permits.add_to(&mut holds));
        holds.iter().map(|held| held.lock.0).collect()
    }

    #[test]
    fn permits_go_in_any_order_and_at_any_depth() {
        let permits = Permits::new();
        (1..=INLINE as u64 + 2).for_each(|id| acquire(&permits, id));
        assert!(!permits.pop(word::of(LockId(3))));
        (3..=INLINE as u64 + 2).for_each(|id| permits.remove(LockId(id)));
        assert!(permits.pop(word::of(LockId(2))));
        assert_eq!(held(&permits), [1]);
    }

    #[test]
    fn what_another_thread_gave_back_counts_no_longer() {
        let permits = Permits::new();
        [1, 2, 1].iter().for_each(|id| acquire(&permits, *id));
        permits.given_back_elsewhere(LockId(1));
        assert_eq!(held(&permits), [1, 2]);
        // Its own is another one, before and after it has come by.
        permits.remove(LockId(1));
        assert_eq!(held(&permits), [2]);
        acquire(&permits, 3);
        assert_eq!(held(&permits), [2, 3]);
        assert!(permits.has_room());
        permits.clear();
        assert_eq!(held(&permits), [0; 0]);
    }
}
