//! What belongs to one agent, and is touched by nobody else.

use std::cell::{Cell, UnsafeCell};
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::atomics::const_fn;

/// A value that only the thread touches which acts for its agent: no mutex, which would be a third of
/// what it costs to enter and leave an extent.
pub(crate) struct Own<T> {
    is_lent: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: `lend` obliges its callers to come one thread after the other.
unsafe impl<T: Send> Sync for Own<T> {}

// As through a mutex of ours: a panic leaves nothing half done in it, and gives back what was lent. Locks refer to
// agents, and are unwind safe as those of `std` are.
impl<T> UnwindSafe for Own<T> {}
impl<T> RefUnwindSafe for Own<T> {}

impl<T> Own<T> {
    const_fn! {
        pub(crate) fn new(value: T) -> Self {
            Self { is_lent: Cell::new(false), value: UnsafeCell::new(value) }
        }
    }

    /// Lends the value; `None` if it is lent already. That happens: what is done with it may take memory,
    /// and what the memory allocator does with locks may come by here.
    ///
    /// # Safety
    ///
    /// The calling thread is the one that acts for the agent. Whoever did so before has handed the agent's
    /// record on, through a mutex or by starting this thread, so that one comes after the other.
    #[inline]
    pub(crate) unsafe fn lend(&self) -> Option<Lent<'_, T>> {
        if self.is_lent.replace(true) {
            return None;
        }
        // SAFETY: no other thread is here, by the contract, and this one was not, by the flag.
        let value = unsafe { &mut *self.value.get() };
        Some(Lent { value, is_lent: &self.is_lent })
    }
}

/// The value, until this is dropped.
pub(crate) struct Lent<'a, T> {
    value: &'a mut T,
    is_lent: &'a Cell<bool>,
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        self.is_lent.set(false);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_is_not_lent_again() {
        let own = Own::new(vec![1]);
        // SAFETY: one thread.
        let lend = || unsafe { own.lend() };
        let mut lent = lend().unwrap();
        assert!(lend().is_none());
        lent.push(2);
        drop(lent);
        assert_eq!(*lend().unwrap(), [1, 2]);
    }
}
