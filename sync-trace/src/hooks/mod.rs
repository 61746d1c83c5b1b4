//! The narrow waist: the few verbs that every front calls.
//!
//! A front owns the real primitive and decides when to call what; everything it has to say goes
//! through here, as ids, modes and sites. Nothing is generic over the protected type, so the fronts
//! stay thin shells in the user's crate and the work is compiled once, in this one.
//!
//! | verb | when |
//! |---|---|
//! | [`prepare`], [`prepare_write`], [`prepare_try`] | before the real lock is asked for, or tried |
//! | [`acquired_at_once`], [`acquired`] | the real lock was just taken, or the closure of a `Once` was just called |
//! | [`released`] | just before the real lock is given up, or that closure returns |
//! | [`wait_for_lock`] | the real lock could not be had at once |
//! | [`wait_for_once`] | a `Once` is not completed |
//! | [`suspend`] | around a condvar wait, which gives up its mutex |
//! | [`wait_for_end`], [`wait_for_scope`] | before threads are joined |
//! | [`wait_for_signal`], [`rest`] | before a wait for a message, a barrier, an unpark, the time |
//! | [`before_wait`], [`give`] | before a condvar wait; when a signal, a message or room for one is given |
//! | [`mean`], [`outer`] | the program says what it means by taking several locks of one class |
//! | [`publish`], [`observe`] | an ordering event: spawn, join, message, barrier |
//! | [`signal`], [`waits_with`] | a condvar is notified; before it waits, or would |
//! | [`initialised`] | after [`released`], before a `Once` is marked as completed |
//! | [`used`], [`found`] | a `Once` is completed already |
//! | the methods of [`permits::Pool`] | a semaphore is used |
//! | [`point`] | before what has no other verb and may come before or after what others do |

mod meaning;
mod ordering;
pub(crate) mod permits;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::Agent;
use crate::config::{Backtrace, EXIT_STATUS, OnViolation};
use crate::current::{self, Child, Working};
use crate::declared;
use crate::finding::{LockId, LockKind};
use crate::foresight::chronicle::Ended;
use crate::foresight::forecast;
use crate::held::{Asked, Entry, Held};
use crate::op::{Mode, Op};
use crate::os::{self, Stillness};
use crate::perturb::{self, Kind};
use crate::reaction::{self, Place};
use crate::registry::{Access, LockHeader, Resource, ScopeId, word};
use crate::site::{Origin, Site};
use crate::stall::{self, Helps, Last};
use crate::tracker::{self, Judgement, Limits, Verdict};
use crate::waits::slot::Wait;
use crate::waits::source::{self, Source};

#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use crate::perturb::{is_on as is_perturbed, let_others_in, point_of_wait};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use meaning::{Meant, mean, outer};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use ordering::{
    Body, found, initialised, observe, observe_at, observe_everything, publish, publish_at, signal,
    used, waits_with,
};

/// The calling thread is about to do something that may come before or after what others do: where
/// threads are [held up at random](crate::perturb), here is one of the places.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn point() {
    if perturb::is_on() {
        perturb::point(Kind::Own);
    }
}

/// An acquisition as its front describes it.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) lock: &'a LockHeader,
    pub(crate) access: &'static Access,
    pub(crate) site: Site,
}

impl Request<'_> {
    #[inline]
    fn entry(&self) -> Entry {
        let Self { lock, access, site } = *self;
        Entry { word: word::usual(lock.word()), access, created: lock.origin(), site }
    }

    fn held(&self, lock: LockId) -> Held {
        let (access, created) = (self.access, self.lock.origin());
        Held { lock, stamp: 0, told: false, access, created, site: self.site }
    }

    fn wait(&self, lock: LockId) -> Wait {
        let created = Some(self.lock.origin());
        Wait { target: Resource::Lock(lock), access: self.access, site: self.site, created }
    }
}

/// What was made ready before a lock was asked for: the place of its record is filled and becomes
/// part of the record with one store, if nothing else is recorded until then.
#[derive(Clone, Copy)]
pub(crate) struct Prepared {
    agent: &'static Agent,
    place: Option<u64>,
}

impl Prepared {
    /// The thread has had to wait since.
    #[inline]
    pub(crate) fn spoil(&mut self) {
        self.place = None;
    }
}

/// A lock is about to be asked for. Afterwards recording allocates nothing, so that a lock which guards
/// the memory allocator itself can be recorded too.
///
/// # Panics
///
/// If a deadlock could happen of which the request is a part, and the reaction is to panic.
#[cfg_attr(not(debug_assertions), inline(always))]
#[track_caller]
pub(crate) fn prepare(request: &Request<'_>) -> Prepared {
    prepare_as(request, Asked::Nested)
}

/// As [`prepare`] for what readers may have to queue behind, so that it matters at any time.
#[cfg_attr(not(debug_assertions), inline(always))]
#[track_caller]
pub(crate) fn prepare_write(request: &Request<'_>) -> Prepared {
    prepare_as(request, Asked::Always)
}

#[cfg_attr(not(debug_assertions), inline(always))]
#[track_caller]
fn prepare_as(request: &Request<'_>, asked: Asked) -> Prepared {
    let Request { lock, access, site } = *request;
    let agent = current::current();
    if !agent.time.is_inside() {
        let stamp = || agent.time.stamp();
        let place = agent.held.recall(lock.word(), access, site, asked, stamp);
        if place.is_some() {
            return Prepared { agent, place };
        }
    }
    Prepared { agent, place: forecast::requested(lock, access, site, agent, asked) }
}

/// A lock that is held is about to be given up for a while and asked for again: as [`prepare`], with
/// whatever else is held.
#[cfg_attr(not(debug_assertions), inline)]
#[track_caller]
pub(crate) fn prepare_again(request: &Request<'_>) {
    let agent = current::current();
    if agent.held.depth() > 1 || agent.time.is_inside() || agent.extents.is_active() {
        forecast::requested_again(request.lock, request.access, request.site);
    }
}

/// A lock is about to be tried: as [`prepare`], but who tries keeps nobody waiting for its own sake.
#[cfg_attr(not(debug_assertions), inline)]
#[track_caller]
pub(crate) fn prepare_try(request: &Request<'_>) {
    if !current::current().held.has_room() {
        forecast::tried(request.lock, request.access, request.site);
    }
}

/// The real lock was just taken, at once, after this was prepared for it; the caller must own it in the
/// mode requested.
///
/// Usually one store into the agent's own record.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn acquired_at_once(request: &Request<'_>, prepared: Prepared) -> Recorded {
    let Request { lock, access, site } = *request;
    let Prepared { agent, place } = prepared;
    let Some(place) = place else { return acquired_otherwise(lock, access, site) };
    if access.mode == Mode::Exclusive && !lock.is_owner(agent) {
        if agent.is_alert() {
            return acquired_otherwise(lock, access, site);
        }
        lock.set_owner(agent);
    }
    agent.held.take_place(place);
    Recorded::Yes
}

/// Takes its arguments apart: a reference to the request would force that into memory on the fast
/// path, and every store there delays the unlock.
#[inline(never)]
fn acquired_otherwise(lock: &LockHeader, access: &'static Access, site: Site) -> Recorded {
    acquired(&Request { lock, access, site })
}

/// The real lock was just taken, whatever came before; the caller must own it in the mode requested.
#[inline]
pub(crate) fn acquired(request: &Request<'_>) -> Recorded {
    let lock = request.lock;
    let Some(id) = lock.id().or_else(|| unusual_id(lock)) else { return passed(lock) };
    let agent = current::current();
    // First the owner: an older hold that another thread has released for this one goes with that.
    let has_to_look = match request.access.mode {
        // The record may have been another agent's when that had the lock.
        Mode::Exclusive if lock.is_owner(agent) => agent.time.is_inside(),
        Mode::Exclusive => {
            lock.set_owner(agent);
            agent.is_alert() || agent.time.is_inside()
        }
        Mode::Upgradable | Mode::Read | Mode::RecursiveRead => agent.time.is_inside(),
    };
    if has_to_look {
        came_to(agent, lock, id, request.access.mode);
    }
    if agent.held.push(&request.entry()) {
        return Recorded::Yes;
    }
    acquired_slow(request)
}

/// Another agent may have had the lock since `agent` had it last.
#[cold]
#[inline(never)]
fn came_to(agent: &Agent, lock: &LockHeader, id: LockId, mode: Mode) {
    // If another agent has released the last hold for this one, that hold must go before it could be
    // taken for the present one.
    current::settle(agent);
    if agent.time.is_inside() && !current::is_in_allocator() {
        let _working = Working::begin();
        agent.came_to(id, mode);
    }
    if agent.looks_out() {
        ordering::look_out(agent, lock, id);
    }
}

/// The number of a lock that was just taken and seems to have none.
#[cold]
#[inline(never)]
fn unusual_id(lock: &LockHeader) -> Option<LockId> {
    let id = lock.number().filter(|_| lock.has_conditions());
    match id {
        Some(id) => ordering::came_by(id),
        None => return lock.first_id(),
    }
    id
}

/// Whether an acquisition is on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is, so its end has to be told.
    Yes,
    /// It passed through: the thread is muted, the lock untracked, or the tracker at work.
    No,
}

/// A lock without a number was taken. Of the allocator's it is only counted how many are held.
#[cold]
#[inline(never)]
fn passed(lock: &LockHeader) -> Recorded {
    if !lock.is_allocators() {
        return Recorded::No;
    }
    current::enter_allocator();
    if let Some(tracker) = tracker::existing() {
        Limits::count(&tracker.limits.in_allocator);
    }
    Recorded::Yes
}

#[cold]
#[inline(never)]
fn acquired_slow(request: &Request<'_>) -> Recorded {
    let Request { lock, access, .. } = *request;
    if lock.is_allocators() {
        return passed(lock);
    }
    let exclusive = access.mode == Mode::Exclusive;
    if let (Some(agent), Some(id)) = (current::recording(), lock.number())
        && (agent.held.has_memory() || !current::is_in_allocator())
    {
        current::refresh(agent);
        if exclusive {
            lock.set_owner(agent);
        }
        came_to(agent, lock, id, access.mode);
        let held = request.held(id);
        agent.held.push_slow(&held);
        declared::taken(agent, &held);
        return Recorded::Yes;
    }
    // Not on record, so neither this thread nor the last owner is to be found in the header.
    if exclusive {
        lock.clear_owner();
    }
    Recorded::No
}

/// How the hold that ends was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Hold {
    /// Alone.
    Exclusive,
    /// With others.
    Shared,
}

/// The real lock is about to be given up. It must come before that: were the lock freed first, its
/// next owner could be on record while this one still is.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn released(lock: &LockHeader, hold: Hold) {
    if !current::current().held.pop(lock.word()) {
        released_slow(lock, hold);
    }
}

/// It never unwinds, and says so by its ABI: then what drops the real guard beside a hold needs no
/// second copy for that case, and is small enough to be inlined.
#[cold]
#[inline(never)]
extern "C" fn released_slow(lock: &LockHeader, hold: Hold) {
    if lock.has_conditions() && current::current().held.pop(word::usual(lock.word())) {
        return;
    }
    if forget(lock, hold) == Forgotten::Forgiven {
        lock.spare();
    }
}

/// What was on record of a hold that ends.
#[derive(PartialEq, Eq)]
enum Forgotten {
    /// The calling thread's own entry.
    Own,
    /// The same, and the panic under way shall not poison the lock.
    Forgiven,
    /// Nothing of the calling thread's.
    Foreign,
}

/// Takes the newest hold of `lock` off the record, wherever it is.
fn forget(lock: &LockHeader, hold: Hold) -> Forgotten {
    let Some(id) = lock.recorded_id() else {
        left_unrecorded(lock);
        return Forgotten::Foreign;
    };
    let matches = |held: &Held| {
        held.lock == id && (held.access.mode == Mode::Exclusive) == (hold == Hold::Exclusive)
    };
    if let Some(agent) = current::home() {
        current::refresh(agent);
        if take_off(agent, matches) {
            declared::released(agent, id);
            // Readers never poison, as with `std`, so there is nothing to spare.
            let forgiven =
                hold == Hold::Exclusive && std::thread::panicking() && agent.use_forgiveness(id);
            current::retire_if_ending(agent);
            return if forgiven { Forgotten::Forgiven } else { Forgotten::Own };
        }
        // A task may have come from the thread that took it, and have brought its extent along.
        declared::released(agent, id);
    }
    // Not on this thread's record: taken while nothing was recorded, or by another thread. Where the
    // tracker works or is not even made, this may be the allocator's lock: nothing may be allocated
    // while it is held, and it is not on record.
    left_unrecorded(lock);
    let Some(tracker) = tracker::existing() else { return Forgotten::Foreign };
    if lock.is_allocators() || current::is_working() || current::is_in_allocator() {
        return Forgotten::Foreign;
    }
    let _working = Working::begin();
    if hold == Hold::Shared {
        tracker.released_elsewhere(None, matches);
    } else if let Some(owner) = lock.owner() {
        tracker.released_elsewhere(Some(owner), matches);
        // The owner looks for such releases when it finds that another one has had the lock.
        lock.clear_owner();
    }
    Forgotten::Foreign
}

/// Takes the newest hold that `matches` off the agent's record. False if there is none.
fn take_off(agent: &Agent, matches: impl Fn(&Held) -> bool) -> bool {
    if current::is_in_allocator() {
        return agent.take_off_in_allocator(matches).is_some();
    }
    let _working = Working::begin();
    let taken = agent.take_off(matches);
    tell(agent, taken.as_ref());
    taken.is_some()
}

/// What has ended may have been around what others did.
fn tell(agent: &Agent, ended: Option<&Ended>) {
    if let Some(section) = ended.and_then(|ended| ended.section.as_ref()) {
        forecast::section_ended(agent, section);
    }
}

/// The other end of [`passed`].
fn left_unrecorded(lock: &LockHeader) {
    if lock.is_allocators() {
        current::leave_allocator();
    }
}

/// The exclusive hold of `lock` has just become a shared one, which goes on as `access`. Returns the
/// header if it is on this thread's record.
pub(crate) fn downgraded<'a>(
    lock: &'a LockHeader,
    access: &'static Access,
    site: Site,
) -> Option<&'a LockHeader> {
    let relabelled = current::home().zip(lock.recorded_id()).is_some_and(|(agent, id)| {
        current::refresh(agent);
        let _working = Working::begin();
        let relabelled = agent.relabel(id, access, site);
        tell(agent, relabelled.as_ref());
        relabelled.is_some()
    });
    // One of the allocator's is counted as held, and still is.
    let is_counted = lock.is_allocators();
    if !relabelled && !is_counted {
        // Another thread's record may have it, which the owner leads to.
        forget(lock, Hold::Exclusive);
    }
    lock.clear_owner();
    (relabelled || is_counted).then_some(lock)
}

/// A wait that is on record until this is dropped.
#[must_use]
pub(crate) struct Waiting {
    recorded: Option<(&'static Agent, Resource)>,
    /// What it is for, if nobody owns that.
    source: Option<Arc<Source>>,
}

impl Waiting {
    const UNRECORDED: Self = Self { recorded: None, source: None };
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
    if let (Some(agent), Some(_)) = (current::recording(), request.lock.ensure_id())
        && spin(request.lock, agent, retry)
    {
        return None;
    }
    wait_for_holder(request, retry)
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
    wait_for_holder(request, is_completed)
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
fn spin(lock: &LockHeader, agent: &Agent, retry: &mut dyn FnMut() -> bool) -> bool {
    let mut own = false;
    agent.held.for_each(|held| own |= Some(held.lock) == lock.number());
    if own {
        return false;
    }
    let (mut paused, mut between) = (0, 1);
    while paused < PAUSES {
        (0..between).for_each(|_| std::hint::spin_loop());
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
    Waiting { recorded: Some((agent, wait.target)), source }
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
        return Waiting { recorded: None, source: Some(source) };
    };
    let (target, created) = (Resource::Lock(source.id), created.or(Some(source.origin)));
    let wait = Wait { target, access, site, created };
    declared::may_wait(agent, &wait, None);
    let working = Working::begin();
    let waiting = put_on_record(agent, &wait, Some(source));
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
    // It is not on record yet.
    if tracker::existing().is_none_or(|tracker| tracker.agents.is_more_than_one_awake()) {
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

/// The calling thread gives what others may wait for, if that is worth to be noted.
#[inline]
pub(crate) fn gives(source: &Source, op: Op, site: Site) {
    if source.minds() {
        give(source, op, site);
    }
}

/// The calling thread gives what others may wait for.
#[cold]
#[inline(never)]
pub(crate) fn give(source: &Source, op: Op, site: Site) {
    if let Some(agent) = current::present().filter(|_| !current::is_in_allocator()) {
        let _working = Working::begin();
        source.give(agent, op, site, tracker::global().now_ns());
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
    let wakeup = |agent: &Agent| Resource::Wakeup(agent.id());
    record(|agent| Wait { target: wakeup(agent), access, site, created: None })
}

#[track_caller]
fn record(wait: impl FnOnce(&Agent) -> Wait) -> Waiting {
    let Some(agent) = current::recording() else { return Waiting::UNRECORDED };
    let wait = wait(agent);
    declared::may_wait(agent, &wait, None);
    put_unjudged(agent, &wait)
}

fn put_unjudged(agent: &'static Agent, wait: &Wait) -> Waiting {
    let _working = Working::begin();
    let waiting = put_on_record(agent, wait, None);
    agent.wait.set_blocking();
    waiting
}

/// How often, and after how long each time, a suspicion is looked at again before it is confirmed
/// or dropped.
const PATIENCE: u32 = 20;
/// Others may be patient themselves, about the same cycle.
const LAST_PATIENCE: u32 = 3 * PATIENCE;
const PAUSE: Duration = Duration::from_millis(1);

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
    let is_over = comes_last(agent, wait, place, working, &mut |_| retry());
    (!is_over).then_some(waiting)
}

/// The mutex of `request`, which is held, is about to be given up by a condvar wait, which takes it
/// again before it returns. Until the returned value is dropped the wait is on record as one for
/// the mutex: whatever signal comes, without the mutex it does not end.
///
/// Drop it before the mutex is [`acquired`] again: else the agent would be seen to wait for what it
/// owns.
pub(crate) fn suspend(request: &Request<'_>, source: Option<Arc<Source>>) -> Waiting {
    let lock = request.lock;
    let Some(id) = lock.number() else {
        forget(lock, Hold::Exclusive);
        return Waiting::UNRECORDED;
    };
    let was_recorded = current::current().held.pop(word::usual(lock.word()))
        || forget(lock, Hold::Exclusive) != Forgotten::Foreign;
    match current::recording() {
        Some(agent) if was_recorded => {
            let _working = Working::begin();
            let waiting = put_on_record(agent, &request.wait(id), source);
            agent.wait.set_blocking();
            waiting
        }
        _ => Waiting::UNRECORDED,
    }
}
