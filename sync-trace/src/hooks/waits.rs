//! The verbs for waits: what may block is put on record, judged, and taken back.

use std::ops::Range;
use std::sync::Arc;

use crate::agent::Agent;
use crate::config::{Backtrace, EXIT_STATUS, OnViolation};
use crate::contention::timed::Timed;
use crate::current::{self, Child, Working};
use crate::declared;
use crate::finding::LockKind;
use crate::foresight::{news, pledges};
use crate::op::{Mode, Op};
use crate::os::{self, Stillness};
use crate::reaction::{self, Place};
use crate::registry::{Access, LockHeader, Resource, ScopeId};
use crate::site::{Origin, Site};
use crate::stall::{self, Helps, Last};
use crate::tracker::{self, Judgement, Limits, PATIENCE, PAUSE, Verdict};
use crate::waits::slot::Wait;
use crate::waits::source::{self, Source};

use super::holds::{Forgotten, Hold, Used, forget, popped, prepare};
use super::ordering::begin_stretch;
use super::timing::{timed_lock, timed_park, timed_source, timed_spin};
use super::{Request, point};

/// A wait that is on record until this is dropped.
#[must_use]
pub(crate) struct Waiting {
    recorded: Option<(&'static Agent, Resource)>,
    /// What it is for, if nobody owns that.
    source: Option<Arc<Source>>,
    /// Counts it when it ends.
    timed: Option<Timed>,
}

impl Waiting {
    const UNRECORDED: Self = Self { recorded: None, source: None, timed: None };

    fn timed(mut self, timed: Option<Timed>) -> Self {
        self.timed = timed;
        self
    }

    /// Its time is over, and what was waited for has not come.
    pub(crate) fn times_out(&mut self) {
        if let Some(timed) = &mut self.timed {
            timed.times_out();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.end_wait();
        }
        if let Some((agent, target)) = self.recorded {
            declared::waited(agent);
            tracker::global().unpublish(agent, target);
            current::retire_if_ending(agent);
        }
    }
}

/// The lock could not be had at once: judges the wait and puts it on record, until the returned
/// value is dropped; then the caller blocks. `None` if `retry` got the lock meanwhile.
///
/// # Panics
///
/// If the wait would never end, and the reaction is to panic.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn wait_for_lock(
    request: &Request<'_>,
    retry: &mut dyn FnMut() -> bool,
) -> Option<Waiting> {
    let mut timed = None;
    if let (Some(agent), Some(_)) = (current::recording(), request.lock.ensure_id()) {
        timed = timed_spin(agent, request);
        if spin(request.lock, agent, retry, timed.as_mut()) {
            return None;
        }
        let is_chosen = timed.is_some();
        timed = timed.or_else(|| timed_lock(agent, request));
        if let Some(timed) = &mut timed {
            timed.settles_down(request.lock.owner(), is_chosen);
        }
    }
    wait_for_holder(request, retry).map(|waiting| waiting.timed(timed))
}

/// A `Once`, or what is built on one, is not completed: somebody runs its closure, which holds it, or
/// the calling thread will be the one. Puts the wait on record, until the returned value is dropped;
/// then the caller calls the real one, whose closure drops the value before it does anything else.
/// `None` if `is_completed` says so meanwhile.
///
/// # Panics
///
/// As [`wait_for_lock`].
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn wait_for_once(
    request: &Request<'_>,
    is_completed: &mut dyn FnMut() -> bool,
) -> Option<Waiting> {
    // The closure may allocate and wait, so this is the last moment to make room for its record.
    prepare(request);
    // If nobody runs it yet, the caller will perhaps, and then it does not wait.
    let runs = request.lock.owner().is_some();
    let timed = current::recording().filter(|_| runs).and_then(|agent| timed_lock(agent, request));
    wait_for_holder(request, is_completed).map(|waiting| waiting.timed(timed))
}

#[track_caller]
fn wait_for_holder(request: &Request<'_>, retry: &mut dyn FnMut() -> bool) -> Option<Waiting> {
    let Some(agent) = current::recording() else {
        if current::is_working() {
            end_if_stuck(request.lock);
        }
        return Some(Waiting::UNRECORDED);
    };
    let Some(id) = request.lock.ensure_id() else { return Some(Waiting::UNRECORDED) };
    let wait = request.wait(id);
    let owner = || request.lock.owner();
    let place = Place::here(request.lock.reaction());
    begin_wait(agent, &wait, &owner, place, retry)
}

/// The tracker has allocated while its thread held `lock`, and the allocator takes that lock: it was
/// not known for one of the allocator's. The thread waits for itself, and has to say so without
/// memory.
fn end_if_stuck(lock: &LockHeader) {
    let mut own = false;
    if let Some(agent) = current::home() {
        agent.held.for_each(|held| own |= Some(held.lock) == lock.recorded_id());
    }
    if own {
        os::write_stderr(
            "error: sync-trace cannot judge a wait inside the memory allocator: make the allocator's \
             locks with `untracked!`\n",
        );
        os::exit_at_once(EXIT_STATUS);
    }
}

/// How long the lock is tried before the wait is put on record: pauses, about as many as `std` makes
/// before it asks the kernel, and how many of them at most lie between two tries. Each try takes the
/// lock's cache line away from the thread that is about to release it.
const PAUSES: u32 = 100;
const PAUSES_BETWEEN: u32 = 16;

/// Waits a moment for a lock that may soon be free, without putting anything on record.
fn spin(
    lock: &LockHeader,
    agent: &Agent,
    retry: &mut dyn FnMut() -> bool,
    mut timed: Option<&mut Timed>,
) -> bool {
    let mut own = false;
    agent.held.for_each(|held| own |= Some(held.lock) == lock.number());
    if own {
        return false;
    }
    let (mut paused, mut between) = (0, 1);
    while paused < PAUSES {
        (0..between).for_each(|_| std::hint::spin_loop());
        if let Some(timed) = &mut timed {
            timed.goes_on();
        }
        if retry() {
            return true;
        }
        paused += between;
        between = (between * 2).min(PAUSES_BETWEEN);
    }
    false
}

/// Waits for the end of threads. They need all of it, so nobody shares.
const JOIN: Access =
    Access { kind: LockKind::Thread, type_name: || "", mode: Mode::Exclusive, op: Op::Join };
const SCOPE_END: Access = Access { op: Op::Scope, ..JOIN };

/// A thread is about to be joined.
///
/// # Panics
///
/// As [`wait_for_lock`].
#[track_caller]
pub(crate) fn wait_for_end(child: Option<&Child>, site: Site) -> Waiting {
    point();
    let (Some(agent), Some(child)) = (current::recording(), child) else {
        return Waiting::UNRECORDED;
    };
    let target = Resource::End(child.id());
    let wait = Wait { target, access: &JOIN, site, created: None };
    let owner = || child.agent();
    begin_wait(agent, &wait, &owner, Place::here(None), &mut || child.agent().is_none())
        .unwrap_or(Waiting::UNRECORDED)
}

/// A thread was joined that has not panicked: whether it might have needed what the calling one holds.
///
/// # Panics
///
/// If it might, and the reaction is to panic.
#[track_caller]
pub(crate) fn joined(child: Option<&Child>, site: Site) {
    if let (Some(agent), Some(child)) = (current::present(), child)
        && agent.held.depth() > 0
        && !current::is_in_allocator()
    {
        pledges::joined(agent, child.ending(), site, Working::begin());
    }
}

/// All threads of a scope are about to be joined, and not even a panic will stop that.
#[track_caller]
pub(crate) fn wait_for_scope(scope: ScopeId, site: Site) -> Waiting {
    point();
    let Some(agent) = current::recording() else { return Waiting::UNRECORDED };
    let target = Resource::Scope(scope);
    let wait = Wait { target, access: &SCOPE_END, site, created: None };
    begin_wait(agent, &wait, &|| None, Place::Bound(None), &mut || false)
        .unwrap_or(Waiting::UNRECORDED)
}

/// Puts a wait on record.
fn put_on_record(agent: &'static Agent, wait: &Wait, source: Option<Arc<Source>>) -> Waiting {
    let tracker = tracker::global();
    if let Some(source) = &source {
        source.begin_wait();
    }
    tracker.publish(agent, wait);
    if let Some(source) = &source {
        agent.wait.set_source(source);
        if wait.access.op.is_endless() {
            stall::keep_watch();
        }
    }
    if tracker.config().backtrace == Backtrace::Waits && !current::is_in_allocator() {
        agent.wait.set_stack(backtrace::Backtrace::new_unresolved());
    }
    Waiting { recorded: Some((agent, wait.target)), source, timed: None }
}

/// Puts a wait on record for something that nobody owns. `created` is where that was created, if its name
/// may have changed since. `helps` is asked where all others sleep; it may itself take what is waited for.
///
/// # Panics
///
/// If nobody is left who could give it, and the reaction is to panic.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn wait_for_signal(
    source: Arc<Source>,
    created: Option<Origin>,
    access: &'static Access,
    site: Site,
    own: Option<OnViolation>,
    helps: Helps<'_>,
) -> Waiting {
    let Some(agent) = current::recording() else {
        source.begin_wait();
        return Waiting { recorded: None, source: Some(source), timed: None };
    };
    let (target, created) = (Resource::Lock(source.id), created.or(Some(source.origin)));
    let wait = Wait { target, access, site, created };
    declared::may_wait(agent, &wait, None);
    let timed = timed_source(agent, &source, created, site);
    let working = Working::begin();
    if agent.held.depth() > 0 && access.op.is_endless() {
        pledges::awaited(agent, &source, access.op, site);
    }
    let waiting = put_on_record(agent, &wait, Some(source)).timed(timed);
    agent.wait.set_blocking();
    comes_last(agent, &wait, Place::here(own), working, helps);
    waiting
}

/// `agent` is about to wait, which is on record. If everybody else waits, too, and nobody is left who could
/// end any of it, says so. Returns whether it is known that the wait `helps` somebody.
#[track_caller]
fn comes_last(
    agent: &Agent,
    wait: &Wait,
    place: Place,
    working: Working,
    helps: Helps<'_>,
) -> bool {
    let tracker = tracker::global();
    if !wait.access.op.is_endless() || !tracker.agents.are_all_asleep() {
        return false;
    }
    match stall::before_waiting(tracker, agent, place, helps) {
        Last::Waits => false,
        Last::Helps => true,
        Last::Stuck(response, finding) => {
            reaction::respond(tracker, agent, response, &finding, working);
            false
        }
    }
}

/// A condition variable is about to be waited for, whose mutex is still held, and is made of this memory.
///
/// # Panics
///
/// As [`wait_for_signal`].
#[track_caller]
pub(crate) fn before_wait(
    request: &Request<'_>,
    source: &Arc<Source>,
    own: Option<OnViolation>,
    mutex: &Range<usize>,
) {
    // It is not on record yet. Where it would not be judged, it need not be put there beforehand.
    let Some(tracker) = tracker::existing() else { return };
    if tracker.agents.is_more_than_one_awake() || stall::rests(tracker) {
        return;
    }
    if let (Some(agent), Some(id)) = (current::recording(), request.lock.number()) {
        let wait = request.wait(id);
        let working = Working::begin();
        let waiting = put_on_record(agent, &wait, Some(Arc::clone(source)));
        // Who waits for the mutex gets it as soon as it is given up.
        let mut helps = |still: &Stillness| still.count_in(mutex) > 0;
        comes_last(agent, &wait, Place::here(own), working, &mut helps);
        drop(waiting);
    }
}

/// The calling thread is about to give what others may wait for, and nobody can have come after that yet.
#[inline]
pub(crate) fn will_give(source: &Source, op: Op, site: Site) {
    if source.is_under_lock() {
        will_give_slow(source, op, site);
    }
}

#[cold]
#[inline(never)]
fn will_give_slow(source: &Source, op: Op, site: Site) {
    if let Some(agent) = current::present().filter(|_| !current::is_in_allocator()) {
        let _working = Working::begin();
        pledges::given(agent, source, op, site);
    }
}

/// The calling thread gives what others may wait for, if that is worth to be noted.
#[inline]
pub(crate) fn gives(source: &Source, op: Op, site: Site) {
    if source.minds() {
        give(source, op, site);
    } else {
        begin_stretch();
    }
}

/// The calling thread gives what others may wait for.
#[cold]
#[inline(never)]
pub(crate) fn give(source: &Source, op: Op, site: Site) {
    match current::present().filter(|_| !current::is_in_allocator()) {
        Some(agent) => {
            let _working = Working::begin();
            source.give(agent, op, site, tracker::global().now_ns());
            agent.held.begin_stretch(news::count());
        }
        // Not even who it is is on record, and it shall not come here with every message.
        None => {
            source.set_by_others();
            source.stir();
        }
    }
}

/// What is waited for at a primitive that has nothing of its own to say so; `None` if it is not to be
/// recorded.
pub(crate) fn source(
    header: &LockHeader,
    kind: LockKind,
    parties: Option<usize>,
) -> Option<Arc<Source>> {
    if current::is_in_allocator() || current::is_working() {
        return None;
    }
    let id = header.ensure_id()?;
    let _working = Working::begin();
    let new = || Source::new(id, kind, header.origin()).with_parties(parties);
    Some(source::of(id, new))
}

/// Puts on record that the calling thread parks or sleeps.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn rest(access: &'static Access, site: Site) -> Waiting {
    if access.op == Op::Park {
        stall::keep_watch();
    }
    point();
    let Some(agent) = current::recording() else { return Waiting::UNRECORDED };
    let wait = Wait { target: Resource::Wakeup(agent.id()), access, site, created: None };
    declared::may_wait(agent, &wait, None);
    // Who sleeps waits for nobody. Inside the allocator there is no memory for a line.
    let is_parked = !matches!(access.op, Op::Sleep | Op::SleepMs) && !current::is_in_allocator();
    let timed = if is_parked { timed_park(agent, access, site) } else { None };
    put_unjudged(agent, &wait).timed(timed)
}

fn put_unjudged(agent: &'static Agent, wait: &Wait) -> Waiting {
    let _working = Working::begin();
    let waiting = put_on_record(agent, wait, None);
    agent.wait.set_blocking();
    waiting
}

/// Others may be patient themselves, about the same cycle.
const LAST_PATIENCE: u32 = 3 * PATIENCE;

#[track_caller]
fn begin_wait<'o>(
    agent: &'static Agent,
    wait: &Wait,
    owner: &dyn Fn() -> Option<&'o Agent>,
    place: Place,
    retry: &mut dyn FnMut() -> bool,
) -> Option<Waiting> {
    let may_block = match wait.target {
        // The calling thread may be the one that initialises.
        Resource::Lock(_) if wait.access.kind.is_once() => owner().is_some(),
        Resource::Lock(_) | Resource::Wakeup(_) => true,
        // It may have ended.
        Resource::End(_) => owner().is_some(),
        // Not even a panic would keep the thread from waiting.
        Resource::Scope(_) => false,
    };
    if may_block {
        declared::may_wait(agent, wait, None);
    }
    let working = Working::begin();
    let tracker = tracker::global();
    let waiting = put_on_record(agent, wait, None);
    if current::is_in_allocator() {
        // To judge takes memory.
        Limits::count(&tracker.limits.unjudged);
        agent.wait.set_blocking();
        return Some(waiting);
    }
    let mut suspected = 0;
    loop {
        let cycle = match tracker.judge(agent, wait, owner(), retry) {
            Judgement::Live => break,
            Judgement::Acquired => return None,
            Judgement::Stuck(cycle) => cycle,
            Judgement::Suspect(cycle)
                if suspected >= PATIENCE && tracker.is_confirmed(&cycle, agent) =>
            {
                cycle
            }
            Judgement::Suspect(_) if suspected == LAST_PATIENCE => {
                Limits::count(&tracker.limits.unconfirmed);
                break;
            }
            Judgement::Suspect(_) => {
                suspected += 1;
                std::thread::sleep(PAUSE);
                if retry() {
                    return None;
                }
                continue;
            }
        };
        let place = if cycle.outlasts_a_panic_of(agent) { place.bound() } else { place };
        let response = reaction::choose(tracker.config(), place);
        match tracker.decide(agent, &cycle, response.outcome()) {
            Verdict::Moved => {}
            Verdict::Known => break,
            Verdict::Found(finding) => {
                drop(cycle);
                reaction::respond(tracker, agent, response, &finding, working);
                agent.wait.set_blocking();
                return Some(waiting);
            }
        }
    }
    agent.wait.set_blocking();
    if wait.access.may_initialise() && owner().is_none() {
        // The caller runs the initialiser itself; or another one does, and looks at this wait before its own.
        return Some(waiting);
    }
    let is_over = comes_last(agent, wait, place, working, &mut |_| retry());
    (!is_over).then_some(waiting)
}

/// The mutex of `request`, which is held, is about to be given up by a condvar wait, which takes it
/// again before it returns. Until the returned value is dropped the wait is on record as one for
/// the mutex: whatever signal comes, without the mutex it does not end.
///
/// Drop it before the mutex is [`acquired`](super::acquired) again: else the agent would be seen to wait for what it
/// owns.
pub(crate) fn suspend(request: &Request<'_>, source: Option<Arc<Source>>, used: Used) -> Waiting {
    let lock = request.lock;
    let Some(id) = lock.number() else {
        forget(lock, Hold::Exclusive, used);
        return Waiting::UNRECORDED;
    };
    let was_recorded =
        popped(lock, used) || forget(lock, Hold::Exclusive, used) != Forgotten::Foreign;
    match current::recording() {
        Some(agent) if was_recorded => {
            let timed = source.as_ref();
            let timed = timed.and_then(|source| timed_source(agent, source, None, request.site));
            let _working = Working::begin();
            let op = request.access.op;
            if let Some(source) =
                source.as_ref().filter(|_| agent.held.depth() > 0 && op.is_endless())
            {
                pledges::awaited(agent, source, op, request.site);
            }
            let waiting = put_on_record(agent, &request.wait(id), source);
            agent.wait.set_blocking();
            waiting.timed(timed)
        }
        _ => Waiting::UNRECORDED,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::LockId;

    #[test]
    fn a_thread_that_is_not_on_record_gives_the_long_way_only_once_for_each_wait() {
        let site = Site::caller();
        let source = Source::new(LockId::next(), LockKind::Channel, Origin::unnamed(site));
        let given_elsewhere = || {
            std::thread::scope(|scope| _ = scope.spawn(|| gives(&source, Op::Send, site)));
            (source.times(), source.minds())
        };
        assert!(source.minds());
        assert_eq!(given_elsewhere(), (1, false));
        assert_eq!(given_elsewhere(), (1, false));
        source.begin_wait();
        assert_eq!(given_elsewhere(), (2, false));
        source.end_wait();
        assert!(source.last().is_none());
    }
}
