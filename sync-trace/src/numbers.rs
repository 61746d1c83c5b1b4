//! Numbers that are never drawn twice: one by one for agents, scopes and the like, in blocks for locks.

#[cfg(not(loom))]
mod drawn {
    use std::cell::Cell;
    use std::num::NonZeroU64;
    use std::sync::atomic::{AtomicU64, Ordering};

    use crate::finding::LockId;

    /// Numbers for scopes and agents: drawn once for each thread, so one shared counter will do.
    pub(crate) fn next_number() -> NonZeroU64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed)).expect("2^64 numbers are never drawn")
    }

    /// Numbers for locks that somebody draws alone, so that creating locks shares no cache line.
    pub(crate) struct Block {
        /// The last one that was drawn; a multiple of [`SIZE`] has no next one here. The owner's own: Relaxed.
        last: AtomicU64,
    }

    pub(super) const SIZE: u64 = 256;

    impl Block {
        pub(crate) const fn new() -> Self {
            Self { last: AtomicU64::new(0) }
        }

        /// The next number, if it is at hand. Owner only.
        #[inline]
        pub(crate) fn at_hand(&self) -> Option<LockId> {
            let last = self.last.load(Ordering::Relaxed);
            if last.is_multiple_of(SIZE) {
                return None;
            }
            self.last.store(last + 1, Ordering::Relaxed);
            Some(LockId(last + 1))
        }

        /// The next number. Owner only.
        #[inline]
        pub(crate) fn next(&self) -> LockId {
            self.at_hand().unwrap_or_else(|| self.renew())
        }

        /// Draws a new block, and its first number. Owner only.
        #[cold]
        #[inline(never)]
        fn renew(&self) -> LockId {
            static BLOCKS: AtomicU64 = AtomicU64::new(0);
            let first = BLOCKS.fetch_add(1, Ordering::Relaxed) * SIZE + 1;
            self.last.store(first, Ordering::Relaxed);
            LockId(first)
        }
    }

    thread_local! {
        /// That of the calling thread's agent.
        static MINE: Cell<Option<&'static Block>> = const { Cell::new(None) };
        /// For a thread that has none.
        static SPARE: Block = const { Block::new() };
    }

    /// From here on the calling thread draws from this block, and nobody else does. One for each thread: numbers
    /// that lie close to each other find places of their own in small tables.
    pub(crate) fn draw_from(block: Option<&'static Block>) {
        MINE.set(block);
    }

    impl LockId {
        /// A number that no lock has yet.
        pub(crate) fn next() -> Self {
            MINE.get().map_or_else(|| SPARE.with(Block::next), Block::next)
        }
    }
}

/// In the model every execution has to draw the same numbers. All threads of an execution run in one
/// real thread, whose counter starts again with each.
#[cfg(loom)]
mod drawn {
    use std::cell::Cell;
    use std::num::NonZeroU64;

    use crate::finding::LockId;

    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(1) };
    }

    pub(crate) fn next_number() -> NonZeroU64 {
        NonZeroU64::new(NEXT.replace(NEXT.get() + 1)).expect("numbers start at 1")
    }

    pub(crate) struct Block;

    impl Block {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn at_hand(&self) -> Option<LockId> {
            Some(self.next())
        }

        pub(crate) fn next(&self) -> LockId {
            LockId::next()
        }
    }

    impl LockId {
        pub(crate) fn next() -> Self {
            Self(next_number().get())
        }
    }

    #[cfg(test)]
    pub(crate) fn restart_numbers() {
        NEXT.set(1);
    }
}

#[cfg(all(test, not(loom)))]
use drawn::SIZE;
#[cfg(not(loom))]
pub(crate) use drawn::draw_from;
#[cfg(all(test, loom))]
pub(crate) use drawn::restart_numbers;
pub(crate) use drawn::{Block, next_number};

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::LockId;

    #[test]
    fn numbers_of_locks_are_never_drawn_twice() {
        let draw = || {
            let (block, other) = (Block::new(), Block::new());
            let draw = |_| [block.next(), LockId::next(), other.at_hand().unwrap_or(other.next())];
            (0..500).flat_map(draw).map(|id| id.0).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let mut all: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
        assert!(!all.contains(&0));
        let drawn = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), drawn);
    }

    #[test]
    fn a_thread_draws_from_the_block_that_it_was_given() {
        static BLOCK: Block = Block::new();
        let without = LockId::next();
        draw_from(Some(&BLOCK));
        let first = LockId::next();
        assert_eq!(BLOCK.at_hand(), Some(LockId(first.0 + 1)));
        draw_from(None);
        assert_eq!(LockId::next(), LockId(without.0 + 1));
    }

    #[test]
    fn a_block_has_numbers_at_hand_once_it_was_asked_for_the_first() {
        let block = Block::new();
        assert_eq!(block.at_hand(), None);
        let first = block.next();
        let others = std::iter::from_fn(|| block.at_hand()).map(|id| id.0 - first.0);
        assert_eq!(others.collect::<Vec<_>>(), (1..SIZE).collect::<Vec<_>>());
    }
}
