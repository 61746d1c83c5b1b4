//! What could come of a request, asked before the lock is: the way from the fronts to the lock order
//! and, if a deadlock could happen, to a reaction.
//!
//! A request counts when something is held, or when it writes what others may read: a reader may have
//! to queue behind it. Most have been made before by the same agent, which its
//! [chain cache](crate::foresight::chains) tells. Everything else is rare.

use crate::agent::Agent;
use crate::current::{self, Working};
use crate::declared::{self, Manner};
use crate::finding::{LockId, LockKind};
use crate::foresight::ledger::Prospect;
use crate::foresight::reactions::Reactions;
use crate::foresight::{meant, news};
use crate::held::{Asked, Entry, Filled, Held, key};
use crate::lock_order::hold::Hold;
use crate::lock_order::prediction::{Noted, Repeats};
use crate::op::Mode;
use crate::perturb::{self, Kind};
use crate::registry::{Access, LockHeader, Resource, word};
use crate::run::RUN;
use crate::site::Site;
use crate::tracker::{self, Tracker};
use crate::waits::slot::Wait;

/// A lock is about to be asked for, and that is not just what the agent did there the last time.
/// `asked` says whether anything could come of it.
///
/// Afterwards there is room for its record. If that is filled already, returns what
/// [`take_place`](crate::held::HeldStack::take_place) wants.
///
/// # Panics
///
/// If a deadlock could happen of which the request is a part, and the reaction is to panic.
#[inline(never)]
#[track_caller]
pub(crate) fn requested(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    agent: &'static Agent,
    asked: Asked,
) -> Option<Filled> {
    // This function calls nothing but at its ends, so that nothing has to be saved for that.
    if asked == Asked::Nested
        && !agent.time.is_inside()
        && let Some(next) = agent.held.next_if_idle()
    {
        if let Some(word) = lock.number_new(&agent.numbers) {
            let entry = Entry { word, access, created: lock.origin(), site };
            let filled = agent.held.fill_alike(next, &entry);
            if filled.is_some() {
                return filled;
            }
            return requested_first(lock, access, site, agent);
        }
        return requested_alone(lock, access, site, agent);
    }
    if agent.held.has_to_do() {
        return requested_to_be_counted(lock, access, site, agent, asked);
    }
    requested_as_usual(lock, access, site, agent, asked)
}

/// The hold is to be measured, or there is something to count first.
#[cold]
#[inline(never)]
#[track_caller]
fn requested_to_be_counted(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    agent: &'static Agent,
    asked: Asked,
) -> Option<Filled> {
    if !current::is_in_allocator() {
        let _working = Working::begin();
        agent.account.make_room();
        agent.account.drain(&agent.held);
    }
    let is_armed = agent.held.is_armed();
    let place = requested_as_usual(lock, access, site, agent, asked);
    // One that is to be measured has to be looked at when it begins.
    place.filter(|_| !is_armed)
}

#[inline(always)]
#[track_caller]
fn requested_as_usual(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    agent: &'static Agent,
    asked: Asked,
) -> Option<Filled> {
    if asked == Asked::Nested && agent.held.is_empty() && !agent.time.is_inside() {
        return requested_alone(lock, access, site, agent);
    }
    looked_up(lock, access, site, agent)
}

/// Nothing is held.
#[inline(never)]
fn requested_alone(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    agent: &'static Agent,
) -> Option<Filled> {
    // One look: another thread may give it its number now.
    let word = lock.word();
    if word::has_id(word) {
        agent.held.keep_lowest();
        return agent.held.fill_first(&Entry { word, access, created: lock.origin(), site });
    }
    requested_first(lock, access, site, agent)
}

/// The lock has no number yet, or has just got it, and nothing is held.
#[inline(never)]
fn requested_first(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    agent: &'static Agent,
) -> Option<Filled> {
    let word = lock.first_word(|| agent.numbers.next())?;
    agent.held.keep_lowest();
    // One that is not for the usual path has to be looked at again when it is had.
    lock.id()?;
    agent.held.fill_fresh(&Entry { word, access, created: lock.origin(), site })
}

/// The agent did not do this a moment ago.
#[inline(never)]
#[track_caller]
fn looked_up(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    agent: &'static Agent,
) -> Option<Filled> {
    let time = &agent.time;
    // Where something is meant by what is taken now, that is not on record yet.
    if let Some(id) = lock.number().filter(|_| !meant::is_any()) {
        if lock.id().is_some() && !time.is_inside() {
            let filled = filled_if_known(lock, access, site, agent, Repeats::add_one);
            if filled.is_some() {
                return filled;
            }
        } else if agent.held.has_room()
            && let chain = time.chain(agent.held.key(), key::of(id, access.mode))
            && let Some(repeats) = agent.chains.known(chain, time.stamp())
        {
            // What it is inside of, and what its conditions have to tell, is looked at when it has the
            // lock.
            repeats.add_one();
            return None;
        }
    }
    if requested_slow(lock, access, site, Besides::Nothing) == Looked::AndNoted
        && lock.id().is_some()
        && !time.is_inside()
        && !meant::is_any()
    {
        return filled_if_known(lock, access, site, agent, |_| ());
    }
    None
}

/// Fills the place of the next entry, if the chain cache knows the request: then `count` is called.
fn filled_if_known(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    agent: &'static Agent,
    count: impl Fn(&Repeats),
) -> Option<Filled> {
    let stamp = agent.time.stamp();
    let known = |below, wanted| {
        agent.chains.known(agent.time.chain(below, wanted), stamp).inspect(|repeats| count(repeats))
    };
    let entry = Entry { word: lock.word(), access, created: lock.origin(), site };
    agent.held.fill_known(&entry, stamp, known)
}

/// The agent is about to give up a lock that it holds for a while, and then asks for it again with all
/// else that it holds.
///
/// # Panics
///
/// As [`requested`].
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn requested_again(lock: &LockHeader, access: &'static Access, site: Site) {
    if let (Some(agent), Some(id)) = (current::present(), lock.number()) {
        let created = Some(lock.origin());
        let wait = Wait { target: Resource::Lock(id), access, site, created };
        declared::may_wait(agent, &wait, Some(id));
    }
    let _meant_as_before = lock.number().map(|id| meant::Scope::enter(meant::of_hold(id)));
    requested_slow(lock, access, site, Besides::TheLock);
}

/// What of the record an agent will not hold any more when it makes a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Besides {
    Nothing,
    /// Its newest hold of the very lock.
    TheLock,
}

/// What is asked for, as it is on record everywhere.
#[derive(Clone, Copy)]
struct Ask {
    wanted: Hold,
    besides: Besides,
    /// The [chain](crate::foresight::chains) that it makes with what is held.
    key: u64,
    /// How many news there were when it was looked at.
    news: u64,
    /// Of what is known. What is looked up afterwards may have been given up since.
    generation: u64,
}

/// Whether a request has been looked at to the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// The agent's cache knows of it now.
    AndNoted,
    Otherwise,
}

#[cold]
#[inline(never)]
#[track_caller]
fn requested_slow(
    lock: &LockHeader,
    access: &'static Access,
    site: Site,
    besides: Besides,
) -> Looked {
    let Some(agent) = ready_to_record(lock) else { return Looked::Otherwise };
    if besides == Besides::Nothing {
        // Who asks for an initialiser's lock does so because nobody was done with it.
        let kind = if access.kind.is_once() { Kind::Met } else { Kind::Own };
        perturb::point_at(lock, kind);
    }
    let working = Working::begin();
    let tracker = tracker::global();
    lock.ensure_id();
    let created = lock.origin();
    let wanted = lock.number().map(|lock| Hold { lock, access, created, site });
    let reactions = Reactions { tracker, agent, own: lock.reaction(), wanted };
    let working = reactions.raise_deferred(working);
    let Some(wanted) = wanted else { return Looked::Otherwise };
    let own = lock.reaction();
    let working = match agent.extents.looks_at_everything() {
        true => {
            drop(working);
            let holds = holds_besides(agent, wanted.lock, besides);
            declared::requested(agent, &wanted.record(), &holds, Manner::Waiting, own);
            Working::begin()
        }
        false => working,
    };
    if agent.held.depth() == 0 && !agent.time.is_inside() && !is_written(access) {
        return Looked::Otherwise;
    }
    if meant::is_any() {
        agent.note_meaning();
    }
    let ask = Ask::of(agent, wanted, besides);
    let known = agent.chains.noted(ask.key);
    if is_known(agent, &ask, known.as_ref()) || waits_for_itself(agent, &ask) {
        return Looked::Otherwise;
    }
    let working = match declared::is_in_order(tracker, agent, &wanted.record()) {
        true => working,
        false => {
            drop(working);
            let holds = holds_besides(agent, wanted.lock, besides);
            if !agent.extents.looks_at_everything() {
                declared::requested(agent, &wanted.record(), &holds, Manner::Waiting, own);
            }
            declared::observed(agent, &wanted.record(), &holds, own);
            Working::begin()
        }
    };
    let prospects = judged(tracker, agent, ask, known);
    if !prospects.is_empty() {
        reactions.to(prospects, working);
        return Looked::Otherwise;
    }
    Looked::AndNoted
}

/// What `agent` will hold when it makes the request for the lock `id`, oldest first.
fn holds_besides(agent: &Agent, id: LockId, besides: Besides) -> Vec<Held> {
    let _working = Working::begin();
    let mut holds = Vec::with_capacity(agent.held.depth());
    agent.held.for_each(|held| holds.push(held));
    if besides == Besides::TheLock
        && let Some(newest) = holds.iter().rposition(|held| held.lock == id)
    {
        holds.remove(newest);
    }
    holds
}

impl Ask {
    /// What `agent` is about to ask for, with all that it holds.
    fn of(agent: &Agent, wanted: Hold, besides: Besides) -> Self {
        let (news, generation) = (news::count(), news::generation());
        let own = wanted.key();
        let held = agent.held.key();
        let held = match besides {
            Besides::Nothing => held,
            // What it will be meant by it is what is meant by it now.
            Besides::TheLock => {
                held.wrapping_sub(own).wrapping_sub(meant::current().number_of(wanted.lock))
            }
        };
        Self { wanted, besides, key: agent.time.chain(held, own), news, generation }
    }
}

/// Whether the agent has asked for it before, and there is no need to look at it again; then it counts
/// as asked for once more.
fn is_known(agent: &Agent, ask: &Ask, known: Option<&Noted>) -> bool {
    if let Some(repeats) = agent.chains.known(ask.key, agent.time.stamp()) {
        repeats.add_one();
        return true;
    }
    known.is_some_and(|known| agent.repeat(ask.key, known, ask.news, ask.generation))
}

/// Whether the agent wants what it holds, which is no question of another day.
fn waits_for_itself(agent: &Agent, ask: &Ask) -> bool {
    let mut does = false;
    agent.held.for_each(|held| {
        does |= held.lock == ask.wanted.lock && held.access.mode.blocks(ask.wanted.mode());
    });
    does && ask.besides == Besides::Nothing
}

/// Lets the ledger judge the request, and remembers that. Returns what could come of it.
fn judged(tracker: &Tracker, agent: &Agent, ask: Ask, known: Option<Noted>) -> Vec<Prospect> {
    let besides = (ask.besides == Besides::TheLock).then_some(ask.wanted.lock);
    let request = agent.request(ask.wanted, ask.news, |is_inside| {
        // What may turn out to be inside of sections is not the same as what was not.
        let same = known.filter(|known| !is_inside && !known.line().repeats().is_inside());
        same.unwrap_or_else(|| agent.chains.begin(ask.key, agent.id()))
    });
    RUN.requested(agent, &request, besides);
    let (noted, prospects) = tracker.ledger.requested(agent, request, besides);
    agent.remember(ask.key, agent.time.stamp_with(ask.news), &noted, ask.generation);
    prospects
}

/// The agent that records a request, after it has made room for it; `None` if nobody does.
fn ready_to_record(lock: &LockHeader) -> Option<&'static Agent> {
    if current::is_working() {
        // Met by the tracker's own work. It will not be recorded, and so needs no room.
        lock.mark_allocators();
        return None;
    }
    if lock.is_allocators() || current::is_in_allocator() {
        return None;
    }
    let agent = current::recording()?;
    perturb::enlist(agent);
    current::settle(agent);
    let _working = Working::begin();
    agent.held.make_room();
    declared::make_room(agent);
    Some(agent)
}

/// A lock is about to be tried: makes room for its record, and looks at what is declared.
///
/// # Panics
///
/// If it may not be taken here, and the reaction is to panic.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn tried(lock: &LockHeader, access: &'static Access, site: Site) {
    let Some(agent) = ready_to_record(lock) else { return };
    perturb::point_at(lock, Kind::Own);
    if agent.extents.is_active()
        && let Some(id) = lock.ensure_id()
    {
        let wanted = Held { lock: id, stamp: 0, told: false, access, created: lock.origin(), site };
        let holds = holds_besides(agent, id, Besides::Nothing);
        declared::requested(agent, &wanted, &holds, Manner::Trying, lock.reaction());
    }
}

/// Whether it writes what others may read.
fn is_written(access: &Access) -> bool {
    access.kind == LockKind::RwLock && access.mode == Mode::Exclusive
}
