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
use crate::foresight::chronicle::PASSAGES;
use crate::foresight::news;
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::clock::Parcel;
use crate::numbers::next_number;

/// Where one kind of word is left.
pub(crate) struct Passage {
    parcel: Mutex<Parcel>,
    /// Its number, from when something was left on; 0 before.
    number: atomics::AtomicU64,
    /// The number of what was left last, which is 0 before that, and then no other one's. All of a passage's
    /// have its own number's remainder. Release pairs with the Acquire in `observe`; but whoever has to see it
    /// comes after the publisher anyway, by the very event.
    parcel_number: atomics::AtomicU64,
}

/// A parcel that names more agents and sections than this is one of everything.
const CROWD: usize = 1024;

impl Passage {
    pub(crate) fn new() -> Self {
        Self {
            parcel: Mutex::new(Parcel::default()),
            number: atomics::AtomicU64::new(0),
            parcel_number: atomics::AtomicU64::new(0),
        }
    }

    /// What `agent` did so far comes before what those do who observe this from here on.
    pub(crate) fn publish(&self, agent: &Agent) {
        let parcel = agent.publish();
        if !parcel.is_empty() {
            let mut told = lock(&self.parcel);
            let number = match self.number.load(Ordering::Relaxed) {
                0 => next_number().get(),
                number => number,
            };
            self.number.store(number, Ordering::Relaxed);
            if !told.has_all_of(&parcel) {
                add(&mut told, &parcel);
                // Release pairs with the Acquire in `observe`: who hears of the number hears of the parcel.
                self.parcel_number.store(parcel_number(number), Ordering::Release);
            }
            drop(told);
            agent.note_said_all(number);
        }
    }

    /// Whether `agent` has published here all that it would publish now.
    #[inline]
    pub(crate) fn is_told_all_by(&self, agent: &Agent) -> bool {
        // Relaxed: 0, which nobody has said anything at, or what the agent itself has seen or set here.
        agent.has_said_all(self.number.load(Ordering::Relaxed))
    }

    /// The same, where it has taken and released something since.
    pub(crate) fn is_told_all_but_holds_by(&self, agent: &Agent) -> bool {
        agent.has_said_all_but_holds(self.number.load(Ordering::Relaxed))
    }

    /// Whether `agent` has observed all that was published here, if anything was.
    #[inline]
    pub(crate) fn is_heard_by(&self, agent: &Agent) -> bool {
        let parcel = self.parcel_number.load(Ordering::Acquire);
        parcel == 0 || agent.has_heard(parcel)
    }

    /// What `agent` does from here on comes after what was published so far.
    pub(crate) fn observe(&self, agent: &Agent) {
        // First the number: what is left meanwhile is heard again.
        let number = self.parcel_number.load(Ordering::Acquire);
        let parcel = lock(&self.parcel).clone();
        agent.observe(&parcel);
        agent.note_heard(number);
    }
}

/// The number of something new that is left at a passage or place with this one.
fn parcel_number(at: u64) -> u64 {
    let passages = PASSAGES as u64;
    next_number().get() * passages + at % passages
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

impl Place {
    /// Two places that one agent uses in turn hardly have the same remainder.
    fn number(self) -> u64 {
        match self {
            Self::Lock(id) | Self::Completed(id) => id.0,
            Self::Address(address) => address as u64 / 8,
        }
    }
}

/// What was left at a place.
#[derive(Default)]
struct Left {
    parcel: Parcel,
    /// As [`Passage::parcel_number`].
    number: u64,
}

/// So many places are remembered; then all are forgotten, and who observes a forgotten one comes after
/// everything.
const PLACES_MAX: usize = 65_536;

struct Places {
    parcels: DashMap<Place, Left, QuickHash>,
    were_forgotten: AtomicBool,
}

static PLACES: LazyLock<Places> = LazyLock::new(|| Places {
    parcels: DashMap::default(),
    were_forgotten: AtomicBool::new(false),
});
static ANY: AtomicBool = AtomicBool::new(false);

/// As [`Passage::publish`]. Returns whether there was anything to tell.
pub(crate) fn publish_at(place: Place, agent: &Agent) -> bool {
    let parcel = agent.publish();
    let _ = leave(place, &parcel);
    !parcel.is_empty()
}

/// The same for an event that others may come after, but not because of it alone: `publish` says what `agent` hands
/// on by that. Returns whether it says anything new.
pub(crate) fn publish_weakly_at(
    place: Place,
    agent: &Agent,
    publish: impl FnOnce(&Agent) -> Parcel,
) -> bool {
    // Where all was forgotten, it is said again.
    if PLACES.parcels.get(&place).is_some_and(|left| agent.has_said_weakly(left.number)) {
        return false;
    }
    let left = leave(place, &publish(agent));
    agent.note_said_weakly(left.number);
    left.is_new
}

/// What was published there.
pub(crate) fn told_at(place: Place) -> Option<Parcel> {
    PLACES.parcels.get(&place).map(|left| left.parcel.clone())
}

/// What has become of a parcel that was to be left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leaving {
    /// Whether it says anything new.
    is_new: bool,
    /// The number of what is there now, which has all of it; 0 if it says nothing at all.
    number: u64,
}

/// Leaves `parcel` there, if it says anything.
pub(crate) fn leave(place: Place, parcel: &Parcel) -> Leaving {
    if parcel.is_empty() {
        return Leaving::default();
    }
    let add_new = |left: &mut Left| {
        let is_new = !left.parcel.has_all_of(parcel);
        if is_new {
            add(&mut left.parcel, parcel);
            left.number = parcel_number(place.number());
        }
        Leaving { is_new, number: left.number }
    };
    ANY.store(true, Ordering::Release);
    // To count them all takes longer than all else here.
    if let Some(mut left) = PLACES.parcels.get_mut(&place) {
        return add_new(&mut left);
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
    let unheard = PLACES
        .parcels
        .get(&place)
        .map(|left| (!agent.has_heard(left.number)).then(|| (left.parcel.clone(), left.number)));
    match unheard {
        Some(Some((parcel, number))) => {
            agent.observe(&parcel);
            agent.note_heard(number);
        }
        Some(None) => {}
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
    use crate::agent::{Agents, Identity};
    use crate::held::Entry;
    use crate::registry::{tests::ACCESS, word};
    use crate::site::{Origin, Site};

    /// Takes a lock with this number.
    fn take(agent: &Agent, lock: u64) {
        let here = Site::caller();
        let created = Origin::unnamed(here);
        let entry = Entry { word: word::of(LockId(lock)), access: ACCESS, created, site: here };
        assert!(agent.held.push(&entry));
    }

    /// Releases it.
    fn release(agent: &Agent, lock: u64) {
        assert!(agent.take_off(|held| held.lock == LockId(lock)).is_some());
    }

    #[test]
    fn what_was_said_at_some_passages_in_turn_is_said_again_only_if_there_is_more_to_say() {
        let agents = Agents::new();
        let [agent, other] = [(); 2].map(|()| agents.admit(Identity::default(), None));
        [agent, other].iter().for_each(|agent| agent.observe_everything());
        let passages = [Passage::new(), Passage::new()];
        let are_told =
            || passages.each_ref().map(|passage| passage.is_told_all_but_holds_by(agent));
        let tell = || passages.iter().for_each(|passage| passage.publish(agent));
        assert_eq!(are_told(), [false; 2]);
        tell();
        assert!(passages.iter().all(|passage| passage.is_told_all_by(agent)));
        // A lock that was held in between makes no difference.
        take(agent, 1);
        assert_eq!(are_told(), [false; 2]);
        release(agent, 1);
        assert!(!passages.iter().any(|passage| passage.is_told_all_by(agent)));
        assert_eq!(are_told(), [true; 2]);
        // One that is held at the event does, and is still to be told of elsewhere.
        take(agent, 1);
        passages[0].publish(agent);
        assert_eq!(are_told(), [true, false]);
        release(agent, 1);
        assert_eq!(are_told(), [false; 2]);
        // So does what it hears.
        tell();
        agent.observe(&other.publish());
        assert_eq!(are_told(), [false; 2]);
    }

    #[test]
    fn what_was_heard_at_some_passages_in_turn_is_heard_again_only_if_there_is_more() {
        let agents = Agents::new();
        let [agent, other] = [(); 2].map(|()| agents.admit(Identity::default(), None));
        other.observe_everything();
        let passages = [Passage::new(), Passage::new()];
        let are_heard = || passages.each_ref().map(|passage| passage.is_heard_by(agent));
        let hear = || passages.iter().for_each(|passage| passage.observe(agent));
        // Nothing was left yet.
        assert_eq!(are_heard(), [true; 2]);
        passages.iter().for_each(|passage| passage.publish(other));
        assert_eq!(are_heard(), [false; 2]);
        hear();
        assert_eq!(are_heard(), [true; 2]);
        take(other, 1);
        passages[1].publish(other);
        assert_eq!(are_heard(), [true, false]);
        hear();
        assert_eq!(are_heard(), [true; 2]);
    }

    #[test]
    fn at_a_place_too_only_what_is_new_is_said_and_heard() {
        let agents = Agents::new();
        let [agent, other] = [(); 2].map(|()| agents.admit(Identity::default(), None));
        [agent, other].iter().for_each(|agent| agent.observe_everything());
        let place = Place::Lock(LockId::next());
        let number = || PLACES.parcels.get(&place).map(|left| left.number);
        let has_heard = || number().is_some_and(|number| other.has_heard(number));
        let say = || publish_weakly_at(place, agent, Agent::publish_weakly);
        assert_eq!([say(), say()], [true, false]);
        assert!(number().is_some_and(|number| agent.has_said_weakly(number)) && !has_heard());
        observe_at(place, other);
        assert!(has_heard());
        // It hears something itself, of which the place does not tell yet.
        agent.observe_everything();
        assert!(number().is_some_and(|number| !agent.has_said_weakly(number)));
        assert_eq!([say(), say()], [true, false]);
        assert!(!has_heard());
        observe_at(place, other);
        assert!(has_heard());
        // What is forgotten is said again.
        PLACES.parcels.remove(&place);
        assert_eq!([say(), say()], [true, false]);
        assert!(!has_heard());
    }

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
