//! A mutex that has another one in reserve: for the child of a fork, where a thread may have left it locked that is not
//! there.

use std::sync::atomic::{AtomicBool, Ordering};

/// The mutex, and its spare.
pub(crate) struct Spared<M> {
    both: [M; 2],
    is_second: AtomicBool,
}

impl<M> Spared<M> {
    pub(crate) const fn new(both: [M; 2]) -> Self {
        Self { both, is_second: AtomicBool::new(false) }
    }

    /// The one that is in use.
    #[inline]
    pub(crate) fn get(&self) -> &M {
        // It changes while there is one thread only, which starts all others: Relaxed.
        &self.both[usize::from(self.is_second.load(Ordering::Relaxed))]
    }

    /// This is the child of a fork, with no thread but the calling one, which has none of these locked itself. Takes to
    /// the spare if the first one `is_locked`: what that protects is lost, and what the spare does begins anew. (Where a
    /// child forks again and both are, there is no third.)
    #[cfg(not(loom))]
    pub(crate) fn remain_alone(&self, is_locked: impl FnOnce(&M) -> bool) {
        if is_locked(self.get()) {
            self.is_second.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether somebody has it locked. Neither waits nor takes memory.
#[cfg(not(loom))]
pub(crate) fn is_locked<T>(mutex: &std::sync::Mutex<T>) -> bool {
    matches!(mutex.try_lock(), Err(std::sync::TryLockError::WouldBlock))
}
