//! Waits for what nobody owns, on the way to the lock order: a signal, a message, room for one, the end of a
//! thread.
//!
//! Who waits for such a thing while it holds a lock *wants* it, as others want a lock. Who gives it had to do
//! something first, since the last event that others can come after: that is its [stretch](crate::stretch). It
//! *holds* what it will give all that time, and each lock that it asks for meanwhile is wanted while that is
//! held. So a circle of locks may lead through it, and [`lock_order`](crate::lock_order) finds that.
//!
//! But anybody may give it. So only a wait and a giving that met are put together: the wait lasted, and had been
//! given nothing, when that was given. And who else was ever seen to give it has to be kept from that by the same
//! wait. What is predicted that way is told at the end, and taken back if somebody turns up who could have helped.
//!
//! Nothing is done for all this where nobody waits while holding a lock.

use std::sync::Arc;

use super::findings::Who;
use crate::agent::Agent;
use crate::atomics::{AtomicBool, Mutex, Ordering, lock};
use crate::current::{self, Working};
use crate::finding::{AgentId, LockKind};
use crate::foresight::{forecast, news};
use crate::held::Held;
use crate::lock_order::hold::Hold;
use crate::lock_order::prediction::Repeats;
use crate::op::{Mode, Op};
use crate::registry::Access;
use crate::site::Site;
use crate::tracker;
use crate::waits::source::Source;

/// What somebody is about to give, and what it had to get for that.
pub(crate) struct Pledge {
    /// What is given, as something that was held until now.
    pub(crate) given: Hold,
    /// The locks that it asked for in its stretch, holding nothing.
    pub(crate) asked: Vec<Hold>,
    /// What it asked for then while it held something, as its chain cache knows it.
    pub(crate) nested: Vec<Arc<Repeats>>,
    /// Who waits for it, in which of its waits, and has been given nothing yet.
    pub(crate) waiting: Vec<(AgentId, u64)>,
    /// Who has given it so far, if all are known.
    pub(crate) givers: Option<Vec<AgentId>>,
}

/// `agent` is about to wait for this without a time limit, and holds locks.
#[cold]
#[inline(never)]
pub(crate) fn awaited(agent: &Agent, source: &Source, op: Op, site: Site) {
    let Some(access) = access(source.kind, op) else { return };
    if current::is_in_allocator() {
        return;
    }
    source.set_under_lock();
    let wanted = Hold { lock: source.number(), access, created: source.origin, site };
    let request = agent.request(wanted, None, news::count());
    tracker::global().ledger.awaited(agent, request, agent.wait.seq() + 1);
}

/// `agent` is about to give this, for which somebody has waited while holding a lock.
#[cold]
#[inline(never)]
pub(crate) fn given(agent: &Agent, source: &Source, op: Op, site: Site) {
    let Some(access) = access(source.kind, op) else { return };
    let tracker = tracker::global();
    let waiting = |other: &Agent| {
        let published = other.wait.read()?;
        let awaited = published.source?;
        let is_it = std::ptr::eq(Arc::as_ptr(&awaited.source), source)
            && published.wait.access.op.is_endless()
            && !awaited.is_given();
        is_it.then(|| ((other.id(), published.seq), published.wait.lock_id()))
    };
    let others = tracker.agents.iter().filter(|other| other.is_live() && other.id() != agent.id());
    let (waiting, mutexes): (Vec<_>, Vec<_>) = others.filter_map(waiting).unzip();
    let given = Hold { lock: source.number(), access, created: source.origin, site };
    let (mut asked, mut nested) = (Vec::new(), Vec::new());
    if !waiting.is_empty() {
        asked.extend(agent.held.asked().filter(is_asked_for).map(Hold::from));
        let is_of_wait = |lock| mutexes.contains(&Some(lock));
        tracker.ledger.retain_wanted(&mut asked, is_of_wait);
        nested = agent.chains.made_under(agent.time.stamp());
    }
    // Who has not been on record so far is not put there for nothing.
    let is_of_interest = !(asked.is_empty() && nested.is_empty());
    let request = is_of_interest.then(|| agent.request(given, None, agent.held.stretch_news()));
    let pledge = Pledge { given, asked, nested, waiting, givers: source.givers() };
    let judged = tracker.ledger.given(agent, request.as_ref(), &pledge);
    forecast::pledged(agent, judged);
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
    pub(crate) nested: Vec<Arc<Repeats>>,
    /// How many news there were before all that.
    pub(crate) news: u64,
}

impl Ending {
    /// `agent` has ended.
    pub(crate) fn tell(&self, agent: &Agent) {
        let asked: Vec<Hold> = agent.held.asked().filter(is_asked_for).map(Hold::from).collect();
        let nested = agent.chains.made_under(agent.time.stamp());
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
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn joined(agent: &Agent, ending: &Ending, site: Site, working: Working) {
    if let Some(last) = ending.last_for(agent) {
        let found = tracker::global().ledger.joined(agent, &last, site);
        forecast::joined(agent, found, working);
    }
}
