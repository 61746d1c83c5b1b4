//! Agents: who acquires and who waits.
//!
//! An agent is what the C++ standard calls an execution agent: a thread today, an async task later.
//! Nothing here asks which thread runs it; that is the business of [`current`](crate::current).
//!
//! Records are kept in one list that only grows, so that a walk needs no lock and a pointer to a
//! record is always good. A record whose agent has ended is used again for a later one: memory is
//! proportional to the largest number of agents that lived at one time.

use std::sync::Arc;
use std::time::Instant;

use crate::atomics::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Mutex, Ordering, const_fn, lock, push,
};
use crate::contention::account::Account;
use crate::declared::extents::Extents;
use crate::finding::{AgentId, LockId, Participant, StartedBy, TestId};
use crate::foresight::chains::Chains;
use crate::foresight::chronicle::TimeSlot;
use crate::foresight::conditions;
use crate::foresight::news;
use crate::held::{Held, HeldStack};
use crate::numbers::{Block, next_number};
use crate::permits::Permits;
use crate::perturb::Branch;
use crate::registry::{Resource, ScopeId};
use crate::waits::slot::WaitSlot;

/// One agent's record.
///
/// The alignment keeps two agents' hot words out of one cache line (and out of one pair of lines,
/// which some processors fetch together).
#[repr(align(128))]
pub(crate) struct Agent {
    pub(crate) held: HeldStack,
    /// Of semaphores, which are no locks.
    pub(crate) permits: Permits,
    pub(crate) wait: WaitSlot,
    id: AtomicU64,
    /// Whether an agent uses this record now.
    live: AtomicBool,
    /// Its thread has ended, but it still holds something.
    ended: AtomicBool,
    os_id: AtomicU64,
    /// The scope that the agent runs in, as bits; 0 if none.
    scope: AtomicU64,
    /// Which requests it has made before.
    pub(crate) chains: Chains,
    /// Its place in time, for the lock order; see [`chronicle`](crate::foresight::chronicle).
    pub(crate) time: TimeSlot,
    /// Entries of `held` whose guards were dropped by another agent. The owner drops them from the
    /// stack when it next comes by; readers leave them out.
    released_elsewhere: Mutex<Vec<Elsewhere>>,
    /// Why the owner has to look twice when it has taken a lock from another agent: [`RELEASED`] if there
    /// are any of those, [`LOOKOUT`].
    alert: AtomicU64,
    /// Why it takes the slow path; see [`Cold`]. The agent's own: Relaxed.
    cold: AtomicU32,
    /// The declarations that it is bound by.
    pub(crate) extents: Extents,
    /// Its place in the tree of threads, for what is decided at random.
    pub(crate) branch: Branch,
    /// For the locks that it is the first to use.
    pub(crate) numbers: Block,
    /// How long it has waited, and for what; and those whose record this was before.
    pub(crate) account: Account,
    /// Locks held when a finding was raised, whose release during its panic shall not poison them.
    forgiven: Mutex<Vec<LockId>>,
    identity: Mutex<Option<Arc<Identity>>>,
    /// The next record of the list; never changes once set.
    next: AtomicPtr<Agent>,
}

/// Why an agent takes the slow path with everything it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cold {
    /// Its thread is so far into its end that nobody will retire it.
    Ending = 1,
    /// What it holds shall not be poisoned by a panic under way.
    Forgiving = 2,
    /// A finding waits for it to come by.
    Deferred = 4,
    /// It is bound by declarations.
    Extent = 8,
    /// It is held up at random.
    Perturbed = 16,
}

/// What does not change while an agent lives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) started_by: Option<StartedBy>,
    /// The oldest ancestor and its name: under libtest the path of the test. `None` for an agent that
    /// is its own root.
    pub(crate) root: Option<AgentId>,
    pub(crate) root_name: Option<Arc<str>>,
    /// The `#[sync_trace::test]` that the agent belongs to.
    pub(crate) test: Option<TestId>,
}

const RELEASED: u64 = 1;
/// There are [mutexes](crate::foresight::conditions) to be met.
const LOOKOUT: u64 = 1 << 1;

impl Agent {
    const_fn! {
        fn new() -> Self {
            Self {
                held: HeldStack::new(),
                permits: Permits::new(),
                wait: WaitSlot::new(),
                id: AtomicU64::new(0),
                live: AtomicBool::new(false),
                ended: AtomicBool::new(false),
                os_id: AtomicU64::new(0),
                scope: AtomicU64::new(0),
                chains: Chains::new(),
                time: TimeSlot::new(),
                released_elsewhere: Mutex::new(Vec::new()),
                alert: AtomicU64::new(0),
                cold: AtomicU32::new(0),
                extents: Extents::new(),
                branch: Branch::new(),
                numbers: Block::new(),
                account: Account::new(),
                forgiven: Mutex::new(Vec::new()),
                identity: Mutex::new(None),
                next: AtomicPtr::new(std::ptr::null_mut()),
            }
        }
    }

    /// A stand-in that sends every operation to the out-of-line path and records nothing.
    #[cfg(not(loom))]
    pub(crate) const fn stand_in() -> Self {
        let mut agent = Self::new();
        agent.held.refuse_fast_path();
        agent.permits.refuse_fast_path();
        agent
    }

    pub(crate) fn id(&self) -> AgentId {
        AgentId(self.id.load(Ordering::Relaxed))
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// Whether its thread has ended with something held.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(crate) fn set_ended(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(crate) fn os_id(&self) -> Option<u64> {
        match self.os_id.load(Ordering::Relaxed) {
            0 => None,
            id => Some(id),
        }
    }

    /// Its thread is gone, and its record will not be used again. What it holds it will not release.
    #[cfg(not(loom))]
    pub(crate) fn vanish(&self) {
        match self.held.depth() {
            0 => self.live.store(false, Ordering::Release),
            _ => self.set_ended(),
        }
    }

    pub(crate) fn set_os_id(&self, id: u64) {
        self.os_id.store(id, Ordering::Relaxed);
    }

    pub(crate) fn scope(&self) -> Option<ScopeId> {
        match Resource::from_bits(self.scope.load(Ordering::Relaxed)) {
            Resource::Scope(id) => Some(id),
            Resource::Lock(_) | Resource::End(_) | Resource::Wakeup(_) => None,
        }
    }

    /// The scope waits for the agent no longer: it joins closures, and the agent's has returned.
    pub(crate) fn leave_scope(&self) {
        self.scope.store(0, Ordering::Relaxed);
    }

    pub(crate) fn identity(&self) -> Arc<Identity> {
        // The default is allocated after the leaf lock is released.
        let identity = lock(&self.identity).clone();
        identity.unwrap_or_default()
    }

    /// Attributes the agent, and those it will start, to a test.
    pub(crate) fn set_test(&self, test: Option<TestId>) {
        let identity = Arc::new(Identity { test, ..(*self.identity()).clone() });
        let old = lock(&self.identity).replace(identity);
        drop(old);
    }

    /// The oldest ancestor, which may be the agent itself.
    pub(crate) fn root(&self) -> AgentId {
        self.identity().root.unwrap_or_else(|| self.id())
    }

    /// As a finding shows it.
    pub(crate) fn participant(&self) -> Participant {
        let identity = self.identity();
        Participant {
            id: self.id(),
            name: identity.name.clone(),
            os_id: self.os_id(),
            started_by: identity.started_by.clone(),
        }
    }

    /// The locks that it holds, without what was released for it elsewhere; `None` if it was too busy.
    pub(crate) fn holds(&self) -> Option<Vec<Held>> {
        let mut held = self.held.read()?;
        let elsewhere = lock(&self.released_elsewhere);
        held.retain(|held| !elsewhere.iter().any(|entry| entry.is(held)));
        Some(held)
    }

    /// The same, and after them the permits.
    pub(crate) fn holds_and_permits(&self) -> Option<Vec<Held>> {
        let mut holds = self.holds()?;
        self.permits.add_to(&mut holds).then_some(holds)
    }

    /// Where what it holds is counted.
    #[cfg(not(loom))]
    pub(crate) fn stacks(&self) -> [&HeldStack; 2] {
        [&self.held, self.permits.counts()]
    }

    /// Forgets what was counted of it. Any thread.
    #[cfg(not(loom))]
    pub(crate) fn forget_counts(&self) {
        self.account.clear(self.stacks());
    }

    /// Notes that another agent has released the newest hold of `id` that `matches`. Any thread.
    pub(crate) fn release_elsewhere(&self, matches: impl Fn(&Held) -> bool) -> bool {
        let Some(held) = self.holds().and_then(|all| all.into_iter().rev().find(matches)) else {
            return false;
        };
        if lock(&self.released_elsewhere).iter().any(|entry| entry.is(&held)) {
            return false;
        }
        let entry = Elsewhere { lock: held.lock, stamp: held.stamp, at: Instant::now() };
        push(&self.released_elsewhere, entry);
        self.alert.fetch_or(RELEASED, Ordering::Release);
        true
    }

    /// Whether there is anything to look at when a lock was taken from another agent.
    #[inline]
    pub(crate) fn is_alert(&self) -> bool {
        self.alert.load(Ordering::Acquire) != 0
    }

    /// Whether other agents have released something for this one, which has not settled that yet.
    #[inline]
    pub(crate) fn has_to_settle(&self) -> bool {
        self.alert.load(Ordering::Acquire) & RELEASED != 0
    }

    /// From here on it looks at each lock that it takes from another agent. Any thread.
    pub(crate) fn look_out(&self) {
        self.alert.fetch_or(LOOKOUT, Ordering::Release);
    }

    pub(crate) fn look_out_no_more(&self) {
        self.alert.fetch_and(!LOOKOUT, Ordering::Relaxed);
    }

    pub(crate) fn looks_out(&self) -> bool {
        self.alert.load(Ordering::Relaxed) & LOOKOUT != 0
    }

    /// Removes from the stack what other agents have released. Owner only.
    #[cold]
    pub(crate) fn settle_elsewhere(&self) {
        self.alert.fetch_and(!RELEASED, Ordering::Relaxed);
        loop {
            let Some(entry) = lock(&self.released_elsewhere).pop() else { return };
            self.take_off(|held| entry.is(held));
            if self.extents.is_active() {
                self.extents.released(entry.lock, entry.at);
            }
        }
    }

    /// Marks every lock now held as one that a panic shall not poison, until [`refresh`] finds the
    /// panic over. Owner only.
    ///
    /// [`refresh`]: Self::refresh
    pub(crate) fn forgive(&self) {
        let mut held = Vec::with_capacity(self.held.depth());
        self.held.for_each(|entry| held.push(entry.lock));
        let old = std::mem::replace(&mut *lock(&self.forgiven), held);
        drop(old);
        self.set_cold(Cold::Forgiving);
    }

    /// Whether releasing `id` during a panic leaves it unpoisoned: once, because a lock that is taken
    /// again during the panic is another matter. Owner only.
    pub(crate) fn use_forgiveness(&self, id: LockId) -> bool {
        let mut forgiven = lock(&self.forgiven);
        let at = forgiven.iter().position(|held| *held == id);
        at.map(|at| forgiven.swap_remove(at)).is_some()
    }

    /// What an owner does for itself on the slow path: once no panic is under way, later panics poison
    /// again. Owner only.
    pub(crate) fn refresh(&self, panicking: bool) {
        if self.held.is_cold() && !panicking {
            // Nothing is freed: the allocator's own lock may be held.
            lock(&self.forgiven).clear();
            self.clear_cold(Cold::Forgiving);
            self.clear_cold(Cold::Deferred);
        }
    }

    /// From here on every operation takes the slow path. Owner only.
    pub(crate) fn set_cold(&self, why: Cold) {
        self.cold.store(self.cold.load(Ordering::Relaxed) | why as u32, Ordering::Relaxed);
        self.held.set_cold(true);
    }

    /// Whether this is a reason for it. Owner only.
    #[cfg(not(loom))]
    pub(crate) fn is_cold_for(&self, why: Cold) -> bool {
        self.cold.load(Ordering::Relaxed) & why as u32 != 0
    }

    /// This is no reason for it any more. Owner only.
    pub(crate) fn clear_cold(&self, why: Cold) {
        let reasons = self.cold.load(Ordering::Relaxed) & !(why as u32);
        self.cold.store(reasons, Ordering::Relaxed);
        self.held.set_cold(reasons != 0);
    }
}

/// A hold whose guard another agent has dropped.
#[derive(Clone, Copy)]
struct Elsewhere {
    lock: LockId,
    stamp: u64,
    at: Instant,
}

impl Elsewhere {
    fn is(&self, held: &Held) -> bool {
        self.lock == held.lock && self.stamp == held.stamp
    }
}

/// All agents of one tracker.
pub(crate) struct Agents {
    /// The newest record; the others follow by `next`.
    first: AtomicPtr<Agent>,
    /// Records that no agent uses. A leaf lock.
    free: Mutex<Vec<AgentPtr>>,
    /// How many do not wait for others, as far as is known: a hint, so Relaxed, and not a part of the model.
    awake: std::sync::atomic::AtomicIsize,
}

/// A record in the free list.
struct AgentPtr(*const Agent);

// SAFETY: the pointer is only turned back into a shared reference, and `Agent` is `Sync`.
unsafe impl Send for AgentPtr {}

impl Agents {
    pub(crate) fn new() -> Self {
        Self {
            first: AtomicPtr::new(std::ptr::null_mut()),
            free: Mutex::new(Vec::new()),
            awake: std::sync::atomic::AtomicIsize::new(0),
        }
    }

    /// Whether nobody is known who does not wait for somebody else.
    pub(crate) fn are_all_asleep(&self) -> bool {
        self.awake.load(Ordering::Relaxed) <= 0
    }

    /// Whether somebody besides the calling one, which is, does not.
    pub(crate) fn is_more_than_one_awake(&self) -> bool {
        self.awake.load(Ordering::Relaxed) > 1
    }

    /// One begins to wait for another one, or has ended.
    pub(crate) fn falls_asleep(&self) {
        self.awake.fetch_sub(1, Ordering::Relaxed);
    }

    /// It waits no longer, or there is one more.
    pub(crate) fn wakes_up(&self) {
        self.awake.fetch_add(1, Ordering::Relaxed);
    }

    /// A record for a new agent that runs in `scope`.
    pub(crate) fn admit(&self, identity: Identity, scope: Option<ScopeId>) -> &Agent {
        let agent = self.reuse().unwrap_or_else(|| self.add());
        let old = lock(&agent.identity).replace(Arc::new(identity));
        drop(old);
        agent.id.store(next_number().get(), Ordering::Relaxed);
        let scope = scope.map_or(0, |id| Resource::Scope(id).to_bits());
        agent.scope.store(scope, Ordering::Relaxed);
        agent.chains.clear();
        agent.held.forget_known();
        agent.time.clear();
        agent.held.begin_stretch(news::count());
        if conditions::is_any_awaited() {
            agent.look_out();
        }
        agent.os_id.store(0, Ordering::Relaxed);
        agent.ended.store(false, Ordering::Relaxed);
        agent.live.store(true, Ordering::Release);
        self.wakes_up();
        agent
    }

    fn reuse(&self) -> Option<&Agent> {
        let AgentPtr(record) = lock(&self.free).pop()?;
        // SAFETY: records are freed only when `self` is dropped.
        Some(unsafe { &*record })
    }

    fn add(&self) -> &Agent {
        let record = Box::into_raw(Box::new(Agent::new()));
        let mut first = self.first.load(Ordering::Relaxed);
        loop {
            // SAFETY: just allocated, and not shared before the exchange below.
            unsafe { (*record).next.store(first, Ordering::Relaxed) };
            // Release pairs with the Acquire in `iter`: who finds the record finds it initialised.
            match self.first.compare_exchange(first, record, Ordering::Release, Ordering::Relaxed) {
                // SAFETY: records are freed only when `self` is dropped.
                Ok(_) => return unsafe { &*record },
                Err(now) => first = now,
            }
        }
    }

    /// Only `me` is left, as far as it is among these. It waits for nobody.
    #[cfg(not(loom))]
    pub(crate) fn have_one_awake(&self, me: Option<&Agent>) {
        self.awake.store(isize::from(me.is_some()), Ordering::Relaxed);
    }

    /// Takes the record back from an agent that has ended and holds nothing.
    pub(crate) fn dismiss(&self, agent: &Agent) {
        agent.held.clear();
        agent.permits.clear();
        agent.cold.store(0, Ordering::Relaxed);
        agent.extents.clear();
        agent.time.set_bound(0);
        lock(&agent.forgiven).clear();
        agent.live.store(false, Ordering::Release);
        self.falls_asleep();
        push(&self.free, AgentPtr(agent));
    }

    /// Takes back the record `agent` for the agent `id` that has just left it, if nobody else has
    /// got it since: a thread's later destructors act under the same number and name.
    pub(crate) fn readmit(&self, agent: &Agent, id: AgentId) -> bool {
        let mut free = lock(&self.free);
        let at = free.iter().position(|record| std::ptr::eq(record.0, agent));
        match at.filter(|_| agent.id() == id) {
            Some(at) => {
                free.swap_remove(at);
                drop(free);
                agent.live.store(true, Ordering::Release);
                self.wakes_up();
                true
            }
            None => false,
        }
    }

    /// Every record, also those without an agent, newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Agent> {
        let at = |record: *mut Agent| {
            // SAFETY: the list holds null or pointers to records, which are freed only when `self`
            // is dropped.
            unsafe { record.as_ref() }
        };
        std::iter::successors(at(self.first.load(Ordering::Acquire)), move |agent| {
            at(agent.next.load(Ordering::Relaxed))
        })
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        let mut record = self.first.load(Ordering::Relaxed);
        while !record.is_null() {
            // SAFETY: `add` made it from a `Box`, and nobody can hold a reference any more: they
            // all borrow from `self`.
            let agent = unsafe { Box::from_raw(record) };
            record = agent.next.load(Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::held::Entry;
    use crate::registry::tests::{ACCESS, DOWNGRADED};
    use crate::registry::word;
    use crate::site::{Origin, Site};

    fn hold(agent: &Agent, lock: u64, access: &'static crate::registry::Access) {
        let here = Site::caller();
        let created = Origin::unnamed(here);
        let entry = Entry { word: word::of(LockId(lock)), access, created, site: here };
        assert!(agent.held.push(&entry));
    }

    fn held(agent: &Agent) -> Vec<u64> {
        agent.holds().unwrap().iter().map(|held| held.lock.0).collect()
    }

    #[test]
    fn records_are_used_again_and_numbers_are_not() {
        let agents = Agents::new();
        let first = agents.admit(Identity::default(), None);
        let id = first.id();
        agents.dismiss(first);
        let second = agents.admit(Identity::default(), None);
        assert!(std::ptr::eq(first, second));
        assert_ne!(second.id(), id);
        assert_eq!(agents.iter().count(), 1);
        agents.admit(Identity::default(), None);
        assert_eq!(agents.iter().count(), 2);
    }

    #[test]
    fn an_agent_that_comes_back_keeps_its_number_unless_its_record_is_gone() {
        let agents = Agents::new();
        let agent = agents.admit(Identity::default(), None);
        let id = agent.id();
        agents.dismiss(agent);
        assert!(agents.readmit(agent, id));
        assert_eq!(agent.id(), id);
        agents.dismiss(agent);
        agents.admit(Identity::default(), None);
        assert!(!agents.readmit(agent, id));
    }

    #[test]
    fn what_another_agent_released_counts_no_longer() {
        let agents = Agents::new();
        let agent = agents.admit(Identity::default(), None);
        (1..=3).for_each(|lock| hold(agent, lock, DOWNGRADED));
        assert!(agent.release_elsewhere(|held| held.lock == LockId(2)));
        assert_eq!(held(agent), [1, 3]);
        assert!(!agent.release_elsewhere(|held| held.lock == LockId(2)));
        // Taken again by the agent itself: that acquisition is another one.
        hold(agent, 2, DOWNGRADED);
        assert_eq!(held(agent), [1, 3, 2]);
        agent.settle_elsewhere();
        assert_eq!(held(agent), [1, 3, 2]);
        assert_eq!(agent.held.depth(), 3);
    }

    #[test]
    fn forgiveness_ends_with_the_panic() {
        let agents = Agents::new();
        let agent = agents.admit(Identity::default(), None);
        hold(agent, 1, ACCESS);
        agent.forgive();
        agent.refresh(true);
        assert!(!agent.use_forgiveness(LockId(2)));
        assert!(agent.use_forgiveness(LockId(1)) && !agent.use_forgiveness(LockId(1)));
        agent.forgive();
        agent.refresh(false);
        assert!(!agent.use_forgiveness(LockId(1)));
    }
}
