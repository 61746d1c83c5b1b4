//! The narrow waist: the few verbs that every front calls.
//!
//! A front owns the real primitive and decides when to call what; everything it has to say goes
//! through here, as ids, modes and sites. Nothing is generic over the protected type, so the fronts
//! stay thin shells in the user's crate and the work is compiled once, in this one.
//!
//! | verb | when |
//! |---|---|
//! | [`acquired`] | the real lock was just taken |
//! | [`released`] | just before the real lock is given up |
//! | [`wait_for_lock`] | the real lock could not be had at once |
//! | [`suspend`], [`resume`] | around a condvar wait, which gives up its mutex |
//! | [`wait_for_end`], [`wait_for_scope`] | before threads are joined |
//! | [`signalled`] | an ordering event: spawn, join, notify |

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use crate::agent::Agent;
use crate::config::Backtrace;
use crate::current::{self, Child, Working};
use crate::finding::{LockId, LockKind};
use crate::held::Held;
use crate::op::{Mode, Op};
use crate::reaction::{self, Place};
use crate::registry::{Access, LockHeader, Resource, ScopeId};
use crate::site::Site;
use crate::tracker::{self, Judgement, Verdict};
use crate::waits::slot::Wait;

/// An acquisition as its front describes it.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) lock: &'a LockHeader,
    pub(crate) access: &'static Access,
    pub(crate) site: Site,
}

impl<'a> Request<'a> {
    /// A request from the caller's position.
    #[inline]
    #[track_caller]
    pub(crate) fn new(lock: &'a LockHeader, access: &'static Access) -> Request<'a> {
        Request { lock, access, site: Site::caller() }
    }

    #[inline]
    fn held(&self, lock: LockId) -> Held {
        let (access, created) = (self.access, self.lock.created());
        Held { lock, stamp: 0, access, created, site: self.site }
    }

    fn wait(&self, lock: LockId) -> Wait {
        let created = Some(self.lock.created());
        Wait { target: Resource::Lock(lock), access: self.access, site: self.site, created }
    }
}

/// The part of a guard that ends the hold when it is dropped. A front drops it before the real
/// guard, so that nobody is on record for a lock that another one may already have.
pub(crate) struct Hold<'a, const SHARED: bool> {
    /// The header; the lowest bit of the address says that the thread was panicking when the guard
    /// was made, in which case, as with `std`, dropping it does not poison the lock.
    lock: NonNull<LockHeader>,
    _lock: PhantomData<&'a LockHeader>,
}

/// The hold of a mutex guard or a write guard.
pub(crate) type ExclusiveHold<'a> = Hold<'a, false>;
/// The hold of a read guard.
pub(crate) type SharedHold<'a> = Hold<'a, true>;

// SAFETY: it stands for `&LockHeader` and a flag that does not change, and `LockHeader` is `Sync`.
unsafe impl<const SHARED: bool> Sync for Hold<'_, SHARED> {}

const BORN_PANICKING: usize = 1;
const _: () = assert!(align_of::<LockHeader>() > BORN_PANICKING);

impl<'a, const SHARED: bool> Hold<'a, SHARED> {
    #[inline]
    fn new(lock: &'a LockHeader, panicking: bool) -> Self {
        let lock = NonNull::from(lock);
        let lock = if panicking { lock.map_addr(|at| at | BORN_PANICKING) } else { lock };
        Self { lock, _lock: PhantomData }
    }

    #[inline]
    pub(crate) fn lock(&self) -> &'a LockHeader {
        let lock = self.lock.as_ptr().map_addr(|at| at & !BORN_PANICKING);
        // SAFETY: without the flag it is the reference that `new` was given, which lives for 'a.
        unsafe { &*lock }
    }

    fn was_born_panicking(&self) -> bool {
        self.lock.addr().get() & BORN_PANICKING != 0
    }
}

impl<const SHARED: bool> Drop for Hold<'_, SHARED> {
    #[inline]
    fn drop(&mut self) {
        released(self);
    }
}

/// The real lock was just taken; the caller must own it in the mode requested. Returns the hold and
/// whether the lock is poisoned.
///
/// Usually a few stores into the agent's own record.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn acquired<'a, const SHARED: bool>(
    request: &Request<'a>,
) -> (Hold<'a, SHARED>, bool) {
    let word = request.lock.word();
    if let Some(id) = word.id()
        && !std::thread::panicking()
    {
        let agent = current::current();
        if agent.held.push(&request.held(id)) {
            if !SHARED {
                request.lock.set_owner(agent);
            }
            return (Hold::new(request.lock, false), word.is_poisoned());
        }
    }
    acquired_slow(request)
}

#[cold]
#[inline(never)]
fn acquired_slow<'a, const SHARED: bool>(request: &Request<'a>) -> (Hold<'a, SHARED>, bool) {
    let panicking = std::thread::panicking();
    if let Some(agent) = current::recording()
        && let Some(id) = request.lock.ensure_id()
    {
        current::refresh(agent, panicking);
        agent.held.push_slow(&request.held(id));
        if !SHARED {
            request.lock.set_owner(agent);
        }
    }
    (Hold::new(request.lock, panicking), request.lock.word().is_poisoned())
}

/// The real lock is about to be given up.
#[cfg_attr(not(debug_assertions), inline)]
fn released<const SHARED: bool>(hold: &Hold<'_, SHARED>) {
    let popped = |id| !std::thread::panicking() && current::current().held.pop(id);
    if !hold.lock().word().id().is_some_and(popped) {
        released_slow(hold);
    }
}

#[cold]
#[inline(never)]
fn released_slow<const SHARED: bool>(hold: &Hold<'_, SHARED>) {
    let lock = hold.lock();
    let panicking = std::thread::panicking();
    let forgiven = forget::<SHARED>(lock, panicking) == Forgotten::Forgiven;
    // Readers never poison, as with `std`.
    if !SHARED && panicking && !hold.was_born_panicking() && !forgiven {
        lock.poison();
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
fn forget<const SHARED: bool>(lock: &LockHeader, panicking: bool) -> Forgotten {
    let Some(id) = lock.word().id() else { return Forgotten::Foreign };
    let matches =
        |held: &Held| held.lock == id && (held.access.mode != Mode::Exclusive) == SHARED;
    if let Some(agent) = current::home() {
        current::refresh(agent, panicking);
        if agent.held.remove(matches).is_some() {
            let forgiven = panicking && agent.forgives(id);
            current::retire_if_ending(agent);
            return if forgiven { Forgotten::Forgiven } else { Forgotten::Own };
        }
    }
    // Not on this thread's record: taken while nothing was recorded, or by another thread.
    let _working = Working::begin();
    let tracker = tracker::global();
    if SHARED {
        tracker.released_elsewhere(None, matches);
    } else if let Some(owner) = lock.owner() {
        tracker.released_elsewhere(Some(owner), matches);
        // The owner looks for such releases when it finds that another one has had the lock.
        lock.clear_owner();
    }
    Forgotten::Foreign
}

/// The write guard `hold` becomes a read guard: call it before the real lock does the same.
pub(crate) fn downgraded<'a>(
    hold: ExclusiveHold<'a>,
    access: &'static Access,
    site: Site,
) -> SharedHold<'a> {
    let shared = Hold { lock: hold.lock, _lock: PhantomData };
    let lock = hold.lock();
    std::mem::forget(hold);
    if let (Some(agent), Some(id)) = (current::home(), lock.word().id()) {
        current::refresh(agent, std::thread::panicking());
        agent.held.relabel(id, access, site);
    }
    shared
}

/// A wait that is on record until this is dropped.
#[must_use]
pub(crate) struct Waiting {
    recorded: Option<(&'static Agent, Resource)>,
}

impl Waiting {
    const UNRECORDED: Self = Self { recorded: None };
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((agent, target)) = self.recorded {
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
    let Some(agent) = current::recording() else { return Some(Waiting::UNRECORDED) };
    let Some(id) = request.lock.ensure_id() else { return Some(Waiting::UNRECORDED) };
    if spin(request.lock, agent, retry) {
        return None;
    }
    let wait = request.wait(id);
    let owner = || request.lock.owner();
    let place = Place::here(request.lock.reaction());
    begin_wait(agent, &wait, &owner, place, retry)
}

/// How often the lock is tried before the wait is put on record: about as long as `std` spins
/// before it asks the kernel.
const SPINS: u32 = 100;

/// Waits a moment for a lock that may soon be free, without putting anything on record.
fn spin(lock: &LockHeader, agent: &Agent, retry: &mut dyn FnMut() -> bool) -> bool {
    let mut own = false;
    agent.held.for_each(|held| own |= Some(held.lock) == lock.word().id());
    if own {
        return false;
    }
    (0..SPINS).any(|_| {
        let got_it = retry();
        if !got_it {
            std::hint::spin_loop();
        }
        got_it
    })
}

/// Waits for the end of threads. They need all of it, so nobody shares.
const JOIN: Access = Access {
    kind: LockKind::Thread,
    type_name: || "",
    mode: Mode::Exclusive,
    op: Op::Join,
};
const SCOPE_END: Access = Access { op: Op::Scope, ..JOIN };

/// A thread is about to be joined.
///
/// # Panics
///
/// As [`wait_for_lock`].
#[track_caller]
pub(crate) fn wait_for_end(child: Option<Child>, site: Site) -> Waiting {
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
    let Some(agent) = current::recording() else { return Waiting::UNRECORDED };
    let target = Resource::Scope(scope);
    let wait = Wait { target, access: &SCOPE_END, site, created: None };
    begin_wait(agent, &wait, &|| None, Place::Bound, &mut || false).unwrap_or(Waiting::UNRECORDED)
}

/// How often, and after how long each time, a suspicion is looked at again before it is confirmed
/// or dropped.
const PATIENCE: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

#[track_caller]
fn begin_wait<'o>(
    agent: &'static Agent,
    wait: &Wait,
    owner: &dyn Fn() -> Option<&'o Agent>,
    place: Place,
    retry: &mut dyn FnMut() -> bool,
) -> Option<Waiting> {
    let working = Working::begin();
    let tracker = tracker::global();
    tracker.publish(agent, wait);
    let waiting = Waiting { recorded: Some((agent, wait.target)) };
    if tracker.config().backtrace == Backtrace::Waits {
        agent.wait.set_stack(backtrace::Backtrace::new_unresolved());
    }
    let mut suspected = 0;
    loop {
        let cycle = match tracker.judge(agent, wait, owner(), retry) {
            Judgement::Live => break,
            Judgement::Acquired => return None,
            Judgement::Stuck(cycle) => cycle,
            Judgement::Suspect(cycle) if suspected == PATIENCE => {
                if !tracker.is_confirmed(&cycle, agent) {
                    break;
                }
                cycle
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
    Some(waiting)
}

/// A condvar wait that has given up its mutex.
#[must_use]
pub(crate) struct Suspended<'a> {
    /// The mutex, kept apart from its record; forgotten, never dropped.
    hold: std::mem::ManuallyDrop<ExclusiveHold<'a>>,
    waiting: Waiting,
}

/// The mutex behind `hold` is about to be given up by a condvar wait, to be taken again before the
/// wait returns. The wait is on record as one for the mutex: whatever signal comes, without the
/// mutex it does not end.
pub(crate) fn suspend<'a>(
    hold: ExclusiveHold<'a>,
    access: &'static Access,
    site: Site,
) -> Suspended<'a> {
    let lock = hold.lock();
    let hold = std::mem::ManuallyDrop::new(hold);
    let was_recorded = forget_for_wait(lock);
    let waiting = match (was_recorded, current::recording(), lock.word().id()) {
        (true, Some(agent), Some(id)) => {
            let wait = Request { lock, access, site }.wait(id);
            let _working = Working::begin();
            let tracker = tracker::global();
            tracker.publish(agent, &wait);
            if tracker.config().backtrace == Backtrace::Waits {
                agent.wait.set_stack(backtrace::Backtrace::new_unresolved());
            }
            agent.wait.set_blocking();
            Waiting { recorded: Some((agent, wait.target)) }
        }
        _ => Waiting::UNRECORDED,
    };
    Suspended { hold, waiting }
}

/// Takes the hold of a mutex that a condvar wait gives up off the record; true if it was there.
fn forget_for_wait(lock: &LockHeader) -> bool {
    let Some(id) = lock.word().id() else { return false };
    current::current().held.pop(id)
        || forget::<false>(lock, std::thread::panicking()) != Forgotten::Foreign
}

/// The condvar wait has its mutex again. Returns the hold and whether the mutex is poisoned.
pub(crate) fn resume<'a>(
    suspended: Suspended<'a>,
    access: &'static Access,
    site: Site,
) -> (ExclusiveHold<'a>, bool) {
    let Suspended { hold, waiting } = suspended;
    // First the wait, then the hold: else the agent would be seen to wait for what it owns.
    drop(waiting);
    let request = Request { lock: hold.lock(), access, site };
    let (fresh, poisoned): (ExclusiveHold<'a>, bool) = acquired(&request);
    let panicking = hold.was_born_panicking();
    std::mem::forget(fresh);
    (Hold::new(request.lock, panicking), poisoned)
}

/// An ordering event: what the calling thread does from here on comes after what `_event` stands
/// for, or before what it sets off.
pub(crate) fn signalled(_event: Resource) {
    if let Some(agent) = current::home() {
        agent.next_segment();
    }
}
