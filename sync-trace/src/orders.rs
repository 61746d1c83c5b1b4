//! All that is known of lock orders in one process, and the findings it leads to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::agent::{Agent, Identity};
use crate::atomics::{Mutex, lock};
use crate::evidence::{hold_of, lock_of};
use crate::finding::{
    AgentId, Blocker, Code, Condition, Finding, Fingerprint, Hold, Level, Link, Lock, LockId,
    Outcome, Participant, Target, Wait,
};
use crate::held::Held;
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::clock::Section;
use crate::lock_order::label::{Blocks, blocks_or_queues};
use crate::lock_order::prediction::{Circle, CircleLink, Dependency, Obstacle, Repeats};
use crate::lock_order::predictor::Predictor;

/// What agents asked for while they held something, and what could come of it.
///
/// The mutex is a leaf, but memory is allocated under it. A thread that could be waited for there is one
/// inside the allocator; such a thread never comes here.
#[derive(Default)]
pub(crate) struct Orders {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    predictor: Predictor,
    /// The agents that have dependencies, also those that have ended.
    cast: HashMap<AgentId, Who, QuickHash>,
}

/// An agent as findings show it.
struct Who {
    participant: Participant,
    identity: Arc<Identity>,
    root: AgentId,
}

/// A circle that has become known, or more likely.
pub(crate) struct Prospect {
    pub(crate) finding: Finding,
    /// Whether the agent whose request was looked at would be in it.
    pub(crate) takes_part: bool,
}

impl Orders {
    /// `agent` is about to make a request.
    pub(crate) fn requested(
        &self,
        agent: &Agent,
        dependency: Dependency,
    ) -> (Arc<Repeats>, Vec<Prospect>) {
        let mut known = lock(&self.known);
        known.meet(agent);
        let answer = known.predictor.requested(dependency);
        let prospects = known.prospects(&answer.news, Some(answer.dependency));
        (answer.repeats, prospects)
    }

    /// A section has ended in which others may have done something.
    pub(crate) fn section_ended(&self, section: &Arc<Section>) -> Vec<Prospect> {
        let mut known = lock(&self.known);
        let news = known.predictor.section_ended(section);
        known.prospects(&news, None)
    }

    /// Everything that is inconsistent, but could not happen as far as is known.
    pub(crate) fn notes(&self) -> Vec<Finding> {
        let known = lock(&self.known);
        let latent = known.predictor.circles().filter(|circle| circle.obstacle.is_some());
        let mut notes: Vec<Finding> = latent.map(|circle| known.finding(circle, None)).collect();
        // The order of a hash table says nothing; that of the locks' numbers is about that of time.
        notes.sort_by_cached_key(Finding::locks_waited_for);
        notes
    }

    /// How many of [`notes`](Self::notes) there are.
    pub(crate) fn count_notes(&self) -> usize {
        let known = lock(&self.known);
        known.predictor.circles().filter(|circle| circle.obstacle.is_some()).count()
    }

    /// What was not looked at to the end, in words; only what is not zero.
    pub(crate) fn limits(&self) -> Vec<(&'static str, u64)> {
        let cut_off = lock(&self.known).predictor.cut_off();
        let lines = [("searches for possible deadlocks that were cut off", cut_off)];
        lines.into_iter().filter(|&(_, count)| count != 0).collect()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let old = std::mem::take(&mut *lock(&self.known));
        drop(old);
    }
}

impl Known {
    /// Makes sure that `agent` can be shown once it has ended.
    fn meet(&mut self, agent: &Agent) {
        self.cast.entry(agent.id()).or_insert_with(|| Who {
            participant: agent.participant(),
            identity: agent.identity(),
            root: agent.root(),
        });
    }

    fn prospects(&self, circles: &[Circle], request: Option<usize>) -> Vec<Prospect> {
        let prospect = |circle: &Circle| {
            let is_part = |link: &CircleLink| Some(link.dependency) == request;
            Prospect {
                finding: self.finding(circle, request),
                takes_part: circle.links.iter().any(is_part),
            }
        };
        circles.iter().map(prospect).collect()
    }

    /// The finding that `circle` amounts to; its first link is the request `first`, if that is in it.
    fn finding(&self, circle: &Circle, first: Option<usize>) -> Finding {
        let mut steps = circle.links.clone();
        let start = steps.iter().position(|step| Some(step.dependency) == first).unwrap_or(0);
        steps.rotate_left(start);
        let count = steps.len();
        let around =
            |at: usize| [&steps[(at + count - 1) % count], &steps[at], &steps[(at + 1) % count]];
        let links: Vec<Link> = (0..count).map(|at| self.link(around(at))).collect();
        let involved: Vec<&Who> = steps.iter().flat_map(|step| self.involved(step)).collect();
        let mut roots: Vec<String> = involved
            .iter()
            .filter_map(|who| Some(who.identity.root_name.as_deref()?.into()))
            .collect();
        roots.sort_unstable();
        roots.dedup();
        let root_ids: BTreeSet<AgentId> = involved.iter().map(|who| who.root).collect();
        Finding {
            code: Code::Inversion,
            level: if circle.obstacle.is_none() { Level::Predicted } else { Level::Order },
            fingerprint: Fingerprint::of(Code::Inversion, &links),
            condition: circle.obstacle.map(|obstacle| self.condition(obstacle, &steps)),
            links,
            also_waiting: Vec::new(),
            outcome: Outcome::Noted,
            roots,
            tests: involved.iter().filter_map(|who| who.identity.test).collect(),
            root_ids: root_ids.into_iter().collect(),
            raised_in_root: false,
        }
    }

    fn dependency(&self, step: &CircleLink) -> &Dependency {
        self.predictor.dependency(step.dependency)
    }

    fn who(&self, agent: AgentId) -> Option<&Who> {
        self.cast.get(&agent)
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
        let hold = self.hold(blocking, wanted);
        let writer = step.writer.map(|writer| self.predictor.dependency(writer));
        let seen = self.predictor.sightings(held, wanted.lock);
        let blocker = match writer {
            Some(writer) => Blocker::QueuedWriter {
                hold,
                writer: Some((self.participant(writer.agent()), writer.wanted.site)),
            },
            None => Blocker::Holds(hold),
        };
        let (op, site) = (wanted.access.op, wanted.site);
        let target = Target::Lock(lock_of_held(wanted), wanted.access.mode);
        let wait = Wait { op, site, target, age: None, stack: None };
        Link { agent: self.participant(dependency.agent()), wait, blocker, seen: Some(seen) }
    }

    fn condition(&self, obstacle: Obstacle, steps: &[CircleLink]) -> Condition {
        let all = || steps.iter().map(|step| self.dependency(step));
        let holds = || all().flat_map(|one| one.held().iter().chain(one.around()));
        let of = |id: LockId| {
            let wanted = all().map(|one| &one.wanted);
            let mut any = holds().map(|section| &section.held).chain(wanted);
            any.find(|held| held.lock == id).map(lock_of_held)
        };
        match obstacle {
            Obstacle::OneAgent => Condition::OneThread,
            Obstacle::Ordered => Condition::Ordered,
            Obstacle::Gate(id) => of(id).map_or(Condition::Ordered, Condition::Gate),
            Obstacle::Open(id) => of(id).map_or(Condition::Ordered, Condition::Undecided),
            Obstacle::NoWriter(id) => of(id).map_or(Condition::Ordered, Condition::NoWriter),
        }
    }

    /// The hold of `blocking` that keeps the request `wanted` waiting.
    fn hold(&self, blocking: &Dependency, wanted: &Held) -> Hold {
        let of_it = blocking.held().iter().filter(|section| section.held.lock == wanted.lock);
        let rank = |section: &&Arc<Section>| match blocks_or_queues(
            section.held.access.mode,
            wanted.access.mode,
        ) {
            Blocks::Directly => 0,
            Blocks::ThroughWriter => 1,
            Blocks::No => 2,
        };
        match of_it.min_by_key(rank) {
            Some(section) => Hold {
                taken_by: (section.agent != blocking.agent())
                    .then(|| self.participant(section.agent)),
                ..hold_of(&section.held)
            },
            // A circle consists of such holds.
            None => hold_of(wanted),
        }
    }
}

fn lock_of_held(held: &Held) -> Lock {
    lock_of(held.lock, held.access, held.created)
}
