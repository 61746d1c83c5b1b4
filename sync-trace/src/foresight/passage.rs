//! What order passes through: the end of a thread, a message, a barrier, a user's token.
//!
//! Who publishes leaves word of what came before; who observes comes after all that was left. What a
//! passage says only grows, so an observer may be put after more than it had to be: that can hide a
//! deadlock that could happen, and never invents one.

use std::hash::Hash;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64};

use dashmap::DashMap;

use crate::agent::Agent;
use crate::atomics::{self, Mutex, Ordering, lock};
use crate::finding::LockId;
use crate::foresight::news;
use crate::lock_order::clock::Parcel;
use crate::numbers::next_number;

/// Where one kind of word is left.
pub(crate) struct Passage {
    parcel: Mutex<Parcel>,
    /// Its number, from when something was left on; 0 before.
    number: atomics::AtomicU64,
    /// How often something was left.
    version: atomics::AtomicU64,
    /// Whether anything was. Release pairs with the Acquire in `observe`; but whoever has to see it
    /// comes after the publisher anyway, by the very event.
    is_used: atomics::AtomicBool,
}

/// A parcel that names more agents and sections than this is one of everything.
const CROWD: usize = 1024;

impl Passage {
    pub(crate) fn new() -> Self {
        Self {
            parcel: Mutex::new(Parcel::default()),
            number: atomics::AtomicU64::new(0),
            version: atomics::AtomicU64::new(0),
            is_used: atomics::AtomicBool::new(false),
        }
    }

    /// What `agent` did so far comes before what those do who observe this from here on.
    pub(crate) fn publish(&self, agent: &Agent) {
        let parcel = agent.publish();
        if !parcel.is_empty() {
            let mut told = lock(&self.parcel);
            if self.number.load(Ordering::Relaxed) == 0 {
                self.number.store(next_number().get(), Ordering::Relaxed);
            }
            if !told.has_all_of(&parcel) {
                add(&mut told, &parcel);
                // Release pairs with the Acquire in `observe`: who hears of the version hears of the parcel.
                self.version.fetch_add(1, Ordering::Release);
            }
            drop(told);
            self.is_used.store(true, Ordering::Release);
            agent.note_said_all(self.number.load(Ordering::Relaxed));
        }
    }

    /// Whether `agent` has published here all that it would publish now.
    #[inline]
    pub(crate) fn is_told_all_by(&self, agent: &Agent) -> bool {
        // Relaxed: 0, or what the agent itself has seen or set here.
        let number = self.number.load(Ordering::Relaxed);
        number != 0 && agent.has_said_all(number)
    }

    /// Whether `agent` has observed all that was published here.
    #[inline]
    pub(crate) fn is_heard_by(&self, agent: &Agent) -> bool {
        let version = self.version.load(Ordering::Acquire);
        agent.has_heard_all(self.number.load(Ordering::Relaxed), version)
    }

    /// Whether anything was published.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Acquire)
    }

    /// What `agent` does from here on comes after what was published so far.
    pub(crate) fn observe(&self, agent: &Agent) {
        // First the version: what is left meanwhile is heard again.
        let version = self.version.load(Ordering::Acquire);
        let parcel = lock(&self.parcel).clone();
        agent.observe(&parcel);
        agent.note_heard_all(self.number.load(Ordering::Relaxed), version);
    }
}

fn add(to: &mut Parcel, parcel: &Parcel) {
    to.add(parcel);
    if to.len() > CROWD {
        *to = Parcel::of_everything(news::spread());
    }
}

/// What has no room for a passage of its own, because it has to cost nothing where it is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A barrier, a condition variable, or the initialiser of something that is initialised once.
    Lock(LockId),
    /// The completion of something that is initialised once, with all that came before it.
    Completed(LockId),
    /// A token of the user's, by its address.
    Address(usize),
}

/// So many places are remembered; then all are forgotten, and who observes a forgotten one comes after
/// everything.
const PLACES_MAX: usize = 65_536;

struct Places {
    parcels: DashMap<Place, Parcel>,
    were_forgotten: AtomicBool,
}

static PLACES: LazyLock<Places> =
    LazyLock::new(|| Places { parcels: DashMap::new(), were_forgotten: AtomicBool::new(false) });
static ANY: AtomicBool = AtomicBool::new(false);

/// As [`Passage::publish`]. Returns whether there was anything to tell.
pub(crate) fn publish_at(place: Place, agent: &Agent) -> bool {
    let parcel = agent.publish();
    let _ = leave(place, &parcel);
    !parcel.is_empty()
}

/// The same for an event that others may come after, but not because of it alone. Returns whether it
/// says anything new.
pub(crate) fn publish_weakly_at(place: Place, agent: &Agent) -> bool {
    leave(place, &agent.publish_weakly())
}

/// What was published there.
pub(crate) fn told_at(place: Place) -> Option<Parcel> {
    PLACES.parcels.get(&place).map(|parcel| parcel.clone())
}

/// Leaves `parcel` there, if it says anything. Returns whether it says anything new.
pub(crate) fn leave(place: Place, parcel: &Parcel) -> bool {
    if parcel.is_empty() {
        return false;
    }
    let add_new = |told: &mut Parcel| {
        let is_new = !told.has_all_of(parcel);
        if is_new {
            add(told, parcel);
        }
        is_new
    };
    ANY.store(true, Ordering::Release);
    // To count them all takes longer than all else here.
    if let Some(mut told) = PLACES.parcels.get_mut(&place) {
        return add_new(&mut told);
    }
    if PLACES.parcels.len() >= PLACES_MAX {
        PLACES.were_forgotten.store(true, Ordering::Relaxed);
        PLACES.parcels.clear();
    }
    add_new(&mut PLACES.parcels.entry(place).or_default())
}

/// Whether anything was published at any place.
#[inline]
pub(crate) fn is_any_used() -> bool {
    ANY.load(Ordering::Acquire)
}

/// As [`Passage::observe`].
pub(crate) fn observe_at(place: Place, agent: &Agent) {
    match told_at(place) {
        Some(parcel) => agent.observe(&parcel),
        None if PLACES.were_forgotten.load(Ordering::Relaxed) => agent.observe_everything(),
        None => {}
    }
}

/// How somebody who uses what is initialised once came to find it initialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It would have initialised it, so it comes after the initialiser, whoever ran that, and after
    /// nothing else.
    OrInit,
    /// It could but find that somebody else has: it comes after all that one did before.
    Found,
}

impl Use {
    /// Where what it comes after is told.
    pub(crate) fn place(self, lock: LockId) -> Place {
        match self {
            Self::OrInit => Place::Lock(lock),
            Self::Found => Place::Completed(lock),
        }
    }
}

/// Which of the things that are initialised an agent has used, and so comes after: the last one for each
/// of some remainders of their numbers. What is initialised has nothing new to tell, so this never
/// gets old.
pub(crate) struct Heard {
    /// The number of what was used, and whether the agent comes after all that came before. Only the
    /// agent reads and writes them, so Relaxed.
    slots: [AtomicU64; HEARD],
}

const HEARD: usize = 32;

impl Heard {
    pub(crate) const fn new() -> Self {
        Self { slots: [const { AtomicU64::new(0) }; HEARD] }
    }

    /// Whether the agent has used it so, or knows more than that brings.
    #[inline]
    pub(crate) fn has(&self, lock: LockId, how: Use) -> bool {
        let known = self.slots[lock.0 as usize % HEARD].load(Ordering::Relaxed);
        known >> 1 == lock.0 && (how == Use::OrInit || known & 1 != 0)
    }

    pub(crate) fn add(&self, lock: LockId, how: Use) {
        let known = lock.0 << 1 | u64::from(how == Use::Found);
        self.slots[lock.0 as usize % HEARD].store(known, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.slots.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_tells_what_a_use_tells_and_more() {
        let heard = Heard::new();
        let [one, same_slot] = [LockId(7), LockId(7 + HEARD as u64)];
        let has = |lock| [Use::OrInit, Use::Found].map(|how| heard.has(lock, how));
        assert_eq!(has(one), [false, false]);
        heard.add(one, Use::OrInit);
        assert_eq!((has(one), has(same_slot)), ([true, false], [false, false]));
        heard.add(one, Use::Found);
        assert_eq!(has(one), [true, true]);
        heard.add(same_slot, Use::OrInit);
        assert_eq!((has(one), has(same_slot)), ([false, false], [true, false]));
        heard.clear();
        assert_eq!(has(same_slot), [false, false]);
    }
}
