//! Which requests an agent has made before, holding what: its chain cache.
//!
//! A chain is a set of held locks and a lock that is wanted, with their modes, as one number
//! ([`key`](crate::held::key)). Whoever makes a request again of which this agent's cache knows has
//! nothing global to look at: no edge of the lock order is new. Linux's lockdep does the same with
//! classes.
//!
//! The table is one that only its agent touches: open addressing, doubled when it is three quarters
//! full. It leads to the lines of the agent's [sheets](crate::lock_order::prediction::repeats).

use std::sync::Arc;

use crate::atomics::{AtomicPtr, Ordering, const_fn};
use crate::finding::AgentId;
use crate::foresight::news;
use crate::lock_order::prediction::repeats::LINES_MAX;
use crate::lock_order::prediction::{Noted, Repeats, Sheet};

/// One agent's cache. Every method is for that agent only, or for whoever gives its record to
/// another one; and what one has returned by reference is not used any more when the cache is changed.
pub(crate) struct Chains {
    table: AtomicPtr<Table>,
}

/// The lines of all chains, and where they are.
struct Table {
    /// By the chains' numbers: a part of that, to be compared, and the number of the line plus one; or 0. How many
    /// slots there are is a power of two.
    slots: Box<[u32]>,
    used: usize,
    /// The generation of what is known here.
    generation: u64,
    sheets: Vec<Arc<Sheet>>,
    /// The next line that is not in use: on which sheet, and where.
    next: Option<(usize, usize)>,
}

/// A table does not get larger than this; an agent with more chains begins a new one.
const SLOTS_MAX: usize = 1 << NUMBER_BITS;
const SLOTS_MIN: usize = 16;

/// So many bits of a slot are the number of a line.
const NUMBER_BITS: u32 = 20;
const NUMBER_MASK: u32 = (1 << NUMBER_BITS) - 1;
/// So many bits of such a number say where on its sheet a line is, and the others which sheet that is.
const AT_BITS: u32 = LINES_MAX.trailing_zeros();

impl Chains {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self { table: AtomicPtr::new(std::ptr::null_mut()) }
        }
    }

    /// What is known of the chain, if it was judged under this very stamp.
    #[inline]
    pub(crate) fn known(&self, key: u64, stamp: u64) -> Option<&Repeats> {
        let table = self.table()?;
        let repeats = table.line(table.find(key).1?);
        (repeats.stamp() == stamp).then_some(repeats)
    }

    /// What is known of a chain, unless that was given up.
    pub(crate) fn noted(&self, key: u64) -> Option<Noted> {
        let table = self.table().filter(|table| table.is_current())?;
        table.find(key).1.map(|number| table.noted(number))
    }

    /// What is known of all chains that were made in this segment or a later one.
    pub(crate) fn made_since(&self, segment: u64) -> Vec<Noted> {
        let Some(table) = self.table().filter(|table| table.is_current()) else {
            return Vec::new();
        };
        let used = table.slots.iter().filter(|&&slot| slot != 0);
        let all = used.map(|&slot| table.noted(number_in(slot)));
        all.filter(|noted| noted.line().last().is_since(segment)).collect()
    }

    /// A line for a chain that is new, or not what it was. It may be [remembered](Self::remember); until it is
    /// seen, it may also be given again for another one.
    pub(crate) fn begin(&self, key: u64, agent: AgentId) -> Noted {
        let table = self.table_mut().unwrap_or_else(|| self.new_table());
        let (sheet, at) = table.next_line(agent);
        Noted::begin(&table.sheets[sheet], at, key)
    }

    /// The chain was judged under this stamp, by what was known in this generation: if that was given up since, it has
    /// to be judged again. Returns whether others had to be forgotten for it, also by whoever refers to them.
    #[must_use]
    pub(crate) fn remember(
        &self,
        key: u64,
        stamp: u64,
        noted: &Noted,
        generation: u64,
    ) -> Forgotten {
        let mut forgotten = Forgotten::Nothing;
        if self.table().is_some_and(|table| !table.is_current()) {
            self.clear();
            forgotten = Forgotten::All;
        }
        if noted.line().repeats().key() != key {
            // It stands for what another chain has shown too, and stays that one's.
            let own = self.begin(key, noted.line().agent());
            own.line().see(&noted.line().last(), noted.line().repeats().is_inside());
            return self.remember(key, stamp, &own, generation).or(forgotten);
        }
        let table = self.table_mut().unwrap_or_else(|| self.new_table());
        if table.generation != generation {
            return Forgotten::All;
        }
        noted.line().repeats().set_stamp(stamp);
        if table.is_full() && !table.grow() || !table.put(key, noted) {
            let is_there = self.new_table().put(key, noted);
            debug_assert!(is_there, "the first line of a table has a number");
            forgotten = Forgotten::All;
        }
        forgotten
    }

    /// Forgets everything; whoever refers to what is known has to do so too.
    pub(crate) fn clear(&self) {
        let table = self.table.swap(std::ptr::null_mut(), Ordering::Relaxed);
        if !table.is_null() {
            // SAFETY: `new_table` made it from a `Box`, and nobody else can have the pointer any more.
            drop(unsafe { Box::from_raw(table) });
        }
    }

    /// An empty one.
    #[expect(clippy::mut_from_ref, reason = "as in `table_mut`")]
    fn new_table(&self) -> &mut Table {
        self.clear();
        let table = Box::into_raw(Box::new(Table::new(SLOTS_MIN)));
        self.table.store(table, Ordering::Relaxed);
        // SAFETY: it was just made.
        unsafe { &mut *table }
    }

    #[inline]
    fn table(&self) -> Option<&Table> {
        // SAFETY: null, or from `new_table`; only the agent itself lets it go or changes it, and not while a
        // reference from here is in use.
        unsafe { self.table.load(Ordering::Relaxed).as_ref() }
    }

    #[expect(clippy::mut_from_ref, reason = "the cache is one agent's, as its methods demand")]
    fn table_mut(&self) -> Option<&mut Table> {
        // SAFETY: as in `table`; and what changes it uses one such reference at a time.
        unsafe { self.table.load(Ordering::Relaxed).as_mut() }
    }
}

/// What a cache had to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgotten {
    Nothing,
    All,
}

impl Forgotten {
    fn or(self, other: Self) -> Self {
        if self == Self::All { self } else { other }
    }
}

/// The number in a slot that is not empty.
#[inline]
fn number_in(slot: u32) -> u32 {
    (slot & NUMBER_MASK) - 1
}

/// What a slot has of the number of its chain: the other end of what says where the slot is.
#[inline]
fn tag_of(key: u64) -> u32 {
    (key >> 32) as u32 & !NUMBER_MASK
}

impl Table {
    fn new(slots: usize) -> Self {
        let generation = news::generation();
        let slots = vec![0; slots].into_boxed_slice();
        Self { slots, used: 0, generation, sheets: Vec::new(), next: None }
    }

    fn is_full(&self) -> bool {
        self.used * 4 >= self.slots.len() * 3
    }

    fn is_current(&self) -> bool {
        self.generation == news::generation()
    }

    #[inline]
    fn line(&self, number: u32) -> &Repeats {
        let at = number as usize & (LINES_MAX - 1);
        self.sheets[(number >> AT_BITS) as usize].line(at)
    }

    fn noted(&self, number: u32) -> Noted {
        let at = number as usize & (LINES_MAX - 1);
        Noted::of(&self.sheets[(number >> AT_BITS) as usize], at)
    }

    /// The slot of the chain, and the number of its line; without one it is the empty slot that is for it.
    #[inline]
    fn find(&self, key: u64) -> (usize, Option<u32>) {
        let mask = self.slots.len() - 1;
        let mut at = key as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return (at, None);
            }
            if slot & !NUMBER_MASK == tag_of(key) && self.line(number_in(slot)).key() == key {
                return (at, Some(number_in(slot)));
            }
            at = (at + 1) & mask;
        }
    }

    /// False if there is no number left for the line.
    #[must_use]
    fn put(&mut self, key: u64, noted: &Noted) -> bool {
        let (at, known) = self.find(key);
        if known.is_some_and(|number| self.is_of(number, noted)) {
            return true;
        }
        let sheet = self.number_of(noted.sheet());
        let number = (sheet << AT_BITS | noted.at()) as u32;
        if sheet >= SLOTS_MAX >> AT_BITS || number == NUMBER_MASK {
            return false;
        }
        self.slots[at] = tag_of(key) | (number + 1);
        self.used += usize::from(known.is_none());
        true
    }

    /// Whether a number is that of this line.
    fn is_of(&self, number: u32, noted: &Noted) -> bool {
        let (sheet, at) = (number as usize >> AT_BITS, number as usize & ((1 << AT_BITS) - 1));
        at == noted.at() && Arc::ptr_eq(&self.sheets[sheet], noted.sheet())
    }

    /// The number of a sheet, which is that of the last one mostly, and may be from an earlier table.
    fn number_of(&mut self, sheet: &Arc<Sheet>) -> usize {
        let known = self.sheets.iter().rposition(|known| Arc::ptr_eq(known, sheet));
        known.unwrap_or_else(|| {
            self.sheets.push(Arc::clone(sheet));
            self.sheets.len() - 1
        })
    }

    /// A line that is not in use.
    fn next_line(&mut self, agent: AgentId) -> (usize, usize) {
        let is_free = |&(sheet, at): &(usize, usize)| self.sheets[sheet].line(at).count() == 0;
        let (sheet, at) = match self.next {
            // It was not needed after all.
            Some(last) if is_free(&last) => last,
            Some((sheet, last)) if last + 1 < self.sheets[sheet].len() => (sheet, last + 1),
            last => {
                let lines = last.map_or(0, |(sheet, _)| self.sheets[sheet].len());
                self.sheets.push(Sheet::after(lines, agent));
                (self.sheets.len() - 1, 0)
            }
        };
        self.next = Some((sheet, at));
        (sheet, at)
    }

    /// False if it is as large as it may be.
    fn grow(&mut self) -> bool {
        let size = self.slots.len() * 2;
        if size > SLOTS_MAX {
            return false;
        }
        let old = std::mem::replace(&mut self.slots, vec![0; size].into_boxed_slice());
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let (at, _) = self.find(self.line(number_in(slot)).key());
            self.slots[at] = slot;
        }
        true
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

    fn noted(chains: &Chains, key: u64) -> Noted {
        let noted = chains.begin(key, AgentId(1));
        noted.line().see(&Timeline::new(AgentId(1), 1).now(0), false);
        noted
    }

    fn remember(chains: &Chains, key: u64, stamp: u64, noted: &Noted) -> Forgotten {
        chains.remember(key, stamp, noted, news::generation())
    }

    #[test]
    fn what_was_judged_by_what_was_given_up_is_not_remembered() {
        let chains = Chains::new();
        let seen = noted(&chains, 7);
        let old = news::generation().wrapping_sub(1);
        assert_eq!(chains.remember(7, 1, &seen, old), Forgotten::All);
        assert!(chains.known(7, 1).is_none());
        assert_eq!(remember(&chains, 7, 1, &seen), Forgotten::Nothing);
        assert!(chains.known(7, 1).is_some());
    }

    #[test]
    fn what_was_remembered_is_known_under_the_same_stamp() {
        let chains = Chains::new();
        let known = |key, stamp| chains.known(key, stamp).is_some();
        assert!(!known(7, 1));
        let seen = noted(&chains, 7);
        assert_eq!(remember(&chains, 7, 1, &seen), Forgotten::Nothing);
        assert!(known(7, 1) && !known(7, 2) && !known(8, 1));
        assert_eq!(remember(&chains, 7, 2, &seen), Forgotten::Nothing);
        assert!(known(7, 2) && !known(7, 1));
        assert_eq!(chains.made_since(1).len(), 1);
    }

    fn key(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
    }

    #[test]
    fn a_table_grows_and_forgets_nothing() {
        let chains = Chains::new();
        for number in 0..5_000 {
            let seen = noted(&chains, key(number));
            assert_eq!(remember(&chains, key(number), number, &seen), Forgotten::Nothing);
        }
        assert!((0..5_000).all(|number| chains.known(key(number), number).is_some()));
        assert!((5_000..6_000).all(|number| chains.noted(key(number)).is_none()));
        assert!((0..5_000).all(|number| chains.noted(key(number)).unwrap().line().count() == 1));
    }

    /// Chains are told apart by all of their numbers.
    #[test]
    fn chains_whose_numbers_are_partly_the_same_are_different() {
        let chains = Chains::new();
        let alike = [1, 1 | 1 << 30, 1 | 1 << 20, 2, 1 | 1 << 63];
        for (stamp, &key) in alike.iter().enumerate() {
            let seen = noted(&chains, key);
            assert_eq!(remember(&chains, key, stamp as u64, &seen), Forgotten::Nothing);
        }
        for (stamp, &key) in alike.iter().enumerate() {
            assert_eq!(chains.known(key, stamp as u64).map(Repeats::key), Some(key));
        }
    }

    #[test]
    fn a_line_that_nobody_needed_is_given_again() {
        let chains = Chains::new();
        let unneeded = chains.begin(1, AgentId(1));
        let seen = noted(&chains, 2);
        assert!(std::ptr::eq(unneeded.line().repeats(), seen.line().repeats()));
        let other = noted(&chains, 3);
        assert!(!std::ptr::eq(seen.line().repeats(), other.line().repeats()));
        assert_eq!((seen.line().repeats().key(), other.line().repeats().key()), (2, 3));
    }

    #[test]
    fn what_another_chain_or_an_earlier_cache_has_noted_is_known_too() {
        let chains = Chains::new();
        let first = noted(&chains, 1);
        assert_eq!(remember(&chains, 1, 5, &first), Forgotten::Nothing);
        // The same dependency, come to by another way.
        assert_eq!(remember(&chains, 2, 6, &first), Forgotten::Nothing);
        assert!(chains.known(1, 5).is_some() && chains.known(2, 6).is_some());
        chains.clear();
        assert!(chains.noted(1).is_none());
        assert_eq!(remember(&chains, 1, 7, &first), Forgotten::Nothing);
        let known = chains.noted(1).unwrap();
        assert!(std::ptr::eq(known.line().repeats(), first.line().repeats()));
        // Where that stands nothing is written.
        assert!(!Arc::ptr_eq(noted(&chains, 3).sheet(), first.sheet()));
    }

    #[test]
    fn an_agent_with_too_many_chains_begins_anew() {
        let chains = Chains::new();
        let count = SLOTS_MAX as u64 * 3 / 4;
        let again = |number| remember(&chains, key(number), 1, &noted(&chains, key(number)));
        assert!((0..count).all(|number| again(number) == Forgotten::Nothing));
        assert_eq!(again(count), Forgotten::All);
        assert!(chains.known(key(count), 1).is_some() && chains.known(key(0), 1).is_none());
    }
}
