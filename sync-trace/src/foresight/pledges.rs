//! Waits for what nobody owns, on the way to the lock order: a signal, a message, room for one, a permit, the
//! end of a thread.
//!
//! Who waits for such a thing while it holds a lock *wants* it, as others want a lock. Who gives it had to do
//! something first, since the last event that others can come after: that is its [stretch](crate::stretch). It
//! *holds* what it will give all that time, and each lock that it asks for meanwhile is wanted while that is
//! held. So a circle of locks may lead through it, and [`lock_order`](crate::lock_order) finds that.
//!
//! A giver may also have done something that made the other one wait, such as to take the last message out. What
//! it asked for before that is left out: had it been kept from it, there would have been no wait. So a message
//! that is received begins a new stretch, and of who signals it is looked whether it has taken the mutex of the
//! condition since.
//!
//! But anybody may give it. So only a wait and a giving that met are put together: the wait lasted, and had been
//! given nothing, when that was given. And who else was ever seen to give it has to be kept from that by the same
//! wait. What is predicted that way is told at the end, and taken back if somebody turns up who could have helped.
//!
//! Nothing is done for all this where nobody waits while holding a lock.

use std::sync::Arc;
use std::sync::atomic::AtomicU64 as GlobalU64;

use super::findings::Who;
use crate::agent::Agent;
use crate::atomics::{AtomicBool, Mutex, Ordering, lock};
#[cfg(not(loom))]
use crate::current::{self, Working};
use crate::finding::{AgentId, LockId, LockKind};
#[cfg(not(loom))]
use crate::foresight::{news, reactions};
use crate::held::Held;
use crate::lock_order::hold::Hold;
use crate::lock_order::prediction::Noted;
use crate::op::{Mode, Op};
use crate::registry::Access;
#[cfg(not(loom))]
use crate::site::Site;
use crate::stretch::Met;
#[cfg(not(loom))]
use crate::tracker;
#[cfg(not(loom))]
use crate::waits::slot::Awaited;
#[cfg(not(loom))]
use crate::waits::source::Source;

/// What somebody is about to give, and what it had to get for that.
pub(crate) struct Pledge {
    /// What is given, as something that was held until now.
    pub(crate) given: Hold,
    /// The locks that it asked for in its stretch, holding nothing.
    pub(crate) asked: Vec<Hold>,
    /// What it asked for then while it held something, as its chain cache knows it.
    pub(crate) nested: Vec<Noted>,
    /// Which mutexes of conditions it has taken then.
    pub(crate) met: Met,
    /// Who waits for it, and has been given nothing yet.
    pub(crate) waiting: Vec<Waiter>,
    /// Who has given it so far, if all are known.
    pub(crate) givers: Option<Vec<AgentId>>,
}

/// Who waits for what is given.
pub(crate) struct Waiter {
    pub(crate) agent: AgentId,
    /// Which of its waits that is.
    pub(crate) seq: u64,
    /// The mutex of its condition, if it waits for a signal.
    pub(crate) mutex: Option<LockId>,
}

/// A wait under locks.
#[derive(Clone, Copy)]
pub(crate) struct Awaiting {
    /// Which wait of its agent's it is.
    pub(crate) seq: u64,
    /// And which one under locks.
    pub(crate) number: u64,
}

/// So often it is looked whether a wait says what it is for.
const TOLD_SOON: usize = 100;

/// How many waits under locks there have been.
static WAITS: GlobalU64 = GlobalU64::new(0);

/// The same. Relaxed: who has taken a mutex after one that waits with it counts that wait.
#[inline]
pub(crate) fn waits() -> u64 {
    WAITS.load(Ordering::Relaxed)
}

/// `agent` is about to wait for this without a time limit, and holds locks.
#[cfg(not(loom))]
#[cold]
#[inline(never)]
pub(crate) fn awaited(agent: &Agent, source: &Source, op: Op, site: Site) {
    let Some(access) = access(source.kind, op) else { return };
    if current::is_in_allocator() {
        return;
    }
    source.set_under_lock();
    let wanted = Hold { lock: source.number(), access, created: source.origin, site };
    let request = agent.request(wanted, news::count(), |_| Noted::alone(agent.id()));
    let seq = agent.wait.seq() + 1;
    let number = WAITS.fetch_add(1, Ordering::Relaxed) + 1;
    tracker::global().ledger.awaited(agent, request, Awaiting { seq, number });
}

/// `agent` is about to give this, for which somebody has waited while holding a lock.
#[cfg(not(loom))]
#[cold]
#[inline(never)]
pub(crate) fn given(agent: &Agent, source: &Source, op: Op, site: Site) {
    let Some(access) = access(source.kind, op) else { return };
    let tracker = tracker::global();
    let is_given = |awaited: &Awaited| {
        awaited.is_given() || !std::ptr::eq(Arc::as_ptr(&awaited.source), source)
    };
    let waiting = |other: &Agent| {
        let mut published = other.wait.read()?;
        // What a wait is for is told a moment after the wait itself.
        for _ in 0..TOLD_SOON {
            if published.source.is_some() || published.wait.lock_id() != Some(source.id) {
                break;
            }
            std::thread::yield_now();
            published = other.wait.read()?;
        }
        let is_endless = published.wait.access.op.is_endless();
        if !is_endless || published.source.as_ref().is_none_or(is_given) {
            return None;
        }
        let mutex = published.wait.lock_id().filter(|&lock| lock != source.id);
        Some(Waiter { agent: other.id(), seq: published.seq, mutex })
    };
    let others = tracker.agents.iter().filter(|other| other.is_live() && other.id() != agent.id());
    let waiting: Vec<Waiter> = others.filter_map(waiting).collect();
    let given = Hold { lock: source.number(), access, created: source.origin, site };
    let (mut asked, mut nested) = (Vec::new(), Vec::new());
    if !waiting.is_empty() {
        asked.extend(agent.held.asked().filter(is_asked_for).map(Hold::from));
        nested = agent.nested_in_stretch();
    }
    let met = agent.held.met();
    let pledge = Pledge { given, asked, nested, met, waiting, givers: source.givers() };
    // Who has not been on record so far is not put there for nothing.
    let is_of_interest = tracker.ledger.is_of_interest(&pledge);
    let noted = |_| Noted::alone(agent.id());
    let news = agent.held.stretch_news();
    let request = is_of_interest.then(|| agent.request(given, news, noted));
    let judged = tracker.ledger.given(agent, request.as_ref(), &pledge);
    reactions::pledged(agent, judged);
}

/// Whether a hold is of a lock that its thread would have waited for.
pub(crate) fn is_asked_for(held: &Held) -> bool {
    matches!(held.access.op, Op::Lock | Op::Read | Op::Write)
}

/// A wait for a signal or a message, or the giving of one, as what is wanted or held.
fn access(kind: LockKind, op: Op) -> Option<&'static Access> {
    macro_rules! accesses {
        ($($kind:ident: $($op:ident)*;)*) => {
            match (kind, op) {
                $($((LockKind::$kind, Op::$op) => Some(const {
                    &Access { kind: LockKind::$kind, type_name: || "", mode: Mode::Exclusive, op: Op::$op }
                }),)*)*
                _ => None,
            }
        };
    }
    accesses! {
        Condvar: Wait WaitWhile NotifyOne NotifyAll;
        Channel: Send TrySend Recv Next TryRecv RecvTimeout;
        Semaphore: Acquire AcquireMany AcquireOwned AcquireManyOwned AddPermits;
    }
}

/// How a thread has ended, for whoever joins it.
#[derive(Default)]
pub(crate) struct Ending {
    last: Mutex<Option<Arc<Last>>>,
    /// Whether somebody has seen that it has ended and so comes after all that it did.
    is_seen: AtomicBool,
}

/// What a thread did last, after everything that others can have come after but for its end.
pub(crate) struct Last {
    pub(crate) who: Who,
    /// The locks that it asked for, holding nothing.
    pub(crate) asked: Vec<Hold>,
    /// What it asked for while it held something.
    pub(crate) nested: Vec<Noted>,
    /// How many news there were before all that.
    pub(crate) news: u64,
}

impl Ending {
    /// `agent` has ended.
    pub(crate) fn tell(&self, agent: &Agent) {
        let asked: Vec<Hold> = agent.held.asked().filter(is_asked_for).map(Hold::from).collect();
        let nested = agent.nested_in_stretch();
        if asked.is_empty() && nested.is_empty() {
            return;
        }
        let last = Last { who: Who::of(agent), asked, nested, news: agent.held.stretch_news() };
        let old = lock(&self.last).replace(Arc::new(last));
        drop(old);
    }

    /// Somebody has seen that it has ended. Relaxed: the thread that asks later is told by the program.
    pub(crate) fn set_seen(&self) {
        self.is_seen.store(true, Ordering::Relaxed);
    }

    /// What `agent`, which has just joined the thread, may have kept it from doing.
    fn last_for(&self, agent: &Agent) -> Option<Arc<Last>> {
        let last = Arc::clone(lock(&self.last).as_ref()?);
        let knows = self.is_seen.load(Ordering::Relaxed) || agent.comes_after_all_before(last.news);
        (!knows).then_some(last)
    }
}

/// `agent`, which holds locks, has joined a thread at this line.
#[cfg(not(loom))]
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn joined(agent: &Agent, ending: &Ending, site: Site, working: Working) {
    if let Some(last) = ending.last_for(agent) {
        let found = tracker::global().ledger.joined(agent, &last, site);
        reactions::joined(agent, found, working);
    }
}
