//! What the [ledger](super::ledger) knows, told as findings.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::agent::{Agent, Identity};
use crate::evidence::{hold_of, lock_of, wait_for};
use crate::finding::{
    AgentId, Blocker, Code, Condition, Finding, Fingerprint, Hold, Level, Link, Lock, LockId,
    Outcome, Participant, Sightings, Signal, Statement, Target, Wait,
};
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::hold::{self, Guard};
use crate::lock_order::label::{Blocks, blocks_or_queues};
use crate::lock_order::prediction::{Circle, CircleLink, Dependency, Obstacle};
use crate::lock_order::predictor::Predictor;
use crate::op::Op;
use crate::perturb::SCHEDULE;
use crate::site::Site;
use crate::waits::source::Source;

/// The agents that have dependencies, also those that have ended.
#[derive(Default)]
pub(super) struct Cast {
    known: HashMap<AgentId, Who, QuickHash>,
    /// Who was met last.
    last: Option<AgentId>,
}

/// An agent as findings show it.
pub(crate) struct Who {
    participant: Participant,
    identity: Arc<Identity>,
    root: AgentId,
}

impl Who {
    pub(crate) fn of(agent: &Agent) -> Self {
        let (participant, identity) = (agent.participant(), agent.identity());
        Self { participant, identity, root: agent.root() }
    }
}

/// Dependencies that want in a circle what the next one holds, as far as classes go.
pub(super) struct ClassCircle {
    pub(super) dependencies: Vec<usize>,
    /// For each, what the next one holds of the class that it wants.
    pub(super) holds: Vec<hold::Hold>,
}

/// Tells what dependencies show.
pub(super) struct Narrator<'k> {
    pub(super) predictor: &'k Predictor,
    pub(super) cast: &'k Cast,
}

impl Cast {
    /// Makes sure that `agent` can be shown once it has ended.
    pub(super) fn meet(&mut self, agent: &Agent) {
        if self.last == Some(agent.id()) {
            return;
        }
        self.last = Some(agent.id());
        self.known.entry(agent.id()).or_insert_with(|| Who::of(agent));
    }

    /// Forgets those who are not among `agents`.
    pub(super) fn retain(&mut self, agents: &HashSet<AgentId>) {
        self.last = None;
        self.known.retain(|agent, _| agents.contains(agent));
    }
}

impl<'k> Narrator<'k> {
    /// The finding that a circle of classes amounts to.
    pub(super) fn of_classes(&self, circle: &ClassCircle) -> Finding {
        let (dependencies, holds) = (&circle.dependencies, &circle.holds);
        let count = dependencies.len();
        let own = |at: usize| holds[(at + count - 1) % count].lock;
        let link = |at: usize| self.plain_link(dependencies[at], &holds[at], own(at));
        let links = (0..count).map(link).collect();
        let agents =
            circle.dependencies.iter().map(|&index| self.predictor.dependency(index).agent());
        let involved = agents.filter_map(|agent| self.who(agent)).collect();
        self.order_finding(Code::Inversion, links, Some(Condition::OtherInstances), involved)
    }

    /// Two locks of one class, of which `dependency` wants one while it holds the other.
    pub(super) fn of_nesting(&self, dependency: usize, held: LockId) -> Finding {
        let nested = self.predictor.dependency(dependency);
        let held = nested.holds().copied().find(|one| one.lock == held);
        let held = held.unwrap_or(nested.wanted);
        let links = vec![self.plain_link(dependency, &held, held.lock)];
        let involved = self.who(nested.agent()).into_iter().collect();
        self.order_finding(Code::SameClass, links, None, involved)
    }

    /// What a dependency wanted while it held its `own` lock, and a hold that stands for what would keep
    /// it waiting.
    fn plain_link(&self, dependency: usize, hold: &hold::Hold, own: LockId) -> Link {
        let dependency = self.predictor.dependency(dependency);
        let wanted = &dependency.wanted;
        let seen = Sightings { times: dependency.repeats.count(), threads: 1, sites: 1 };
        Link {
            agent: self.participant(dependency.agent()),
            wait: wait_for(&wanted.record()),
            blocker: Blocker::Holds(hold_of(&hold.record())),
            seen: Some(seen),
            stated: statement(&dependency, own),
        }
    }

    /// The finding that `circle` amounts to; its first link is the request `first`, if that is in it.
    pub(super) fn of_circle(&self, circle: &Circle, first: Option<usize>) -> Finding {
        let mut steps = circle.links.clone();
        let start = steps.iter().position(|step| Some(step.dependency) == first).unwrap_or(0);
        steps.rotate_left(start);
        let count = steps.len();
        let around =
            |at: usize| [&steps[(at + count - 1) % count], &steps[at], &steps[(at + 1) % count]];
        let links: Vec<Link> = (0..count).map(|at| self.link(around(at))).collect();
        let involved = steps.iter().flat_map(|step| self.involved(step)).collect();
        let condition = circle.obstacle.map(|obstacle| self.condition(obstacle, &steps));
        self.order_finding(Code::Inversion, links, condition, involved)
    }

    /// The finding that a circle amounts to in which somebody waits for something that is given. Others could
    /// have given what is waited for by `helped`.
    pub(super) fn of_waits(&self, circle: &Circle, helped: Option<hold::Hold>) -> Finding {
        let mut steps = circle.links.clone();
        let is_wait = |step: &CircleLink| self.dependency(step).wanted.is_given();
        let start = steps.iter().position(is_wait).unwrap_or(0);
        steps.rotate_left(start);
        let count = steps.len();
        let around =
            |at: usize| [&steps[(at + count - 1) % count], &steps[at], &steps[(at + 1) % count]];
        let link = |at: usize| match around(at) {
            [_, wait, giver] if is_wait(wait) => self.link_to_giver(wait, giver),
            around => self.link(around),
        };
        let links: Vec<Link> = (0..count).map(link).collect();
        let involved = steps.iter().flat_map(|step| self.involved(step)).collect();
        let condition = helped.map(|given| Condition::OtherGivers(given_thing(&given)));
        self.order_finding(Code::Inversion, links, condition, involved)
    }

    /// What it amounts to that `joiner`, which held this lock, joined a thread at this line that had `asked` for
    /// it. It may have left word under the lock `teller` that it was done with it.
    pub(super) fn of_join(
        &self,
        [joiner, joined]: [&Who; 2],
        [held, asked]: [&hold::Hold; 2],
        teller: Option<&hold::Hold>,
        site: Site,
    ) -> Finding {
        let target = Target::Thread(joined.participant.clone());
        let join = Wait { op: Op::Join, site, target, age: None, stack: None };
        let link = |who: &Who, wait, blocker| {
            let agent = who.participant.clone();
            Link { agent, wait, blocker, seen: None, stated: None }
        };
        let links = vec![
            link(joiner, join, Blocker::Runs),
            link(joined, wait_for(&asked.record()), Blocker::Holds(hold_of(&held.record()))),
        ];
        let condition = teller.map(|teller| Condition::MayBeTold(lock_of_hold(teller)));
        self.order_finding(Code::Inversion, links, condition, vec![joiner, joined])
    }

    /// What the agent of `wait` waited for, which the one of `giver` gave.
    fn link_to_giver(&self, wait: &CircleLink, giver: &CircleLink) -> Link {
        let (waiting, giving) = (self.dependency(wait), self.dependency(giver));
        let wanted = &waiting.wanted;
        let target = Target::Lock(given_thing(wanted), wanted.mode());
        let given = giving.gives().unwrap_or(wanted);
        let signal = Signal {
            by: self.participant(giving.agent()),
            has_ended: false,
            op: given.access.op,
            site: given.site,
            age: Duration::ZERO,
            in_vain: false,
        };
        Link {
            agent: self.participant(waiting.agent()),
            wait: Wait { op: wanted.access.op, site: wanted.site, target, age: None, stack: None },
            blocker: Blocker::Gives(signal),
            seen: None,
            stated: None,
        }
    }

    /// A finding about what could happen, or about orders that contradict each other.
    fn order_finding(
        &self,
        code: Code,
        links: Vec<Link>,
        condition: Option<Condition>,
        involved: Vec<&Who>,
    ) -> Finding {
        let mut roots: Vec<String> = involved
            .iter()
            .filter_map(|who| Some(who.identity.root_name.as_deref()?.into()))
            .collect();
        roots.sort_unstable();
        roots.dedup();
        let root_ids: BTreeSet<AgentId> = involved.iter().map(|who| who.root).collect();
        let is_possible = condition.is_none() && code == Code::Inversion;
        Finding {
            code,
            level: if is_possible { Level::Predicted } else { Level::Order },
            fingerprint: Fingerprint::of(code, &links),
            condition,
            links,
            breach: None,
            also_waiting: Vec::new(),
            outcome: Outcome::Noted,
            roots,
            tests: involved.iter().filter_map(|who| who.identity.test).collect(),
            root_ids: root_ids.into_iter().collect(),
            pairing: None,
            seed: SCHEDULE.seed(),
            raised_in_root: false,
            raised_by: None,
        }
    }

    fn dependency(&self, step: &CircleLink) -> Dependency<'k> {
        self.predictor.dependency(step.dependency)
    }

    fn who(&self, agent: AgentId) -> Option<&Who> {
        self.cast.known.get(&agent)
    }

    /// The agents of one step.
    fn involved(&self, step: &CircleLink) -> impl Iterator<Item = &Who> {
        let writer = step.writer.map(|writer| self.predictor.dependency(writer).agent());
        let agents = [Some(self.dependency(step).agent()), writer];
        agents.into_iter().flatten().filter_map(|agent| self.who(agent))
    }

    fn participant(&self, agent: AgentId) -> Participant {
        let unknown = || Participant { id: agent, name: None, os_id: None, started_by: None };
        self.who(agent).map_or_else(unknown, |who| who.participant.clone())
    }

    /// What the agent of `step` wanted while it held what the one of `previous` wants, and how the one
    /// of `next` keeps it waiting.
    fn link(&self, [previous, step, next]: [&CircleLink; 3]) -> Link {
        let (dependency, blocking) = (self.dependency(step), self.dependency(next));
        let held = self.dependency(previous).wanted.lock;
        let wanted = &dependency.wanted;
        let hold = self.hold(&blocking, wanted);
        let writer = step.writer.map(|writer| self.predictor.dependency(writer));
        let seen = self.predictor.sightings(held, wanted.lock);
        let blocker = match writer {
            Some(writer) => Blocker::QueuedWriter {
                hold,
                writer: Some((self.participant(writer.agent()), writer.wanted.site)),
            },
            None => Blocker::Holds(hold),
        };
        let wait = wait_for(&wanted.record());
        Link {
            agent: self.participant(dependency.agent()),
            wait,
            blocker,
            seen: Some(seen),
            stated: statement(&dependency, held),
        }
    }

    fn condition(&self, obstacle: Obstacle, steps: &[CircleLink]) -> Condition {
        let all = || steps.iter().map(|step| self.dependency(step));
        let of = |id: LockId| {
            let held = all().flat_map(|one| one.holds());
            let around =
                all().flat_map(|one| one.around().iter().map(|section| &section.guard().hold));
            let wanted = all().map(|one| one.wanted);
            let mut holds = held.chain(around).copied().chain(wanted);
            holds.find(|hold| hold.lock == id).as_ref().map(lock_of_hold)
        };
        match obstacle {
            Obstacle::OneAgent => Condition::OneThread,
            Obstacle::Ordered => Condition::Ordered,
            Obstacle::Gate(id) => of(id).map_or(Condition::Ordered, Condition::Gate),
            Obstacle::Open(id) => of(id).map_or(Condition::Ordered, Condition::Undecided),
            Obstacle::NoWriter(id) => of(id).map_or(Condition::Ordered, Condition::NoWriter),
            Obstacle::WriterApart(id) => of(id).map_or(Condition::Ordered, Condition::WriterApart),
        }
    }

    /// The hold of `blocking` that keeps the request `wanted` waiting.
    fn hold(&self, blocking: &Dependency<'_>, wanted: &hold::Hold) -> Hold {
        let of_it = blocking.guards().iter().filter(|guard| guard.hold.lock == wanted.lock);
        let rank = |guard: &&Guard| match blocks_or_queues(guard.hold.mode(), wanted.mode()) {
            Blocks::Directly => 0,
            Blocks::ThroughWriter => 1,
            Blocks::No => 2,
        };
        match of_it.min_by_key(rank) {
            Some(guard) => Hold {
                taken_by: (guard.by != blocking.agent()).then(|| self.participant(guard.by)),
                ..hold_of(&guard.hold.record())
            },
            // A circle consists of such holds.
            None => hold_of(&wanted.record()),
        }
    }
}

/// What was stated of the lock `held` and of what was wanted meanwhile, if anything was.
fn statement(dependency: &Dependency<'_>, held: LockId) -> Option<Statement> {
    let held = dependency.guards().iter().find(|guard| guard.hold.lock == held);
    let held = held.map(Guard::stated).unwrap_or_default();
    let statement = Statement { held, wanted: dependency.stated() };
    (statement != Statement::default()).then_some(statement)
}

/// The primitive at which something is waited for.
fn given_thing(given: &hold::Hold) -> Lock {
    lock_of(Source::primitive(given.lock), given.access, given.created)
}

fn lock_of_hold(hold: &hold::Hold) -> Lock {
    lock_of(hold.lock, hold.access, hold.created)
}
