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
//!
//! # Places
//!
//! What was last held at a place of the stack stays there after it was released, with what is known of
//! it, because a program that takes a lock is likely to take the same one there again. Then there is
//! nothing to write but the state. So a place that is not in use may be filled at any time by the
//! owner: [`fill`](HeldStack::fill) before the lock is asked for, [`take_place`](HeldStack::take_place)
//! once it is had.

mod slot;

use std::num::NonZeroU64;
// Not a part of the model.
use std::sync::atomic::AtomicU32;

use crate::atomics::{AtomicU64, Mutex, Ordering, fence, lock, push, reserve};
use crate::contention::measured::{Measured, Removed, Running};
use crate::contention::tally::{Counted, Tally};
use crate::finding::LockId;
use crate::lock_order::prediction::Repeats;
use crate::op::Mode;
use crate::own::{Lent, Own};
use crate::registry::{Access, word};
use crate::site::{Origin, Site};
use crate::stretch::{CUT, Met, Stretch};

use slot::Slot;

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

/// In the word of an entry: the lock order knows of this hold.
const TOLD: u64 = word::FREE;
/// In the word of a place that is not in use: the next hold here is to be measured. So nothing that is asked for
/// is like what is kept here.
const ARMED: u64 = word::FREE_TOO;
/// The word of a place that keeps nothing, which is no lock's.
const NOTHING: u64 = TOLD;

/// At so many places an agent's first hold is measured.
const FRESH_PLACES: usize = 2;
/// So many holds pass where none is measured.
const LONG: u32 = 1 << 24;
/// In what is to be done: bits for places, and one for what was counted.
const ALL_PLACES: u32 = (1 << INLINE) - 1;
const PLACES_MASK: usize = 31;
const PENDING: u32 = 1 << 30;

/// How often a reader tries again when the owner is changing the stack under it.
const READ_TRIES: usize = 64;
/// The same where it is not so important.
const FIND_TRIES: usize = 4;

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

/// A hold that another agent has found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) site: Site,
    pub(crate) mode: Mode,
    /// With which version it was pushed, if nothing has been pushed or popped since.
    pub(crate) newest: Option<u64>,
}

/// What is about to be held: an entry as its owner writes it.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The lock's header word, with its number.
    pub(crate) word: u64,
    pub(crate) access: &'static Access,
    pub(crate) created: Origin,
    pub(crate) site: Site,
}

impl Entry {
    fn of(held: &Held) -> Self {
        let told = if held.told { TOLD } else { 0 };
        let word = word::of(held.lock) | told;
        Self { word, access: held.access, created: held.created, site: held.site }
    }

    fn key(&self) -> u64 {
        key::of(LockId(word::number(self.word)), self.access.mode)
    }
}

/// The state, without flags, that comes of this one when everything is popped.
#[inline]
fn emptied(state: u64) -> u64 {
    (state & !COLD).wrapping_add((state & DEPTH_MASK).wrapping_mul(VERSION - 1))
}

/// Whether nothing is held in this state, whatever the flags.
pub(crate) fn is_empty(state: u64) -> bool {
    state & DEPTH_MASK == 0
}

/// Whether the lock order is asked for a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// If something is held.
    Nested,
    Always,
}

/// The place of the next entry, on the usual path.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a> {
    state: u64,
    index: usize,
    slot: &'a Slot,
}

/// The next place is filled: the state once it is taken, which is a number that is not zero so that `None`
/// fits beside it into one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filled(NonZeroU64);

impl Filled {
    /// `state` is that before it is taken.
    #[inline]
    fn before(state: u64) -> Self {
        debug_assert!(state & DEPTH_MASK < DEPTH_MASK);
        // SAFETY: the place that is taken is in its depth then, which is far from full.
        Self(unsafe { NonZeroU64::new_unchecked(state.wrapping_add(VERSION + 1)) })
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
    /// The entries from [`INLINE`] on. A leaf lock, never held while memory is allocated.
    spill: Mutex<Vec<Held>>,
    /// What was asked for since the last event that others can come after.
    stretch: Stretch,
    /// How often what was held, where the places have something else now.
    tally: Tally,
    /// Which of the holds are measured.
    measured: Own<Measured>,
    /// At which places the next hold is, bit by bit, and [`PENDING`] if something that was counted needs memory.
    /// The owner's own: Relaxed.
    to_do: AtomicU32,
}

/// What has become of the newest entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Popped {
    Yes,
    /// It is off, and [`HeldStack::ended`] and [`HeldStack::measure_next`] want to be called, or
    /// [`HeldStack::measure_none`].
    Due,
    /// It is not the one that was to be taken back.
    No,
}

impl HeldStack {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU64::new(VERSION),
            slots: [const { Slot::empty() }; INLINE],
            spill: Mutex::new(Vec::new()),
            stretch: Stretch::new(),
            tally: Tally::new(),
            measured: Own::new(Measured::new()),
            to_do: AtomicU32::new(ALL_PLACES),
        }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU64::new(VERSION),
            slots: std::array::from_fn(|_| Slot::empty()),
            spill: Mutex::new(Vec::new()),
            stretch: Stretch::new(),
            tally: Tally::new(),
            measured: Own::new(Measured::new()),
            to_do: AtomicU32::new(ALL_PLACES),
        }
    }

    /// Makes an empty stack one that always takes the out-of-line path.
    #[cfg(not(loom))]
    pub(crate) const fn refuse_fast_path(&mut self) {
        self.state = AtomicU64::new(COLD);
        self.stretch = Stretch::stand_in(COLD);
        self.to_do = AtomicU32::new(0);
    }

    /// A number that each change alters. Owner only.
    #[inline]
    pub(crate) fn version(&self) -> u64 {
        self.state.load(Ordering::Relaxed)
    }

    /// How many entries there are. Exact for the owner; a glimpse for anybody else.
    #[inline]
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

    /// The place of the next entry; `None` off the usual path.
    #[inline]
    fn next(&self) -> Option<Next<'_>> {
        let state = self.state.load(Ordering::Relaxed);
        let index = (state & LOW_MASK) as usize;
        self.slots.get(index).map(|slot| Next { state, index, slot })
    }

    /// The lowest place, if it is the next one and what asks for it needs no further look on its account: nothing
    /// is held, and there is nothing [to be done](Self::has_to_do). Owner only.
    #[inline]
    pub(crate) fn next_if_idle(&self) -> Option<Next<'_>> {
        let state = self.state.load(Ordering::Relaxed);
        let is_idle =
            state & LOW_MASK == 0 && self.to_do.load(Ordering::Relaxed) & (1 | PENDING) == 0;
        is_idle.then(|| Next { state, index: 0, slot: &self.slots[0] })
    }

    /// Whether the next place has been filled with such an entry already, and its request needs no
    /// further look: because nothing is held, or, if that does not do, because it is known under
    /// `stamp`. Returns what [`take_place`](Self::take_place) wants. Owner only.
    #[inline]
    pub(crate) fn recall(
        &self,
        word: u64,
        access: &'static Access,
        site: Site,
        asked: Asked,
        stamp: impl FnOnce() -> u64,
    ) -> Option<Filled> {
        let next = self.next()?;
        let is_known = next.slot.is_like(word, access)
            && next.slot.is_at(site)
            && ((asked == Asked::Nested && next.index == 0) || next.slot.recalls(stamp()));
        is_known.then(|| self.stamped(next, access))
    }

    /// Fills the next place. Returns what [`take_place`](Self::take_place) wants; `None` off the usual
    /// path. Owner only.
    #[inline]
    pub(crate) fn fill(&self, entry: &Entry) -> Option<Filled> {
        let next = self.next()?;
        if !next.slot.is_like(entry.word, entry.access) {
            self.fill_place(next.index, entry);
        } else if !next.slot.is_at(entry.site) {
            self.begin_fill();
            next.slot.set_site(entry.site);
        }
        Some(self.stamped(next, entry.access))
    }

    /// As [`fill`](Self::fill) for who holds nothing, and whose request nobody asks about. What is known
    /// of another request there stays: requests that are asked about are not like this one.
    #[inline]
    pub(crate) fn fill_first(&self, entry: &Entry) -> Option<Filled> {
        let next = self.next().filter(|next| next.index == 0)?;
        self.settle(next.slot);
        self.begin_fill();
        next.slot.store(entry);
        self.forget(1);
        Some(self.stamped(next, entry.access))
    }

    /// As [`fill_fresh`](Self::fill_fresh) where one lock of a class comes after the other, each for a short time:
    /// then little is to be written. `None` if it is not so, or if what is in the place has to be [kept](Self::keep_lowest)
    /// first. `next` is the lowest place.
    #[inline]
    pub(crate) fn fill_alike(&self, next: Next<'_>, entry: &Entry) -> Option<Filled> {
        let is_alike = self.stretch.is_full()
            && next.slot.is_of_class_of(entry)
            && next.slot.tick.is_mixed()
            && self.slots[1].is_forgotten();
        if !is_alike {
            return None;
        }
        self.begin_fill();
        next.slot.store_of_class(entry);
        Some(self.stamped(next, entry.access))
    }

    /// As [`fill_first`](Self::fill_first) for a lock that nobody has used before.
    #[inline]
    pub(crate) fn fill_fresh(&self, entry: &Entry) -> Option<Filled> {
        let next = self.next().filter(|next| next.index == 0)?;
        if !(next.slot.is_of_class_of(entry) && next.slot.tick.mix()) {
            self.settle(next.slot);
        }
        self.begin_fill();
        next.slot.store(entry);
        self.forget(1);
        Some(self.stamped(next, entry.access))
    }

    /// As [`fill`](Self::fill), after the chain cache has been asked for the request. `known` looks up
    /// there what is held and what is wanted.
    pub(crate) fn fill_known<'c>(
        &self,
        entry: &Entry,
        stamp: u64,
        known: impl FnOnce(u64, u64) -> Option<&'c Repeats>,
    ) -> Option<Filled> {
        let next = self.next()?;
        let is_like = next.slot.is_like(entry.word, entry.access);
        if !(is_like && next.slot.recalls(stamp)) {
            let below = self.slots[..next.index].iter().map(Slot::key);
            let below = below.fold(0, u64::wrapping_add);
            let repeats = known(below, entry.key())?;
            if !is_like {
                self.fill_place(next.index, entry);
            }
            next.slot.keep(stamp, repeats);
        }
        if is_like && !next.slot.is_at(entry.site) {
            self.begin_fill();
            next.slot.set_site(entry.site);
        }
        Some(self.stamped(next, entry.access))
    }

    /// A place that is not in use is about to be written. Pairs with the Acquire fence in `read`.
    #[inline]
    fn begin_fill(&self) {
        fence(Ordering::Release);
    }

    #[inline]
    fn fill_place(&self, index: usize, entry: &Entry) {
        self.settle(&self.slots[index]);
        self.begin_fill();
        self.slots[index].store(entry);
        self.slots[index].forget_known();
        self.forget(index + 1);
    }

    /// That place, which is not in use, keeps nothing any more, if there is one.
    #[inline]
    fn forget(&self, index: usize) {
        if let Some(slot) = self.slots.get(index) {
            if slot.tick.has_counted() {
                self.settle_slow(slot);
            }
            slot.forget();
        }
    }

    /// What was counted at this place is of what it has kept so far.
    #[inline]
    fn settle(&self, slot: &Slot) {
        if slot.tick.has_counted() {
            let (lock, access) = slot.counts_for();
            if !self.tally.settle_at_hand(&slot.tick, lock, access) {
                self.settle_slow(slot);
            }
        }
    }

    #[inline(never)]
    fn settle_slow(&self, slot: &Slot) {
        if self.tally.settle(&slot.tick, slot.line()) {
            self.note_pending();
        }
    }

    /// The number of the push that comes next, for an entry that needs it.
    #[inline]
    fn stamped(&self, next: Next<'_>, access: &Access) -> Filled {
        if access.mode != Mode::Exclusive {
            self.begin_fill();
            next.slot.stamp.store(next.state >> VERSION_SHIFT, Ordering::Relaxed);
        }
        Filled::before(next.state)
    }

    /// Records an acquisition whose place is filled. `filled` comes from [`recall`](Self::recall) or
    /// [`fill`](Self::fill), and nothing has been pushed or popped since. Owner only.
    #[inline]
    pub(crate) fn take_place(&self, filled: Filled) {
        debug_assert_eq!(
            Filled::before(self.state.load(Ordering::Relaxed)),
            filled,
            "the place was not kept"
        );
        self.state.store(filled.0.get(), Ordering::Release);
    }

    /// Records an acquisition; false if it needs [`push_slow`](Self::push_slow). Owner only.
    #[inline]
    pub(crate) fn push(&self, entry: &Entry) -> bool {
        let filled = self.fill(entry);
        filled.map(|filled| self.take_place(filled)).is_some()
    }

    /// Whether there is nothing to see for the lock order: the agent holds nothing, and records on the
    /// usual path.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOW_MASK == 0
    }

    /// A number for what is held and how, at any depth and whatever the flags. The order of the
    /// entries does not matter. Owner only.
    pub(crate) fn key(&self) -> u64 {
        let mut sum = 0u64;
        self.for_each(|held| sum = sum.wrapping_add(key::of(held.lock, held.access.mode)));
        sum
    }

    /// Takes back the newest entry, and counts it as a hold that has ended, if it is of the lock with this header
    /// word and nothing else is to be done; false if that needs [`pop_slow`](Self::pop_slow). Owner only.
    #[inline]
    pub(crate) fn pop(&self, word: u64) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        match self.slots.get(((state & LOW_MASK) as usize).wrapping_sub(1)) {
            Some(slot) if slot.word.load(Ordering::Relaxed) == word && slot.tick.count() => {
                self.state.store(state.wrapping_add(VERSION - 1), Ordering::Release);
                true
            }
            _ => false,
        }
    }

    /// The same if it may be time to [measure](crate::contention::measured) a hold; `No` if that needs
    /// [`remove`](Self::remove). Owner only.
    pub(crate) fn pop_slow(&self, word: u64) -> Popped {
        if self.pop(word) {
            return Popped::Yes;
        }
        let state = self.state.load(Ordering::Relaxed);
        match self.slots.get(((state & LOW_MASK) as usize).wrapping_sub(1)) {
            Some(slot) if slot.word.load(Ordering::Relaxed) == word => {
                slot.tick.count_last();
                self.state.store(state.wrapping_add(VERSION - 1), Ordering::Release);
                Popped::Due
            }
            _ => Popped::No,
        }
    }

    /// What the last entry here was before it was taken back, if that can still be seen: often what was
    /// released last. Owner only.
    pub(crate) fn last_released(&self) -> Option<Held> {
        self.slots.get(self.depth())?.load()
    }

    // ---- what is counted, and measured ------------------------------------------------------

    /// Which holds are measured; `None` if that is being changed.
    fn measured(&self) -> Option<Lent<'_, Measured>> {
        // SAFETY: only the owner comes here, or who has the record while no thread owns it. Records are handed on
        // through the mutex of the free list, and by starting a thread.
        unsafe { self.measured.lend() }
    }

    /// Whether the hold that would begin now is to be measured, or something wants to be [drained](Self::drain)
    /// first. Owner only.
    #[inline]
    pub(crate) fn has_to_do(&self) -> bool {
        let to_do = self.to_do.load(Ordering::Relaxed);
        to_do != 0 && to_do & (1 << (self.depth() & PLACES_MASK) | PENDING) != 0
    }

    /// Whether the newest hold, which has just begun, is to be measured. Owner only.
    #[inline]
    pub(crate) fn has_to_measure(&self) -> bool {
        let to_do = self.to_do.load(Ordering::Relaxed);
        to_do != 0 && to_do & 1 << (self.depth().wrapping_sub(1) & PLACES_MASK) != 0
    }

    /// Whether something wants to be drained. Owner only.
    pub(crate) fn has_pending(&self) -> bool {
        self.to_do.load(Ordering::Relaxed) & PENDING != 0
    }

    fn note_to_do(&self) {
        let armed = self.measured().map_or(0, |measured| measured.armed());
        let pending = if self.tally.has_pending() { PENDING } else { 0 };
        self.to_do.store(armed | pending, Ordering::Relaxed);
    }

    fn note_pending(&self) {
        self.to_do.store(self.to_do.load(Ordering::Relaxed) | PENDING, Ordering::Relaxed);
    }

    /// Counts holds that have ended, or changes of hands.
    fn count(&self, held: &Held, times: u64, changes: u64) {
        if self.tally.add(held, times, changes) {
            self.note_pending();
        }
    }

    /// Whether the hold that would begin now is to be measured. Owner only.
    pub(crate) fn is_armed(&self) -> bool {
        self.measured().is_some_and(|measured| measured.is_armed(self.depth()))
    }

    /// The newest hold has just begun: if it is to be measured, whether its time on the processor is too. Owner only.
    pub(crate) fn wants_measure(&self) -> Option<bool> {
        let newest = self.depth().checked_sub(1)?;
        let measured = self.measured()?;
        measured.is_armed(newest).then(|| measured.wants_cpu(newest))
    }

    /// The newest hold, which is to be measured, has begun. Owner only.
    pub(crate) fn begin_measure(&self, running: Running) {
        if let (Some(newest), Some(mut measured)) = (self.depth().checked_sub(1), self.measured()) {
            measured.begin(newest, running);
        }
        self.note_to_do();
    }

    /// A hold has ended at the place above all entries: what was measured of it, if it was. Owner only.
    pub(crate) fn ended(&self) -> Option<(Held, Running)> {
        let place = self.depth();
        let running = self.measured()?.end(place)?;
        Some((self.slots.get(place)?.load()?, running))
    }

    /// What [`remove`](Self::remove) or [`relabel`](Self::relabel) has left to do. Owner only.
    pub(crate) fn take_removed(&self) -> Removed {
        self.measured().map(|mut measured| measured.take_removed()).unwrap_or_default()
    }

    /// It took so long, and ended at the place above all entries. Owner only.
    pub(crate) fn took(&self, ns: u64) {
        let place = self.depth();
        if let Some(mut measured) = self.measured().filter(|_| place < INLINE) {
            measured.took(place, ns);
        }
    }

    /// Decides which of the holds that begin at the place above all entries is measured next: if one has `ended`
    /// then, it is drawn how many others come before; else those have passed. Owner only.
    pub(crate) fn measure_next(&self, ended: Option<u64>, all: bool) {
        let place = self.depth();
        let (Some(slot), Some(mut measured)) = (self.slots.get(place), self.measured()) else {
            return;
        };
        self.settle(slot);
        let others = ended.map_or(0, |now_ns| measured.draw(place, now_ns, all));
        if others == 0 {
            measured.arm(place);
            slot.arm();
            // It is due at its end.
            slot.tick.start(1);
        } else {
            measured.disarm(place);
            slot.tick.start(others);
        }
        drop(measured);
        self.note_to_do();
    }

    /// Nothing is measured at the place above all entries for a long time. Owner only.
    pub(crate) fn measure_none(&self) {
        if let Some(slot) = self.slots.get(self.depth()) {
            self.settle(slot);
            slot.tick.start(LONG);
        }
    }

    /// Another agent had the lock of the newest hold before. Owner only.
    #[inline]
    pub(crate) fn changed_hands(&self) {
        let Some(slot) = self.slots.get(self.depth().wrapping_sub(1)) else { return };
        let (lock, access) = slot.counts_for();
        if !self.tally.change_at_hand(lock, access) {
            self.changed_hands_slow(slot);
        }
    }

    #[cold]
    #[inline(never)]
    fn changed_hands_slow(&self, slot: &Slot) {
        if let Some(held) = slot.load() {
            self.count(&held, 0, 1);
        }
    }

    /// Gives away what was counted and needs memory now. Owner only.
    pub(crate) fn drain(&self, take: impl FnMut(&Counted)) {
        self.tally.drain(take);
        self.note_to_do();
    }

    /// Puts what was counted and is not given away into `all`; and tells how many holds were lost. Any thread.
    pub(crate) fn counted(&self, all: &mut Vec<Counted>) -> u64 {
        self.tally.read(all, |all| all.extend(self.slots.iter().filter_map(|slot| slot.counted())))
    }

    /// This is the child of a fork; see [`Tally`].
    #[cfg(not(loom))]
    pub(crate) fn remain_alone(&self) {
        self.tally.remain_alone();
    }

    // ---- the present stretch ----------------------------------------------------------------

    /// An event that others can come after has happened, when there were so many news. Owner only, or for a
    /// record that no thread owns.
    pub(crate) fn begin_stretch(&self, news: u64) {
        self.begin_stretch_as(news, news);
    }

    /// Whether [`begin_stretch`](Self::begin_stretch) has nothing to do, as far as that is seen at once. Owner only.
    #[inline]
    pub(crate) fn has_begun_stretch(&self, news: u64) -> bool {
        self.stretch.starts(self.version(), news)
    }

    /// The same of [`cut_stretch`](Self::cut_stretch).
    #[inline]
    pub(crate) fn has_cut_stretch(&self, news: u64) -> bool {
        self.stretch.starts_or_is_cut(self.version(), news)
    }

    /// A stretch in which nothing was done goes on: a store less before an atomic operation of the caller's is
    /// time won.
    fn begin_stretch_as(&self, news: u64, kept: u64) {
        let state = self.state.load(Ordering::Relaxed);
        let begun = emptied(state);
        if !self.stretch.is_fresh(begun, news) {
            self.stretch.begin(begun, self.lowest_in_use(state), kept);
        }
        self.stretch.note_start(state, news);
    }

    /// The lowest place, where nothing is held, is about to be filled with something that is asked for. Owner
    /// only.
    #[inline]
    pub(crate) fn keep_lowest(&self) {
        if !self.stretch.is_full() {
            self.stretch.keep(self.lowest_asked());
        }
    }

    /// What was asked for in the present stretch while nothing was held, as far as that is known, the oldest
    /// first. Owner only.
    pub(crate) fn asked(&self) -> impl Iterator<Item = Held> {
        self.stretch.kept().chain(self.lowest_asked())
    }

    /// What came before in the same segment does not belong to the stretch from here on either, though nobody can
    /// have come after it. Owner only.
    pub(crate) fn cut_stretch(&self, news: u64) {
        self.begin_stretch_as(news, news | CUT);
    }

    /// Whether the present stretch began like that.
    pub(crate) fn is_stretch_cut(&self) -> bool {
        self.stretch.is_cut()
    }

    /// A mutex of conditions was taken, when there had been so many waits under locks. Owner only.
    pub(crate) fn meet(&self, mutex: LockId, waits: u64) {
        self.stretch.meet(mutex, waits);
    }

    /// Which of those were taken in the present stretch.
    pub(crate) fn met(&self) -> Met {
        self.stretch.met()
    }

    /// How many news there were when the present stretch began.
    pub(crate) fn stretch_news(&self) -> u64 {
        self.stretch.news()
    }

    /// What was last held at the lowest place, if it was asked for in the present stretch.
    fn lowest_asked(&self) -> Option<Held> {
        let state = self.state.load(Ordering::Relaxed) & !COLD;
        let lowest = &self.slots[0];
        let word = lowest.word.load(Ordering::Relaxed);
        let word = word & !ARMED;
        let is_it = word != NOTHING && self.stretch.has_asked(state, word & !TOLD);
        is_it.then(|| lowest.load()).flatten()
    }

    /// The word of the lowest place, if that is in use.
    #[inline]
    fn lowest_in_use(&self, state: u64) -> u64 {
        match state & DEPTH_MASK {
            0 => NOTHING,
            _ => self.slots[0].word.load(Ordering::Relaxed) & !TOLD,
        }
    }

    /// Forgets what is known of every request. Owner only, or for a record that no thread owns.
    pub(crate) fn forget_known(&self) {
        self.slots.iter().for_each(|slot| slot.known.store(0, Ordering::Relaxed));
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
        let state = self.state.load(Ordering::Relaxed);
        let index = (state & DEPTH_MASK) as usize;
        if let Some(slot) = self.slots.get(index) {
            self.fill_place(index, &Entry::of(held));
            self.stamped(Next { state, index, slot }, held.access);
        } else {
            let stamp = match held.access.mode {
                Mode::Exclusive => 0,
                _ => state >> VERSION_SHIFT,
            };
            push(&self.spill, Held { stamp, ..*held });
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
            self.count(&held, 1, 0);
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
                self.rewrite(to, &next);
            }
        }
        if spill.is_empty() {
            // For `last_released`.
            self.rewrite(inline - 1, &held);
            self.forget(inline);
        } else {
            self.rewrite(INLINE - 1, &spill.remove(0));
        }
        self.finish_rewrite(state, depth - 1);
        self.count(&held, 1, 0);
        if let Some(mut measured) = self.measured() {
            let tick = |place: usize| &self.slots[place].tick;
            let start = |place, left| tick(place).start(left);
            measured.remove(at, inline, &held, |place| tick(place).left(), start);
        }
        if at == 0 && depth > 1 {
            // What is lowest now was asked for while something else was held.
            let state = self.state.load(Ordering::Relaxed);
            self.stretch.mistake(emptied(state), self.lowest_in_use(state));
        }
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
                self.count(&spill[at], 1, 0);
                spill[at] = relabelled(spill[at]);
                Some((INLINE + at, spill[at]))
            }
            None => {
                let inline = &self.slots[..depth.min(INLINE)];
                inline.iter().rposition(|slot| slot.is_of(id)).and_then(|at| {
                    let before = inline[at].load()?;
                    let held = relabelled(before);
                    self.rewrite(at, &held);
                    self.count(&before, 1, 0);
                    if let Some(mut measured) = self.measured() {
                        let start = |place: usize, left| self.slots[place].tick.start(left);
                        measured.relabel(at, &before, start);
                    }
                    // What is above is the same, but what is below it is not.
                    inline[at..].iter().for_each(Slot::forget_known);
                    self.forget(inline.len());
                    Some((at, held))
                })
            }
        };
        self.finish_rewrite(state, depth);
        found
    }

    /// Changes the entry of a place that is in use. What is kept in the first place above those has
    /// to be forgotten after that.
    fn rewrite(&self, index: usize, held: &Held) {
        self.settle(&self.slots[index]);
        self.slots[index].store(&Entry::of(held));
        self.slots[index].forget_known();
        if held.access.mode != Mode::Exclusive {
            self.slots[index].stamp.store(held.stamp, Ordering::Relaxed);
        }
    }

    fn begin_rewrite(&self) -> u64 {
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
        self.stretch.move_on(VERSION);
    }

    /// Forgets everything. Only for a record that no thread owns.
    pub(crate) fn clear(&self) {
        lock(&self.spill).clear();
        let state = self.begin_rewrite();
        self.finish_rewrite(state & !COLD, 0);
        if let Some(mut measured) = self.measured() {
            measured.clear(FRESH_PLACES);
            for slot in &self.slots[..FRESH_PLACES] {
                self.settle(slot);
                slot.tick.start(1);
                slot.arm();
            }
        }
        self.note_to_do();
    }

    /// Calls `f` on each entry, oldest first. Owner only.
    pub(crate) fn for_each(&self, mut f: impl FnMut(Held)) {
        let depth = self.depth();
        self.slots[..depth.min(INLINE)].iter().filter_map(Slot::load).for_each(&mut f);
        if depth > INLINE {
            lock(&self.spill).iter().copied().for_each(f);
        }
    }

    /// Which version the last push or pop had, that of who waited for what was pushed then. Owner only.
    pub(crate) fn version_number(&self) -> u64 {
        self.state.load(Ordering::Relaxed) >> VERSION_SHIFT
    }

    /// Which version the next push will have. Owner only.
    pub(crate) fn next_version(&self) -> u64 {
        (self.state.load(Ordering::Relaxed) >> VERSION_SHIFT).wrapping_add(1)
    }

    // ---- readers ---------------------------------------------------------------------------

    /// The newest hold of `lock` among the first [`INLINE`] entries; `None` also if the owner was too busy.
    /// Copies nothing, unlike [`read`](Self::read).
    pub(crate) fn find(&self, lock: LockId) -> Option<Found> {
        (0..FIND_TRIES).find_map(|_| self.try_find(lock)).flatten()
    }

    fn try_find(&self, lock: LockId) -> Option<Option<Found>> {
        let before = self.state.load(Ordering::Acquire);
        if before & WRITING != 0 {
            return None;
        }
        let depth = (before & DEPTH_MASK) as usize;
        let at = self.slots[..depth.min(INLINE)].iter().rposition(|slot| slot.is_of(lock));
        let found = at.and_then(|at| {
            let held = self.slots[at].load()?;
            let newest = (at + 1 == depth).then_some(before >> VERSION_SHIFT);
            Some(Found { site: held.site, mode: held.access.mode, newest })
        });
        // Pairs with the Release fences in `push` and `begin_rewrite`.
        fence(Ordering::Acquire);
        (self.state.load(Ordering::Relaxed) == before).then_some(found)
    }

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
    use crate::finding::AgentId;
    use crate::lock_order::clock::Timeline;
    use crate::lock_order::prediction::Noted;
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
        if !stack.push(&Entry::of(&held(lock))) {
            stack.push_slow(&held(lock));
        }
    }

    fn pop(stack: &HeldStack, lock: u64) -> bool {
        stack.pop_slow(word::of(LockId(lock))) != Popped::No
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
    fn what_was_released_last_can_be_seen_off_the_usual_path_too() {
        let stack = HeldStack::new();
        let last = || stack.last_released().map(|held| held.lock.0);
        (1..=3).for_each(|lock| push(&stack, lock));
        stack.set_cold(true);
        for lock in [2, 3, 1] {
            assert!(stack.remove(|held| held.lock.0 == lock).is_some());
            assert_eq!(last(), Some(lock));
        }
        assert_eq!(locks(&stack), [0_u64; 0]);
        stack.set_cold(false);
        push(&stack, 4);
        assert!(pop(&stack, 4));
        assert_eq!(last(), Some(4));
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

    /// Asks for another lock than the last time, holding nothing, and gives it up.
    fn take(stack: &HeldStack, lock: u64) {
        stack.keep_lowest();
        push(stack, lock);
        assert!(pop(stack, lock));
    }

    fn asked(stack: &HeldStack) -> Vec<u64> {
        stack.asked().map(|held| held.lock.0).collect()
    }

    #[test]
    fn what_was_asked_for_since_the_last_event_is_known() {
        let stack = HeldStack::new();
        stack.begin_stretch(1);
        assert!(asked(&stack).is_empty());
        (1..=3).for_each(|lock| take(&stack, lock));
        assert_eq!(asked(&stack), [1, 2, 3]);
        stack.begin_stretch(2);
        assert!(asked(&stack).is_empty());
        assert_eq!(stack.stretch_news(), 2);
        // What was there before is no part of it.
        take(&stack, 4);
        assert_eq!(asked(&stack), [4]);
        stack.begin_stretch(3);
        // The same once more: it need not be kept.
        push(&stack, 4);
        assert_eq!(asked(&stack), [4], "also while it is held");
        assert!(pop(&stack, 4));
        assert_eq!(asked(&stack), [4]);
    }

    #[test]
    fn a_stretch_in_which_nothing_was_done_is_seen_at_once() {
        let stack = HeldStack::new();
        assert!(!stack.has_begun_stretch(1) && !stack.has_cut_stretch(1));
        stack.begin_stretch(1);
        assert!(stack.has_begun_stretch(1) && stack.has_cut_stretch(1));
        assert!(!stack.has_begun_stretch(2), "there were news");
        take(&stack, 1);
        assert!(!stack.has_begun_stretch(1) && !stack.has_cut_stretch(1));
        // One that was cut begins anew with an event.
        stack.cut_stretch(1);
        assert!(stack.is_stretch_cut());
        assert!(!stack.has_begun_stretch(1) && stack.has_cut_stretch(1));
        stack.begin_stretch(1);
        assert!(stack.has_begun_stretch(1) && !stack.is_stretch_cut());
        // What leaves the state as it is comes into it, too.
        stack.meet(LockId(1), 0);
        assert!(!stack.has_begun_stretch(1) && !stack.has_cut_stretch(1));
        stack.begin_stretch(1);
        stack.keep_lowest();
        assert!(!stack.has_begun_stretch(1));
    }

    #[test]
    fn what_was_held_at_an_event_was_asked_for_before() {
        let stack = HeldStack::new();
        stack.begin_stretch(1);
        push(&stack, 1);
        stack.begin_stretch(2);
        assert!(asked(&stack).is_empty());
        push(&stack, 2);
        assert!(pop(&stack, 2) && pop(&stack, 1));
        assert!(asked(&stack).is_empty(), "what is nested is known elsewhere");
        take(&stack, 3);
        assert_eq!(asked(&stack), [3]);
    }

    #[test]
    fn what_changes_the_state_is_not_asked_for() {
        let stack = HeldStack::new();
        push(&stack, 1);
        assert!(pop(&stack, 1));
        stack.begin_stretch(1);
        stack.set_cold(true);
        stack.set_cold(false);
        assert!(asked(&stack).is_empty());
        // What was nested does not become the lowest because that is given up first.
        push(&stack, 2);
        push(&stack, 3);
        assert!(stack.remove(|held| held.lock.0 == 2).is_some());
        assert!(pop(&stack, 3));
        assert!(asked(&stack).is_empty());
        (10..40).for_each(|lock| take(&stack, lock));
        let known = asked(&stack);
        assert!(known.starts_with(&[10, 11]) && known.ends_with(&[39]), "{known:?}");
    }

    #[test]
    fn the_first_time_that_a_mutex_of_conditions_was_taken_counts() {
        let stack = HeldStack::new();
        stack.begin_stretch(1);
        assert_eq!(stack.met(), Met::None);
        (5..=6).for_each(|waits| stack.meet(LockId(1), waits));
        assert_eq!(stack.met(), Met::One(LockId(1), 5));
        stack.meet(LockId(2), 7);
        assert_eq!(stack.met(), Met::Several);
        stack.begin_stretch(2);
        assert_eq!(stack.met(), Met::None);
    }

    #[test]
    fn a_cold_stack_refuses_the_fast_path() {
        let stack = HeldStack::new();
        push(&stack, 1);
        stack.set_cold(true);
        assert!(!stack.push(&Entry::of(&held(2))) && !pop(&stack, 1));
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
        push(&stack, 1);
        let one = stack.key();
        push(&stack, 2);
        let both = stack.key();
        assert!(pop(&stack, 2) && pop(&stack, 1));
        push(&stack, 2);
        push(&stack, 1);
        assert_eq!(stack.key(), both);
        stack.tell(|_| ());
        assert_eq!(stack.key(), both);
        stack.remove(|held| held.lock.0 == 2);
        assert_eq!(stack.key(), one);
        stack.relabel(LockId(1), DOWNGRADED, Site::caller());
        assert_ne!(stack.key(), one);
        let [a, b] = [1, 2].map(|lock| key::of(LockId(lock), Mode::Exclusive));
        assert_ne!(key::chain(a, b), key::chain(b, a));
    }

    fn noted() -> Noted {
        let noted = Noted::alone(AgentId(1));
        noted.line().see(&Timeline::new(AgentId(1), 1).now(0), false);
        noted
    }

    /// Fills the next place for `lock` and notes that its request is known under stamp 7.
    fn fill_known(stack: &HeldStack, lock: u64, repeats: &Repeats) -> Option<Filled> {
        let chain = key::chain(stack.key(), key::of(LockId(lock), Mode::Exclusive));
        let known = |below, wanted| {
            assert_eq!(key::chain(below, wanted), chain);
            repeats.add_one();
            Some(repeats)
        };
        stack.fill_known(&Entry { site: SITE, ..Entry::of(&held(lock)) }, 7, known)
    }

    /// Whether the request for `lock` at `site` needs no further look under `stamp`.
    fn recalls(stack: &HeldStack, lock: u64, site: Site, asked: Asked, stamp: u64) -> bool {
        stack.recall(word::of(LockId(lock)), ACCESS, site, asked, || stamp).is_some()
    }

    const SITE: Site = Site::caller();

    #[test]
    fn the_lowest_place_needs_no_look_for_what_it_kept_unless_that_is_always_asked() {
        let stack = HeldStack::new();
        assert!(!recalls(&stack, 1, SITE, Asked::Nested, 7));
        let entry = |lock| Entry { site: SITE, ..Entry::of(&held(lock)) };
        stack.fill_first(&entry(1)).unwrap();
        assert!(recalls(&stack, 1, SITE, Asked::Nested, 7));
        assert!(!recalls(&stack, 1, SITE, Asked::Always, 7));
        assert!(!recalls(&stack, 2, SITE, Asked::Nested, 7));
        assert!(!recalls(&stack, 1, Site::caller(), Asked::Nested, 7));
        let other = stack.recall(word::of(LockId(1)), DOWNGRADED, SITE, Asked::Nested, || 7);
        assert_eq!(other, None);
        stack.set_cold(true);
        assert!(!recalls(&stack, 1, SITE, Asked::Nested, 7));
    }

    #[test]
    fn a_request_is_known_while_its_stamp_holds_and_counts_each_time() {
        let (stack, noted) = (HeldStack::new(), noted());
        let repeats = noted.line().repeats();
        push(&stack, 1);
        stack.take_place(fill_known(&stack, 2, repeats).unwrap());
        assert!(pop(&stack, 2));
        assert_eq!(repeats.count(), 2);
        assert!(recalls(&stack, 2, SITE, Asked::Nested, 7));
        assert_eq!(repeats.count(), 3);
        assert!(!recalls(&stack, 2, SITE, Asked::Nested, 8));
        assert!(!recalls(&stack, 3, SITE, Asked::Nested, 7));
        stack.forget_known();
        assert!(!recalls(&stack, 2, SITE, Asked::Nested, 7));
        assert_eq!(repeats.count(), 3);
    }

    #[test]
    fn what_was_known_above_a_place_is_forgotten_with_what_was_kept_there() {
        let noted = noted();
        let repeats = noted.line().repeats();
        let nested = || {
            let stack = HeldStack::new();
            push(&stack, 1);
            stack.take_place(fill_known(&stack, 2, repeats).unwrap());
            stack.take_place(fill_known(&stack, 3, repeats).unwrap());
            stack
        };
        let knows = |stack: &HeldStack, lock| recalls(stack, lock, SITE, Asked::Nested, 7);
        // Near miss: the same again.
        let stack = nested();
        assert!(pop(&stack, 3) && pop(&stack, 2) && pop(&stack, 1));
        push(&stack, 1);
        assert!(knows(&stack, 2));
        push(&stack, 2);
        assert!(knows(&stack, 3));
        // Another one below, and what is between the two is filled anew.
        let stack = nested();
        assert!(pop(&stack, 3) && pop(&stack, 2) && pop(&stack, 1));
        push(&stack, 9);
        assert!(!knows(&stack, 2));
        push(&stack, 2);
        assert!(!knows(&stack, 3));
        // The lowest one goes first.
        let stack = nested();
        assert!(stack.remove(|held| held.lock.0 == 1).is_some());
        assert!(!knows(&stack, 3));
        assert!(pop(&stack, 3) && !knows(&stack, 3));
        assert!(pop(&stack, 2) && !recalls(&stack, 2, SITE, Asked::Always, 7));
        // The lowest one is held in another way.
        let stack = nested();
        assert!(stack.relabel(LockId(1), DOWNGRADED, SITE).is_some());
        assert!(pop(&stack, 3) && !knows(&stack, 3));
        assert!(pop(&stack, 2) && !knows(&stack, 2));
    }

    /// A stack where nothing is to be measured for long, in a stretch that keeps no more.
    fn unmeasured() -> HeldStack {
        let stack = HeldStack::new();
        stack.to_do.store(0, Ordering::Relaxed);
        stack.measure_none();
        fill_stretch(&stack);
        stack
    }

    fn fill_stretch(stack: &HeldStack) {
        while !stack.stretch.is_full() {
            stack.stretch.keep(Some(held(7)));
        }
    }

    const CLASS: Origin = Origin::unnamed(SITE);

    /// Takes a lock that nobody has used before, and gives it up. Whether little was to be written for that.
    fn use_new(stack: &HeldStack, lock: u64, created: Origin, access: &'static Access) -> bool {
        let entry = Entry { word: word::of(LockId(lock)), access, created, site: SITE };
        let alike = stack.next_if_idle().and_then(|next| stack.fill_alike(next, &entry));
        stack.take_place(alike.or_else(|| stack.fill_fresh(&entry)).unwrap());
        assert_eq!(locks(stack), [lock]);
        let held = stack.read().unwrap()[0];
        assert!(std::ptr::eq(held.access, access) && held.created.to_ptr() == created.to_ptr());
        assert_eq!(held.stamp != 0, access.mode != Mode::Exclusive);
        assert!(pop(stack, lock));
        alike.is_some()
    }

    /// How many holds are counted of locks that have a number of their own, and of classes.
    fn own_and_mixed(stack: &HeldStack) -> [u64; 2] {
        let mut all = Vec::new();
        assert_eq!(stack.counted(&mut all), 0);
        [true, false].map(|is_own| {
            all.iter().filter(|counted| counted.is_own == is_own).map(|counted| counted.times).sum()
        })
    }

    #[test]
    fn locks_of_one_class_that_come_and_go_leave_little_to_write_and_are_counted_together() {
        let stack = unmeasured();
        let alike = (1..=100).map(|lock| use_new(&stack, lock, CLASS, ACCESS));
        // The first two find out that there are several.
        assert_eq!(alike.filter(|alike| !alike).count(), 2);
        assert_eq!(own_and_mixed(&stack), [0, 100]);
        // Readers' as well, whose holds have stamps.
        let shared = (200..300).map(|lock| use_new(&stack, lock, CLASS, DOWNGRADED));
        assert_eq!(shared.filter(|alike| !alike).count(), 2);
        assert_eq!(own_and_mixed(&stack), [0, 200]);
    }

    #[test]
    fn a_new_lock_in_a_stretch_that_keeps_more_is_looked_at() {
        let stack = unmeasured();
        (1..=3).for_each(|lock| _ = use_new(&stack, lock, CLASS, ACCESS));
        stack.begin_stretch(1);
        assert!(!use_new(&stack, 4, CLASS, ACCESS));
        fill_stretch(&stack);
        assert!(use_new(&stack, 5, CLASS, ACCESS));
    }

    #[test]
    fn a_new_lock_of_another_class_or_after_one_that_was_held_often_is_looked_at() {
        let mixed = || {
            let stack = unmeasured();
            (1..=3).for_each(|lock| _ = use_new(&stack, lock, CLASS, ACCESS));
            stack
        };
        assert!(use_new(&mixed(), 4, CLASS, ACCESS));
        // Created elsewhere, or held in another way.
        assert!(!use_new(&mixed(), 4, Origin::unnamed(Site::caller()), ACCESS));
        assert!(!use_new(&mixed(), 4, CLASS, DOWNGRADED));
        // Something is held, or is kept above.
        let stack = mixed();
        push(&stack, 9);
        assert!(stack.next_if_idle().is_none());
        push(&stack, 10);
        assert!(pop(&stack, 10) && pop(&stack, 9));
        assert!(!use_new(&stack, 4, CLASS, ACCESS));
        assert!(!recalls(&stack, 10, SITE, Asked::Nested, 7));
        // The same above one of its class, until that was looked at.
        let stack = mixed();
        let entry = Entry { created: CLASS, site: SITE, ..Entry::of(&held(5)) };
        let alike = stack.next_if_idle().and_then(|next| stack.fill_alike(next, &entry));
        stack.take_place(alike.expect("little is to be written"));
        push(&stack, 10);
        assert!(pop(&stack, 10) && pop(&stack, 5));
        assert!(!use_new(&stack, 6, CLASS, ACCESS));
        assert!(use_new(&stack, 7, CLASS, ACCESS));
        // Off the usual path, or the next hold is to be measured.
        let stack = mixed();
        stack.set_cold(true);
        assert!(stack.next_if_idle().is_none());
        let stack = mixed();
        stack.measure_next(None, false);
        assert!(stack.next_if_idle().is_none());
        // One that was held often, and is not one of several, has a number of its own.
        let stack = unmeasured();
        let entry = Entry { created: CLASS, site: SITE, ..Entry::of(&held(1)) };
        for _ in 0..100 {
            assert!(stack.push(&entry) && pop(&stack, 1));
        }
        assert!(!use_new(&stack, 2, CLASS, ACCESS));
        assert_eq!(own_and_mixed(&stack), [101, 0]);
    }

    #[test]
    fn a_lock_whose_flags_have_changed_leaves_by_the_long_way() {
        let stack = HeldStack::new();
        push(&stack, 1);
        assert!(stack.pop_slow(word::of(LockId(1)) | 1) == Popped::No);
        assert!(stack.remove(|held| held.lock.0 == 1).is_some());
        assert_eq!(stack.depth(), 0);
    }

    #[test]
    fn two_shared_acquisitions_of_one_lock_have_different_stamps() {
        let stack = HeldStack::new();
        let shared = || Held { access: DOWNGRADED, ..held(1) };
        assert!(stack.push(&Entry::of(&shared())));
        let first = stack.read().unwrap()[0].stamp;
        assert!(pop(&stack, 1));
        assert!(stack.push(&Entry::of(&shared())));
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
