//! Which lists belong to which lock.

use std::collections::HashMap;

use crate::finding::LockId;
use crate::lock_order::adjacency::QuickHash;

/// Where the lists of a lock begin, the newest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    /// The contexts that hold it.
    pub(super) holding: u32,
    /// The dependencies that want it, as long as nothing holds it.
    pub(super) wanting: u32,
}

/// What a list ends with.
pub(super) const END: u32 = u32::MAX;

impl Heads {
    const NONE: Self = Self { holding: END, wanting: END };
}

/// The lists of all locks.
///
/// Locks that are made together have numbers that follow each other. So those of some stand on one page: then
/// there is little to look up, to keep and to move when there are many.
#[derive(Debug, Default)]
pub(super) struct ByLock {
    pages: Vec<[Heads; PAGE]>,
    by_number: HashMap<u64, u32, QuickHash>,
    /// Which page was looked for last, and where that is.
    last: Option<(u64, u32)>,
}

const PAGE: usize = 16;

impl ByLock {
    pub(super) fn get(&self, lock: LockId) -> Heads {
        let (number, at) = place(lock);
        let page = match self.last {
            Some((last, page)) if last == number => Some(page),
            _ => self.by_number.get(&number).copied(),
        };
        page.map_or(Heads::NONE, |page| self.pages[page as usize][at])
    }

    pub(super) fn get_mut(&mut self, lock: LockId) -> &mut Heads {
        let (number, at) = place(lock);
        let page = match self.last {
            Some((last, page)) if last == number => page,
            _ => self.page(number),
        };
        self.last = Some((number, page));
        &mut self.pages[page as usize][at]
    }

    fn page(&mut self, number: u64) -> u32 {
        let next = self.pages.len() as u32;
        let page = *self.by_number.entry(number).or_insert(next);
        if page == next {
            self.pages.push([Heads::NONE; PAGE]);
        }
        page
    }
}

/// The number of a lock's page, and its place there.
fn place(lock: LockId) -> (u64, usize) {
    (lock.0 / PAGE as u64, (lock.0 % PAGE as u64) as usize)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_lock_has_lists_of_its_own_wherever_its_number_is() {
        let mut by_lock = ByLock::default();
        let locks: Vec<u64> = (0..40).chain([1 << 20, (1 << 20) + 1, 1 << 45]).collect();
        assert!(locks.iter().all(|&lock| by_lock.get(LockId(lock)).holding == END));
        for (at, lock) in locks.iter().copied().map(LockId).enumerate() {
            by_lock.get_mut(lock).holding = at as u32;
            // Near misses: the neighbours.
            assert_eq!(by_lock.get(LockId(lock.0 + 1)).holding, END);
        }
        let places = 0..locks.len();
        for at in places.clone().chain(places.rev()) {
            let lock = LockId(locks[at]);
            assert_eq!(by_lock.get(lock).holding, at as u32);
            let heads = by_lock.get_mut(lock);
            assert_eq!((heads.holding, heads.wanting), (at as u32, END));
        }
        assert_eq!(by_lock.pages.len(), 3 + 1 + 1);
    }
}
