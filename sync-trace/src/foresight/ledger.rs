//! All that is known of lock orders in one process.

use std::sync::Arc;

use super::findings::{Cast, ClassCircle, Narrator, Who};
use super::meetings::Meetings;
use super::news;
use super::pledges::{Awaiting, Last, Pledge};
use crate::agent::Agent;
use crate::atomics::{Mutex, lock};
use crate::evidence::hold_of;
use crate::finding::{Finding, Level, LockId, Nesting};
use crate::lock_order::classes::{ClassNews, Classes, Seen};
use crate::lock_order::clock::Section;
use crate::lock_order::hold::{Guard, Hold};
use crate::lock_order::prediction::{Circle, CircleLink, Dependency, Noted, Request};
use crate::lock_order::predictor::Predictor;
use crate::site::Site;

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
    /// What is known of waits for what is given.
    meetings: Meetings,
    /// The memory for what an agent holds while its request is looked at.
    held: Vec<Guard>,
}

/// Of so many requests, at most, is known who held what and when. Then the older half is forgotten.
const DEPENDENCIES_MAX: usize = 1 << 18;

/// So many places where an order was seen are told, the oldest.
const NESTINGS_MAX: usize = 10_000;

/// What the giving of something has shown.
pub(crate) struct Judged {
    /// Deadlocks that could happen.
    pub(crate) found: Vec<Finding>,
    /// Such that were found before: somebody could have helped.
    pub(crate) withdrawn: Vec<Finding>,
}

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
    ) -> (Noted, Vec<Prospect>) {
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

    /// `agent` is about to wait for something that another one has to give: that is its `request`.
    pub(crate) fn awaited(&self, agent: &Agent, request: Request, awaiting: Awaiting) {
        let mut known = lock(&self.known);
        known.make_room();
        known.cast.meet(agent);
        let by = request.now.agent;
        let mut held = std::mem::take(&mut known.held);
        agent.held.for_each(|hold| held.push(Guard { hold: hold.into(), by, meant: None }));
        let Known { predictor, meetings, .. } = &mut *known;
        meetings.awaited(predictor, request, &held, awaiting);
        held.clear();
        known.held = held;
    }

    /// Whether anything that was asked for could be a part of a circle.
    pub(crate) fn is_of_interest(&self, pledge: &Pledge) -> bool {
        let known = lock(&self.known);
        !pledge.waiting.is_empty() && Meetings::is_of_interest(&known.predictor, pledge)
    }

    /// `agent` is about to give what others wait for. `request` is a model for what it had to ask for before.
    pub(crate) fn given(
        &self,
        agent: &Agent,
        request: Option<&Request>,
        pledge: &Pledge,
    ) -> Judged {
        let mut known = lock(&self.known);
        if request.is_some() {
            known.make_room();
            known.cast.meet(agent);
        }
        let Known { predictor, meetings, .. } = &mut *known;
        let (waits, errands) = meetings.given(predictor, agent.id(), request, pledge);
        let found: Vec<Circle> =
            errands.into_iter().filter_map(|start| meetings.judge(predictor, start)).collect();
        meetings.judged(agent.id(), &waits);
        let withdrawn = meetings.withdrawn(predictor);
        let narrator = known.narrator();
        let tell = |circle: &Circle| narrator.of_waits(circle, None);
        Judged {
            found: found.iter().map(tell).collect(),
            withdrawn: withdrawn.iter().map(tell).collect(),
        }
    }

    /// `agent` has joined at this line a thread that has done this last. Returns what that shows.
    pub(crate) fn joined(&self, agent: &Agent, last: &Last, site: Site) -> Option<Finding> {
        let mut known = lock(&self.known);
        let nested = last.nested.iter().filter_map(|noted| known.predictor.find(noted));
        let all: Vec<Hold> =
            last.asked.iter().copied().chain(nested.map(|known| known.wanted)).collect();
        let mut found: Option<Finding> = None;
        agent.held.for_each(|held| {
            let held = Hold::from(held);
            let blocks =
                |asked: &&Hold| asked.lock == held.lock && held.mode().blocks(asked.mode());
            if found.is_none()
                && let Some(asked) = all.iter().find(blocks)
            {
                let joiner = Who::of(agent);
                // Whoever has written somewhere since may have told who joins.
                let teller = all.iter().find(|asked| asked.may_tell());
                found = Some(known.narrator().of_join(
                    [&joiner, &last.who],
                    [&held, asked],
                    teller,
                    site,
                ));
            }
        });
        let found = found?;
        if found.level == Level::Order {
            known.meetings.note_join(&found);
        }
        Some(found)
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
        notes.extend(known.waits_with_help());
        let against_keys = known.classes.against_keys();
        notes.extend(against_keys.map(|(index, held)| known.narrator().of_nesting(index, held)));
        notes.extend(known.meetings.joins().iter().cloned());
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
        let nested = predictor.dependencies().filter(|one| !one.is_about_giving());
        classes.seen(nested, NESTINGS_MAX)
    }

    /// Waits for something that others may give, which therefore could not make a deadlock as far as is known.
    pub(crate) fn notes_of_waits(&self) -> Vec<Finding> {
        lock(&self.known).waits_with_help()
    }

    /// How many of [`notes`](Self::notes) there are.
    pub(crate) fn count_notes(&self) -> usize {
        let mut known = lock(&self.known);
        let of_classes = known.class_circles().len();
        known.latent().count()
            + of_classes
            + known.meetings.count_latent()
            + known.classes.against_keys().count()
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
        mut request: Request,
        held: &[Guard],
    ) -> (Noted, Vec<Prospect>) {
        if !request.is_relevant(held) {
            request.noted.line().see(&request.now, false);
            return (request.noted, Vec::new());
        }
        self.make_room();
        self.cast.meet(agent);
        let answer = self.predictor.requested(&mut request, held);
        let mut prospects = self.prospects(&answer.news, Some(answer.dependency));
        if answer.is_new {
            prospects.extend(self.class_prospects(answer.dependency));
            let Self { predictor, meetings, .. } = self;
            if let Some(circle) = meetings.judge(predictor, answer.dependency) {
                let finding = self.narrator().of_waits(&circle, None);
                prospects.push(Prospect { finding, takes_part: false });
            }
        }
        (request.noted, prospects)
    }

    /// Forgets what is old if it has become too much.
    fn make_room(&mut self) {
        let needed = || self.classes.dependencies().collect();
        let Some(moved) = self.predictor.make_room(DEPENDENCIES_MAX, needed) else { return };
        self.forgotten += (DEPENDENCIES_MAX - moved.len()) as u64;
        self.classes.renumber(&moved);
        self.meetings = Meetings::default();
        let agents = self.predictor.agents();
        self.cast.retain(&agents);
        // What is forgotten has to be looked at again when it is repeated.
        news::begin_generation();
    }

    fn narrator(&self) -> Narrator<'_> {
        Narrator { predictor: &self.predictor, cast: &self.cast }
    }

    fn waits_with_help(&self) -> Vec<Finding> {
        let waits = self.meetings.latent(&self.predictor).into_iter();
        waits.map(|(circle, helped)| self.narrator().of_waits(circle, Some(helped))).collect()
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
        let of_locks: Vec<Vec<Dependency<'_>>> = predictor.circles().map(links).collect();
        let circles: Vec<Vec<usize>> = self.classes.circles(&of_locks).cloned().collect();
        circles.into_iter().map(|circle| self.class_circle(circle)).collect()
    }

    /// Which lock stands for the class of what is wanted, in each dependency that comes next.
    fn class_circle(&mut self, dependencies: Vec<usize>) -> ClassCircle {
        let predictor = &self.predictor;
        let count = dependencies.len();
        let hold = |at: usize| {
            let waiting = &predictor.dependency(dependencies[at]);
            let next = &predictor.dependency(dependencies[(at + 1) % count]);
            self.classes.held_alike(next, waiting).unwrap_or(waiting.wanted)
        };
        let holds = (0..count).map(hold).collect();
        ClassCircle { dependencies, holds }
    }
}
