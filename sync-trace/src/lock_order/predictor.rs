//! Puts the parts together: requests and ends of sections go in, new predictions come out.
//!
//! A circle that cannot happen as far as is known is *latent*. It is looked at again whenever
//! something new could lift its obstacle: another agent or another time at one of its requests, a
//! writer of the lock that lacked one, the end of a section that was open.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::clock::{Moment, Section};
use super::graph::{Inserted, OrderGraph};
use super::hold::Guard;
use super::prediction::store::Added;
use super::prediction::{
    Circle, CircleLink, Dependencies, Dependency, Moved, Noted, Obstacle, Request,
};
use crate::finding::{AgentId, LockId, Sightings};

/// What the edges of one dependency do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edges {
    /// They are new, or have to wait, and lie on no cycle.
    CloseNone,
    /// Some were known, or lie on a cycle.
    MayClose,
}

/// What became of a dependency.
struct Entered {
    index: usize,
    is_new: bool,
    edges: Edges,
}

/// What comes of a request.
pub(crate) struct Answer {
    /// What stands for it in circles.
    pub(crate) dependency: usize,
    /// Whether there was none like it.
    pub(crate) is_new: bool,
    /// The circles that it makes known, or more likely.
    pub(crate) news: Vec<Circle>,
}

/// All that is known of orders, and what was predicted from it.
#[derive(Default)]
pub(crate) struct Predictor {
    graph: OrderGraph,
    seen: Dependencies,
    /// The best circle for each set of locks that are wanted in it.
    known: HashMap<BTreeSet<LockId>, Circle>,
}

impl Predictor {
    /// What the indices in a circle stand for.
    pub(crate) fn dependency(&self, index: usize) -> Dependency<'_> {
        self.seen.get(index)
    }

    /// All that was seen, the oldest first.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = Dependency<'_>> {
        self.seen.all()
    }

    /// The best circle found for each set of locks.
    pub(crate) fn circles(&self) -> impl Iterator<Item = &Circle> {
        self.known.values()
    }

    /// Whether the program has said that this is meant: something keeps it from happening, and all of it
    /// was done under one outer lock that keeps others away.
    pub(crate) fn is_meant(&self, circle: &Circle) -> bool {
        let outer = |link: usize| self.seen.get(circle.links[link].dependency).outer();
        let first = outer(0);
        circle.obstacle.is_some()
            && first.is_some()
            && (1..circle.links.len()).all(|link| outer(link) == first)
    }

    /// Forgets the older half of what was seen, but for what is part of a circle or `needed`, if it has
    /// become too much. Returns the new numbers of what is left.
    pub(crate) fn make_room(
        &mut self,
        most: usize,
        needed: impl FnOnce() -> HashSet<usize>,
    ) -> Option<HashMap<usize, usize>> {
        let count = self.seen.len();
        if count < most {
            return None;
        }
        let mut needed = needed();
        needed.extend(self.known.values().flat_map(Circle::dependencies));
        let mut old = std::mem::take(&mut self.seen);
        let (mut kept, mut gone) = (Vec::new(), HashSet::new());
        for (index, dependency) in old.all().enumerate() {
            let matters = dependency.repeats.repeats().matter() || needed.contains(&index);
            if index >= count / 2 || matters {
                kept.push((index, dependency.key()));
            } else {
                gone.extend(dependency.locks());
            }
        }
        let (mut moved, mut by_key) = (HashMap::new(), HashMap::new());
        let mut contexts = Moved::default();
        for (index, key) in kept {
            let new = match by_key.get(&key) {
                // Agents that were told to forget have given some in again.
                Some(&same) => {
                    self.seen.merge(same, &old, index);
                    same
                }
                None => {
                    let added = self.seen.take_over(&mut old, index, key, &mut contexts);
                    self.enter(added).index
                }
            };
            by_key.insert(key, new);
            moved.insert(index, new);
        }
        self.seen.cut_off = old.cut_off;
        // Orders that led through a lock of which nothing is known any more stay.
        for lock in gone.into_iter().filter(|&lock| !self.seen.is_held(lock)) {
            self.graph.remove(lock);
        }
        self.known.values_mut().for_each(|circle| circle.renumber(&moved));
        Some(moved)
    }

    /// The agents of which anything is known.
    pub(crate) fn agents(&self) -> HashSet<AgentId> {
        (0..self.seen.len()).map(|index| self.seen.get(index).agent()).collect()
    }

    /// A request is about to be made by an agent that holds this.
    /// Afterwards it has the line of what stands for it.
    pub(crate) fn requested(&mut self, request: &mut Request, held: &[Guard]) -> Answer {
        let wanted = request.wanted;
        let added = self.request(request, held);
        let Entered { index, is_new, edges } = self.enter(added);
        let mut starts = Vec::new();
        if edges == Edges::MayClose {
            starts.push(index);
        }
        if wanted.is_shared_write() {
            starts.extend(self.seen.sharing(wanted.lock).filter(|&other| other != index));
        }
        Answer { dependency: index, is_new, news: self.judge(starts) }
    }

    fn request(&mut self, request: &mut Request, held: &[Guard]) -> Added {
        match request.settle() {
            inside if inside.is_empty() => self.seen.request(request, held),
            inside => self.seen.request(request, &[held, &inside].concat()),
        }
    }

    /// Somebody who holds this waits for what is given, or does something before it gives that. Returns what
    /// stands for it.
    pub(crate) fn note(&mut self, mut request: Request, held: &[Guard]) -> usize {
        let added = self.request(&mut request, held);
        self.enter(added).index
    }

    /// The dependency has been seen once more.
    pub(crate) fn note_again(&self, index: usize, now: Arc<Moment>) {
        self.seen.get(index).repeats.add(1, &now);
    }

    /// What an agent remembers of having done, if it is known here.
    pub(crate) fn find(&self, noted: &Noted) -> Option<Dependency<'_>> {
        self.seen.find(noted).map(|index| self.seen.get(index))
    }

    /// Whether anybody was seen to hold `lock` while it wanted something.
    pub(crate) fn is_held(&self, lock: LockId) -> bool {
        self.seen.is_held(lock)
    }

    /// The shortest circle through a dependency that could happen, if it leads through a wait for something
    /// that is given.
    pub(crate) fn circle_of_waits(&mut self, start: usize) -> Option<Circle> {
        if !self.may_be_in_a_circle(start) {
            return None;
        }
        let circle = self.seen.circle_of_waits(start)?;
        let is_wait = |link: &CircleLink| self.seen.get(link.dependency).wanted.is_given();
        circle.links.iter().any(is_wait).then_some(circle)
    }

    /// Adds the edges of a dependency.
    fn enter(&mut self, added: Added) -> Entered {
        added.met.into_iter().for_each(|index| _ = self.insert_edges(index));
        let edges = match added.wants_what_is_held {
            true => self.insert_edges(added.index),
            false => Edges::CloseNone,
        };
        Entered { index: added.index, is_new: added.is_new, edges }
    }

    /// How often, and by whom and where, `wanted` was wanted while `held` was held.
    pub(crate) fn sightings(&self, held: LockId, wanted: LockId) -> Sightings {
        self.seen.sightings(held, wanted)
    }

    /// How many searches for circles were given up.
    pub(crate) fn cut_off(&self) -> u64 {
        self.seen.cut_off
    }

    /// A section has ended, so it is known what happened inside it. Returns the circles that this
    /// makes known, or more likely.
    pub(crate) fn section_ended(&mut self, section: &Arc<Section>) -> Vec<Circle> {
        let (settled, met) = self.seen.section_ended(section);
        for &index in met.iter().chain(&settled) {
            if self.seen.is_held(self.seen.get(index).wanted.lock) {
                self.insert_edges(index);
            }
        }
        self.judge(settled)
    }

    /// Adds the edges from what is held to what is wanted. One that nobody was seen to hold can be in no
    /// cycle, and most locks are such innermost ones: their edges have to wait until somebody does.
    fn insert_edges(&mut self, index: usize) -> Edges {
        let dependency = self.seen.get(index);
        let (wanted, mode) = (dependency.wanted.lock, dependency.wanted.mode());
        let mut edges = Edges::CloseNone;
        for held in dependency.holds() {
            if self.graph.insert(held.lock, wanted, held.mode(), mode) != Inserted::Open {
                edges = Edges::MayClose;
            }
        }
        edges
    }

    /// Looks for circles through these requests, and returns those that are better than what was known.
    fn judge(&mut self, starts: impl IntoIterator<Item = usize>) -> Vec<Circle> {
        let mut news = Vec::new();
        for start in starts {
            if self.seen.get(start).is_about_giving() || !self.may_be_in_a_circle(start) {
                continue;
            }
            let Some(circle) = self.seen.circle_through(start) else { continue };
            if circle.obstacle.is_some_and(Obstacle::may_be_gone_another_time) {
                self.watch(start);
            }
            if self.is_news(&circle) {
                news.push(circle);
            }
        }
        news
    }

    /// What takes part in cycles with this request is to be judged again whenever it is repeated at
    /// another time.
    fn watch(&mut self, index: usize) {
        let dependency = self.seen.get(index);
        if !dependency.repeats.repeats().matter() {
            let component = self.graph.component_of(dependency.wanted.lock).collect();
            self.seen.watch(&component);
        }
    }

    /// Whether there is any cycle among the locks of a request: usually not, and then its agents and
    /// times need not be looked at.
    fn may_be_in_a_circle(&self, index: usize) -> bool {
        let dependency = self.seen.get(index);
        let wanted = dependency.wanted.lock;
        let mut held = dependency.holds().map(|hold| hold.lock);
        held.any(|lock| lock == wanted || self.graph.is_in_one_component(lock, wanted))
    }

    fn is_news(&mut self, circle: &Circle) -> bool {
        let wanted = |link: usize| self.seen.get(circle.links[link].dependency).wanted.lock;
        let locks: BTreeSet<LockId> = (0..circle.links.len()).map(wanted).collect();
        match self.known.get_mut(&locks) {
            Some(known) if known.obstacle <= circle.obstacle => {
                // Had it been still as it was, the search would have come upon it again.
                let start = circle.links[0].dependency;
                if known.obstacle.is_some() && known.dependencies().any(|part| part == start) {
                    *known = circle.clone();
                }
                false
            }
            Some(known) => {
                *known = circle.clone();
                true
            }
            None => {
                self.known.insert(locks, circle.clone());
                true
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::play::Actor;
    use super::*;
    use crate::finding::LockKind;
    use crate::held::Held;
    use crate::op::Mode;
    use crate::registry::Access;
    use crate::registry::tests::ACCESS;
    use crate::site::{Origin, Site};

    static EXCLUSIVE: &Access = &Access { kind: LockKind::RwLock, ..*ACCESS };

    fn held(lock: u64, access: &'static Access) -> Held {
        let (lock, site) = (LockId(lock), Site::caller());
        Held { lock, stamp: 0, told: false, access, created: Origin::unnamed(site), site }
    }

    /// The agent takes these locks, each inside the one before, and gives them up. Returns the circles
    /// that could happen of which that is the first news.
    fn nest(predictor: &mut Predictor, actor: &mut Actor, locks: &[u64]) -> Vec<Circle> {
        let mut news = Vec::new();
        for &lock in locks {
            let held = held(lock, EXCLUSIVE);
            news.extend(actor.request(held, predictor));
            actor.acquired(held);
        }
        for &lock in locks.iter().rev() {
            news.extend(actor.released(LockId(lock), predictor));
        }
        news.retain(|circle| circle.obstacle.is_none());
        news
    }

    #[test]
    fn a_deadlock_is_news_once_however_often_its_parts_are_repeated() {
        let mut predictor = Predictor::default();
        let [mut t, mut u] = [1, 2].map(Actor::new);
        let mut news = 0;
        for _ in 0..10_000 {
            news += nest(&mut predictor, &mut t, &[1, 2]).len();
            news += nest(&mut predictor, &mut u, &[2, 1]).len();
        }
        assert_eq!(news, 1);
        assert_eq!(predictor.circles().count(), 1);
        let circle = predictor.circles().next().expect("one");
        let counts =
            circle.links.iter().map(|link| predictor.dependency(link.dependency).repeats.count());
        assert_eq!(counts.collect::<Vec<_>>(), [10_000, 10_000]);
    }

    #[test]
    fn hundreds_of_deadlocks_among_hundreds_of_agents_are_told_apart() {
        let mut predictor = Predictor::default();
        let mut news = 0;
        for agent in 0..800 {
            let mut time = Actor::new(agent + 1);
            // Every fourth agent takes its own pair the other way round.
            let pair = agent / 4 * 2 + 100;
            let order = if agent % 4 == 3 { [pair + 1, pair] } else { [pair, pair + 1] };
            news += nest(&mut predictor, &mut time, &order).len();
            // And all take some common ones in one order, and some of their own.
            nest(&mut predictor, &mut time, &[1, 2 + agent % 10, 20]);
            (0..7).for_each(|own| {
                nest(&mut predictor, &mut time, &[20, 10_000 + agent * 10 + own]);
            });
        }
        assert_eq!(news, 200);
        assert_eq!(predictor.circles().count(), 200);
    }

    #[test]
    fn what_is_old_is_forgotten_but_for_what_is_part_of_a_circle() {
        let mut predictor = Predictor::default();
        let [mut t, mut u] = [1, 2].map(Actor::new);
        nest(&mut predictor, &mut t, &[1, 2]);
        nest(&mut predictor, &mut u, &[2, 1]);
        for lock in 0..1000 {
            nest(&mut predictor, &mut t, &[3, 100 + lock, 2000 + lock]);
        }
        let count = predictor.seen.len();
        assert!(predictor.make_room(count + 1, HashSet::new).is_none());
        let moved = predictor.make_room(count, || [5].into()).expect("there is too much");
        assert!(moved.contains_key(&5) && moved.len() < count * 2 / 3, "{}", moved.len());
        let circle = predictor.circles().next().expect("it was kept");
        let locks: BTreeSet<_> =
            circle.dependencies().map(|index| predictor.dependency(index).wanted.lock).collect();
        assert_eq!(locks, BTreeSet::from([LockId(1), LockId(2)]));
        // What is left takes part in new circles, and what is gone can come again.
        assert_eq!(nest(&mut predictor, &mut u, &[2999, 1099]).len(), 1);
        assert!(nest(&mut predictor, &mut u, &[2000, 100]).is_empty());
        assert_eq!(nest(&mut predictor, &mut t, &[100, 2000]).len(), 1);
    }

    /// Who is told to forget what it has asked for asks for it as for the first time.
    #[test]
    fn what_is_given_in_again_is_the_same_once_room_was_made() {
        let mut predictor = Predictor::default();
        let [mut t, mut u] = [1, 2].map(Actor::new);
        nest(&mut predictor, &mut t, &[1, 2]);
        nest(&mut predictor, &mut u, &[2, 1]);
        for round in 0..5 {
            let before = predictor.seen.len();
            t.forget();
            u.forget();
            nest(&mut predictor, &mut t, &[1, 2]);
            assert!(nest(&mut predictor, &mut u, &[2, 1]).is_empty(), "it is no news");
            assert!(predictor.seen.len() > before, "they are given in again");
            let all = (0..predictor.seen.len()).collect();
            predictor.make_room(1, || all).expect("there is too much");
            assert_eq!(predictor.seen.len(), before, "round {round}");
        }
        assert_eq!(predictor.sightings(LockId(1), LockId(2)).times, 6);
        assert_eq!(predictor.circles().count(), 1);
    }

    #[test]
    fn a_latent_circle_is_looked_at_again_when_a_writer_comes() {
        static READ: Access = Access { mode: Mode::Read, ..*EXCLUSIVE };
        let mut predictor = Predictor::default();
        let mut actors: Vec<_> = (1..=3).map(Actor::new).collect();
        for (agent, order) in [(0, [1, 2]), (1, [2, 1])] {
            for lock in order {
                let wanted = held(lock, if lock == 1 { &READ } else { EXCLUSIVE });
                actors[agent].request(wanted, &mut predictor);
                actors[agent].acquired(wanted);
            }
            for lock in [1, 2] {
                actors[agent].released(LockId(lock), &mut predictor);
            }
        }
        let latent: Vec<_> = predictor.circles().map(|circle| circle.obstacle).collect();
        assert_eq!(latent, [Some(Obstacle::NoWriter(LockId(1)))]);
        let news = actors[2].request(held(1, EXCLUSIVE), &mut predictor);
        assert_eq!(news.len(), 1);
        let writers: Vec<_> = news[0].links.iter().filter_map(|link| link.writer).collect();
        let agents = writers.iter().map(|&writer| predictor.dependency(writer).agent());
        assert_eq!(agents.collect::<Vec<_>>(), [AgentId(3)]);
    }
}
