//! All that is known of lock orders in one process.

use std::sync::Arc;

use super::findings::{Cast, ClassCircle, Narrator};
use super::news;
use crate::agent::Agent;
use crate::atomics::{Mutex, lock};
use crate::evidence::hold_of;
use crate::finding::{Finding, LockId, Nesting};
use crate::lock_order::classes::{ClassNews, Classes, Seen};
use crate::lock_order::clock::Section;
use crate::lock_order::hold::Guard;
use crate::lock_order::prediction::{Circle, CircleLink, Dependency, Repeats, Request};
use crate::lock_order::predictor::Predictor;

/// What agents asked for while they held something, and what could come of it.
///
/// The mutex is a leaf, but memory is allocated under it. A thread that could be waited for there is one
/// inside the allocator; such a thread never comes here.
#[derive(Default)]
pub(crate) struct Ledger {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    predictor: Predictor,
    classes: Classes,
    /// How many requests were forgotten.
    forgotten: u64,
    cast: Cast,
    /// The memory for what an agent holds while its request is looked at.
    held: Vec<Guard>,
}

/// Of so many requests, at most, is known who held what and when. Then the older half is forgotten.
const DEPENDENCIES_MAX: usize = 1 << 18;

/// So many places where an order was seen are told, the oldest.
const NESTINGS_MAX: usize = 10_000;

/// A circle that has become known, or more likely.
pub(crate) struct Prospect {
    pub(crate) finding: Finding,
    /// Whether the agent whose request was looked at would be in it.
    pub(crate) takes_part: bool,
}

impl Ledger {
    /// `agent` is about to make a request, and will not hold `besides` any more when it does.
    pub(crate) fn requested(
        &self,
        agent: &Agent,
        request: Request,
        besides: Option<LockId>,
    ) -> (Arc<Repeats>, Vec<Prospect>) {
        let mut known = lock(&self.known);
        let mut held = std::mem::take(&mut known.held);
        let by = request.now.agent;
        let mut meanings = request.held_meant.iter();
        agent.held.for_each(|hold| {
            // Those that it says nothing of are plain.
            let meant = meanings.next().cloned().flatten();
            if Some(hold.lock) != besides {
                held.push(Guard { hold: hold.into(), by, meant });
            }
        });
        let answer = known.requested(agent, request, &held);
        held.clear();
        known.held = held;
        answer
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
        let mut notes: Vec<Finding> =
            known.latent().map(|circle| known.narrator().of_circle(circle, None)).collect();
        notes.extend(of_classes.iter().map(|circle| known.narrator().of_classes(circle)));
        let against_keys = known.classes.against_keys();
        notes.extend(against_keys.map(|(index, held)| known.narrator().of_nesting(index, held)));
        // The order of a hash table says nothing; that of the locks' numbers is about that of time.
        notes.sort_by_cached_key(Finding::locks_waited_for);
        notes
    }

    /// The orders of classes of locks that were seen, with each pair of places where that was.
    pub(crate) fn nestings(&self) -> Vec<Nesting> {
        let nesting = |Seen { held, wanted, times, .. }: Seen| {
            let (outer, inner) = (hold_of(&held.record()), hold_of(&wanted.record()));
            Nesting { outer, inner, times }
        };
        let mut nestings: Vec<Nesting> = self.orders_seen().into_iter().map(nesting).collect();
        // What was seen first comes first among those of one pair of places.
        nestings.sort_by_key(|one| (one.outer.site, one.inner.site));
        nestings
    }

    /// The same as it is on record, the oldest first.
    pub(crate) fn orders_seen(&self) -> Vec<Seen> {
        let mut known = lock(&self.known);
        let Known { predictor, classes, .. } = &mut *known;
        classes.seen(predictor.dependencies(), NESTINGS_MAX)
    }

    /// How many of [`notes`](Self::notes) there are.
    pub(crate) fn count_notes(&self) -> usize {
        let mut known = lock(&self.known);
        let of_classes = known.class_circles().len();
        known.latent().count() + of_classes + known.classes.against_keys().count()
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
    fn requested(
        &mut self,
        agent: &Agent,
        request: Request,
        held: &[Guard],
    ) -> (Arc<Repeats>, Vec<Prospect>) {
        if !request.is_relevant(held) {
            return (Arc::new(Repeats::new(request.now, false)), Vec::new());
        }
        self.make_room();
        self.cast.meet(agent);
        let answer = self.predictor.requested(request, held);
        let mut prospects = self.prospects(&answer.news, Some(answer.dependency));
        if answer.is_new {
            prospects.extend(self.class_prospects(answer.dependency));
        }
        (answer.repeats, prospects)
    }

    /// Forgets what is old if it has become too much.
    fn make_room(&mut self) {
        let needed = self.classes.dependencies();
        let Some(moved) = self.predictor.make_room(DEPENDENCIES_MAX, needed) else { return };
        self.forgotten += (DEPENDENCIES_MAX - moved.len()) as u64;
        self.classes.renumber(&moved);
        let agents = self.predictor.agents();
        self.cast.retain(&agents);
        // What is forgotten has to be looked at again when it is repeated.
        news::begin_generation();
    }

    fn narrator(&self) -> Narrator<'_> {
        Narrator { predictor: &self.predictor, cast: &self.cast }
    }

    /// The circles that could not happen as far as is known, and that nobody has said to be meant.
    fn latent(&self) -> impl Iterator<Item = &Circle> {
        let is_latent =
            |circle: &&Circle| circle.obstacle.is_some() && !self.predictor.is_meant(circle);
        self.predictor.circles().filter(is_latent)
    }

    fn prospects(&self, circles: &[Circle], request: Option<usize>) -> Vec<Prospect> {
        let narrator = self.narrator();
        let prospect = |circle: &Circle| {
            let is_part = |link: &CircleLink| Some(link.dependency) == request;
            Prospect {
                finding: narrator.of_circle(circle, request),
                takes_part: circle.links.iter().any(is_part),
            }
        };
        circles.iter().filter(|circle| !self.predictor.is_meant(circle)).map(prospect).collect()
    }

    /// What a new dependency has shown of classes.
    fn class_prospects(&mut self, dependency: usize) -> Vec<Prospect> {
        let predictor = &self.predictor;
        let news = self.classes.add(dependency, |index| predictor.dependency(index));
        let mut prospects = Vec::new();
        for news in news {
            let finding = match news {
                ClassNews::Nested(held) => self.narrator().of_nesting(dependency, held),
                ClassNews::Circle(circle) => {
                    let circle = self.class_circle(circle);
                    self.narrator().of_classes(&circle)
                }
            };
            prospects.push(Prospect { finding, takes_part: true });
        }
        prospects
    }

    /// The circles between classes that are none between locks.
    fn class_circles(&mut self) -> Vec<ClassCircle> {
        let predictor = &self.predictor;
        let dependency = |link: &CircleLink| predictor.dependency(link.dependency);
        let links = |circle: &Circle| circle.links.iter().map(dependency).collect();
        let of_locks: Vec<Vec<&Dependency>> = predictor.circles().map(links).collect();
        let circles: Vec<Vec<usize>> = self.classes.circles(&of_locks).cloned().collect();
        circles.into_iter().map(|circle| self.class_circle(circle)).collect()
    }

    /// Which lock stands for the class of what is wanted, in each dependency that comes next.
    fn class_circle(&mut self, dependencies: Vec<usize>) -> ClassCircle {
        let predictor = &self.predictor;
        let count = dependencies.len();
        let hold = |at: usize| {
            let waiting = predictor.dependency(dependencies[at]);
            let next = predictor.dependency(dependencies[(at + 1) % count]);
            self.classes.held_alike(next, waiting).unwrap_or(waiting.wanted)
        };
        let holds = (0..count).map(hold).collect();
        ClassCircle { dependencies, holds }
    }
}
