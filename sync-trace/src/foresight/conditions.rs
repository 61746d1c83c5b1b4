//! Conditions that are waited for by hand: a mutex around them, and the condition variables beside it.
//!
//! `while !*ready { ready = signal.wait(ready) }` does not wait if the condition is true already, so the
//! condition variable hears nothing of that thread, which still comes after whoever made the condition
//! true and [notified](crate::hooks::signal). What is seen is that it takes the mutex. So it is kept
//! which mutexes belong to a condition variable, and whoever takes one of those comes after what was
//! published there, weakly: it may have gone on for another reason.
//!
//! Who makes a condition true often notifies when it has released the mutex: another one may be there before that.
//! And not everybody who has to do something for a condition notifies: of a latch that counts down, only the last
//! one does. So whoever releases such a mutex after a mutable access publishes, too, at the mutex itself.
//!
//! Whoever takes the mutex and then notifies has made a condition true itself, and came after nobody. So
//! what it heard when it took the mutex is *pending* until it does something that has a place in time,
//! or takes such a mutex again, and until then a notification takes it back.
//!
//! Which mutex it is, a wait says for certain. Before there was any, a notification has to guess: one that
//! the thread holds, or else the one that it has released last. A mutex that was guessed is marked by
//! whoever takes it next from another thread, for which all are asked to look out.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dashmap::DashMap;

use crate::agent::Agent;
use crate::atomics::{Mutex, const_fn, lock};
use crate::finding::{LockId, LockKind};
use crate::foresight::passage::{self, Place};
use crate::held::Held;
use crate::lock_order::clock::Parcel;
use crate::op::Mode;

/// Which mutex a condition variable is used with, as far as is known.
///
/// | value | meaning |
/// |---|---|
/// | 0 | nothing is known |
/// | even | mutexes were guessed, this one last |
/// | odd | a wait has said so |
/// | all ones | with several |
pub(crate) struct Link(AtomicU64);

const SEVERAL: u64 = u64::MAX;

// All of it Relaxed: what is not known yet can only make somebody come after too little.

impl Link {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn is_certain(&self) -> bool {
        self.0.load(Ordering::Relaxed) & 1 != 0
    }

    /// Whether a wait has said that it is this mutex.
    #[inline]
    pub(crate) fn is_with(&self, mutex: LockId) -> bool {
        self.0.load(Ordering::Relaxed) == mutex.0 << 1 | 1
    }

    /// The only one that it is known or thought to be.
    fn mutex(&self) -> Option<LockId> {
        let link = self.0.load(Ordering::Relaxed);
        (link != 0 && link != SEVERAL).then_some(LockId(link >> 1))
    }

    /// A wait of `condvar` says that it is this mutex.
    pub(crate) fn set(&self, condvar: LockId, mutex: LockId) {
        let certain = mutex.0 << 1 | 1;
        let known = match self.0.swap(certain, Ordering::Relaxed) {
            old if old & 1 != 0 && old != certain => self.0.swap(SEVERAL, Ordering::Relaxed),
            old => old,
        };
        // What was guessed wrongly does not count any more.
        if known != 0 && known & 1 == 0 && known != mutex.0 << 1 {
            CONDVARS.iter_mut().for_each(|mut entry| entry.retain(|&of_it| of_it != condvar));
        }
        register(condvar, mutex);
    }

    /// Tells those who take the mutex that there is something new.
    fn spread(&self) {
        match self.0.load(Ordering::Relaxed) {
            link if link & 1 != 0 && link != SEVERAL => bump(version_of(LockId(link >> 1))),
            _ => VERSIONS.iter().for_each(bump),
        }
    }
}

/// The condition variables of each mutex that has any.
static CONDVARS: LazyLock<DashMap<LockId, Vec<LockId>>> = LazyLock::new(DashMap::new);

/// Of so many mutexes that is kept, and of so many condition variables of one. Then all is forgotten,
/// until the next wait or guess says it again.
const MUTEXES_MAX: usize = 65_536;
const CONDVARS_MAX: usize = 16;

/// Returns whether that is news.
fn register(condvar: LockId, mutex: LockId) -> bool {
    if !CONDVARS.contains_key(&mutex) && CONDVARS.len() >= MUTEXES_MAX {
        CONDVARS.clear();
    }
    let mut condvars = CONDVARS.entry(mutex).or_default();
    let is_new = !condvars.contains(&condvar) && condvars.len() < CONDVARS_MAX;
    if is_new {
        condvars.push(condvar);
    }
    is_new
}

/// How often something new was published for a mutex, or for another one with the same remainder.
static VERSIONS: [AtomicU64; 64] = [const { AtomicU64::new(1) }; 64];

fn version_of(mutex: LockId) -> &'static AtomicU64 {
    &VERSIONS[mutex.0 as usize % VERSIONS.len()]
}

/// Release pairs with the Acquire in `version`: who sees the new version finds what was published. But who
/// has to see it has taken the mutex after the publisher anyway.
fn bump(version: &AtomicU64) {
    version.fetch_add(1, Ordering::Release);
}

#[inline]
pub(crate) fn version(mutex: LockId) -> u64 {
    version_of(mutex).load(Ordering::Acquire)
}

/// `agent` notifies whoever waits at `condvar`, or may come to. `others` are all agents.
pub(crate) fn signal<'a>(
    condvar: LockId,
    link: &Link,
    agent: &Agent,
    others: impl Iterator<Item = &'a Agent>,
) {
    agent.time.conditions.take_back(condvar, link.mutex());
    if !link.is_certain() {
        guess(condvar, link, agent, others);
    }
    if passage::publish_weakly_at(Place::Lock(condvar), agent, Agent::publish_weakly) {
        link.spread();
    }
}

/// `agent` is about to release a mutex of conditions, and may have changed one.
pub(crate) fn changes(mutex: LockId, agent: &Agent) {
    // What it has heard when it took the mutex is there already.
    if passage::publish_weakly_at(Place::Lock(mutex), agent, Agent::publish_weakly_apart) {
        bump(version_of(mutex));
    }
}

/// Nobody has ever waited at `condvar`, so nobody has said which mutex it belongs to.
fn guess<'a>(condvar: LockId, link: &Link, agent: &Agent, others: impl Iterator<Item = &'a Agent>) {
    let is_mutex =
        |held: &Held| held.access.kind == LockKind::Mutex && held.access.mode == Mode::Exclusive;
    let mut guesses = Vec::new();
    agent.held.for_each(|held| guesses.extend(Some(held).filter(is_mutex)));
    if guesses.is_empty() {
        guesses.extend(agent.held.last_released().filter(is_mutex));
    }
    let mut is_news = false;
    for held in guesses {
        link.0.store(held.lock.0 << 1, Ordering::Relaxed);
        if register(condvar, held.lock) {
            is_news = true;
            let mut awaited = lock(&AWAITED);
            // Who was not met after so many others is not likely to be met any more.
            if awaited.len() >= AWAITED_MAX {
                awaited.remove(0);
            }
            awaited.push(held.lock);
            LOOKS_LEFT.store(LOOKS_MAX, Ordering::Relaxed);
        }
    }
    if is_news {
        IS_ANY_AWAITED.store(true, Ordering::SeqCst);
        others.for_each(Agent::look_out);
    }
}

/// Mutexes that were guessed and not met since.
static AWAITED: LazyLock<Mutex<Vec<LockId>>> =
    LazyLock::new(|| Mutex::new(Vec::with_capacity(AWAITED_MAX)));
static IS_ANY_AWAITED: AtomicBool = AtomicBool::new(false);
static LOOKS_LEFT: AtomicU64 = AtomicU64::new(0);
const AWAITED_MAX: usize = 64;
/// So often agents look for one; then it is given up.
const LOOKS_MAX: u64 = 100_000;

/// Whether a new agent has to look out too.
pub(crate) fn is_any_awaited() -> bool {
    IS_ANY_AWAITED.load(Ordering::SeqCst)
}

/// `agent`, which looks out, has taken this mutex: whether it is one of those.
pub(crate) fn is_awaited(mutex: LockId, agent: &Agent) -> bool {
    let mut awaited = lock(&AWAITED);
    let found = awaited.iter().position(|&awaited| awaited == mutex);
    found.map(|at| awaited.swap_remove(at));
    if LOOKS_LEFT.fetch_sub(1, Ordering::Relaxed) <= 1 {
        awaited.clear();
    }
    if awaited.is_empty() {
        IS_ANY_AWAITED.store(false, Ordering::SeqCst);
        agent.look_out_no_more();
    }
    found.is_some()
}

/// What an agent has heard by taking mutexes of conditions.
pub(crate) struct Conditions {
    /// What it has seen of some mutexes: number and version.
    seen: [(AtomicU64, AtomicU64); SEEN],
    /// What was published at condition variables and mutexes, and is not taken for heard yet.
    pending: Mutex<Vec<(LockId, Parcel)>>,
    is_any_pending: AtomicBool,
}

const SEEN: usize = 8;

// Only the agent itself reads and writes it, so Relaxed.

impl Conditions {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                seen: [const { (AtomicU64::new(0), AtomicU64::new(0)) }; SEEN],
                pending: Mutex::new(Vec::new()),
                is_any_pending: AtomicBool::new(false),
            }
        }
    }

    /// Whether a mutex that was just taken has nothing new to tell, and nothing is pending.
    #[inline]
    pub(crate) fn is_settled(&self, mutex: LockId, version: u64) -> bool {
        let (seen, at) = &self.seen[mutex.0 as usize % SEEN];
        seen.load(Ordering::Relaxed) == mutex.0
            && at.load(Ordering::Relaxed) == version
            && !self.is_any_pending()
    }

    #[inline]
    pub(crate) fn is_any_pending(&self) -> bool {
        self.is_any_pending.load(Ordering::Relaxed)
    }

    /// Collects what is new for who has taken this mutex. Returns whether there is anything.
    pub(crate) fn collect(&self, mutex: LockId, version: u64) -> bool {
        let (seen, at) = &self.seen[mutex.0 as usize % SEEN];
        if seen.load(Ordering::Relaxed) == mutex.0 && at.load(Ordering::Relaxed) == version {
            return false;
        }
        seen.store(mutex.0, Ordering::Relaxed);
        at.store(version, Ordering::Relaxed);
        let condvars = CONDVARS.get(&mutex).map(|condvars| condvars.clone()).unwrap_or_default();
        let told = |at| Some((at, passage::told_at(Place::Lock(at))?));
        let new: Vec<_> = condvars.into_iter().chain([mutex]).filter_map(told).collect();
        if new.is_empty() {
            return false;
        }
        lock(&self.pending).extend(new);
        self.is_any_pending.store(true, Ordering::Relaxed);
        true
    }

    /// The agent itself notifies: what it heard at the condition variable, and at its mutex, was not for it.
    fn take_back(&self, condvar: LockId, mutex: Option<LockId>) {
        if self.is_any_pending() {
            // It may look at the same condition later, and then it was for it.
            self.forget_seen();
            let mut pending = lock(&self.pending);
            pending.retain(|&(of_it, _)| of_it != condvar && Some(of_it) != mutex);
            self.is_any_pending.store(!pending.is_empty(), Ordering::Relaxed);
        }
    }

    /// What was pending, and is heard now.
    pub(crate) fn take(&self) -> Vec<Parcel> {
        self.is_any_pending.store(false, Ordering::Relaxed);
        let pending = std::mem::take(&mut *lock(&self.pending));
        pending.into_iter().map(|(_, parcel)| parcel).collect()
    }

    pub(crate) fn clear(&self) {
        if self.is_any_pending() {
            drop(self.take());
        }
        self.forget_seen();
    }

    fn forget_seen(&self) {
        self.seen.iter().for_each(|(seen, _)| seen.store(0, Ordering::Relaxed));
    }
}
