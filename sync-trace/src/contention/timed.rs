//! The time that a wait takes, and whom it is charged to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::account::Memory;
use super::stats::Ended;
use super::table::Wanted;
use crate::agent::Agent;
use crate::config::Contention;
use crate::current::{self, Working};
use crate::finding::{LockId, LockKind};
use crate::op::Mode;
use crate::registry::Resource;
use crate::site::Site;
use crate::tracker::Tracker;

/// Whether waits are counted, and since when. Both change seldom, and say nothing of other memory: Relaxed.
pub(crate) struct Recording {
    is_on: AtomicBool,
    /// Whether every hold is measured.
    is_full: AtomicBool,
    since_ns: AtomicU64,
}

impl Recording {
    pub(crate) fn new(which: Contention) -> Self {
        let recording = Self {
            is_on: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            since_ns: AtomicU64::new(0),
        };
        recording.set(which);
        recording
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, which: Contention) {
        self.is_on.store(which != Contention::Off, Ordering::Relaxed);
        self.is_full.store(which == Contention::Full, Ordering::Relaxed);
    }

    /// Since when waits are counted, on the tracker's clock.
    pub(crate) fn since_ns(&self) -> u64 {
        self.since_ns.load(Ordering::Relaxed)
    }

    /// What was counted so far is about to be forgotten.
    pub(crate) fn restart(&self, now_ns: u64) {
        self.since_ns.store(now_ns, Ordering::Relaxed);
    }
}

/// A wait that is counted when this is dropped.
pub(crate) struct Timed {
    tracker: &'static Tracker,
    agent: &'static Agent,
    wanted: Wanted,
    ended: Ended,
    since_ns: u64,
    /// When it was still going on, if that is close enough to its end.
    until_ns: Option<u64>,
}

/// So many agents are looked at for who reads a lock.
const READERS_LOOKED_AT: usize = 64;
/// The same for who waits for one.
const WAITERS_LOOKED_AT: usize = 64;

impl Timed {
    /// `agent` begins to wait; `None` if that is not to be counted. `owner` is who holds that alone, if
    /// anybody is known to.
    pub(crate) fn begin(
        tracker: &'static Tracker,
        agent: &'static Agent,
        wanted: &Wanted,
        waiter: Site,
        owner: Option<&Agent>,
    ) -> Option<Self> {
        if !tracker.contention.is_on() {
            return None;
        }
        let since_ns = tracker.now_ns();
        let mut ended = Ended::new(waiter);
        if let Some(owner) = owner {
            charge(&mut ended, owner, wanted.lock);
        }
        if !current::is_in_allocator() {
            // Not when it ends: then it holds what others wait for.
            let _working = Working::begin();
            agent.account.make_room();
        }
        Some(Self { tracker, agent, wanted: *wanted, ended, since_ns, until_ns: None })
    }

    /// As [`begin`](Self::begin) for a lock that will be free soon, perhaps. Where that happens often, the clock and
    /// a look at what the owner holds, whose cache line it takes away, cost more than the wait: so some of those
    /// are chosen at random, and count for all. One that lasts [longer](Self::settles_down) counts for itself.
    pub(crate) fn begin_soon_over(
        tracker: &'static Tracker,
        agent: &'static Agent,
        wanted: &Wanted,
        waiter: Site,
        owner: Option<&Agent>,
    ) -> Option<Self> {
        let weight = agent.account.chosen_wait(tracker)?;
        let mut timed = Self::begin(tracker, agent, wanted, waiter, owner)?;
        timed.ended.weight = weight.into();
        Some(timed)
    }

    /// The wait goes on, and is about to be over, perhaps. So the clock is read while others have the lock.
    pub(crate) fn goes_on(&mut self) {
        self.until_ns = Some(self.tracker.now_ns());
    }

    /// The wait goes on for longer: there is time to look who is to blame.
    pub(crate) fn settles_down(&mut self, owner: Option<&Agent>, looks_around: bool) {
        self.until_ns = None;
        // All such waits are counted.
        self.ended.weight = 1;
        if looks_around {
            let others = others_waiting(self.tracker, self.agent, self.wanted.lock);
            self.ended.queued = 1 + others.count() as u64;
        }
        if self.ended.holder.is_some() {
            return;
        }
        match owner {
            Some(owner) => charge(&mut self.ended, owner, self.wanted.lock),
            None if self.wanted.kind == LockKind::RwLock => self.charge_a_reader(),
            None => {}
        }
    }

    /// Somebody reads the lock, or else a writer queues behind a reader: the first that is found.
    fn charge_a_reader(&mut self) {
        let lock = self.wanted.lock;
        let mut agents = self.tracker.agents.iter().take(READERS_LOOKED_AT);
        let reads =
            |agent: &Agent| agent.held.find(lock).filter(|found| found.mode != Mode::Exclusive);
        self.ended.holder = agents.find_map(reads).map(|found| found.site);
    }

    /// Its time is over, and what was waited for has not come.
    pub(crate) fn times_out(&mut self) {
        self.ended.has_timed_out = true;
    }
}

/// The other agents that wait for the lock now, among those that are looked at.
pub(crate) fn others_waiting<'t>(
    tracker: &'t Tracker,
    me: &'t Agent,
    lock: LockId,
) -> impl Iterator<Item = &'t Agent> {
    let lock = Resource::Lock(lock);
    let others = tracker.agents.iter().take(WAITERS_LOOKED_AT);
    others.filter(move |agent| {
        !std::ptr::eq(*agent, me) && agent.wait.is_waiting() && agent.wait.target() == lock
    })
}

/// What `owner` holds keeps the wait from ending.
fn charge(ended: &mut Ended, owner: &Agent, lock: LockId) {
    if let Some(found) = owner.held.find(lock) {
        ended.holder = Some(found.site);
        ended.was_handed_on =
            found.newest.is_some_and(|version| owner.account.has_waited_for(version));
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        let Self { tracker, agent, wanted, .. } = *self;
        let until_ns = self.until_ns.unwrap_or_else(|| tracker.now_ns());
        // What came before the last reset was forgotten with it.
        let since_ns = self.since_ns.max(tracker.contention.since_ns());
        let ended = Ended { ns: until_ns.saturating_sub(since_ns), ..self.ended };
        let version = agent.held.next_version();
        if current::is_in_allocator() {
            agent.account.end(&wanted, &ended, version, Memory::IsOutOfReach);
        } else {
            let _working = Working::begin();
            agent.account.end(&wanted, &ended, version, Memory::MayBeTaken);
        }
    }
}
