//! From what agents have asked for while they held locks to deadlocks that could happen.
//!
//! Each nested request is a *dependency* (Havelund 2000; Bensalem and Havelund 2005): this agent, holding
//! these, wanted that. Dependencies that want in a circle what the next one holds are a deadlock that
//! could happen, if nothing keeps their agents from being there at the same time: see [`Obstacle`].

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::clock::{Moment, Section, Timeline};
use super::label::{Blocks, blocks_or_queues};
use crate::atomics::{Mutex, lock};
use crate::finding::{AgentId, LockId, Sightings};
use crate::held::Held;
use crate::op::Mode;

/// An agent's request for a lock while it held others, or for a write while it held none.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// What was wanted: the record of the hold that it was to become.
    pub(crate) wanted: Held,
    /// What the agent held; later also what others held around it, see `around`.
    pub(crate) held: Vec<Arc<Section>>,
    /// Sections of other agents that began before it and had not ended. When they do it turns out
    /// whether they had to wait for it: then it happened inside them, whatever the schedule.
    pub(crate) around: Vec<Arc<Section>>,
    /// When that was first so.
    pub(crate) first: Moment,
    pub(crate) repeats: Arc<Repeats>,
}

/// How often a dependency was seen, and when last. Its agent adds to it, without a look at anything
/// global, and whoever judges reads.
#[derive(Debug)]
pub(crate) struct Repeats {
    /// Only the agent writes. Relaxed: a count says nothing about other memory.
    count: AtomicU64,
    last: Mutex<Moment>,
    /// Whether a repeat at another time could make a circle possible.
    matter: AtomicBool,
}

impl Repeats {
    pub(crate) fn new(first: Moment) -> Self {
        let (count, last) = (AtomicU64::new(1), Mutex::new(first));
        Self { count, last, matter: AtomicBool::new(false) }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn last(&self) -> Moment {
        lock(&self.last).clone()
    }

    /// Once more, at a moment that need not be told from the last one.
    #[inline]
    pub(crate) fn add_one(&self) {
        self.count.store(self.count() + 1, Ordering::Relaxed);
    }

    /// So often more, the last time at that moment.
    pub(crate) fn add(&self, count: u64, last: Moment) {
        self.count.store(self.count() + count, Ordering::Relaxed);
        let old = std::mem::replace(&mut *lock(&self.last), last);
        drop(old);
    }

    /// Whether a repeat at another time has to be judged.
    pub(crate) fn matter(&self) -> bool {
        self.matter.load(Ordering::Relaxed)
    }

    fn set_matter(&self) {
        self.matter.store(true, Ordering::Relaxed);
    }
}

impl Dependency {
    /// A request by the agent of `time`, now that there are so many news.
    pub(crate) fn new(time: &mut Timeline, wanted: Held, news: u64) -> Self {
        let (held, around) = (time.sections().to_vec(), time.around());
        let first = time.now(news);
        let repeats = Arc::new(Repeats::new(first.clone()));
        Self { wanted, held, around, first, repeats }
    }

    /// Whether anything can come of it: it holds something, or is a write that others queue behind.
    pub(crate) fn is_relevant(&self) -> bool {
        !self.held.is_empty() || !self.around.is_empty() || self.mode() == Mode::Exclusive
    }

    pub(crate) fn agent(&self) -> AgentId {
        self.first.agent
    }

    fn mode(&self) -> Mode {
        self.wanted.access.mode
    }

    /// How it keeps the request of `other` waiting.
    fn blocks(&self, other: &Self) -> Blocks {
        let of_it = self.held.iter().filter(|held| held.held.lock == other.wanted.lock);
        let blocks = of_it.map(|held| blocks_or_queues(held.held.access.mode, other.mode()));
        blocks
            .filter(|blocks| *blocks != Blocks::No)
            .min_by_key(|blocks| *blocks as u8)
            .unwrap_or(Blocks::No)
    }

    /// A lock that excludes the two from each other.
    fn gate(&self, other: &Self) -> Option<LockId> {
        gate_between(&self.held, &other.held)
    }

    /// A lock that does so if a section that is still open turns out to enclose one of them.
    fn open_gate(&self, other: &Self) -> Option<LockId> {
        gate_between(&self.around, &other.held)
            .or_else(|| gate_between(&self.held, &other.around))
            .or_else(|| gate_between(&self.around, &other.around))
    }

    /// Whether there were times of the two that no ordering event keeps apart.
    fn is_concurrent_with(&self, other: &Self) -> bool {
        let times = |of: &Self| [of.first.clone(), of.repeats.last()];
        let theirs = times(other);
        times(self).iter().any(|own| theirs.iter().any(|other| own.is_concurrent_with(other)))
    }

    /// Whether all of it happened inside `section`; `None` while that is open.
    fn is_inside(&self, section: &Section) -> Option<bool> {
        Some(section.encloses(&self.first)? && section.encloses(&self.repeats.last())?)
    }
}

/// A lock that is held in both, in different sections and in at least one of them alone.
fn gate_between(ones: &[Arc<Section>], others: &[Arc<Section>]) -> Option<LockId> {
    let alone = |section: &Section| section.held.access.mode == Mode::Exclusive;
    ones.iter().find_map(|one| {
        let excludes = |other: &&Arc<Section>| {
            other.held.lock == one.held.lock
                && !Arc::ptr_eq(other, one)
                && (alone(one) || alone(other))
        };
        others.iter().find(excludes).map(|section| section.held.lock)
    })
}

/// What keeps a circle of dependencies from being a deadlock, as far as is known. In the order in which
/// circles are preferred for showing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Obstacle {
    /// A reader would have to queue behind a writer of this lock, and no fitting writer was seen.
    NoWriter(LockId),
    /// Two of them exclude each other if a section on this lock, which is still open, cannot end before
    /// one of them.
    Open(LockId),
    /// Ordering events keep two of them apart.
    Ordered,
    /// Two of them exclude each other by this lock.
    Gate(LockId),
    /// Two of them are one agent.
    OneAgent,
}

impl Obstacle {
    /// Whether it could be gone the next time that the same agents do the same.
    pub(crate) fn may_be_gone_another_time(self) -> bool {
        matches!(self, Self::NoWriter(_) | Self::Open(_) | Self::Ordered)
    }

    fn level(self) -> u8 {
        match self {
            Self::NoWriter(_) => 1,
            Self::Open(_) => 2,
            Self::Ordered => 3,
            Self::Gate(_) => 4,
            Self::OneAgent => 5,
        }
    }
}

const LEVELS: u8 = 5;

/// A circle of dependencies: each wants what the next one holds, and the last what the first holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    pub(crate) links: Vec<CircleLink>,
    /// `None` if it could happen.
    pub(crate) obstacle: Option<Obstacle>,
}

/// One step of a circle, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CircleLink {
    pub(crate) dependency: usize,
    /// The writer that queues between this one's request and the next one's hold, if it takes one.
    pub(crate) writer: Option<usize>,
}

/// A search for circles is cut off after so many steps.
const STEPS_MAX: u32 = 50_000;

/// All dependencies seen.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    all: Vec<Dependency>,
    by_key: HashMap<Key, usize>,
    /// Those that hold a lock, and those that want to write it.
    holding: HashMap<LockId, Vec<usize>>,
    writing: HashMap<LockId, Vec<usize>>,
    /// Those that want to share it, and may have to queue behind a writer.
    sharing: HashMap<LockId, Vec<usize>>,
    /// Those for which a section, by its number, is still open.
    inside_open: HashMap<NonZeroU64, Vec<usize>>,
    /// How many searches were cut off.
    pub(crate) cut_off: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    agent: AgentId,
    wanted: (LockId, Mode),
    /// Sorted, so that the order in which they were taken does not matter.
    held: Box<[(LockId, Mode)]>,
    /// The sections around it.
    around: Box<[NonZeroU64]>,
}

impl Key {
    fn of(dependency: &Dependency) -> Self {
        let pair = |held: &Held| (held.lock, held.access.mode);
        let mut held: Vec<_> = dependency.held.iter().map(|section| pair(&section.held)).collect();
        held.sort_unstable_by_key(|&(lock, mode)| (lock, mode as u8));
        let around = dependency.around.iter().map(|section| section.number);
        Self {
            agent: dependency.agent(),
            wanted: pair(&dependency.wanted),
            held: held.into(),
            around: around.collect(),
        }
    }
}

impl Dependencies {
    pub(crate) fn get(&self, index: usize) -> &Dependency {
        &self.all[index]
    }

    /// The requests that a writer of `lock` may keep waiting by queueing for it.
    pub(crate) fn sharing(&self, lock: LockId) -> &[usize] {
        self.sharing.get(&lock).map_or(&[], Vec::as_slice)
    }

    /// How often, and by whom and where, `wanted` was wanted while `held` was held.
    pub(crate) fn sightings(&self, held: LockId, wanted: LockId) -> Sightings {
        let holding = self.holding.get(&held).into_iter().flatten();
        let all = holding.map(|&index| &self.all[index]);
        let (mut times, mut threads, mut sites) = (0, BTreeSet::new(), BTreeSet::new());
        for dependency in all.filter(|dependency| dependency.wanted.lock == wanted) {
            times += dependency.repeats.count();
            threads.insert(dependency.agent());
            sites.insert(dependency.wanted.site);
        }
        Sightings { times, threads: threads.len() as u64, sites: sites.len() as u64 }
    }

    /// From here on, what holds and wants these locks, or writes one of them, matters whenever it is
    /// repeated at another time.
    pub(crate) fn watch(&self, locks: &HashSet<LockId>) {
        for lock in locks {
            let holding = self.holding.get(lock).into_iter().flatten();
            let inside = holding.filter(|&&index| locks.contains(&self.all[index].wanted.lock));
            let writing = self.writing.get(lock).into_iter().flatten();
            inside.chain(writing).for_each(|&index| self.all[index].repeats.set_matter());
        }
    }

    /// Adds a dependency, or adds to what is known of it. Returns its index.
    pub(crate) fn add(&mut self, dependency: Dependency) -> usize {
        let key = Key::of(&dependency);
        if let Some(&known) = self.by_key.get(&key) {
            let new = dependency.repeats;
            self.all[known].repeats.add(new.count(), new.last());
            return known;
        }
        let index = self.all.len();
        for section in &dependency.held {
            self.holding.entry(section.held.lock).or_default().push(index);
        }
        for section in &dependency.around {
            self.inside_open.entry(section.number).or_default().push(index);
        }
        let by_mode = match dependency.mode() {
            Mode::Exclusive => &mut self.writing,
            Mode::Upgradable | Mode::Read | Mode::RecursiveRead => &mut self.sharing,
        };
        by_mode.entry(dependency.wanted.lock).or_default().push(index);
        self.by_key.insert(key, index);
        self.all.push(dependency);
        index
    }

    /// `section` has ended: finds out which dependencies happened inside it. Returns all for which that
    /// was open.
    pub(crate) fn section_ended(&mut self, section: &Arc<Section>) -> Vec<usize> {
        let settled = self.inside_open.remove(&section.number).unwrap_or_default();
        for &index in &settled {
            let dependency = &mut self.all[index];
            dependency.around.retain(|around| !Arc::ptr_eq(around, section));
            if dependency.is_inside(section) == Some(true) {
                dependency.held.push(Arc::clone(section));
                self.holding.entry(section.held.lock).or_default().push(index);
            }
        }
        settled
    }

    /// The shortest circle through dependency `start` that could happen, or else one that comes
    /// closest to that.
    pub(crate) fn circle_through(&mut self, start: usize) -> Option<Circle> {
        for level in 0..=LEVELS {
            let mut search = Search { seen: self, level, steps: 0, path: Vec::new(), best: None };
            search.extend(start);
            let (best, cut_off) = (search.best, search.steps >= STEPS_MAX);
            self.cut_off += u64::from(cut_off);
            if best.is_some() {
                return best;
            }
        }
        None
    }
}

/// A depth-first search for the shortest circle whose obstacle is not above a level.
struct Search<'a> {
    seen: &'a Dependencies,
    level: u8,
    steps: u32,
    path: Vec<CircleLink>,
    best: Option<Circle>,
}

impl Search<'_> {
    /// Adds `next` to the path and goes on from there.
    fn extend(&mut self, next: usize) {
        self.steps += 1;
        let is_long =
            self.best.as_ref().is_some_and(|best| self.path.len() + 1 >= best.links.len());
        if self.steps >= STEPS_MAX || is_long {
            return;
        }
        self.path.push(CircleLink { dependency: next, writer: None });
        let wanted = self.seen.get(next).wanted.lock;
        for &holder in self.seen.holding.get(&wanted).into_iter().flatten() {
            if self.seen.get(holder).blocks(self.seen.get(next)) == Blocks::No {
                continue;
            }
            if holder == self.path[0].dependency {
                self.close();
            } else if self.fits(holder) {
                self.extend(holder);
            }
        }
        self.path.pop();
    }

    /// Whether `next` may come after the path.
    fn fits(&self, next: usize) -> bool {
        let wanted = self.seen.get(next).wanted.lock;
        self.path.iter().all(|link| {
            self.seen.get(link.dependency).wanted.lock != wanted
                && self
                    .between(link.dependency, next)
                    .is_none_or(|found| found.level() <= self.level)
        })
    }

    /// What keeps two dependencies apart.
    fn between(&self, one: usize, other: usize) -> Option<Obstacle> {
        let (one, other) = (self.seen.get(one), self.seen.get(other));
        if one.agent() == other.agent() {
            Some(Obstacle::OneAgent)
        } else if let Some(lock) = one.gate(other) {
            Some(Obstacle::Gate(lock))
        } else if !one.is_concurrent_with(other) {
            Some(Obstacle::Ordered)
        } else {
            one.open_gate(other).map(Obstacle::Open)
        }
    }

    /// The path is a circle: keeps it if it is the best so far.
    fn close(&mut self) {
        let pairs = self.path.iter().enumerate().flat_map(|(at, one)| {
            self.path[at + 1..].iter().map(move |other| (one.dependency, other.dependency))
        });
        let mut obstacle = pairs.filter_map(|(one, other)| self.between(one, other)).max();
        let mut links = self.path.clone();
        if let [only] = links[..] {
            let only = self.seen.get(only.dependency);
            if only.blocks(only) == Blocks::Directly {
                // That deadlock is certain to happen, and did: something has broken it since.
                return;
            }
        }
        let mut queues = Vec::new();
        for at in 0..links.len() {
            let (from, to) = (links[at].dependency, links[(at + 1) % links.len()].dependency);
            if self.seen.get(to).blocks(self.seen.get(from)) == Blocks::ThroughWriter {
                queues.push((at, self.seen.get(from).wanted.lock));
            }
        }
        match self.writers(&queues) {
            Ok(writers) => {
                for (&(at, _), writer) in queues.iter().zip(writers) {
                    links[at].writer = Some(writer);
                }
            }
            Err(lock) => obstacle = obstacle.max(Some(Obstacle::NoWriter(lock))),
        }
        if obstacle.is_none_or(|obstacle| obstacle.level() <= self.level) {
            self.best = Some(Circle { links, obstacle });
        }
    }

    /// For each of these locks a writer, so that all of them could queue while all of the path are where
    /// they are; or else a lock that lacks one.
    fn writers(&mut self, queues: &[(usize, LockId)]) -> Result<Vec<usize>, LockId> {
        let fitting = |lock: LockId| -> Vec<usize> {
            let mut writers = self.seen.writing.get(&lock).cloned().unwrap_or_default();
            writers.retain(|&writer| {
                self.path.iter().all(|link| self.between(link.dependency, writer).is_none())
            });
            writers
        };
        let choices: Vec<(LockId, Vec<usize>)> =
            queues.iter().map(|&(_, lock)| (lock, fitting(lock))).collect();
        let lacking = choices.iter().filter(|(_, writers)| writers.is_empty());
        if let Some(lock) = lacking.map(|&(lock, _)| lock).max() {
            return Err(lock);
        }
        let mut chosen = Vec::new();
        match self.choose_writers(&choices, &mut chosen) {
            true => Ok(chosen),
            false => Err(choices.iter().map(|&(lock, _)| lock).max().expect("some failed")),
        }
    }

    /// Adds to `chosen` one of each list of writers, such that each could be there beside the others.
    fn choose_writers(
        &mut self,
        choices: &[(LockId, Vec<usize>)],
        chosen: &mut Vec<usize>,
    ) -> bool {
        let Some((_, writers)) = choices.get(chosen.len()) else { return true };
        for &writer in writers {
            self.steps += 1;
            if self.steps >= STEPS_MAX {
                return false;
            }
            if chosen.iter().all(|&other| self.between(other, writer).is_none()) {
                chosen.push(writer);
                if self.choose_writers(choices, chosen) {
                    return true;
                }
                chosen.pop();
            }
        }
        false
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::play::outcome;

    #[track_caller]
    fn check(script: &str, expected: &str) {
        assert_eq!(outcome(script), expected, "{script}");
    }

    /// The same, in every order of the sections.
    #[track_caller]
    fn check_all_orders(script: &str, expected: &str) {
        let sections: Vec<&str> = script.split(';').collect();
        for order in permutations(sections.len()) {
            let script: Vec<&str> = order.iter().map(|&at| sections[at]).collect();
            check(&script.join(";"), expected);
        }
    }

    fn permutations(count: usize) -> Vec<Vec<usize>> {
        if count == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(count - 1);
        let longer = |rest: &Vec<usize>| {
            let rest = rest.clone();
            (0..count).map(move |at| {
                let mut order = rest.clone();
                order.insert(at, count - 1);
                order
            })
        };
        shorter.iter().flat_map(longer).collect()
    }

    #[test]
    fn two_orders_by_two_agents() {
        check_all_orders("t: X(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check_all_orders("t: X(a) X(b); u: X(a) X(b)", "");
        check("t: X(a) X(b); t: X(b) X(a)", "one agent: ab");
    }

    #[test]
    fn longer_circles_in_every_order_of_their_parts() {
        check_all_orders("t: X(a) X(b); u: X(b) X(c); v: X(c) X(a)", "deadlock: abc");
        check_all_orders("t: X(a) X(b); u: X(c) X(a); v: X(b) X(c)", "deadlock: abc");
        check_all_orders(
            "t: X(a) X(b); u: X(b) X(c); v: X(c) X(d); w: X(d) X(a)",
            "deadlock: abcd",
        );
        check_all_orders("t: X(a) X(b); u: X(c) X(d); v: X(b) X(d); w: X(d) X(a)", "deadlock: abd");
    }

    #[test]
    fn one_agent_cannot_be_in_two_places() {
        check("t: X(a) X(b); t: X(b) X(c); u: X(c) X(a)", "one agent: abc");
        check("t: X(a) X(b) X(c); u: X(c) X(a)", "deadlock: ac");
    }

    #[test]
    fn edges_start_at_every_lock_that_is_held() {
        check_all_orders("t: X(a) X(b) X(c); u: X(c) X(a)", "deadlock: ac");
        check("t: X(a) R(b) X(c); u: X(c) X(a)", "deadlock: ac");
    }

    #[test]
    fn a_lock_around_both_sides_is_a_gate_unless_both_read_it() {
        check_all_orders("t: X(g) X(a) X(b); u: X(g) X(b) X(a)", "gate g: ab");
        check_all_orders("t: X(g) X(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check_all_orders("t: R(g) X(a) X(b); u: R(g) X(b) X(a)", "deadlock: ab");
        check_all_orders("t: X(g) X(a) X(b); u: r(g) X(b) X(a)", "gate g: ab");
        check_all_orders("t: X(g) X(a) U(g) X(b); u: X(g) X(b) U(g) X(a)", "deadlock: ab");
        // The inner lock is a gate for what is taken inside it, and not for itself.
        let inner = outcome("t: X(a) X(g) X(b); u: X(b) X(g) X(a)");
        assert!(["deadlock: ag", "deadlock: bg"].contains(&&*inner), "{inner}");
    }

    #[test]
    fn ordering_events_keep_agents_apart() {
        check("t: X(a) X(b) U(b) U(a) spawn(u); u: X(b) X(a)", "ordered: ab");
        check("m: spawn(t); t: X(a) X(b); m: join(t) X(b) X(a)", "ordered: ab");
        check("t: X(a) X(b) U(a) U(b) send(m); u: recv(m) X(b) X(a)", "ordered: ab");
        check("t: send(m) X(a) X(b); u: recv(m) X(b) X(a)", "deadlock: ab");
        check("t: X(a) X(b); t: X(g); u: X(g); u: X(b) X(a)", "deadlock: ab");
    }

    #[test]
    fn what_was_ordered_once_may_be_concurrent_when_it_is_repeated() {
        check("t: X(a) X(b); t: spawn(u); u: X(b) X(a); t: X(a) X(b)", "deadlock: ab");
        check("t: X(a) X(b); t: spawn(u); t: X(a) X(b); u: X(b) X(a)", "deadlock: ab");
    }

    #[test]
    fn what_is_started_and_joined_in_a_section_happens_inside_it() {
        check("t: X(g) spawn(u) keep; u: X(a) X(b); t: join(u); v: X(g) X(b) X(a)", "gate g: ab");
        // Not joined: it may go on when the section has ended.
        check("t: X(g) spawn(u) keep; u: X(a) X(b); t: U(g); v: X(g) X(b) X(a)", "deadlock: ab");
        check("t: X(a) spawn(u) keep; u: X(b); t: join(u); v: X(b) X(a)", "deadlock: ab");
        check("t: X(a) spawn(u) keep; u: X(b); t: U(a) join(u); v: X(b) X(a)", "");
        // The section is one and the same for both.
        check(
            "t: X(g) spawn(u) keep; u: X(a) X(b); t: X(b) X(a) U(a) U(b) join(u)",
            "deadlock: ab",
        );
    }

    #[test]
    fn a_section_that_has_to_wait_for_the_one_it_was_started_in_comes_after_that() {
        check("t: X(g) spawn(u) X(a) X(b); u: X(g); u: X(b) X(a)", "ordered: ab");
        check("t: X(g) spawn(u) X(a) X(b); u: X(h); u: X(b) X(a)", "deadlock: ab");
        check("t: X(g) send(m) X(a) X(b); u: recv(m) X(g); u: X(b) X(a)", "ordered: ab");
        check("t: r(g) spawn(u) X(a) X(b); u: r(g); u: X(b) X(a)", "deadlock: ab");
        // Also if somebody else has told of it, when it had ended.
        check(
            "t: X(g) send(m) X(a) X(b); v: recv(m) spawn(u); u: X(g); u: X(b) X(a)",
            "ordered: ab",
        );
        check(
            "t: X(g) send(m) X(a) X(b); v: recv(m) spawn(u); u: X(h); u: X(b) X(a)",
            "deadlock: ab",
        );
    }

    #[test]
    fn a_try_waits_for_nothing_but_what_it_took_is_held() {
        check_all_orders("t: X(a) try(b); u: X(b) X(a)", "");
        check_all_orders("t: try(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check_all_orders("t: X(a) try(b); u: X(b) try(a)", "");
    }

    #[test]
    fn readers_wait_for_each_other_only_behind_a_writer() {
        check_all_orders("t: r(a) r(b); u: r(b) r(a)", "no writer of b: ab");
        check_all_orders("t: r(a) X(b); u: X(b) r(a)", "no writer of a: ab");
        check_all_orders("t: r(a) X(b); u: X(b) r(a); w: X(a)", "deadlock: ab");
        check_all_orders("t: R(a) R(b); u: R(b) R(a); w: X(a); x: X(b)", "");
        check_all_orders("t: R(a) X(b); u: X(b) R(a)", "");
        check_all_orders("t: r(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check("t: r(a) X(b); u: X(b) r(a); t: X(a)", "no writer of a: ab");
    }

    #[test]
    fn the_writer_has_to_be_concurrent_and_outside_the_gates() {
        check("w: X(a) spawn(t) spawn(u); t: r(a) X(b); u: X(b) r(a)", "no writer of a: ab");
        check_all_orders("t: r(a) X(b); u: X(g) X(b) r(a); w: X(g) X(a)", "no writer of a: ab");
    }

    #[test]
    fn two_queues_need_two_writers() {
        let readers = "t: r(a) r(b); u: r(b) r(a)";
        check_all_orders(&format!("{readers}; v: X(a); w: X(b)"), "deadlock: ab");
        check_all_orders(&format!("{readers}; v: X(a); v: X(b); w: X(b)"), "deadlock: ab");
        check(&format!("{readers}; v: X(a); v: X(b)"), "no writer of b: ab");
        check(&format!("v: X(a); v: X(b); {readers}"), "no writer of b: ab");
        check(&format!("{readers}; v: X(g) X(a); w: X(g) X(b)"), "no writer of b: ab");
    }

    #[test]
    fn reading_twice_needs_a_writer_in_between() {
        check("t: r(a) r(a)", "no writer of a: a");
        check_all_orders("t: r(a) r(a); w: X(a)", "deadlock: a");
        check_all_orders("t: R(a) R(a); w: X(a)", "");
        check("t: r(a); t: X(a)", "");
    }

    #[test]
    fn strong_and_weak_circles_of_recursive_readers() {
        check_all_orders("t: X(a) R(b); u: X(b) R(c); v: X(c) R(a)", "deadlock: abc");
        check_all_orders("t: X(a) X(b); u: R(b) R(c); v: X(c) R(a)", "deadlock: abc");
        check_all_orders("t: X(a) X(b); u: R(b) R(c); v: R(c) X(a)", "");
        check_all_orders("t: X(a) R(b); u: R(b) R(c); v: X(c) X(a)", "");
    }

    #[test]
    fn upgradable_readers_exclude_each_other() {
        check_all_orders("t: u(a) X(b); v: X(b) u(a)", "deadlock: ab");
        check_all_orders("t: u(a) X(b); v: X(b) r(a)", "no writer of a: ab");
        check_all_orders("t: u(a) X(b); v: X(b) R(a)", "");
    }

    #[test]
    fn philosophers_of_any_number() {
        for count in [2_u8, 3, 10, 20] {
            let name = |at: u8| char::from(b'a' + at % count);
            let sections =
                (0..count).map(|at| format!("t{at}: X({}) X({})", name(at), name(at + 1)));
            let outcome = outcome(&sections.collect::<Vec<_>>().join(";"));
            assert!(outcome.starts_with("deadlock: "), "{count}: {outcome}");
            assert_eq!(outcome.len(), "deadlock: ".len() + usize::from(count));
        }
    }
}
