//! How often an agent has held what.
//!
//! A hold is counted when it ends, by one subtraction at the [place](Tick) of the held stack where it was kept: the
//! cache line is the agent's own, and at hand. When something else comes to that place, the number goes to a
//! small table of the locks that the agent used last. What leaves that table with a small number goes to another
//! one, for all locks that were created at one place, so that locks that come and go cost no more; and what
//! leaves with a large one, or leaves that, waits until the agent may take memory and moves it to its
//! [account](super::account).
//!
//! Only the owner writes. Whoever takes a snapshot copies everything by the sequence-lock pattern; as an owner that
//! goes from lock to lock changes something every few nanoseconds, it waits for a reader that asks for
//! that. So nothing is missing or counted twice in a snapshot, but for holds that end meanwhile.

// Not a part of the model: nothing rests on these numbers.
use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
use std::sync::{Mutex, PoisonError};

use crate::finding::LockId;
use crate::held::Held;
use crate::registry::Access;
use crate::site::Origin;
use crate::spare::Spared;
#[cfg(not(loom))]
use crate::spare::is_locked;

/// At one place of the held stack: how many holds have ended, counted down, so that one instruction counts
/// and finds out whether it is time to measure one.
pub(crate) struct Tick {
    left: AtomicU32,
    /// From which number on what is kept at the place was counted, and [`MIXED`] if others of its class were.
    from: AtomicU32,
}

/// Numbers are smaller.
const MIXED: u32 = 1 << 31;

impl Tick {
    /// The first hold is due at its end.
    pub(crate) const fn new() -> Self {
        Self { left: AtomicU32::new(1), from: AtomicU32::new(1) }
    }

    /// Counts one, unless it is due. Owner only.
    #[inline]
    pub(crate) fn count(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed).wrapping_sub(1);
        let is_due = left == 0;
        if !is_due {
            self.left.store(left, Ordering::Relaxed);
        }
        !is_due
    }

    /// Counts the one that is due. Owner only.
    pub(crate) fn count_last(&self) {
        self.left.store(0, Ordering::Relaxed);
    }

    /// How many of what is kept at the place, or of its class.
    #[inline]
    pub(crate) fn counted(&self) -> u32 {
        let from = self.from.load(Ordering::Relaxed) & !MIXED;
        from.wrapping_sub(self.left.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn has_counted(&self) -> bool {
        self.from.load(Ordering::Relaxed) != self.left.load(Ordering::Relaxed)
    }

    /// Whether what was counted is of several locks of one class.
    #[inline]
    pub(crate) fn is_mixed(&self) -> bool {
        self.from.load(Ordering::Relaxed) & MIXED != 0
    }

    /// Another lock of the same class comes to the place, which is not worth a number of its own yet, and nor is
    /// what was counted. False if that is not so. Owner only.
    #[inline]
    pub(crate) fn mix(&self) -> bool {
        let from = self.from.load(Ordering::Relaxed);
        // What is mixed goes to the class, however much it is.
        let is_little = from & MIXED != 0 || self.counted() < MANY as u32;
        if is_little && self.has_counted() {
            self.from.store(from | MIXED, Ordering::Relaxed);
        }
        is_little
    }

    /// How many are left until it is due.
    #[inline]
    pub(crate) fn left(&self) -> u32 {
        self.left.load(Ordering::Relaxed)
    }

    /// So many are left. Only where everything is settled. Owner only.
    pub(crate) fn start(&self, left: u32) {
        self.left.store(left, Ordering::Relaxed);
        self.from.store(left, Ordering::Relaxed);
    }
}

/// How often one lock was held in one way, or all locks that were created at one place and protect one type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    /// The lock, or one of them.
    pub(crate) lock: LockId,
    pub(crate) access: &'static Access,
    pub(crate) created: Origin,
    /// Whether it is one lock's.
    pub(crate) is_own: bool,
    pub(crate) times: u64,
    /// How often another agent had it before.
    pub(crate) changes: u64,
}

impl Counted {
    pub(crate) fn of(held: &Held, times: u64, changes: u64) -> Self {
        let Held { lock, access, created, .. } = *held;
        Self { lock, access, created, is_own: true, times, changes }
    }
}

/// What stands in a line of one of the tables: a [`Counted`] as it is kept.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    pub(crate) lock: u64,
    pub(crate) access: *mut Access,
    pub(crate) created: *mut u8,
    pub(crate) times: u64,
    pub(crate) changes: u64,
}

impl Line {
    fn of(held: &Held, times: u64, changes: u64) -> Self {
        let access = std::ptr::from_ref(held.access).cast_mut();
        Self { lock: held.lock.0, access, created: held.created.to_ptr(), times, changes }
    }

    #[inline]
    fn class_place(&self) -> usize {
        (self.created.addr() >> 3 ^ self.access.addr() >> 4) % CLASSES
    }

    #[inline]
    fn is_of_lock(&self, other: &Self) -> bool {
        self.lock == other.lock && std::ptr::eq(self.access, other.access)
    }

    #[inline]
    fn is_of_class(&self, other: &Self) -> bool {
        std::ptr::eq(self.created, other.created) && std::ptr::eq(self.access, other.access)
    }

    #[inline]
    fn count(&self) -> u64 {
        self.times + self.changes
    }

    /// `None` if nothing is counted here.
    ///
    /// # Safety
    ///
    /// Each pointer is null or was made of what lives for ever.
    unsafe fn get(&self, is_own: bool) -> Option<Counted> {
        let Self { lock, access, created, times, changes } = *self;
        if self.count() == 0 {
            return None;
        }
        // SAFETY: by the contract.
        let (access, created) = unsafe { (access.as_ref()?, Origin::from_ptr(created)?) };
        Some(Counted { lock: LockId(lock), access, created, is_own, times, changes })
    }
}

/// A line in one of the tables.
struct Cell {
    lock: AtomicU64,
    access: AtomicPtr<Access>,
    created: AtomicPtr<u8>,
    times: AtomicU64,
    changes: AtomicU64,
}

impl Cell {
    const fn empty() -> Self {
        Self {
            lock: AtomicU64::new(0),
            access: AtomicPtr::new(std::ptr::null_mut()),
            created: AtomicPtr::new(std::ptr::null_mut()),
            times: AtomicU64::new(0),
            changes: AtomicU64::new(0),
        }
    }

    #[inline]
    fn load(&self) -> Line {
        Line {
            lock: self.lock.load(Ordering::Relaxed),
            access: self.access.load(Ordering::Relaxed),
            created: self.created.load(Ordering::Relaxed),
            times: self.times.load(Ordering::Relaxed),
            changes: self.changes.load(Ordering::Relaxed),
        }
    }

    #[inline]
    fn set(&self, line: &Line) {
        self.lock.store(line.lock, Ordering::Relaxed);
        self.access.store(line.access, Ordering::Relaxed);
        self.created.store(line.created, Ordering::Relaxed);
        self.times.store(line.times, Ordering::Relaxed);
        self.changes.store(line.changes, Ordering::Relaxed);
    }

    #[inline]
    fn add(&self, old: &Line, more: &Line) {
        self.times.store(old.times + more.times, Ordering::Relaxed);
        self.changes.store(old.changes + more.changes, Ordering::Relaxed);
    }

    /// Possibly torn, as is [`Slot::load`](crate::held).
    fn get(&self, is_own: bool) -> Option<Counted> {
        // SAFETY: all lines are made of `'static` references.
        unsafe { self.load().get(is_own) }
    }
}

/// So many locks are told apart at hand, so many classes, and so many wait for memory.
const OWN: usize = 32;
const CLASSES: usize = 16;
const PENDING: usize = 8;
/// A lock that was held so often has a number of its own.
const MANY: u64 = 32;
/// Nothing of more entries is read.
const SIZE: usize = OWN + CLASSES + PENDING + crate::held::INLINE;
/// So often a reader looks whether nothing has changed.
const READ_TRIES: usize = 10_000;

#[inline]
fn own_place(lock: u64, access: *mut Access) -> usize {
    (lock as usize ^ access.addr() >> 4) % OWN
}

/// The tables.
pub(crate) struct Tally {
    /// Odd while something is moved.
    version: AtomicU32,
    own: [Cell; OWN],
    classes: [Cell; CLASSES],
    pending: [Cell; PENDING],
    /// Bit by bit, which of those are one lock's.
    pending_own: AtomicU32,
    pending_count: AtomicUsize,
    /// What found no place, because memory was out of reach for long.
    lost: AtomicU64,
    /// Somebody reads, and holds the gate. Relaxed: it only helps the reader to come to an end.
    is_read: AtomicBool,
    gate: Spared<Mutex<()>>,
}

impl Tally {
    pub(crate) const fn new() -> Self {
        Self {
            version: AtomicU32::new(0),
            own: [const { Cell::empty() }; OWN],
            classes: [const { Cell::empty() }; CLASSES],
            pending: [const { Cell::empty() }; PENDING],
            pending_own: AtomicU32::new(0),
            pending_count: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
            is_read: AtomicBool::new(false),
            gate: Spared::new([Mutex::new(()), Mutex::new(())]),
        }
    }

    /// Takes what a place has counted of a lock, if that is at hand. Owner only.
    #[inline]
    pub(crate) fn settle_at_hand(&self, tick: &Tick, lock: u64, access: *mut Access) -> bool {
        let cell = &self.own[own_place(lock, access)];
        let from = tick.from.load(Ordering::Relaxed);
        let is_at_hand = cell.lock.load(Ordering::Relaxed) == lock
            && std::ptr::eq(cell.access.load(Ordering::Relaxed), access)
            && from & MIXED == 0;
        if is_at_hand {
            // A reader may miss this for a moment, and never sees it twice.
            let left = tick.left();
            tick.from.store(left, Ordering::Relaxed);
            let times = cell.times.load(Ordering::Relaxed) + u64::from(from.wrapping_sub(left));
            cell.times.store(times, Ordering::Release);
        }
        is_at_hand
    }

    /// Another agent had the lock before, which is counted if it is at hand. Owner only.
    #[inline]
    pub(crate) fn change_at_hand(&self, lock: u64, access: *mut Access) -> bool {
        let cell = &self.own[own_place(lock, access)];
        let is_at_hand = cell.lock.load(Ordering::Relaxed) == lock
            && std::ptr::eq(cell.access.load(Ordering::Relaxed), access);
        if is_at_hand {
            cell.changes.store(cell.changes.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        is_at_hand
    }

    /// Takes what a place has counted of a `line`, whose own numbers do not count. True if something waits for
    /// memory now. Owner only.
    pub(crate) fn settle(&self, tick: &Tick, line: Line) -> bool {
        self.change(|| {
            let line = Line { times: tick.counted().into(), ..line };
            let is_mixed = tick.is_mixed();
            tick.from.store(tick.left(), Ordering::Relaxed);
            if is_mixed { self.add_to_class(&line) } else { self.add_line(&line) }
        });
        self.has_pending()
    }

    /// Counts holds that have ended, or changes of hands. True if something waits for memory now. Owner only.
    pub(crate) fn add(&self, held: &Held, times: u64, changes: u64) -> bool {
        self.change(|| self.add_line(&Line::of(held, times, changes)));
        self.has_pending()
    }

    /// Whether something waits for memory. Owner only.
    #[inline]
    pub(crate) fn has_pending(&self) -> bool {
        self.pending_count.load(Ordering::Relaxed) > 0
    }

    /// Gives what waits for memory to `take`. Owner only.
    pub(crate) fn drain(&self, mut take: impl FnMut(&Counted)) {
        self.change(|| {
            self.each_pending(&mut take);
            self.pending_count.store(0, Ordering::Relaxed);
        });
    }

    /// Puts all that is here into `all`, and what `places` add to it, as if that were done at once; and tells how
    /// many holds were lost. Any thread.
    pub(crate) fn read(&self, all: &mut Vec<Counted>, places: impl Fn(&mut Vec<Counted>)) -> u64 {
        // The owner may wait for this mutex while it holds a lock, so no memory is taken under it.
        all.reserve(SIZE);
        let gate = self.gate.get().lock().unwrap_or_else(PoisonError::into_inner);
        self.is_read.store(true, Ordering::Relaxed);
        for tried in 0..READ_TRIES {
            all.clear();
            // Acquire pairs with the Release at the end of `change`; the fence with the one at its beginning.
            let before = self.version.load(Ordering::Acquire);
            self.copy(all);
            places(all);
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                break;
            }
            // It has lost the processor, perhaps.
            if tried > READ_TRIES / 100 { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        self.is_read.store(false, Ordering::Relaxed);
        drop(gate);
        self.lost.load(Ordering::Relaxed)
    }

    /// This is the child of a fork: whoever read is gone, and so is the owner, perhaps in the middle of a change. Then a
    /// hold may be missing.
    #[cfg(not(loom))]
    pub(crate) fn remain_alone(&self) {
        self.gate.remain_alone(is_locked);
        self.is_read.store(false, Ordering::Relaxed);
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(version % 2), Ordering::Relaxed);
    }

    fn copy(&self, all: &mut Vec<Counted>) {
        all.extend(self.own.iter().filter_map(|cell| cell.get(true)));
        all.extend(self.classes.iter().filter_map(|cell| cell.get(false)));
        self.each_pending(|counted| all.push(*counted));
    }

    fn each_pending(&self, take: impl FnMut(&Counted)) {
        let count = self.pending_count.load(Ordering::Relaxed).min(PENDING);
        let own = self.pending_own.load(Ordering::Relaxed);
        let pending = self.pending[..count].iter().enumerate();
        let pending: [Option<Counted>; PENDING] = {
            let mut copy = [None; PENDING];
            pending.for_each(|(at, cell)| copy[at] = cell.get(own & 1 << at != 0));
            copy
        };
        pending.iter().flatten().for_each(take);
    }

    /// Does what readers must not see the half of. Owner only.
    #[inline]
    fn change(&self, change: impl FnOnce()) {
        if self.is_read.load(Ordering::Relaxed) {
            self.wait_for_reader();
        }
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        change();
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    #[cold]
    #[inline(never)]
    fn wait_for_reader(&self) {
        drop(self.gate.get().lock());
    }

    #[inline]
    fn add_line(&self, line: &Line) {
        let cell = &self.own[own_place(line.lock, line.access)];
        let old = cell.load();
        if old.is_of_lock(line) {
            return cell.add(&old, line);
        }
        cell.set(line);
        if old.count() >= MANY {
            self.spill(&old, true);
        } else if old.count() > 0 {
            self.add_to_class(&old);
        }
    }

    #[inline]
    fn add_to_class(&self, line: &Line) {
        let cell = &self.classes[line.class_place()];
        let old = cell.load();
        if old.is_of_class(line) {
            return cell.add(&old, line);
        }
        cell.set(line);
        if old.count() > 0 {
            self.spill(&old, false);
        }
    }

    #[cold]
    fn spill(&self, line: &Line, is_own: bool) {
        let count = self.pending_count.load(Ordering::Relaxed);
        let Some(cell) = self.pending.get(count) else {
            self.lost.store(self.lost.load(Ordering::Relaxed) + line.times, Ordering::Relaxed);
            return;
        };
        cell.set(line);
        let others = self.pending_own.load(Ordering::Relaxed) & !(1 << count);
        self.pending_own.store(others | u32::from(is_own) << count, Ordering::Relaxed);
        self.pending_count.store(count + 1, Ordering::Relaxed);
    }
}
