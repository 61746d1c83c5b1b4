//! All that is known of lock orders in one process, and the findings it leads to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::agent::{Agent, Identity};
use crate::atomics::{Mutex, lock};
use crate::evidence::{hold_of, lock_of};
use crate::finding::{
    AgentId, Blocker, Code, Condition, Finding, Fingerprint, Hold, Level, Link, Lock, LockId,
    Outcome, Participant, Sightings, Target, Wait,
};
use crate::held::Held;
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::classes::{ClassNews, Classes};
use crate::lock_order::clock::Section;
use crate::lock_order::label::{Blocks, blocks_or_queues};
use crate::lock_order::prediction::{Circle, CircleLink, Dependency, Obstacle, Repeats};
use crate::lock_order::predictor::Predictor;
use crate::news;

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
    classes: Classes,
    /// How many requests were forgotten.
    forgotten: u64,
    /// The agents that have dependencies, also those that have ended.
    cast: HashMap<AgentId, Who, QuickHash>,
}

/// Of so many requests, at most, is known who held what and when. Then the older half is forgotten.
const DEPENDENCIES_MAX: usize = 1 << 18;

/// An agent as findings show it.
struct Who {
    participant: Participant,
    identity: Arc<Identity>,
    root: AgentId,
}

/// Dependencies that want in a circle what the next one holds, as far as classes go.
struct ClassCircle {
    dependencies: Vec<usize>,
    /// For each, what the next one holds of the class that it wants.
    holds: Vec<Held>,
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
        known.make_room();
        known.meet(agent);
        let answer = known.predictor.requested(dependency);
        let mut prospects = known.prospects(&answer.news, Some(answer.dependency));
        if answer.is_new {
            prospects.extend(known.class_prospects(answer.dependency));
        }
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
        let mut known = lock(&self.known);
        let of_classes = known.class_circles();
        let latent = known.predictor.circles().filter(|circle| circle.obstacle.is_some());
        let mut notes: Vec<Finding> = latent.map(|circle| known.finding(circle, None)).collect();
        notes.extend(of_classes.iter().map(|circle| known.class_finding(circle)));
        // The order of a hash table says nothing; that of the locks' numbers is about that of time.
        notes.sort_by_cached_key(Finding::locks_waited_for);
        notes
    }

    /// How many of [`notes`](Self::notes) there are.
    pub(crate) fn count_notes(&self) -> usize {
        let mut known = lock(&self.known);
        let of_classes = known.class_circles().len();
        let latent = known.predictor.circles().filter(|circle| circle.obstacle.is_some());
        latent.count() + of_classes
    }

    /// What was not looked at to the end, in words; only what is not zero.
    pub(crate) fn limits(&self) -> Vec<(&'static str, u64)> {
        let known = lock(&self.known);
        let lines = [
            ("searches for possible deadlocks that were cut off", known.predictor.cut_off()),
            ("nested requests for locks that were forgotten", known.forgotten),
        ];
        lines.into_iter().filter(|&(_, count)| count != 0).collect()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let old = std::mem::take(&mut *lock(&self.known));
        drop(old);
    }
}

impl Known {
    /// Forgets what is old if it has become too much.
    fn make_room(&mut self) {
        let needed = self.classes.dependencies();
        let Some(moved) = self.predictor.make_room(DEPENDENCIES_MAX, needed) else { return };
        self.forgotten += (DEPENDENCIES_MAX - moved.len()) as u64;
        self.classes.renumber(&moved);
        let agents = self.predictor.agents();
        self.cast.retain(|agent, _| agents.contains(agent));
        // What is forgotten has to be looked at again when it is repeated.
        news::begin_generation();
    }

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

    /// What a new dependency has shown of classes.
    fn class_prospects(&mut self, dependency: usize) -> Vec<Prospect> {
        let predictor = &self.predictor;
        let news = self.classes.add(dependency, |index| predictor.dependency(index));
        let mut prospects = Vec::new();
        for news in news {
            let finding = match news {
                ClassNews::Nested(held) => self.nested_finding(dependency, held),
                ClassNews::Circle(circle) => {
                    let circle = self.class_circle(circle);
                    self.class_finding(&circle)
                }
            };
            prospects.push(Prospect { finding, takes_part: true });
        }
        prospects
    }

    /// The circles between classes that are none between locks.
    fn class_circles(&mut self) -> Vec<ClassCircle> {
        let predictor = &self.predictor;
        let wanted = |link: &CircleLink| predictor.dependency(link.dependency).wanted;
        let of_locks: Vec<Vec<Held>> =
            predictor.circles().map(|circle| circle.links.iter().map(wanted).collect()).collect();
        let circles: Vec<Vec<usize>> = self.classes.circles(&of_locks).cloned().collect();
        circles.into_iter().map(|circle| self.class_circle(circle)).collect()
    }

    /// Which lock stands for the class of what is wanted, in each dependency that comes next.
    fn class_circle(&mut self, dependencies: Vec<usize>) -> ClassCircle {
        let predictor = &self.predictor;
        let count = dependencies.len();
        let hold = |at: usize| {
            let wanted = predictor.dependency(dependencies[at]).wanted;
            let next = predictor.dependency(dependencies[(at + 1) % count]);
            self.classes.held_alike(next, &wanted).unwrap_or(wanted)
        };
        let holds = (0..count).map(hold).collect();
        ClassCircle { dependencies, holds }
    }

    fn class_finding(&self, circle: &ClassCircle) -> Finding {
        let link = |(&index, hold): (&usize, &Held)| self.plain_link(index, hold);
        let links = circle.dependencies.iter().zip(&circle.holds).map(link).collect();
        let agents =
            circle.dependencies.iter().map(|&index| self.predictor.dependency(index).agent());
        let involved = agents.filter_map(|agent| self.who(agent)).collect();
        self.order_finding(Code::Inversion, links, Some(Condition::OtherInstances), involved)
    }

    /// Two locks of one class, of which `dependency` wants one while it holds the other.
    fn nested_finding(&self, dependency: usize, held: LockId) -> Finding {
        let nested = self.predictor.dependency(dependency);
        let held = nested.held().iter().map(|section| section.held).find(|one| one.lock == held);
        let links = vec![self.plain_link(dependency, &held.unwrap_or(nested.wanted))];
        let involved = self.who(nested.agent()).into_iter().collect();
        self.order_finding(Code::SameClass, links, None, involved)
    }

    /// What a dependency wanted, and a hold that stands for what would keep it waiting.
    fn plain_link(&self, dependency: usize, hold: &Held) -> Link {
        let dependency = self.predictor.dependency(dependency);
        let wanted = &dependency.wanted;
        let seen = Sightings { times: dependency.repeats.count(), threads: 1, sites: 1 };
        Link {
            agent: self.participant(dependency.agent()),
            wait: wait_for(wanted),
            blocker: Blocker::Holds(hold_of(hold)),
            seen: Some(seen),
        }
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
        let involved = steps.iter().flat_map(|step| self.involved(step)).collect();
        let condition = circle.obstacle.map(|obstacle| self.condition(obstacle, &steps));
        self.order_finding(Code::Inversion, links, condition, involved)
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
        let wait = wait_for(wanted);
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

fn wait_for(wanted: &Held) -> Wait {
    let target = Target::Lock(lock_of_held(wanted), wanted.access.mode);
    Wait { op: wanted.access.op, site: wanted.site, target, age: None, stack: None }
}

fn lock_of_held(held: &Held) -> Lock {
    lock_of(held.lock, held.access, held.created)
}
