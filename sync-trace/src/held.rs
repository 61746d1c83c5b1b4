//! What an agent holds now: its held stack.
//!
//! Only the owning thread writes; any thread may read, to find out who holds a lock. A push or a
//! pop is a handful of plain stores. Readers take a consistent copy by the sequence-lock pattern:
//! every change alters the version in the state word.
//!
//! # The state word
//!
//! | bits | meaning |
//! |---|---|
//! | 0–21 | how many entries there are |
//! | 22 | visible entries are being rewritten: readers try again |
//! | 23 | the owner must take the out-of-line path (see [`HeldStack::set_cold`]) |
//! | 24–63 | version, one up with every change |
//!
//! Bits 0 to 23 read as one number are the index of the next entry on the usual path and larger than
//! any index on every other one, so that one comparison decides.
//!
//! # Memory ordering
//!
//! A writer stores the state with Release, which pairs with the reader's first Acquire load: the
//! entries below the depth that was read are visible. The Release fence before an entry is written
//! pairs with the reader's Acquire fence before its second load of the state: a reader that saw any
//! part of the new entry also sees that the version has moved on.

use crate::atomics::{AtomicPtr, AtomicU64, Mutex, Ordering, const_fn, fence, lock, push, reserve};
use crate::finding::LockId;
use crate::lock_order::prediction::Repeats;
use crate::op::Mode;
use crate::registry::Access;
use crate::site::{Origin, Site};

/// Entries that need no allocation. Deeper nesting spills into a vector.
#[cfg(not(loom))]
pub(crate) const INLINE: usize = 16;
#[cfg(loom)]
pub(crate) const INLINE: usize = 2;

const DEPTH_MASK: u64 = WRITING - 1;
const WRITING: u64 = 1 << 22;
const COLD: u64 = 1 << 23;
const LOW_MASK: u64 = (1 << VERSION_SHIFT) - 1;
const VERSION_SHIFT: u32 = 24;
const VERSION: u64 = 1 << VERSION_SHIFT;

/// Lock numbers are smaller.
const TOLD: u64 = 1 << 63;

/// How often a reader tries again when the owner is changing the stack under it.
const READ_TRIES: usize = 64;

/// One acquisition that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) lock: LockId,
    /// Which push of the stack this was: tells a shared hold from a later one of the same lock by
    /// the same agent. 0 for an exclusive hold, which has the lock's owner to tell.
    pub(crate) stamp: u64,
    pub(crate) access: &'static Access,
    pub(crate) created: Origin,
    pub(crate) site: Site,
    /// Whether the lock order knows of this hold, and has to be told of its end.
    pub(crate) told: bool,
}

/// Where an entry of the stack is kept. The fewer words, the cheaper an acquisition: each store has
/// to reach the cache before the next atomic read-modify-write, so before the next unlock.
struct Slot {
    /// The lock's number, and [`TOLD`].
    lock: AtomicU64,
    access: AtomicPtr<Access>,
    created: AtomicPtr<u8>,
    site: AtomicPtr<std::panic::Location<'static>>,
    /// Written for shared holds only.
    stamp: AtomicU64,
}

impl Slot {
    const_fn! {
        fn empty() -> Self {
            Self {
                lock: AtomicU64::new(0),
                access: AtomicPtr::new(std::ptr::null_mut()),
                created: AtomicPtr::new(std::ptr::null_mut()),
                site: AtomicPtr::new(std::ptr::null_mut()),
                stamp: AtomicU64::new(0),
            }
        }
    }

    #[inline]
    fn store(&self, held: &Held) {
        let told = if held.told { TOLD } else { 0 };
        self.lock.store(held.lock.0 | told, Ordering::Relaxed);
        self.access.store(std::ptr::from_ref(held.access).cast_mut(), Ordering::Relaxed);
        self.created.store(held.created.to_ptr(), Ordering::Relaxed);
        self.site.store(std::ptr::from_ref(held.site.0).cast_mut(), Ordering::Relaxed);
        if held.access.mode != Mode::Exclusive {
            self.stamp.store(held.stamp, Ordering::Relaxed);
        }
    }

    /// Whether it has kept what is to be stored, but for the site.
    #[inline]
    fn is_like(&self, held: &Held) -> bool {
        self.is_only_of(held.lock) && std::ptr::eq(self.access.load(Ordering::Relaxed), held.access)
    }

    /// What [`store`](Self::store) would change in an entry that [is like](Self::is_like) it.
    #[inline]
    fn store_rest(&self, held: &Held) {
        let site = std::ptr::from_ref(held.site.0).cast_mut();
        if self.site.load(Ordering::Relaxed) != site {
            self.site.store(site, Ordering::Relaxed);
        }
        if held.access.mode != Mode::Exclusive {
            self.stamp.store(held.stamp, Ordering::Relaxed);
        }
    }

    /// Whether it is of `lock`, and of no interest to anybody else.
    #[inline]
    fn is_only_of(&self, lock: LockId) -> bool {
        self.lock.load(Ordering::Relaxed) == lock.0
    }

    fn is_of(&self, lock: LockId) -> bool {
        self.lock.load(Ordering::Relaxed) & !TOLD == lock.0
    }

    /// Notes that the lock order knows of it. Readers take no notice.
    fn set_told(&self) {
        self.lock.store(self.lock.load(Ordering::Relaxed) | TOLD, Ordering::Relaxed);
    }

    /// The lock and its mode. Owner only, and only for a slot that is in use.
    #[inline]
    fn key(&self) -> u64 {
        // SAFETY: `store` puts a `'static` reference here, and the owner reads what it has written.
        let access = unsafe { &*self.access.load(Ordering::Relaxed) };
        key::of(LockId(self.lock.load(Ordering::Relaxed) & !TOLD), access.mode)
    }

    /// The entry, possibly torn: the caller compares versions before it believes the whole. `None`
    /// for a slot that was never written.
    fn load(&self) -> Option<Held> {
        let access = self.access.load(Ordering::Relaxed);
        let created = self.created.load(Ordering::Relaxed);
        let site = self.site.load(Ordering::Relaxed);
        // SAFETY: `store` is the only writer of these three and stores `'static` references, so
        // each is null or points to immutable data that lives for ever, torn or not.
        let (access, created, site) =
            unsafe { (access.as_ref()?, Origin::from_ptr(created)?, site.as_ref()?) };
        let lock = self.lock.load(Ordering::Relaxed);
        Some(Held {
            lock: LockId(lock & !TOLD),
            told: lock & TOLD != 0,
            stamp: match access.mode {
                Mode::Exclusive => 0,
                _ => self.stamp.load(Ordering::Relaxed),
            },
            access,
            created,
            site: Site(site),
        })
    }
}

/// The last request that was looked at and made with so many entries on the stack, and known since:
/// while nothing below has changed it needs no further look.
///
/// What is below may change only by a push, which forgets the memo above it if it changes an entry; a
/// request forgets the one above it, because what comes there next has not been looked at; and so
/// does whoever pushes without a request. Everything else forgets all.
struct Memo {
    /// As [`Chains`](crate::foresight::chains::Chains) have it, plus `salt`.
    stamp: AtomicU64,
    lock: AtomicU64,
    access: AtomicPtr<Access>,
    repeats: AtomicPtr<Repeats>,
}

impl Memo {
    const_fn! {
        fn empty() -> Self {
            Self {
                stamp: AtomicU64::new(0),
                lock: AtomicU64::new(0),
                access: AtomicPtr::new(std::ptr::null_mut()),
                repeats: AtomicPtr::new(std::ptr::null_mut()),
            }
        }
    }

    fn forget(&self) {
        self.stamp.store(0, Ordering::Relaxed);
    }
}

/// Numbers for sets of locks and modes: the sum of the numbers of the members, so that the order in
/// which they come and go does not matter, and two readers do not cancel each other.
pub(crate) mod key {
    use crate::finding::LockId;
    use crate::op::Mode;

    /// The number of one lock that is held or wanted in `mode`.
    #[inline]
    pub(crate) fn of(lock: LockId, mode: Mode) -> u64 {
        fold(lock.0 << 2 | mode as u64, 0x9e37_79b9_7f4a_7c15)
    }

    /// The number of what is held together with what is wanted, which is not one of a set.
    #[inline]
    pub(crate) fn chain(held: u64, wanted: u64) -> u64 {
        fold(held ^ wanted.rotate_left(32), 0xbf58_476d_1ce4_e5b9)
    }

    /// Spreads every bit over all: both halves of a product, as in Wang Yi's wyhash.
    #[inline]
    fn fold(number: u64, factor: u64) -> u64 {
        let product = u128::from(number ^ 0x94d0_49bb_1331_11eb) * u128::from(factor);
        product as u64 ^ (product >> 64) as u64
    }
}

/// The stack itself.
pub(crate) struct HeldStack {
    state: AtomicU64,
    slots: [Slot; INLINE],
    /// By the number of entries below. The last one is never asked.
    memos: [Memo; INLINE + 1],
    /// Goes up when all memos are forgotten.
    salt: AtomicU64,
    /// The entries from [`INLINE`] on. A leaf lock, never held while memory is allocated.
    spill: Mutex<Vec<Held>>,
}

impl HeldStack {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            slots: [const { Slot::empty() }; INLINE],
            memos: [const { Memo::empty() }; INLINE + 1],
            salt: AtomicU64::new(0),
            spill: Mutex::new(Vec::new()),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            slots: std::array::from_fn(|_| Slot::empty()),
            memos: std::array::from_fn(|_| Memo::empty()),
            salt: AtomicU64::new(0),
            spill: Mutex::new(Vec::new()),
        }
    }

    /// Makes an empty stack one that always takes the out-of-line path.
    #[cfg(not(loom))]
    pub(crate) const fn refuse_fast_path(&mut self) {
        self.state = AtomicU64::new(COLD);
    }

    /// How many entries there are. Exact for the owner; a glimpse for anybody else.
    pub(crate) fn depth(&self) -> usize {
        (self.state.load(Ordering::Relaxed) & DEPTH_MASK) as usize
    }

    /// Whether the owner has been sent to the out-of-line path.
    pub(crate) fn is_cold(&self) -> bool {
        self.state.load(Ordering::Relaxed) & COLD != 0
    }

    // ---- the owner's fast path -------------------------------------------------------------

    /// Whether the next [`push`](Self::push) will do.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOW_MASK < INLINE as u64
    }

    /// Records an acquisition; false if it needs [`push_slow`](Self::push_slow). Owner only.
    #[inline]
    pub(crate) fn push(&self, held: &Held) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        let index = (state & LOW_MASK) as usize;
        let Some(slot) = self.slots.get(index) else { return false };
        let held = Held { stamp: state >> VERSION_SHIFT, ..*held };
        // Pairs with the Acquire fence in `read`.
        fence(Ordering::Release);
        // Loads are cheaper than stores, and often the last entry here was of the same lock.
        if slot.is_like(&held) {
            slot.store_rest(&held);
        } else {
            slot.store(&held);
            self.memos[index + 1].forget();
        }
        self.state.store(state.wrapping_add(VERSION + 1), Ordering::Release);
        true
    }

    /// Whether there is nothing to see for the lock order: the agent holds nothing, and records on the
    /// usual path.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOW_MASK == 0
    }

    /// A number for what is held and how; `None` where that takes the slow path. The order of the
    /// entries does not matter. Owner only.
    #[inline]
    pub(crate) fn key(&self) -> Option<u64> {
        let depth = (self.state.load(Ordering::Relaxed) & LOW_MASK) as usize;
        // Where there is no room for one more, that has to be made on the slow path.
        let slots = if depth < INLINE { &self.slots[..depth] } else { return None };
        Some(slots.iter().map(Slot::key).fold(0, u64::wrapping_add))
    }

    /// As [`key`](Self::key), at any depth and whatever the flags. Owner only.
    pub(crate) fn key_slow(&self) -> u64 {
        let mut sum = 0u64;
        self.for_each(|held| sum = sum.wrapping_add(key::of(held.lock, held.access.mode)));
        sum
    }

    /// Takes back the newest entry if it is of `lock`; false if that needs
    /// [`remove`](Self::remove). Owner only.
    #[inline]
    pub(crate) fn pop(&self, lock: LockId) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        match self.slots.get(((state & LOW_MASK) as usize).wrapping_sub(1)) {
            Some(slot) if slot.is_only_of(lock) => {
                self.state.store(state.wrapping_add(VERSION - 1), Ordering::Release);
                true
            }
            _ => false,
        }
    }

    /// What the last entry here was before it was taken back, if that can still be seen: often what was
    /// released last. Owner only.
    pub(crate) fn last_released(&self) -> Option<Held> {
        self.slots.get(self.depth())?.load()
    }

    // ---- the owner's memos -----------------------------------------------------------------

    /// Whether this request was the last one kept at this place, under this stamp; then it counts as
    /// seen once more. Owner only.
    #[inline]
    pub(crate) fn recalls(&self, lock: LockId, access: &'static Access, stamp: u64) -> bool {
        let index = (self.state.load(Ordering::Relaxed) & LOW_MASK) as usize;
        if index >= INLINE {
            return false;
        }
        let memo = &self.memos[index];
        let salted = stamp.wrapping_add(self.salt.load(Ordering::Relaxed));
        let is_it = memo.stamp.load(Ordering::Relaxed) == salted
            && memo.lock.load(Ordering::Relaxed) == lock.0
            && std::ptr::eq(memo.access.load(Ordering::Relaxed), access);
        if is_it {
            // SAFETY: `keep` got it as a reference to what the agent's chain cache owns. That lets it
            // go only when the chain is judged again, after which the stamp is another one, or with
            // all others, and then all memos are forgotten.
            unsafe { &*memo.repeats.load(Ordering::Relaxed) }.add_one();
        }
        is_it
    }

    /// Keeps a request that the chain cache knows under this stamp. Owner only.
    pub(crate) fn keep(
        &self,
        lock: LockId,
        access: &'static Access,
        stamp: u64,
        repeats: &Repeats,
    ) {
        let index = (self.state.load(Ordering::Relaxed) & LOW_MASK) as usize;
        if index >= INLINE {
            return;
        }
        let memo = &self.memos[index];
        let salted = stamp.wrapping_add(self.salt.load(Ordering::Relaxed));
        memo.stamp.store(salted, Ordering::Relaxed);
        memo.lock.store(lock.0, Ordering::Relaxed);
        memo.access.store(std::ptr::from_ref(access).cast_mut(), Ordering::Relaxed);
        memo.repeats.store(std::ptr::from_ref(repeats).cast_mut(), Ordering::Relaxed);
        self.memos[index + 1].forget();
    }

    /// The next push comes without a request. Owner only.
    #[inline]
    pub(crate) fn forget_above(&self) {
        let index = (self.state.load(Ordering::Relaxed) & LOW_MASK) as usize;
        if let Some(memo) = self.memos.get(index + 1) {
            memo.forget();
        }
    }

    /// Forgets every request that was kept. Owner only, or for a record that no thread owns.
    pub(crate) fn forget_all(&self) {
        // Stamps never go down, so one that was kept is never met again.
        self.salt.store(self.salt.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    // ---- the owner's slow path -------------------------------------------------------------

    /// Allocates what the next [`push_slow`](Self::push_slow) will need. Owner only.
    pub(crate) fn make_room(&self) {
        if self.depth() >= INLINE {
            reserve(&self.spill);
        }
    }

    /// Whether the next [`push_slow`](Self::push_slow) allocates nothing. Owner only.
    pub(crate) fn has_memory(&self) -> bool {
        let depth = self.depth();
        let spill = lock(&self.spill);
        depth < INLINE || spill.len() < spill.capacity()
    }

    /// As [`push`](Self::push), at any depth and whatever the flags. Owner only.
    pub(crate) fn push_slow(&self, held: &Held) {
        self.forget_all();
        let state = self.state.load(Ordering::Relaxed);
        let depth = (state & DEPTH_MASK) as usize;
        let stamp = match held.access.mode {
            Mode::Exclusive => 0,
            _ => state >> VERSION_SHIFT,
        };
        let held = Held { stamp, ..*held };
        if let Some(slot) = self.slots.get(depth) {
            fence(Ordering::Release);
            slot.store(&held);
        } else {
            push(&self.spill, held);
        }
        self.state.store(state.wrapping_add(VERSION + 1), Ordering::Release);
    }

    /// Calls `tell` on each entry of which the lock order does not know yet, oldest first; from here
    /// on it does. Those are always the newest ones. Owner only.
    pub(crate) fn tell(&self, mut tell: impl FnMut(Held)) {
        for slot in &self.slots[..self.depth().min(INLINE)] {
            if let Some(held) = slot.load().filter(|held| !held.told) {
                tell(held);
                slot.set_told();
            }
        }
        if self.depth() > INLINE {
            for held in lock(&self.spill).iter_mut().filter(|held| !held.told) {
                tell(*held);
                held.told = true;
            }
        }
    }

    /// Takes out the newest entry that `matches`, wherever it stands. Returns it and its place, counted
    /// from the oldest. Owner only.
    pub(crate) fn remove(&self, mut matches: impl FnMut(&Held) -> bool) -> Option<(usize, Held)> {
        let depth = self.depth();
        let mut spill = lock(&self.spill);
        if let Some(at) = spill.iter().rposition(&mut matches) {
            let held = spill.remove(at);
            self.finish_rewrite(self.begin_rewrite(), depth - 1);
            return Some((INLINE + at, held));
        }
        let inline = depth.min(INLINE);
        let entry = |at: usize| self.slots[at].load();
        let (at, held) = (0..inline)
            .rev()
            .find_map(|at| entry(at).filter(|held| matches(held)).map(|held| (at, held)))?;
        let state = self.begin_rewrite();
        for to in at..inline - 1 {
            if let Some(next) = entry(to + 1) {
                self.slots[to].store(&next);
            }
        }
        if !spill.is_empty() {
            self.slots[INLINE - 1].store(&spill.remove(0));
        }
        self.finish_rewrite(state, depth - 1);
        Some((at, held))
    }

    /// Changes the newest entry of `id`, an exclusive one, to the shared `access`. Returns the new
    /// entry and its place; `None` if there is none. Owner only.
    pub(crate) fn relabel(
        &self,
        id: LockId,
        access: &'static Access,
        site: Site,
    ) -> Option<(usize, Held)> {
        let depth = self.depth();
        let mut spill = lock(&self.spill);
        let state = self.begin_rewrite();
        let stamp = state >> VERSION_SHIFT;
        let relabelled = |held: Held| Held { access, site, stamp, ..held };
        let found = match spill.iter().rposition(|held| held.lock == id) {
            Some(at) => {
                spill[at] = relabelled(spill[at]);
                Some((INLINE + at, spill[at]))
            }
            None => {
                let inline = &self.slots[..depth.min(INLINE)];
                inline.iter().rposition(|slot| slot.is_of(id)).and_then(|at| {
                    let held = relabelled(inline[at].load()?);
                    inline[at].store(&held);
                    Some((at, held))
                })
            }
        };
        self.finish_rewrite(state, depth);
        found
    }

    fn begin_rewrite(&self) -> u64 {
        self.forget_all();
        let state = self.state.load(Ordering::Relaxed);
        self.state.store(state | WRITING, Ordering::Relaxed);
        // Pairs with the Acquire fence in `read`, as in `push`.
        fence(Ordering::Release);
        state
    }

    fn finish_rewrite(&self, state: u64, depth: usize) {
        let flags = state & COLD;
        let version = (state & !LOW_MASK).wrapping_add(VERSION);
        self.state.store(version | flags | depth as u64, Ordering::Release);
    }

    /// Sends the owner to the out-of-line path at every further push and pop, or no longer.
    /// Owner only.
    pub(crate) fn set_cold(&self, cold: bool) {
        let state = self.state.load(Ordering::Relaxed) & !COLD;
        let flag = if cold { COLD } else { 0 };
        self.state.store((state | flag).wrapping_add(VERSION), Ordering::Release);
    }

    /// Forgets everything. Only for a record that no thread owns.
    pub(crate) fn clear(&self) {
        lock(&self.spill).clear();
        let state = self.begin_rewrite();
        self.finish_rewrite(state & !COLD, 0);
    }

    /// Calls `f` on each entry, oldest first. Owner only.
    pub(crate) fn for_each(&self, mut f: impl FnMut(Held)) {
        let depth = self.depth();
        self.slots[..depth.min(INLINE)].iter().filter_map(Slot::load).for_each(&mut f);
        if depth > INLINE {
            lock(&self.spill).iter().copied().for_each(f);
        }
    }

    // ---- readers ---------------------------------------------------------------------------

    /// A consistent copy of the stack, oldest first; `None` if its owner was too busy changing it.
    pub(crate) fn read(&self) -> Option<Vec<Held>> {
        let mut copy = Vec::new();
        (0..READ_TRIES).find_map(|_| {
            let consistent = self.try_read(&mut copy);
            if !consistent {
                std::hint::spin_loop();
            }
            consistent.then(|| std::mem::take(&mut copy))
        })
    }

    fn try_read(&self, copy: &mut Vec<Held>) -> bool {
        copy.clear();
        let before = self.state.load(Ordering::Acquire);
        if before & WRITING != 0 {
            return false;
        }
        let depth = (before & DEPTH_MASK) as usize;
        copy.reserve(depth);
        copy.extend(self.slots[..depth.min(INLINE)].iter().filter_map(Slot::load));
        if depth > INLINE {
            let spill = lock(&self.spill);
            // Not more than was reserved: nothing may be allocated under a leaf lock.
            copy.extend(spill.iter().take(depth - INLINE));
        }
        // Pairs with the Release fences in `push` and `begin_rewrite`.
        fence(Ordering::Acquire);
        copy.len() == depth && self.state.load(Ordering::Relaxed) == before
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::op::Op;
    use crate::registry::tests::{ACCESS, DOWNGRADED};

    fn held(lock: u64) -> Held {
        let here = Site::caller();
        Held {
            lock: LockId(lock),
            stamp: 0,
            access: ACCESS,
            created: Origin::unnamed(here),
            site: here,
            told: false,
        }
    }

    fn push(stack: &HeldStack, lock: u64) {
        if !stack.push(&held(lock)) {
            stack.push_slow(&held(lock));
        }
    }

    fn pop(stack: &HeldStack, lock: u64) -> bool {
        stack.pop(LockId(lock))
    }

    fn locks(stack: &HeldStack) -> Vec<u64> {
        let read: Vec<u64> = stack.read().unwrap().iter().map(|held| held.lock.0).collect();
        let mut own = Vec::new();
        stack.for_each(|held| own.push(held.lock.0));
        assert_eq!(read, own, "owner and readers see the same");
        assert_eq!(read.len(), stack.depth());
        read
    }

    #[test]
    fn entries_leave_in_any_order_at_any_depth() {
        let stack = HeldStack::new();
        let mut model: Vec<u64> = Vec::new();
        let mut seed = 1u64;
        for step in 0..4000u64 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            if model.is_empty() || (seed >> 33) % 5 < if step < 2000 { 3 } else { 2 } {
                push(&stack, step + 1);
                model.push(step + 1);
            } else {
                let lock = model.remove((seed >> 40) as usize % model.len());
                if !pop(&stack, lock) {
                    let removed = stack.remove(|held| held.lock.0 == lock);
                    assert_eq!(removed.map(|(_, held)| held.lock.0), Some(lock));
                }
            }
            assert_eq!(locks(&stack), model);
        }
        assert!(model.len() > INLINE || stack.depth() <= INLINE);
    }

    #[test]
    fn a_cold_stack_refuses_the_fast_path() {
        let stack = HeldStack::new();
        push(&stack, 1);
        stack.set_cold(true);
        assert!(!stack.push(&held(2)) && !pop(&stack, 1));
        stack.push_slow(&held(2));
        assert_eq!(locks(&stack), [1, 2]);
        assert!(stack.is_cold());
        stack.set_cold(false);
        assert!(pop(&stack, 2));
        assert_eq!(locks(&stack), [1]);
    }

    #[test]
    fn relabelling_finds_the_entry_wherever_it_is() {
        let stack = HeldStack::new();
        (1..=INLINE as u64 + 2).for_each(|lock| push(&stack, lock));
        for lock in [1, INLINE as u64 + 1] {
            assert!(stack.relabel(LockId(lock), DOWNGRADED, Site::caller()).is_some());
            let now = stack.read().unwrap();
            let is_shared = |held: &Held| held.access.mode == Mode::Read;
            let last = now.iter().rfind(|held| is_shared(held)).unwrap();
            assert_eq!((last.lock, last.access.op), (LockId(lock), Op::Downgrade));
        }
    }

    #[test]
    fn who_is_told_of_an_entry_is_told_of_its_end() {
        let stack = HeldStack::new();
        let mut told = Vec::new();
        (1..=INLINE as u64 + 2).for_each(|lock| push(&stack, lock));
        stack.tell(|held| told.push(held.lock.0));
        push(&stack, 100);
        stack.tell(|held| told.push(held.lock.0));
        assert_eq!(told, (1..=INLINE as u64 + 2).chain([100]).collect::<Vec<_>>());
        for lock in told.iter().rev() {
            assert!(!pop(&stack, *lock));
            let (at, held) = stack.remove(|held| held.lock.0 == *lock).unwrap();
            assert!(held.told && at == stack.depth());
        }
        push(&stack, 1);
        assert!(pop(&stack, 1));
    }

    #[test]
    fn the_key_of_a_stack_depends_on_what_is_in_it_and_how_and_on_nothing_else() {
        let stack = HeldStack::new();
        let keys = |stack: &HeldStack| {
            assert_eq!(stack.key(), Some(stack.key_slow()));
            stack.key_slow()
        };
        push(&stack, 1);
        let one = keys(&stack);
        push(&stack, 2);
        let both = keys(&stack);
        assert!(pop(&stack, 2) && pop(&stack, 1));
        push(&stack, 2);
        push(&stack, 1);
        assert_eq!(keys(&stack), both);
        stack.tell(|_| ());
        assert_eq!(keys(&stack), both);
        stack.remove(|held| held.lock.0 == 2);
        assert_eq!(keys(&stack), one);
        stack.relabel(LockId(1), DOWNGRADED, Site::caller());
        assert_ne!(keys(&stack), one);
        let [a, b] = [1, 2].map(|lock| key::of(LockId(lock), Mode::Exclusive));
        assert_ne!(key::chain(a, b), key::chain(b, a));
    }

    #[test]
    fn two_shared_acquisitions_of_one_lock_have_different_stamps() {
        let stack = HeldStack::new();
        let shared = || Held { access: DOWNGRADED, ..held(1) };
        assert!(stack.push(&shared()));
        let first = stack.read().unwrap()[0].stamp;
        assert!(pop(&stack, 1));
        assert!(stack.push(&shared()));
        assert_ne!(stack.read().unwrap()[0].stamp, first);
    }

    /// A reader beside a busy owner sees whole stacks only: here always 1, 2, …, n.
    #[test]
    fn a_reader_never_sees_a_torn_stack() {
        let stack = HeldStack::new();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut seen = 0;
                while !done.load(Ordering::Relaxed) || seen == 0 {
                    let Some(copy) = stack.read() else { continue };
                    seen += 1;
                    for (at, held) in copy.iter().enumerate() {
                        assert_eq!(held.lock.0, at as u64 + 1);
                    }
                }
            });
            for round in 0..3000u64 {
                let depth = round % (INLINE as u64 + 4);
                (1..=depth).for_each(|lock| push(&stack, lock));
                for lock in (1..=depth).rev() {
                    if !pop(&stack, lock) {
                        stack.remove(|held| held.lock.0 == lock);
                    }
                }
            }
            done.store(true, Ordering::Relaxed);
            reader.join().unwrap();
        });
    }
}
