//! The verbs for what is counted: waits are timed, and some holds; tries and notifications are noted.

use crate::agent::Agent;
use crate::contention::account::Memory;
use crate::contention::measured::{Removed, Running};
use crate::contention::parks;
use crate::contention::section::Sample;
use crate::contention::table::{Event, Wanted};
use crate::contention::timed::{Timed, others_waiting};
use crate::current::{self, Working};
use crate::finding::LockId;
use crate::held::Held;
use crate::op::Mode;
use crate::os;
use crate::registry::{Access, LockHeader};
use crate::site::{Origin, Site};
use crate::tracker::{self, Tracker};
use crate::waits::source::Source;

use super::Request;
use super::holds::{Ending, Used};

/// `agent` begins to wait for a lock.
pub(super) fn timed_lock(agent: &'static Agent, request: &Request<'_>) -> Option<Timed> {
    let wanted = Wanted::new(request.lock.number()?, request.access, request.lock.origin());
    Timed::begin(tracker::global(), agent, &wanted, request.site, request.lock.owner())
}

/// The same, and perhaps that is soon over.
pub(super) fn timed_spin(agent: &'static Agent, request: &Request<'_>) -> Option<Timed> {
    let wanted = Wanted::new(request.lock.number()?, request.access, request.lock.origin());
    let (tracker, owner) = (tracker::global(), request.lock.owner());
    Timed::begin_soon_over(tracker, agent, &wanted, request.site, owner)
}

/// `agent` begins to wait for what nobody owns.
pub(super) fn timed_source(
    agent: &'static Agent,
    source: &Source,
    created: Option<Origin>,
    site: Site,
) -> Option<Timed> {
    Timed::begin(tracker::global(), agent, &wanted(source, created), site, None)
}

/// `agent` begins to park at this line.
pub(super) fn timed_park(agent: &'static Agent, access: &Access, site: Site) -> Option<Timed> {
    let wanted = {
        let _working = Working::begin();
        parks::wanted(access, site)
    };
    Timed::begin(tracker::global(), agent, &wanted, site, None)
}

fn wanted(source: &Source, created: Option<Origin>) -> Wanted {
    Wanted {
        lock: source.id,
        kind: source.kind,
        type_name: || "",
        mode: Mode::Exclusive,
        created: created.unwrap_or(source.origin),
    }
}

/// The real lock was tried, and is not free.
#[cold]
#[inline(never)]
pub(crate) fn tried_in_vain(lock: &LockHeader, access: &'static Access) {
    if let Some(id) = lock.ensure_id() {
        note(&Wanted::new(id, access, lock.origin()), Event::TryFailed);
    }
}

/// What was counted and needs memory is put where it belongs.
#[cold]
#[inline(never)]
pub(super) fn drain() {
    if let Some(agent) = current::present().filter(|_| !current::is_in_allocator()) {
        let _working = Working::begin();
        agent.account.drain(&agent.held);
    }
}

/// A hold of the lock `id` has just begun, which is to be measured.
#[cold]
#[inline(never)]
pub(super) fn begins(agent: &'static Agent, id: LockId) {
    let Some(wants_cpu) = agent.held.wants_measure() else { return };
    let tracker = tracker::global();
    let cpu_ns = if wants_cpu { os::thread_cpu_ns() } else { None };
    let bypassed = !agent.account.has_waited_for(agent.held.version_number())
        && others_waiting(tracker, agent, id).next().is_some();
    let since_ns = tracker.now_ns();
    agent.held.begin_measure(Running { weight: 1, since_ns, cpu_ns, bypassed });
}

/// A hold has ended, and it is time to measure one, or it was.
#[cold]
#[inline(never)]
pub(super) fn due(ending: Ending<'_>) {
    let agent = current::current();
    let tracker = tracker::global();
    if !tracker.contention.is_on() {
        return agent.held.measure_none();
    }
    let ended = agent.held.ended();
    let ended_ns = ended.map(|(held, running)| measured(tracker, agent, &held, &running, ending));
    agent.held.measure_next(ended_ns, tracker.contention.is_full());
}

/// A hold was taken off the record in another way.
pub(super) fn removed(agent: &Agent, ending: Ending<'_>) {
    let Removed { ended, is_due } = agent.held.take_removed();
    if ended.is_none() && !is_due {
        return;
    }
    let tracker = tracker::global();
    if !tracker.contention.is_on() {
        return agent.held.measure_none();
    }
    let ended_ns = ended.map(|(held, running)| measured(tracker, agent, &held, &running, ending));
    if is_due {
        agent.held.measure_next(ended_ns, tracker.contention.is_full());
    }
}

/// Counts a hold that was measured. Returns when it has ended.
fn measured(
    tracker: &Tracker,
    agent: &Agent,
    held: &Held,
    running: &Running,
    ending: Ending<'_>,
) -> u64 {
    let now_ns = tracker.now_ns();
    let Running { weight, since_ns, cpu_ns, bypassed } = *running;
    let cpu_ns = cpu_ns.and_then(|since| Some(os::thread_cpu_ns()?.saturating_sub(since)));
    // What came before the last reset was forgotten with it.
    let ns = now_ns.saturating_sub(since_ns.max(tracker.contention.since_ns()));
    agent.held.took(ns);
    let was_mutable = ending.used == Used::Mutably;
    let address = std::ptr::from_ref(ending.lock).addr();
    let weight = weight.into();
    let sample = Sample { site: held.site, ns, weight, was_mutable, cpu_ns, bypassed, address };
    let wanted = Wanted::new(held.lock, held.access, held.created);
    if current::is_in_allocator() {
        agent.account.sampled(&wanted, &sample, Memory::IsOutOfReach);
    } else {
        let _working = Working::begin();
        agent.account.sampled(&wanted, &sample, Memory::MayBeTaken);
    }
    now_ns
}

/// A condition variable was notified, perhaps without anybody who waited.
pub(crate) fn notified(source: &Source, in_vain: bool) {
    note(&wanted(source, None), Event::Notified { in_vain });
}

fn note(wanted: &Wanted, event: Event) {
    if current::is_in_allocator() {
        return;
    }
    if let Some(agent) = current::recording()
        && tracker::global().contention.is_on()
    {
        let _working = Working::begin();
        agent.account.note(wanted, event);
    }
}
