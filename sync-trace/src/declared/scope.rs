//! Entering and leaving extents: what the expansions of the attributes call.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::check::{self, Border};
use super::extents::{Bond, Extents, Room, Serial, Suspended};
use super::frame::{Frame, Member, Which};
use super::model::Declaration;
use super::traced::{Locks, TracedLock};
use super::verdict;
use crate::agent::{Agent, Cold};
use crate::current::{self, Working};
use crate::finding::AgentId;
use crate::held::Held;
use crate::registry::LockHeader;

/// What a call gives its declaration: the locks behind numbered elements.
pub struct Members {
    room: Room,
}

impl Members {
    /// `lock` is element number `slot`; several locks are each of them.
    pub fn add<L: TracedLock + ?Sized>(&mut self, slot: usize, lock: &L) {
        self.add_by_id(slot, lock);
    }

    /// The same for locks that are taken in the order of their addresses.
    pub fn add_by_addr<L: TracedLock + ?Sized>(&mut self, slot: usize, lock: &L) {
        self.add_each(slot, lock, By::Address);
    }

    /// The same for locks that are taken in the order of their numbers.
    pub fn add_by_id<L: TracedLock + ?Sized>(&mut self, slot: usize, lock: &L) {
        self.add_each(slot, lock, By::Number);
    }

    /// The same for a lock that has a key.
    pub fn add_by_key<L: TracedLock + ?Sized, K: Key>(&mut self, slot: usize, lock: &L, key: K) {
        self.add_each(slot, lock, By::Key(key.ordinal()));
    }

    /// All locks that protect a `T` are element number `slot`.
    pub fn of_type<T: ?Sized>(&mut self, slot: usize) {
        self.room.add(Member { slot, what: Which::Type(std::any::type_name::<T>) });
    }

    fn add_each<L: TracedLock + ?Sized>(&mut self, slot: usize, lock: &L, by: By) {
        let mut take = |header: Option<&LockHeader>| self.take(slot, header, by);
        lock.locks(&mut Locks { take: &mut take });
    }

    /// Not generic, so that it is compiled once, and optimised where its user is not.
    fn take(&mut self, slot: usize, header: Option<&LockHeader>, by: By) {
        let known = header.and_then(|header| Some((header, header.ensure_id()?)));
        let what = known.map_or(Which::Unknown, |(header, id)| Which::Lock {
            id,
            origin: header.origin(),
            key: match by {
                By::Address => std::ptr::from_ref(header).addr() as i128,
                By::Number => i128::from(id.0),
                By::Key(key) => key,
            },
        });
        self.room.add(Member { slot, what });
    }
}

/// How the locks of one element are sorted.
#[derive(Clone, Copy)]
enum By {
    Address,
    Number,
    Key(i128),
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.room.members()).finish()
    }
}

/// What `each(… by closure)` may sort locks by.
#[diagnostic::on_unimplemented(
    message = "locks cannot be ordered by `{Self}`",
    label = "the key of a lock has to be an integer, a `bool` or a `char`"
)]
pub trait Key: Copy {
    /// The key as a number that is larger for what is taken later.
    fn ordinal(self) -> i128;
}

macro_rules! keys {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn ordinal(self) -> i128 {
                i128::from(self)
            }
        }
    )*};
}
keys!(u8, u16, u32, u64, i8, i16, i32, i64, bool);

macro_rules! wide_keys {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn ordinal(self) -> i128 {
                self as i128
            }
        }
    )*};
}
wide_keys!(usize, isize, char);

/// An extent that the calling thread is in until this is dropped.
///
/// It cannot change threads, so it cannot be held across an `.await` in a future that may.
#[must_use]
pub struct Scope {
    entered: Option<Entered>,
    _not_send: PhantomData<*mut ()>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("is_entered", &self.entered.is_some()).finish()
    }
}

/// Where a scope was entered.
#[derive(Clone, Copy)]
struct Entered {
    agent: &'static Agent,
    /// Whose record it was then.
    id: AgentId,
    declaration: &'static Declaration,
    serial: Serial,
}

// A panic leaves nothing half done in it.
impl UnwindSafe for Scope {}
impl RefUnwindSafe for Scope {}

/// Enters the extent of a declaration, whose locks `fill` gives.
///
/// # Panics
///
/// With the report, if what is held is not what the declaration says about its entry.
#[track_caller]
pub fn enter(declaration: &'static Declaration, fill: impl FnOnce(&mut Members)) -> Scope {
    let Some(agent) = recording() else { return Scope { entered: None, _not_send: PhantomData } };
    if !declaration.has_run() {
        declaration.set_called(&fill);
    }
    let mut members = Members { room: agent.extents.take_room() };
    fill(&mut members);
    enter_with(agent, declaration, members.room)
}

/// As [`enter`], apart from what depends on the locks' types.
#[inline(never)]
#[track_caller]
fn enter_with(agent: &'static Agent, declaration: &'static Declaration, mut room: Room) -> Scope {
    verdict::ran(agent, declaration, room.members());
    let is_simple = !declaration.needs.holds;
    let at_once = is_simple.then(|| agent.extents.enter_at_once(declaration, &mut room)).flatten();
    let (serial, bond) = match at_once {
        Some(entered) => entered,
        None => enter_slow(agent, declaration, room),
    };
    bind(agent, bond);
    let entered = Some(Entered { agent, id: agent.id(), declaration, serial });
    Scope { entered, _not_send: PhantomData }
}

/// There is something to judge, or memory to take.
#[cold]
#[inline(never)]
#[track_caller]
fn enter_slow(
    agent: &'static Agent,
    declaration: &'static Declaration,
    room: Room,
) -> (Serial, Bond) {
    let holds = AtBorder::of(agent, declaration);
    if declaration.needs.borders {
        let members = room.members();
        let frame = Frame { declaration, members, before: &[], is_inherited: false };
        if let Some(breach) = check::border(&frame, &holds, Border::Entry) {
            verdict::raise(agent, &breach, None, &holds);
        }
    }
    verdict::may_enter(agent, declaration, &holds);
    let _working = Working::begin();
    agent.extents.enter(declaration, room, &holds)
}

impl Scope {
    /// Leaves the extent at its normal end.
    ///
    /// # Panics
    ///
    /// With the report, if what is held is not what the declaration says about its exit, or if
    /// something has lasted longer than it allows.
    #[track_caller]
    pub fn leave(mut self) {
        self.leave_once();
    }

    #[track_caller]
    fn leave_once(&mut self) {
        // A thread that is ending may have lost its record. No other thread may touch that.
        if let Some(Entered { agent, id, declaration, serial }) = self.entered.take()
            && current::home().is_some_and(|home| std::ptr::eq(home, agent) && home.id() == id)
        {
            leave(agent, declaration, serial, true);
            current::retire_if_ending(agent);
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.leave_once();
    }
}

/// Has an agent record as its extents need it.
fn bind(agent: &Agent, bond: Bond) {
    agent.time.set_bound(bond.number);
    match bond.looks_at_everything {
        true => agent.set_cold(Cold::Extent),
        false if agent.held.is_cold() => agent.clear_cold(Cold::Extent),
        false => {}
    }
}

/// Leaves an extent of `declaration`; `at_end` says whether that is the end of the call.
#[track_caller]
fn leave(agent: &'static Agent, declaration: &'static Declaration, serial: Serial, at_end: bool) {
    // What others have released for this agent is not held any more.
    current::settle(agent);
    let is_simple = !declaration.needs.borders;
    match is_simple.then(|| agent.extents.leave_at_once(serial)).flatten() {
        Some(bond) => bind(agent, bond),
        None => leave_slow(agent, declaration, serial, at_end),
    }
}

/// There may be something to judge.
#[cold]
#[inline(never)]
#[track_caller]
fn leave_slow(
    agent: &'static Agent,
    declaration: &'static Declaration,
    serial: Serial,
    at_end: bool,
) {
    let is_judged = at_end && !std::thread::panicking();
    let working = Working::begin();
    let breach = if is_judged && declaration.needs.borders {
        let holds = AtBorder::of(agent, declaration);
        let judge = |frame: Frame<'_>| check::border(&frame, &holds, Border::Exit);
        agent.extents.look_at(serial, judge).flatten().map(|breach| (breach, holds))
    } else {
        None
    };
    let (bond, overrun) = agent.extents.leave(serial, at_end);
    drop(working);
    bind(agent, bond);
    if !is_judged {
        return;
    }
    if let Some((breach, holds)) = breach {
        verdict::raise(agent, &breach, None, &holds);
    } else if let Some(overrun) = overrun {
        verdict::raise_overrun(agent, declaration, &overrun);
    }
}

/// The agent to enter an extent with.
pub(super) fn recording() -> Option<&'static Agent> {
    if current::is_in_allocator() { None } else { current::recording() }
}

/// What the agent holds where an extent begins or ends, oldest first; nothing if that does not matter there. It
/// lies in room that the agent keeps for this.
struct AtBorder {
    agent: &'static Agent,
    holds: Vec<Held>,
}

impl AtBorder {
    fn of(agent: &'static Agent, declaration: &'static Declaration) -> Self {
        let _working = Working::begin();
        let mut holds = agent.extents.take_holds();
        if declaration.needs.holds {
            current::settle(agent);
            agent.held.for_each(|held| holds.push(held));
        }
        Self { agent, holds }
    }
}

impl Deref for AtBorder {
    type Target = [Held];

    fn deref(&self) -> &[Held] {
        &self.holds
    }
}

impl Drop for AtBorder {
    fn drop(&mut self) {
        let _working = Working::begin();
        self.agent.extents.give_holds(std::mem::take(&mut self.holds));
    }
}

/// What the agent holds now, oldest first.
pub(super) fn holds(agent: &Agent) -> Vec<Held> {
    let _working = Working::begin();
    current::settle(agent);
    let mut holds = Vec::with_capacity(agent.held.depth());
    agent.held.for_each(|held| holds.push(held));
    holds
}

/// A future in an extent of its own: it is entered at each poll and left when that returns.
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Scoped<F> {
    extent: Extent,
    future: F,
}

/// The extent of a future, between two polls.
#[derive(Debug)]
enum Extent {
    /// Not polled yet, so that nothing was judged.
    New(Suspended),
    /// With whoever has polled it last.
    Begun(Suspended, Poller),
    /// Nothing is recorded, or the future has ended.
    None,
}

/// The agent that has polled a future: its record, and whose that was then.
#[derive(Clone, Copy)]
struct Poller {
    agent: &'static Agent,
    id: AgentId,
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Poller").field(&self.id).finish()
    }
}

impl Poller {
    fn of(agent: &'static Agent) -> Self {
        Self { agent, id: agent.id() }
    }

    /// Whether it still holds this, as far as can be seen.
    fn holds(&self, held: &Held) -> bool {
        let Self { agent, id } = *self;
        let is_it = |now: &Held| now.lock == held.lock && now.access.mode == held.access.mode;
        agent.is_live()
            && agent.id() == id
            && agent.holds().is_some_and(|holds| holds.iter().any(is_it))
    }
}

/// Collects what a call gives its declaration before its future is made.
pub fn prepare(declaration: &'static Declaration, fill: impl FnOnce(&mut Members)) -> Prepared {
    if recording().is_none() {
        return Prepared { extent: Extent::None };
    }
    if !declaration.has_run() {
        declaration.set_called(&fill);
    }
    let mut members = Members { room: Room::default() };
    fill(&mut members);
    Prepared { extent: Extent::New(Suspended::new(declaration, members.room.into_members())) }
}

/// An extent that a future is to be put into.
#[must_use]
#[derive(Debug)]
pub struct Prepared {
    extent: Extent,
}

impl Prepared {
    /// Puts `future` into it. What is held at the entry is looked at when that is polled first.
    pub fn around<F: Future>(self, future: F) -> Scoped<F> {
        Scoped { extent: self.extent, future }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with the whole; the extent never is, and there is no `Drop`.
        let (extent, future) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.extent, Pin::new_unchecked(&mut this.future))
        };
        let Some(agent) = recording() else { return future.poll(context) };
        let polled = match extent.enter(agent) {
            None => return future.poll(context),
            Some((declaration, serial)) => Polled { agent, declaration, serial, extent },
        };
        let result = future.poll(context);
        polled.end(result.is_ready());
        result
    }
}

impl Extent {
    /// Enters it for a poll.
    fn enter(&mut self, agent: &'static Agent) -> Option<(&'static Declaration, Serial)> {
        let mut suspended = match std::mem::replace(self, Self::None) {
            Self::None => return None,
            Self::Begun(mut suspended, poller) => {
                if let Some(overrun) = suspended.resumes() {
                    verdict::raise_overrun(agent, suspended.declaration, &overrun);
                }
                if suspended.declaration.needs.holds {
                    suspended.set_before(&holds(agent));
                }
                if suspended.has_taken() {
                    let _working = Working::begin();
                    suspended.retain_taken(|held| poller.holds(held));
                }
                suspended
            }
            Self::New(mut suspended) => {
                let declaration = suspended.declaration;
                verdict::ran(agent, declaration, &suspended.members);
                let holds = if declaration.needs.holds { holds(agent) } else { Vec::new() };
                if let Some(breach) = check::border(&suspended.frame(), &holds, Border::Entry) {
                    verdict::raise(agent, &breach, None, &holds);
                }
                verdict::may_enter(agent, declaration, &holds);
                suspended.set_before(&holds);
                suspended
            }
        };
        let working = Working::begin();
        let (serial, bond) = agent.extents.resume(&mut suspended);
        drop(working);
        bind(agent, bond);
        let declaration = suspended.declaration;
        *self = Self::Begun(suspended, Poller::of(agent));
        Some((declaration, serial))
    }
}

/// A poll, until it ends or unwinds.
struct Polled<'e> {
    agent: &'static Agent,
    declaration: &'static Declaration,
    serial: Serial,
    extent: &'e mut Extent,
}

impl Polled<'_> {
    /// The poll has returned.
    fn end(self, is_ready: bool) {
        let Self { agent, declaration, serial, .. } = self;
        let mut overrun = None;
        match &mut *self.extent {
            extent if is_ready => *extent = Extent::None,
            Extent::Begun(suspended, _) => {
                // What others have released for this agent is not held any more.
                current::settle(agent);
                let _working = Working::begin();
                agent.extents.suspend(serial, suspended);
                if declaration.needs.holds {
                    overrun = suspended.suspends(&holds(agent));
                }
            }
            Extent::New(_) | Extent::None => {}
        }
        std::mem::forget(self);
        leave(agent, declaration, serial, is_ready);
        if let Some(overrun) = overrun {
            verdict::raise_overrun(agent, declaration, &overrun);
        }
    }
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        *self.extent = Extent::None;
        leave(self.agent, self.declaration, self.serial, true);
    }
}

/// What a thread that is about to be started takes over.
pub(crate) fn inherit(parent: &Extents, child: &Agent) {
    for mut suspended in parent.inherited() {
        let (_, bond) = child.extents.resume(&mut suspended);
        bind(child, bond);
    }
}
