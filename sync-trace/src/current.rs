//! Which agent the calling thread is.
//!
//! The thread-local state is constant-initialised and has no destructor of its own, so that reading
//! it is one load and works at any moment of a thread's life: before the first lock, inside the
//! tracker's own work, and in destructors that run after the tracker's.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::agent::{Agent, Cold, Identity};
use crate::contention::attributed;
use crate::declared;
use crate::finding::{AgentId, StartedBy};
use crate::foresight::news;
use crate::foresight::passage::Passage;
use crate::foresight::pledges::Ending;
use crate::numbers::{self, next_number};
use crate::perturb;
use crate::registry::ScopeId;
use crate::site::Site;
use crate::tracker::{self, Limits};

/// Stands for an agent in a thread that has not used a traced lock yet.
static UNATTACHED: Agent = Agent::stand_in();
/// Stands for an agent in a thread whose operations pass straight through to the real lock.
static PASSING: Agent = Agent::stand_in();

thread_local! {
    /// Where operations are recorded: the thread's agent or one of the two above.
    static CURRENT: Cell<&'static Agent> = const { Cell::new(&UNATTACHED) };
    /// The thread's agent, also while `CURRENT` is `PASSING`; none once it is retired.
    static HOME: Cell<Option<&'static Agent>> = const { Cell::new(None) };
    /// The agent that the thread had last, retired or not, and its number.
    static LAST: Cell<Option<(&'static Agent, AgentId)>> = const { Cell::new(None) };
    /// How many pass-through sections are open: the tracker's own work, and the user's mutes.
    static WORKING: Cell<u32> = const { Cell::new(0) };
    static MUTED: Cell<u32> = const { Cell::new(0) };
    /// How many locks of the memory allocator the thread holds: while it does, nothing may be
    /// allocated.
    static IN_ALLOCATOR: Cell<u32> = const { Cell::new(0) };
    /// Retires the agent when the thread ends.
    static RETIRE: Retire = const { Retire };
}

struct Retire;

impl Drop for Retire {
    fn drop(&mut self) {
        retire();
    }
}

/// Where the fast paths record; a stand-in sends them to the slow path.
#[inline]
pub(crate) fn current() -> &'static Agent {
    CURRENT.get()
}

/// The agent to record with, made now if the thread has none; `None` if the operation is to pass
/// straight through.
pub(crate) fn recording() -> Option<&'static Agent> {
    let current = current();
    if std::ptr::eq(current, &UNATTACHED) {
        return if is_in_allocator() { None } else { attach() };
    }
    if std::ptr::eq(current, &PASSING) {
        // The tracker itself may be in the making: then there is nowhere to count.
        if WORKING.get() > 0
            && let Some(tracker) = tracker::existing()
        {
            Limits::count(&tracker.limits.reentered);
        }
        return None;
    }
    Some(current)
}

/// The agent that records for the calling thread now, if there is one already.
#[inline]
pub(crate) fn present() -> Option<&'static Agent> {
    let current = current();
    let is_stand_in = std::ptr::eq(current, &UNATTACHED) || std::ptr::eq(current, &PASSING);
    (!is_stand_in).then_some(current)
}

/// Whether the tracker is at work for the calling thread.
pub(crate) fn is_working() -> bool {
    WORKING.get() > 0
}

/// The calling thread has taken a lock of the memory allocator.
pub(crate) fn enter_allocator() {
    IN_ALLOCATOR.set(IN_ALLOCATOR.get() + 1);
}

/// It is about to release one. One that it took before that was known was not counted.
pub(crate) fn leave_allocator() {
    IN_ALLOCATOR.set(IN_ALLOCATOR.get().saturating_sub(1));
}

/// Whether the calling thread holds a lock of the memory allocator, so that nothing may be allocated.
pub(crate) fn is_in_allocator() -> bool {
    IN_ALLOCATOR.get() > 0
}

/// The thread's agent, whatever is going on, if it has one.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn home() -> Option<&'static Agent> {
    HOME.get()
}

fn attach() -> Option<&'static Agent> {
    // Whatever the lines below do with locks must not come here again.
    let working = Working::begin();
    let tracker = tracker::global();
    if tracker.config().off {
        // Never to be undone: the thread passes from here on.
        std::mem::forget(working);
        WORKING.set(0);
        MUTED.set(1);
        return None;
    }
    let agent = match LAST.get() {
        // One of the thread's later destructors: the same agent, if its record is still there.
        Some((agent, id)) if tracker.agents.readmit(agent, id) => agent,
        Some(_) => root(Identity::default()),
        None => root(first_identity()),
    };
    settle_in(agent);
    drop(working);
    Some(agent)
}

/// A new agent for a thread that was not started through us.
fn root(identity: Identity) -> &'static Agent {
    let name = identity.name.clone();
    let agent = tracker::global().agents.admit(identity, None);
    attributed::begins(agent, None);
    agent.branch.begin(name.as_deref());
    // What came before its first event is not known.
    agent.observe_everything();
    agent
}

/// A thread that was not started through us is the root of what it starts.
fn first_identity() -> Identity {
    if is_ending() {
        // `std` may have no name to give any more.
        return Identity::default();
    }
    let name: Option<Arc<str>> = std::thread::current().name().map(Arc::from);
    Identity { root_name: name.clone(), name, ..Identity::default() }
}

/// Makes `agent` the calling thread's.
fn settle_in(agent: &'static Agent) {
    if let Some(id) = crate::os::thread_id() {
        agent.set_os_id(id);
    }
    HOME.set(Some(agent));
    numbers::draw_from(Some(&agent.numbers));
    LAST.set(Some((agent, agent.id())));
    if WORKING.get() == 0 && MUTED.get() == 0 {
        CURRENT.set(agent);
    }
    if is_ending() {
        // The thread is ending and nobody will retire the agent again. Every operation now takes
        // the slow path, which does so as soon as nothing is held.
        agent.set_cold(Cold::Ending);
    }
    perturb::enlist(agent);
}

/// Whether the thread is so far into its end that nobody will retire its agent any more.
pub(crate) fn is_ending() -> bool {
    RETIRE.try_with(|_| ()).is_err()
}

/// What the calling thread's agent does for itself on the slow path.
pub(crate) fn refresh(agent: &Agent) {
    settle(agent);
    agent.refresh(std::thread::panicking());
    // A thread that is so far into its end stays on the slow path.
    if is_ending() {
        agent.set_cold(Cold::Ending);
    }
    perturb::enlist(agent);
}

/// Drops what other threads have released for the calling thread's agent.
pub(crate) fn settle(agent: &Agent) {
    // That may take memory, so it has to wait until the thread has left the allocator.
    if agent.has_to_settle() && !is_in_allocator() {
        let _working = Working::begin();
        agent.settle_elsewhere();
    }
}

/// Retires the agent of a thread that is ending, if it holds nothing. Called where the last thing
/// held may have gone; costs nothing while the thread lives on.
pub(crate) fn retire_if_ending(agent: &Agent) {
    let is_idle = agent.held.depth() == 0 && !agent.wait.is_waiting() && !agent.extents.is_active();
    if agent.held.is_cold() && is_idle && is_ending() && !is_in_allocator() {
        retire();
    }
}

fn retire() {
    if let Some(agent) = home() {
        let working = Working::begin();
        HOME.set(None);
        numbers::draw_from(None);
        tracker::global().retire(agent);
        drop(working);
    }
}

/// A new agent for a thread that the calling one is about to start.
pub(crate) fn start_child(
    name: Option<&str>,
    scope: Option<OpenScope>,
    site: Site,
) -> Option<Child> {
    let parent = recording()?;
    let _working = Working::begin();
    let identity = parent.identity();
    let child = Identity {
        name: name.map(Arc::from),
        started_by: Some(StartedBy { id: parent.id(), name: identity.name.clone(), site }),
        root: Some(parent.root()),
        root_name: identity.root_name.clone(),
        test: identity.test,
    };
    let agent = tracker::global().agents.admit(child, scope.as_ref().map(|scope| scope.id));
    attributed::begins(agent, identity.test);
    agent.branch.descend(&parent.branch);
    if parent.has_something_to_say() {
        agent.observe(&parent.publish());
    }
    parent.held.begin_stretch(news::count());
    declared::inherit(&parent.extents, agent);
    let end = Arc::new(Passage::new());
    agent.time.set_end(Arc::clone(&end));
    let (id, ending, scope_end) = (agent.id(), Arc::default(), scope.map(|scope| scope.end));
    Some(Child { agent, id, ending, end, scope_end })
}

/// A scope that threads are started in.
#[derive(Clone)]
pub(crate) struct OpenScope {
    pub(crate) id: ScopeId,
    /// Where the ends of its threads are told.
    pub(crate) end: Arc<Passage>,
}

impl OpenScope {
    pub(crate) fn new() -> Self {
        Self { id: ScopeId(next_number()), end: Arc::new(Passage::new()) }
    }
}

/// An agent whose thread somebody else has started, or is about to.
#[derive(Clone)]
pub(crate) struct Child {
    agent: &'static Agent,
    id: AgentId,
    ending: Arc<Ending>,
    /// Where its end is told, for who joins it and for its scope.
    end: Arc<Passage>,
    scope_end: Option<Arc<Passage>>,
}

impl Child {
    /// Makes it the calling thread's.
    pub(crate) fn adopt(&self) {
        let _working = Working::begin();
        // What runs before a thread's closure, such as a traced allocator, may have made an agent
        // for the thread already.
        if let Some(early) = home() {
            tracker::global().retire(early);
        }
        settle_in(self.agent);
    }

    /// Its closure has returned or unwound, and with that its scope need not wait for it any more.
    pub(crate) fn finish(&self) {
        let _working = Working::begin();
        self.ending.tell(self.agent);
        if self.agent.has_something_to_say() {
            self.end.publish(self.agent);
            self.scope_end.iter().for_each(|end| end.publish(self.agent));
        }
        self.agent.leave_scope();
    }

    /// Where its end is told.
    pub(crate) fn end(&self) -> &Passage {
        &self.end
    }

    /// How it has ended.
    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// Gives it up: its thread could not be started.
    pub(crate) fn abandon(&self) {
        let _working = Working::begin();
        tracker::global().agents.dismiss(self.agent);
    }

    pub(crate) fn id(&self) -> AgentId {
        self.id
    }

    /// Its record, unless it has ended and another agent uses that.
    pub(crate) fn agent(&self) -> Option<&'static Agent> {
        (self.agent.is_live() && self.agent.id() == self.id).then_some(self.agent)
    }
}

/// While this lives, the calling thread's lock operations pass straight through: the tracker's own
/// work, and a handler's, must not be traced.
pub(crate) struct Working {
    /// It speaks of the calling thread.
    _not_send: PhantomData<*mut ()>,
}

impl Working {
    pub(crate) fn begin() -> Self {
        WORKING.set(WORKING.get() + 1);
        CURRENT.set(&PASSING);
        Self { _not_send: PhantomData }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        WORKING.set(WORKING.get() - 1);
        restore();
    }
}

/// Records with the thread's agent again once the last pass-through section has ended.
fn restore() {
    if WORKING.get() == 0 && MUTED.get() == 0 {
        CURRENT.set(home().unwrap_or(&UNATTACHED));
    }
}

/// Keeps the calling thread's locks unrecorded until it is dropped; made by [`mute`].
#[derive(Debug)]
#[must_use = "the thread is recorded again as soon as this is dropped"]
pub struct Mute {
    _not_send: PhantomData<*mut ()>,
}

/// Stops recording for the calling thread until the returned value is dropped.
///
/// What the thread acquires and waits for meanwhile is not seen: it can take part in no finding,
/// and other threads' findings do not mention it. Costs two thread-local writes.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// let lock = Mutex::new(0);
/// let quiet = sync_trace::mute();
/// *lock.lock().unwrap() += 1; // not recorded
/// drop(quiet);
/// ```
pub fn mute() -> Mute {
    MUTED.set(MUTED.get() + 1);
    CURRENT.set(&PASSING);
    Mute { _not_send: PhantomData }
}

impl Drop for Mute {
    fn drop(&mut self) {
        MUTED.set(MUTED.get() - 1);
        restore();
    }
}
