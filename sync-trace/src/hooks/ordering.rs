//! The verbs for ordering events.

use crate::agent::Agent;
use crate::current::{self, Working};
use crate::finding::LockId;
use crate::foresight::passage::{self, Passage, Place, Use};
use crate::foresight::{chronicle, conditions, forecast, news, pairs, pledges};
use crate::held::Asked;
use crate::lock_order::clock::Parcel;
use crate::perturb::{self, Kind};
use crate::registry::{Access, LockHeader};
use crate::site::Site;
use crate::tracker;

use super::Request;

/// Whether [`publish`] has nothing to do, as far as that is seen at once.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn has_published(passage: &Passage) -> bool {
    passage.is_told_all_by(current::current())
}

/// An ordering event: what the calling thread has done so far comes before whatever those do who
/// [`observe`] the passage.
#[inline(never)]
pub(crate) fn publish(passage: &Passage) {
    if let Some(agent) = speaking()
        && agent.has_something_to_say()
        && !passage.is_told_all_but_holds_by(agent)
    {
        publish_slow(&|| passage.publish(agent));
    }
}

/// Who may have something to say. A thread that was started unseen comes after everything so far, and says so with
/// its first event; that matters once locks were nested.
fn speaking() -> Option<&'static Agent> {
    let has_one = || chronicle::any_request() && !current::is_ending();
    current::present().or_else(|| has_one().then(current::recording).flatten())
}

/// The same at a place that has no passage of its own.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn publish_at(place: Place) {
    if let Some(agent) = speaking() {
        agent.held.begin_stretch(news::count());
        if agent.has_something_to_say() {
            publish_slow(&|| _ = passage::publish_at(place, agent));
        }
    }
}

/// Others may come after what the calling thread has done so far, by an event that has happened.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn begin_stretch() {
    let news = news::count();
    if !current::current().held.has_begun_stretch(news) {
        begin_stretch_anew(news);
    }
}

#[inline(never)]
fn begin_stretch_anew(news: u64) {
    if let Some(agent) = current::present() {
        agent.held.begin_stretch(news);
    }
}

#[cold]
#[inline(never)]
fn publish_slow(publish: &dyn Fn()) {
    if !current::is_in_allocator() {
        let _working = Working::begin();
        publish();
    }
}

/// What the calling thread has done so far may have kept others waiting for what it has just taken.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn cut_stretch() {
    let news = news::count();
    if !current::current().held.has_cut_stretch(news) {
        cut_stretch_anew(news);
    }
}

#[inline(never)]
fn cut_stretch_anew(news: u64) {
    if let Some(agent) = current::present() {
        agent.held.cut_stretch(news);
    }
}

/// What the calling thread does from here on comes after what was published.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn observe(passage: &Passage) {
    if !passage.is_heard_by(current::current()) {
        observe_slow(&|agent| passage.observe(agent));
    }
}

/// The same at a place that has no passage of its own.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn observe_at(place: Place) {
    if passage::is_any_used() {
        observe_slow(&|agent| passage::observe_at(place, agent));
    }
}

/// What the calling thread does from here on comes after everything so far: it was woken up, and not
/// even by whom is known.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn observe_everything() {
    if let Some(agent) = current::present() {
        let _working = Working::begin();
        agent.observe_everything();
    }
}

#[cold]
#[inline(never)]
fn observe_slow(observe: &dyn Fn(&Agent)) {
    if !current::is_in_allocator()
        && let Some(agent) = current::recording()
    {
        let _working = Working::begin();
        observe(agent);
    }
}

/// An initialiser that runs, on the timeline of the agent that runs it.
#[must_use]
pub(crate) struct Body {
    agent: Option<&'static Agent>,
}

impl Body {
    /// The calling thread's has just begun. What it initialises is held, so the agent stays.
    pub(crate) fn begin() -> Self {
        let agent = current::present().filter(|_| !current::is_in_allocator());
        agent.inspect(|agent| agent.begin_body());
        Self { agent }
    }

    /// It has ended, before what it initialises is given up.
    pub(crate) fn end(&mut self) -> Parcel {
        let Some(agent) = self.agent.take() else { return Parcel::default() };
        let _working = Working::begin();
        agent.end_body()
    }
}

/// What is about to be marked as initialised is held no more, and its initialiser hands on this.
pub(crate) fn initialised(lock: &LockHeader, by_body: &Parcel) {
    let Some(id) = lock.id() else { return };
    begin_stretch();
    let has_more = |agent: &&Agent| {
        agent.has_something_to_say() && (chronicle::any_request() || agent.held.depth() > 0)
    };
    let agent = current::present().filter(|agent| !by_body.is_empty() || has_more(agent));
    let Some(agent) = agent.filter(|_| !current::is_in_allocator()) else { return };
    let _working = Working::begin();
    if !by_body.is_empty() {
        passage::leave(Use::OrInit.place(id), by_body);
        lock.set_tells(Use::OrInit);
    }
    if passage::publish_at(Use::Found.place(id), agent) {
        lock.set_tells(Use::Found);
    }
}

/// Something was used that is initialised and [has something to tell](LockHeader::tells), by a call that
/// would have waited, had the initialiser still run.
///
/// # Panics
///
/// If a deadlock could happen of which that is a part, and the reaction is to panic.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn used(request: &Request<'_>, how: Use) {
    let lock = request.lock;
    let Some(id) = lock.id() else { return };
    if current::current().time.heard.has(id, how) || current::is_in_allocator() {
        return;
    }
    let Some(agent) = current::recording() else { return };
    // First the request: it was made before it turned out that nobody has to wait.
    if lock.tells(Use::OrInit) && (agent.held.depth() > 0 || agent.time.is_inside()) {
        // Nothing is held by it, so what is prepared is of no use.
        let _ = forecast::requested(lock, request.access, request.site, agent, Asked::Nested);
    }
    hear(agent, id, how);
}

/// The same by a call that never waits.
#[cold]
#[inline(never)]
pub(crate) fn found(lock: &LockHeader) {
    let Some(id) = lock.id() else { return };
    if current::current().time.heard.has(id, Use::Found) || current::is_in_allocator() {
        return;
    }
    if let Some(agent) = current::recording() {
        hear(agent, id, Use::Found);
    }
}

fn hear(agent: &'static Agent, id: LockId, how: Use) {
    let working = Working::begin();
    passage::observe_at(how.place(id), agent);
    agent.time.heard.add(id, how);
    drop(working);
    current::retire_if_ending(agent);
}

/// A condition variable is about to be notified.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn signal(condvar: &LockHeader, link: &conditions::Link) {
    if perturb::is_on() {
        perturb::point_at(condvar, Kind::Own);
    }
    if let Some(agent) = speaking().filter(|agent| agent.has_something_to_signal()) {
        signal_slow(condvar, link, agent);
    }
}

#[cold]
#[inline(never)]
fn signal_slow(condvar: &LockHeader, link: &conditions::Link, agent: &Agent) {
    let Some(id) = condvar.ensure_id() else { return };
    if !current::is_in_allocator() {
        let _working = Working::begin();
        conditions::signal(id, link, agent, tracker::global().agents.iter());
    }
}

/// The calling thread holds `mutex` and is about to wait at a condition variable, or would if it had to.
pub(crate) fn waits_with(
    condvar: &LockHeader,
    link: &conditions::Link,
    mutex: &LockHeader,
    access: &'static Access,
    site: Site,
) {
    let (Some(id), Some(mutex_id)) = (condvar.ensure_id(), mutex.number()) else { return };
    if !link.is_with(mutex_id)
        && let Some(agent) = current::present()
        && !current::is_in_allocator()
    {
        let _working = Working::begin();
        let held = Request { lock: mutex, access, site }.held(mutex_id);
        let agents = || tracker::global().agents.iter();
        let is_there = |lock| agents().any(|agent| pairs::is_at(agent, lock));
        pairs::waits(id, condvar.origin(), &held, agent, is_there);
        link.set(id, mutex_id);
        if mutex.set_conditions() {
            // It has been taken before that.
            agent.came_by(mutex_id, conditions::version(mutex_id));
        }
    }
}

/// The calling thread has taken a mutex of conditions.
pub(super) fn came_by(mutex: LockId) {
    if let Some(agent) = current::present() {
        agent.held.meet(mutex, pledges::waits());
    }
    if pairs::is_any_suspect() && !current::is_in_allocator() {
        let _working = Working::begin();
        pairs::came_by(mutex);
    }
    let version = conditions::version(mutex);
    if !current::current().time.conditions.is_settled(mutex, version)
        && !current::is_in_allocator()
        && let Some(agent) = current::recording()
    {
        let _working = Working::begin();
        agent.came_by(mutex, version);
    }
}

/// The calling thread is about to release a mutex of conditions, and may have changed what it protects.
pub(super) fn changes(mutex: &LockHeader) {
    if let Some(agent) = current::present().filter(|agent| agent.has_something_to_signal())
        && let Some(id) = mutex.number()
        && !current::is_in_allocator()
    {
        let _working = Working::begin();
        conditions::changes(id, agent);
    }
}

/// `agent`, which looks out for such mutexes, has taken `lock` from another one.
#[cold]
pub(super) fn look_out(agent: &Agent, lock: &LockHeader, id: LockId) {
    if !current::is_in_allocator() {
        let _working = Working::begin();
        if conditions::is_awaited(id, agent) {
            lock.set_conditions();
            agent.came_by(id, conditions::version(id));
        }
    }
}
