//! From a cycle of records to a finding that owns all it names.

use crate::agent::Agent;
use crate::finding::{AgentState, Dump, Wait};
use crate::finding::{
    Blocker, Code, Finding, Fingerprint, Hold, Level, Link, Lock, LockId, LockKind, Outcome,
    Participant, Signal, Target,
};
use crate::held::Held;
use crate::op::Mode;
use crate::perturb::SCHEDULE;
use crate::registry::{Access, Resource};
use crate::site::{Origin, Site};
use crate::tracker::Tracker;
use crate::waits::cycle::{Chain, Cycle, Member, Step, Why};
use crate::waits::source::{Given, Source};
use crate::waits::{
    self,
    graph::{Hop, Via},
};

/// The finding that `cycle`, which `me` would close, amounts to.
pub(crate) fn finding(
    tracker: &Tracker,
    me: &Agent,
    cycle: &Cycle<'_>,
    outcome: Outcome,
) -> Finding {
    let is_late = matches!(cycle.chain, Chain::Still { is_late: true, .. });
    let scene = Scene { tracker, me: (!is_late).then_some(me), cycle };
    let links = match &cycle.chain {
        Chain::Hops(hops) => hops.iter().map(|hop| scene.link(*hop)).collect(),
        Chain::Ended(owner, held) => scene.link_to_ended(owner, held),
        Chain::Still { steps, .. } => steps.iter().map(|step| scene.link_on(step)).collect(),
    };
    let code = match (&cycle.chain, links.len()) {
        (Chain::Ended(..), _) => Code::Stuck,
        (Chain::Still { steps, .. }, _) if steps.iter().any(Step::leads_nowhere) => Code::Stuck,
        (Chain::Hops(_) | Chain::Still { .. }, 1) => Code::SelfDeadlock,
        (Chain::Hops(_) | Chain::Still { .. }, _) => Code::Deadlock,
    };
    let identities = || cycle.involved().map(|member| member.agent.identity());
    let mut roots: Vec<String> =
        identities().filter_map(|identity| Some(identity.root_name.as_deref()?.into())).collect();
    roots.sort_unstable();
    roots.dedup();
    Finding {
        code,
        level: Level::Actual,
        fingerprint: Fingerprint::of(code, &links),
        also_waiting: scene.bystanders(),
        links,
        condition: None,
        breach: None,
        outcome,
        roots,
        tests: identities().filter_map(|identity| identity.test).collect(),
        root_ids: cycle.involved().map(|member| member.agent.root()).collect(),
        pairing: None,
        seed: SCHEDULE.seed(),
        raised_in_root: me.identity().started_by.is_none(),
        raised_by: matches!(cycle.chain, Chain::Still { is_late: false, .. })
            .then(|| me.participant()),
    }
}

/// What the parts of a finding are read from.
struct Scene<'a> {
    tracker: &'a Tracker,
    /// The one that is about to wait, if it is not waiting yet.
    me: Option<&'a Agent>,
    cycle: &'a Cycle<'a>,
}

impl Scene<'_> {
    fn link(&self, hop: Hop) -> Link {
        let (from, to) = (&self.cycle.members[hop.from], &self.cycle.members[hop.to]);
        let blocker = match hop.via {
            Via::Hold(which) => Blocker::Holds(self.hold(to, which)),
            Via::Runs => Blocker::Runs,
            Via::Queue(which) => {
                Blocker::QueuedWriter { hold: self.hold(to, which), writer: self.writer(from) }
            }
        };
        let wait = self.wait(from, Some(to.agent));
        Link { agent: from.agent.participant(), wait, blocker, seen: None, stated: None }
    }

    fn is_me(&self, member: &Member<'_>) -> bool {
        self.me.is_some_and(|me| std::ptr::eq(member.agent, me))
    }

    fn link_on(&self, step: &Step) -> Link {
        let from = &self.cycle.members[step.from];
        let blocker = match &step.why {
            Why::Waits { to, via } => {
                return self.link(Hop { from: step.from, to: *to, via: *via });
            }
            Why::Given(given) => Blocker::Gives(signal(self.tracker, given)),
            Why::Nobody(given) => Blocker::Nobody {
                last: given.as_ref().map(|given| signal(self.tracker, given)),
                holds: self.kept_from_others(from),
                parties: from.published.source.as_ref().and_then(|awaited| awaited.come()),
            },
        };
        let mut wait = self.wait(from, None);
        if let Some(awaited) = &from.published.source
            && wait.op.is_condvar_wait()
        {
            wait.target = Target::Lock(source(&awaited.source), from.published.wait.mode());
        }
        Link { agent: from.agent.participant(), wait, blocker, seen: None, stated: None }
    }

    /// What a member holds that others wait for.
    fn kept_from_others(&self, member: &Member<'_>) -> Vec<Hold> {
        let is_wanted = |hold: &Hold| {
            let mut others = self.cycle.members.iter();
            others.any(|other| other.published.wait.lock_id() == Some(hold.lock.id))
        };
        let holds = (0..member.holds.len()).map(|which| self.hold(member, which));
        let given_up = member.published.wait.lock_id();
        holds.filter(|hold| Some(hold.lock.id) != given_up && is_wanted(hold)).collect()
    }

    fn link_to_ended(&self, owner: &Agent, held: &Held) -> Vec<Link> {
        let waiter = self.cycle.involved();
        let link = |member: &Member<'_>| Link {
            agent: member.agent.participant(),
            wait: self.wait(member, None),
            blocker: Blocker::Ended { owner: owner.participant(), hold: hold_of(held) },
            seen: None,
            stated: None,
        };
        waiter.map(link).collect()
    }

    /// `joined` is the thread that it waits for, if it does.
    fn wait(&self, member: &Member<'_>, joined: Option<&Agent>) -> Wait {
        let published = &member.published;
        let is_me = self.is_me(member);
        Wait {
            op: published.wait.access.op,
            site: published.wait.site,
            target: target(&published.wait, joined),
            age: (!is_me).then(|| self.tracker.age(published.since_ns)),
            stack: member.agent.wait.stack(published.seq).map(|stack| stack_text(&stack)),
        }
    }

    /// Who else of the same thread trees waits. That somebody waits for the threads of the cycle to
    /// end, as whoever started them will, is no news.
    fn bystanders(&self) -> Vec<(Participant, Wait)> {
        let roots: Vec<_> = self.cycle.involved().map(|member| member.agent.root()).collect();
        let is_end_of = |target: Resource, agent: &Agent| match target {
            Resource::End(id) => id == agent.id(),
            Resource::Scope(id) => agent.scope() == Some(id),
            Resource::Lock(_) | Resource::Wakeup(_) => false,
        };
        let is_bystander = |member: &&Member<'_>| {
            let target = member.published.wait.target;
            if self.is_me(member) && !self.cycle.involved().any(|other| self.is_me(other)) {
                return true;
            }
            roots.contains(&member.agent.root())
                && !self.cycle.involved().any(|involved| {
                    std::ptr::eq(involved.agent, member.agent) || is_end_of(target, involved.agent)
                })
        };
        let bystanders = self.cycle.members.iter().filter(is_bystander);
        let wait = |member| self.wait(member, joined_by(self.tracker, member));
        bystanders.map(|member| (member.agent.participant(), wait(member))).collect()
    }

    /// A hold is at least as old as the wait that its agent is in.
    fn hold(&self, member: &Member<'_>, which: usize) -> Hold {
        let is_me = self.is_me(member);
        let at_least = (!is_me).then(|| self.tracker.age(member.published.since_ns));
        Hold { at_least, ..hold_of(&member.holds[which]) }
    }

    /// The writer that queues for the lock that `reader` waits for.
    fn writer(&self, reader: &Member<'_>) -> Option<(Participant, Site)> {
        let target = reader.published.wait.target;
        let writes = |member: &&Member<'_>| {
            let wait = &member.published.wait;
            wait.target == target && wait.mode() == Mode::Exclusive
        };
        let writer = self.cycle.members.iter().find(writes)?;
        Some((writer.agent.participant(), writer.published.wait.site))
    }
}

fn signal(tracker: &Tracker, given: &Given) -> Signal {
    Signal {
        by: given.participant(),
        has_ended: given.agent().is_none(),
        op: given.op,
        site: given.site,
        age: tracker.age(given.at_ns),
        in_vain: given.in_vain,
    }
}

/// The thread whose end `member` waits for, unless it has just come.
fn joined_by<'t>(tracker: &'t Tracker, member: &Member<'_>) -> Option<&'t Agent> {
    let is_joined = |agent: &&Agent| match member.published.wait.target {
        Resource::End(id) => agent.is_live() && agent.id() == id,
        _ => false,
    };
    tracker.agents.iter().find(is_joined)
}

pub(crate) fn hold_of(held: &Held) -> Hold {
    Hold {
        lock: lock_of(held.lock, held.access, held.created),
        mode: held.access.mode,
        op: held.access.op,
        site: held.site,
        at_least: None,
        taken_by: None,
    }
}

/// A wait that is about to begin.
#[cfg(not(loom))]
pub(crate) fn planned(tracker: &Tracker, wait: &waits::slot::Wait) -> Wait {
    let joined = tracker.agents.iter().find(|agent| match wait.target {
        Resource::End(id) => agent.is_live() && agent.id() == id,
        _ => false,
    });
    let (op, site) = (wait.access.op, wait.site);
    Wait { op, site, target: target(wait, joined), age: None, stack: None }
}

/// The wait that asking for `wanted` would lead to.
pub(crate) fn wait_for(wanted: &Held) -> Wait {
    let lock = lock_of(wanted.lock, wanted.access, wanted.created);
    let target = Target::Lock(lock, wanted.access.mode);
    Wait { op: wanted.access.op, site: wanted.site, target, age: None, stack: None }
}

fn source(source: &Source) -> Lock {
    let (name, created) = (source.origin.name(), source.origin.site());
    Lock { id: source.id, kind: source.kind, type_name: "", name, created }
}

pub(crate) fn lock_of(id: LockId, access: &Access, origin: Origin) -> Lock {
    let (name, created) = (origin.name(), origin.site());
    Lock { id, kind: access.kind, type_name: (access.type_name)(), name, created }
}

/// What `wait` is for; a thread that is joined is known only if it is given.
fn target(wait: &waits::slot::Wait, joined: Option<&Agent>) -> Target {
    match (wait.target, joined) {
        (Resource::Lock(id), _) => {
            // A wait for a lock always says where that was created; its own site is the next best.
            let origin = wait.created.unwrap_or(Origin::unnamed(wait.site));
            Target::Lock(lock_of(id, wait.access, origin), wait.mode())
        }
        (Resource::End(_), Some(joined)) => Target::Thread(joined.participant()),
        (Resource::End(_) | Resource::Scope(_), _) => Target::Scope,
        (Resource::Wakeup(_), _) if wait.access.op.is_sleep() => Target::Time,
        (Resource::Wakeup(_), _) => Target::Unpark,
    }
}

/// The frames of a captured stack that belong to the user: below our own and above the runtime's.
fn stack_text(stack: &backtrace::Backtrace) -> String {
    let mut stack = stack.clone();
    stack.resolve();
    let symbols = stack.frames().iter().flat_map(backtrace::BacktraceFrame::symbols);
    let named = symbols.filter_map(|symbol| Some((symbol.name()?.to_string(), symbol)));
    let ours = |name: &str| name.starts_with("sync_trace::") || name.starts_with("<sync_trace::");
    let end = |name: &str| name.contains("__rust_begin_short_backtrace");
    let lines = named
        .skip_while(|(name, _)| ours(name) || name.contains("backtrace::"))
        .take_while(|(name, _)| !end(name))
        .map(|(name, symbol)| match (symbol.filename(), symbol.lineno()) {
            (Some(file), Some(line)) => format!("{name} at {}:{line}", file.display()),
            _ => name,
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// What every agent holds and waits for now.
pub(crate) fn dump(tracker: &Tracker) -> Dump {
    let live: Vec<&Agent> = tracker.agents.iter().filter(|agent| agent.is_live()).collect();
    let mut agents: Vec<AgentState> =
        live.iter().map(|agent| agent_state(tracker, agent, &live)).collect();
    agents.sort_by_key(|state| state.agent.id);
    let limits = [tracker.limits.lines(), tracker.ledger.limits()].concat();
    Dump { agents, limits, perturbed: SCHEDULE.state() }
}

/// What these agents hold and wait for, in their order.
#[cfg(not(loom))]
pub(crate) fn states(tracker: &Tracker, agents: &[&Agent]) -> Vec<AgentState> {
    let live: Vec<&Agent> = tracker.agents.iter().filter(|agent| agent.is_live()).collect();
    agents.iter().map(|agent| agent_state(tracker, agent, &live)).collect()
}

fn agent_state(tracker: &Tracker, agent: &Agent, all: &[&Agent]) -> AgentState {
    let published = agent.wait.read();
    let waited = published.as_ref().map(|published| tracker.age(published.since_ns));
    let mut holds = agent.holds_and_permits().unwrap_or_default();
    if let Some(wait) = published.as_ref().map(|published| &published.wait)
        && wait.access.op.is_condvar_wait()
    {
        // Who looks whether all others wait is on record a moment before it gives the mutex up.
        holds.retain(|held| Some(held.lock) != wait.lock_id());
    }
    let source = published.as_ref().and_then(|published| published.source.as_ref());
    let given = source.and_then(|awaited| awaited.source.last());
    let wait = published.map(|published| {
        let wanted = &published.wait;
        let blocks = |held: &Held| {
            let is_permit = held.access.kind == LockKind::Semaphore;
            Some(held.lock) == wanted.lock_id()
                && (is_permit || held.access.mode.blocks(wanted.mode()))
        };
        let blocks = |other: &&&Agent| match wanted.target {
            Resource::Lock(_) => other.holds_and_permits().unwrap_or_default().iter().any(blocks),
            Resource::End(id) => other.id() == id,
            Resource::Scope(id) => other.scope() == Some(id),
            Resource::Wakeup(_) => false,
        };
        let blockers: Vec<&Agent> = all.iter().filter(blocks).copied().collect();
        let target = target(wanted, blockers.first().copied());
        let blockers = blockers.into_iter().map(Agent::participant).collect();
        let stack = agent.wait.stack(published.seq).map(|stack| stack_text(&stack));
        let wait = Wait { op: wanted.access.op, site: wanted.site, target, age: waited, stack };
        (wait, blockers)
    });
    AgentState {
        agent: agent.participant(),
        ended: agent.has_ended(),
        holds: holds.iter().map(|held| Hold { at_least: waited, ..hold_of(held) }).collect(),
        wait,
        given: given.map(|given| signal(tracker, &given)),
    }
}
