//! What is done about a declaration that is broken: from the pure answer to a finding and a reaction.

use std::sync::Arc;
use std::time::Instant;

use super::book::Observed;
use super::check::{self, Breach, Manner};
use super::evidence::{self, Scene};
use super::extents::Overrun;
use super::frame::Member;
use super::model::{Declaration, Rule};
use super::scope::holds;
use crate::agent::Agent;
use crate::config::{OnViolation, Policy};
use crate::current::{self, Working};
use crate::finding::{Broken, Code, Declared, Finding, Level, LockId, LockKind, Wait};
use crate::foresight::news;
use crate::held::Held;
use crate::reaction::{self, Response};
use crate::registry::Resource;
use crate::run::RUN;
use crate::tracker::{self, Limits, Tracker};
use crate::waits::slot;

/// A function with a declaration has been called.
#[inline]
#[track_caller]
pub(super) fn ran(agent: &Agent, declaration: &'static Declaration, members: &[Member]) {
    if !declaration.has_run() {
        ran_first(agent, declaration, members);
    }
}

/// For the first time: what its places stand for is known from now on.
#[cold]
#[inline(never)]
#[track_caller]
fn ran_first(agent: &Agent, declaration: &'static Declaration, members: &[Member]) {
    let working = Working::begin();
    let tracker = tracker::global();
    let contradictions = tracker.declared.ran(declaration, members);
    RUN.ran(declaration, members);
    // What was in order so far may be against what is known now.
    news::begin_generation();
    drop(working);
    for contradiction in contradictions {
        let finding = evidence::contradiction(&contradiction);
        respond(agent, Scene::of(agent, &[]).met(finding), None);
    }
}

/// What is found of all declarations that cannot be kept.
pub(crate) fn contradictions(tracker: &Tracker) -> Vec<Finding> {
    tracker.declared.contradictions().iter().map(evidence::contradiction).collect()
}

/// A function with a declaration is about to be entered, with these held.
#[inline]
#[track_caller]
pub(super) fn may_enter(agent: &Agent, declaration: &'static Declaration, held: &[Held]) {
    if declaration.needs.may_block {
        may_block_here(agent, declaration, held);
    }
}

/// Something may block in it: may it here?
#[cold]
#[inline(never)]
#[track_caller]
fn may_block_here(agent: &Agent, declaration: &'static Declaration, held: &[Held]) {
    let may_block = |clause: &&super::model::Clause| matches!(clause.rule, Rule::MayBlock);
    let Some(clause) = declaration.clauses.iter().find(may_block) else { return };
    let spins = held.iter().find(|held| held.created.class().is_some_and(|class| class.spin));
    let forbids = agent.extents.is_active().then(|| agent.extents.no_block()).flatten();
    if spins.is_some() || forbids.is_some() {
        let breach = Breach {
            declaration,
            clause,
            broken: Broken::MayBlock,
            element: None,
            other: None,
            against: spins.copied(),
        };
        let finding = Scene::of(agent, held).may_not_block(&breach, forbids);
        if !is_exempt(declaration, finding.code) {
            respond(agent, finding, None);
        }
    }
}

/// An agent that is in an extent, or of which something is declared, asks for a lock. `holds` is what
/// it holds otherwise.
#[track_caller]
pub(crate) fn requested(
    agent: &Agent,
    wanted: &Held,
    holds: &[Held],
    manner: Manner,
    own: Option<OnViolation>,
) {
    if !agent.extents.is_active() {
        return;
    }
    let working = Working::begin();
    let breach = agent.extents.look(|frames| check::request(frames, wanted, holds, manner));
    drop(working);
    if let Some(breach) = breach {
        raise(agent, &breach, Some((wanted, own)), holds);
    }
}

/// Whether it need not be [observed](observed) that `agent`, which holds what it holds, asks for a lock. The
/// tracker is at work.
pub(crate) fn is_in_order(tracker: &Tracker, agent: &Agent, wanted: &Held) -> bool {
    !agent.extents.is_active() && tracker.declared.has_nothing_against(wanted, &agent.held)
}

/// An agent asks for a lock as none has before: is that what is declared for the whole program?
#[track_caller]
pub(crate) fn observed(agent: &Agent, wanted: &Held, holds: &[Held], own: Option<OnViolation>) {
    let working = Working::begin();
    let answers = tracker::global().declared.observed(wanted, holds);
    drop(working);
    for answer in answers {
        let finding = match answer {
            Observed::Class(against) => Scene::of(agent, holds).against_class(&against, wanted),
            Observed::Against(inverse) => Scene::of(agent, holds).inverse(&inverse, wanted),
        };
        respond(agent, finding, own);
    }
}

/// An agent is about to block in `wait`, and to give up the lock `besides` meanwhile.
#[track_caller]
pub(crate) fn may_wait(agent: &Agent, wait: &slot::Wait, besides: Option<LockId>) {
    if current::is_in_allocator() {
        return;
    }
    let mut spins = None;
    agent.held.for_each(|held| {
        let class = held.created.class().filter(|class| class.spin);
        if Some(held.lock) != besides {
            spins = spins.or(class.map(|class| (held, class)));
        }
    });
    let no_block = agent.extents.is_active().then(|| agent.extents.no_block()).flatten();
    let wait = || evidence_of_wait(wait);
    if let Some((declaration, clause)) = no_block {
        let breach = Breach {
            declaration,
            clause,
            broken: Broken::Blocks,
            element: None,
            other: None,
            against: None,
        };
        let holds = holds(agent);
        respond(agent, Scene::of(agent, &holds).blocks(&breach, wait()), None);
    } else if let Some((held, class)) = spins {
        let holds = holds(agent);
        respond(agent, Scene::of(agent, &holds).blocks_while(&held, class, wait()), None);
    }
}

fn evidence_of_wait(wait: &slot::Wait) -> Wait {
    let _working = Working::begin();
    crate::evidence::planned(tracker::global(), wait)
}

/// A lock is about to be asked for by an agent on the slow path.
pub(crate) fn make_room(agent: &Agent) {
    if agent.extents.is_active() {
        let _working = Working::begin();
        agent.extents.make_room();
    }
}

/// A lock was taken by an agent on the slow path. Allocates nothing.
pub(crate) fn taken(agent: &Agent, held: &Held) {
    if agent.extents.is_active() {
        agent.extents.taken(held);
    }
}

/// A lock that an agent has taken, or another one that was handed to it, is released on the slow path.
/// Allocates nothing.
pub(crate) fn released(agent: &Agent, id: LockId) {
    if agent.extents.is_active() {
        agent.extents.released(id, Instant::now());
    }
}

/// The wait that an agent has on record ends.
pub(crate) fn waited(agent: &Agent) {
    if !agent.extents.is_active() || current::is_in_allocator() {
        return;
    }
    let _working = Working::begin();
    let Some(published) = agent.wait.read() else { return };
    let slot::Wait { target, access, site, created } = published.wait;
    // Not for a signal or a message.
    if access.op.is_condvar_wait() || !matches!(access.kind, LockKind::Mutex | LockKind::RwLock) {
        return;
    }
    if let (Resource::Lock(lock), Some(created)) = (target, created) {
        let wanted = Held { lock, stamp: 0, told: false, access, created, site };
        agent.extents.waited(&wanted, tracker::global().age(published.since_ns));
    }
}

/// Reacts to a clause that is broken, by a request if there is one.
#[track_caller]
pub(super) fn raise(
    agent: &Agent,
    breach: &Breach,
    wanted: Option<(&Held, Option<OnViolation>)>,
    holds: &[Held],
) {
    if is_exempt(breach.declaration, breach.broken.code()) {
        return;
    }
    let own = wanted.and_then(|(_, own)| own);
    let finding = Scene::of(agent, holds).broken(breach, wanted.map(|(wanted, _)| wanted));
    respond(agent, finding, own);
}

/// Reacts to an assertion that does not hold.
#[track_caller]
pub(super) fn raise_assertion(
    agent: &Agent,
    broken: Broken,
    declared: Declared,
    against: Option<&Held>,
    holds: &[Held],
) {
    respond(agent, Scene::of(agent, holds).assertion(broken, declared, against), None);
}

/// Reacts to what has lasted too long.
#[track_caller]
pub(super) fn raise_overrun(agent: &Agent, declaration: &'static Declaration, overrun: &Overrun) {
    let holds = holds(agent);
    let finding = Scene::of(agent, &holds).overrun(declaration, overrun);
    if !is_exempt(declaration, finding.code) {
        respond(agent, finding, None);
    }
}

/// Whether a declaration exempts its own call, also at the entry and the exit.
fn is_exempt(declaration: &'static Declaration, code: Code) -> bool {
    let is_exempt = declaration.clauses.iter().any(|clause| match &clause.rule {
        Rule::Exempt { codes, .. } => codes.contains(&code.as_str()),
        _ => false,
    });
    if is_exempt {
        Limits::count(&tracker::global().limits.exempted);
    }
    is_exempt
}

/// Whether the agent runs an initialiser.
fn initialises(agent: &Agent) -> bool {
    let mut initialises = false;
    agent.held.for_each(|held| initialises |= held.access.kind.is_once());
    initialises
}

/// Reacts to a finding.
#[track_caller]
fn respond(agent: &Agent, mut finding: Finding, own: Option<OnViolation>) {
    let working = Working::begin();
    let tracker = tracker::global();
    let config = tracker.config();
    if agent.extents.exempts(finding.code) {
        Limits::count(&tracker.limits.exempted);
        return;
    }
    reaction::watch_exit();
    if tracker.is_allowed(&finding) {
        return;
    }
    if finding.level == Level::Order && config.policy == Policy::Deadlock {
        RUN.noted(&finding, || false);
        tracker.declared.note(finding);
        return;
    }
    let response = match own.unwrap_or(config.on_violation) {
        // It is on record; a second panic would end the process.
        OnViolation::Panic if std::thread::panicking() => Response::Log,
        // It would leave that poisoned for ever.
        OnViolation::Panic if initialises(agent) => Response::Defer,
        OnViolation::Panic => Response::Panic,
        OnViolation::Log => Response::Log,
        OnViolation::Abort => Response::Abort,
    };
    finding.outcome = response.outcome();
    finding.raised_in_root = agent.identity().started_by.is_none();
    let (finding, is_new): (Arc<Finding>, bool) = tracker.broken(finding);
    // A rule that is broken again is broken: only what is printed is not repeated.
    if is_new || response == Response::Panic {
        reaction::respond(tracker, agent, response, &finding, working);
    }
}
