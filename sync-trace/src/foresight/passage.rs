//! What order passes through: the end of a thread, a message, a barrier, a user's token.
//!
//! Who publishes leaves word of what came before; who observes comes after all that was left. What a
//! passage says only grows, so an observer may be put after more than it had to be: that can hide a
//! deadlock that could happen, and never invents one.

use std::hash::Hash;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use dashmap::DashMap;

use crate::agent::Agent;
use crate::atomics::{self, Mutex, Ordering, lock};
use crate::finding::LockId;
use crate::foresight::news;
use crate::lock_order::clock::Parcel;

/// Where one kind of word is left.
pub(crate) struct Passage {
    parcel: Mutex<Parcel>,
    /// Whether anything was. Release pairs with the Acquire in `observe`; but whoever has to see it
    /// comes after the publisher anyway, by the very event.
    is_used: atomics::AtomicBool,
}

/// A parcel that names more agents and sections than this is one of everything.
const CROWD: usize = 1024;

impl Passage {
    pub(crate) fn new() -> Self {
        Self { parcel: Mutex::new(Parcel::default()), is_used: atomics::AtomicBool::new(false) }
    }

    /// What `agent` did so far comes before what those do who observe this from here on.
    pub(crate) fn publish(&self, agent: &Agent) {
        let parcel = agent.publish();
        if !parcel.is_empty() {
            add(&mut lock(&self.parcel), &parcel);
            self.is_used.store(true, Ordering::Release);
        }
    }

    /// Whether anything was published.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Acquire)
    }

    /// What `agent` does from here on comes after what was published so far.
    pub(crate) fn observe(&self, agent: &Agent) {
        let parcel = lock(&self.parcel).clone();
        agent.observe(&parcel);
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
    /// A barrier, a condition variable, or something that is initialised once.
    Lock(LockId),
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

/// As [`Passage::publish`].
pub(crate) fn publish_at(place: Place, agent: &Agent) {
    leave(place, &agent.publish());
}

/// The same for an event that others may come after, but not because of it alone.
pub(crate) fn publish_weakly_at(place: Place, agent: &Agent) {
    leave(place, &agent.publish_weakly());
}

fn leave(place: Place, parcel: &Parcel) {
    if parcel.is_empty() {
        return;
    }
    if PLACES.parcels.len() >= PLACES_MAX {
        PLACES.were_forgotten.store(true, Ordering::Relaxed);
        PLACES.parcels.clear();
    }
    add(&mut PLACES.parcels.entry(place).or_default(), parcel);
    ANY.store(true, Ordering::Release);
}

/// Whether anything was published at any place.
#[inline]
pub(crate) fn is_any_used() -> bool {
    ANY.load(Ordering::Acquire)
}

/// As [`Passage::observe`].
pub(crate) fn observe_at(place: Place, agent: &Agent) {
    let parcel = PLACES.parcels.get(&place).map(|parcel| parcel.clone());
    match parcel {
        Some(parcel) => agent.observe(&parcel),
        None if PLACES.were_forgotten.load(Ordering::Relaxed) => agent.observe_everything(),
        None => {}
    }
}
