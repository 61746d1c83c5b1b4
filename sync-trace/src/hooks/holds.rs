//! The verbs for holds: a lock is about to be asked for, was taken, is given up.
//!
//! Every acquisition and every release comes by here, so what is usual is short and inlined, and what is
//! rare is out of line and takes its arguments apart.

use crate::agent::Agent;
use crate::current::{self, Working};
use crate::declared;
use crate::finding::LockId;
use crate::foresight::chronicle::Ended;
use crate::foresight::{forecast, reactions};
use crate::held::{Asked, Filled, Held, Popped};
use crate::op::Mode;
use crate::registry::{Access, LockHeader, word};
use crate::site::Site;
use crate::tracker::{self, Limits};

use super::{Request, ordering, timing};

/// What was made ready before a lock was asked for: the place of its record is filled and becomes
/// part of the record with one store, if nothing else is recorded until then.
#[derive(Clone, Copy)]
pub(crate) struct Prepared {
    agent: &'static Agent,
    place: Option<Filled>,
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
    let held = &current::current().held;
    if !held.has_room() {
        forecast::tried(request.lock, request.access, request.site);
    }
    if held.has_pending() {
        timing::drain();
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
    if access.mode == Mode::Exclusive {
        let last = lock.last_owner();
        if !last.is(agent) {
            if agent.is_alert() {
                return acquired_otherwise(lock, access, site);
            }
            if last.is_any() {
                return changed_hands(lock, agent, place);
            }
            lock.set_owner(agent);
        }
    }
    agent.held.take_place(place);
    Recorded::Yes
}

/// Another agent had the lock before, and nothing else is unusual.
#[inline(never)]
fn changed_hands(lock: &LockHeader, agent: &Agent, place: Filled) -> Recorded {
    lock.set_owner(agent);
    agent.held.take_place(place);
    agent.held.changed_hands();
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
    let last = lock.last_owner();
    let is_own = last.is(agent);
    // Another agent had the lock before.
    let changes_hands = request.access.mode == Mode::Exclusive && !is_own && last.is_any();
    // First the owner: an older hold that another thread has released for this one goes with that.
    let has_to_look = match request.access.mode {
        // The record may have been another agent's when that had the lock.
        Mode::Exclusive if is_own => agent.time.is_inside(),
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
        if changes_hands {
            agent.held.changed_hands();
        }
        if agent.held.has_to_measure() {
            timing::begins(agent, id);
        }
        return Recorded::Yes;
    }
    acquired_slow(request, changes_hands)
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
fn acquired_slow(request: &Request<'_>, changes_hands: bool) -> Recorded {
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
        if changes_hands {
            agent.held.changed_hands();
        }
        if agent.held.has_to_measure() {
            timing::begins(agent, id);
        }
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
pub(crate) fn released(lock: &LockHeader, hold: Hold, used: Used) {
    if !current::current().held.pop(lock.word()) {
        released_slow(lock, hold, used);
    }
}

/// What a hold that ends was used for, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Used {
    /// Nothing was changed: there was no mutable access to the data.
    Immutably,
    /// There was, or nobody can tell.
    Mutably,
}

/// A hold that ends.
#[derive(Clone, Copy)]
pub(super) struct Ending<'l> {
    pub(super) lock: &'l LockHeader,
    pub(super) used: Used,
}

/// It never unwinds, and says so by its ABI: then what drops the real guard beside a hold needs no
/// second copy for that case, and is small enough to be inlined.
#[cold]
#[inline(never)]
extern "C" fn released_slow(lock: &LockHeader, hold: Hold, used: Used) {
    if popped(lock, used) {
        return;
    }
    if forget(lock, hold, used) == Forgotten::Forgiven {
        lock.spare();
    }
}

/// Takes back the newest entry if it is of this lock, which need not be one for the usual path if it is
/// only because of its conditions.
pub(super) fn popped(lock: &LockHeader, used: Used) -> bool {
    let mut word = lock.word();
    if lock.has_conditions() {
        word = word::usual(word);
        if used == Used::Mutably {
            ordering::changes(lock);
        }
    }
    let popped = current::current().held.pop_slow(word);
    if popped == Popped::Due {
        timing::due(Ending { lock, used });
    }
    popped != Popped::No
}

/// What was on record of a hold that ends.
#[derive(PartialEq, Eq)]
pub(super) enum Forgotten {
    /// The calling thread's own entry.
    Own,
    /// The same, and the panic under way shall not poison the lock.
    Forgiven,
    /// Nothing of the calling thread's.
    Foreign,
}

/// Takes the newest hold of `lock` off the record, wherever it is.
pub(super) fn forget(lock: &LockHeader, hold: Hold, used: Used) -> Forgotten {
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
            timing::removed(agent, Ending { lock, used });
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
        reactions::section_ended(agent, section);
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
    used: Used,
) -> Option<&'a LockHeader> {
    let relabelled = current::home().zip(lock.recorded_id()).is_some_and(|(agent, id)| {
        current::refresh(agent);
        let _working = Working::begin();
        let relabelled = agent.relabel(id, access, site);
        tell(agent, relabelled.as_ref());
        timing::removed(agent, Ending { lock, used });
        relabelled.is_some()
    });
    // One of the allocator's is counted as held, and still is.
    let is_counted = lock.is_allocators();
    if !relabelled && !is_counted {
        // Another thread's record may have it, which the owner leads to.
        forget(lock, Hold::Exclusive, used);
    }
    lock.clear_owner();
    (relabelled || is_counted).then_some(lock)
}
