//! From what agents have asked for while they held locks to deadlocks that could happen.
//!
//! Each nested request is a *dependency* (Havelund 2000; Bensalem and Havelund 2005): this agent, holding
//! these, wanted that. Dependencies that want in a circle what the next one holds are a deadlock that
//! could happen, if nothing keeps their agents from being there at the same time: see [`Obstacle`].

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::adjacency::QuickHash;
use super::clock::{self, Context, Moment, Section, Timeline};
use super::label::{Blocks, blocks_or_queues};
use crate::atomics::{Mutex, lock};
use crate::finding::{AgentId, LockId, LockKind, Sightings};
use crate::held::{Held, key};
use crate::meaning::{Meaning, Outer, Stated};
use crate::op::Mode;

/// An agent's request for a lock while it held others, or for a write while it held none.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// What was wanted: the record of the hold that it was to become.
    pub(crate) wanted: Held,
    /// What was meant by that, if it was anything in particular.
    meant: Option<Arc<Meaning>>,
    context: Arc<Context>,
    /// When that was first so.
    first: Arc<Moment>,
    pub(crate) repeats: Arc<Repeats>,
}

/// How often a dependency was seen, and when last. Its agent adds to it, without a look at anything
/// global, and whoever judges reads.
#[derive(Debug)]
pub(crate) struct Repeats {
    /// Only the agent writes. Relaxed: a count says nothing about other memory.
    count: AtomicU64,
    last: Mutex<Arc<Moment>>,
    /// Whether a repeat at another time could make a circle possible.
    matter: AtomicBool,
    /// Whether it was made where others' sections may turn out to be around it: a repeat may not be.
    is_inside: bool,
}

impl Repeats {
    pub(crate) fn new(first: Arc<Moment>, is_inside: bool) -> Self {
        let (count, last) = (AtomicU64::new(1), Mutex::new(first));
        Self { count, last, matter: AtomicBool::new(false), is_inside }
    }

    pub(crate) fn is_inside(&self) -> bool {
        self.is_inside
    }

    #[inline]
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn last(&self) -> Arc<Moment> {
        Arc::clone(&lock(&self.last))
    }

    /// Once more, at a moment that need not be told from the last one.
    #[inline]
    pub(crate) fn add_one(&self) {
        self.count.store(self.count() + 1, Ordering::Relaxed);
    }

    /// So often more, the last time at that moment.
    pub(crate) fn add(&self, count: u64, last: Arc<Moment>) {
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
        let (context, first) = (time.context(), time.now(news));
        let is_inside = !context.around.is_empty();
        let repeats = Arc::new(Repeats::new(Arc::clone(&first), is_inside));
        Self { wanted, meant: time.meant().cloned(), context, first, repeats }
    }

    /// What the agent held, and what others held around it, as far as is known.
    pub(crate) fn held(&self) -> &[Arc<Section>] {
        &self.context.held
    }

    /// The place of what was wanted in its class, as far as that was stated.
    pub(crate) fn stated(&self) -> Stated {
        clock::stated(self.meant.as_deref())
    }

    /// Whether it was made under a lock that keeps others away while several of one class are taken,
    /// and that the agent held before section `at` of those it held.
    pub(crate) fn is_under_one_before(&self, at: usize) -> bool {
        match self.meant.as_ref().and_then(|meant| meant.under) {
            None => false,
            Some(Outer::Unrecorded) => true,
            Some(Outer::Lock(lock)) => self.holds_alone(lock, at),
        }
    }

    /// The lock that is said to keep others away, and that it holds.
    pub(crate) fn outer(&self) -> Option<LockId> {
        match self.meant.as_ref()?.under? {
            Outer::Lock(lock) if self.holds_alone(lock, self.held().len()) => Some(lock),
            _ => None,
        }
    }

    /// Whether the agent itself holds `lock` alone, in one of its first `count` sections.
    fn holds_alone(&self, lock: LockId, count: usize) -> bool {
        self.held()[..count].iter().any(|section| {
            section.held.lock == lock
                && section.held.access.mode == Mode::Exclusive
                && section.agent == self.agent()
        })
    }

    /// Sections of other agents that may turn out to be around it.
    pub(crate) fn around(&self) -> &[Arc<Section>] {
        &self.context.around
    }

    /// The same request, made without a hold of this lock.
    pub(crate) fn without(mut self, lock: LockId) -> Self {
        let context = Arc::make_mut(&mut self.context);
        context.held.retain(|section| section.held.lock != lock);
        self
    }

    /// Settles what has ended since its context was looked at, of which nobody will tell any more.
    pub(crate) fn settled(mut self) -> Self {
        if self.around().iter().any(|section| section.has_ended()) {
            let first = Arc::clone(&self.first);
            let context = Arc::make_mut(&mut self.context);
            for section in std::mem::take(&mut context.around) {
                match section.encloses(&first) {
                    Some(true) => context.held.push(section),
                    Some(false) => {}
                    None => context.around.push(section),
                }
            }
        }
        self
    }

    /// The locks that it holds or wants.
    pub(crate) fn locks(&self) -> impl Iterator<Item = LockId> {
        let held = self.held().iter().map(|section| section.held.lock);
        held.chain([self.wanted.lock])
    }

    /// Whether it was made inside anything.
    pub(crate) fn is_nested(&self) -> bool {
        !self.held().is_empty() || !self.around().is_empty()
    }

    /// Whether anything can come of it: it holds something, or is a write that others queue behind.
    pub(crate) fn is_relevant(&self) -> bool {
        self.is_nested() || self.is_shared() && self.mode() == Mode::Exclusive
    }

    /// Whether others may want to share the lock.
    fn is_shared(&self) -> bool {
        self.wanted.access.kind == LockKind::RwLock
    }

    pub(crate) fn agent(&self) -> AgentId {
        self.first.agent
    }

    fn mode(&self) -> Mode {
        self.wanted.access.mode
    }

    /// How it keeps the request of `other` waiting.
    fn blocks(&self, other: &Self) -> Blocks {
        let of_it = self.held().iter().filter(|held| held.held.lock == other.wanted.lock);
        let blocks = of_it.map(|held| blocks_or_queues(held.held.access.mode, other.mode()));
        blocks
            .filter(|blocks| *blocks != Blocks::No)
            .min_by_key(|blocks| *blocks as u8)
            .unwrap_or(Blocks::No)
    }

    /// A lock that excludes the two from each other.
    fn gate(&self, other: &Self) -> Option<LockId> {
        gate_between(self.held(), other.held())
    }

    /// A lock that does so if a section that is still open turns out to enclose one of them.
    fn open_gate(&self, other: &Self) -> Option<LockId> {
        gate_between(self.around(), other.held())
            .or_else(|| gate_between(self.held(), other.around()))
            .or_else(|| gate_between(self.around(), other.around()))
    }

    /// Whether there were times of the two that no ordering event keeps apart.
    fn is_concurrent_with(&self, other: &Self) -> bool {
        let times = |of: &Self| [Arc::clone(&of.first), of.repeats.last()];
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

impl Circle {
    /// What takes part in it, writers too.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = usize> {
        self.links.iter().flat_map(|link| [Some(link.dependency), link.writer]).flatten()
    }

    /// Everything that takes part has a new number.
    pub(crate) fn renumber(&mut self, moved: &HashMap<usize, usize>) {
        for link in &mut self.links {
            link.dependency = moved[&link.dependency];
            link.writer = link.writer.map(|writer| moved[&writer]);
        }
    }
}

/// A search for circles is cut off after so many steps.
const STEPS_MAX: u32 = 50_000;
/// Circles of at most so many requests are looked for first: the shortest is wanted, and a search for
/// any among many locks loses its way.
const LENGTHS: [usize; 4] = [2, 4, 8, usize::MAX];

/// All dependencies seen.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    all: Vec<Dependency>,
    by_key: HashMap<u64, u32, QuickHash>,
    /// Those that hold a lock.
    holding: Lists,
    /// Those that want a lock that nobody was seen to hold yet while wanting something.
    wanting: Lists,
    /// Those that want to write a lock that can be shared, and those that want to share it and may
    /// have to queue behind a writer.
    writing: Lists,
    sharing: Lists,
    /// Those for which a section, by its number, is still open.
    inside_open: HashMap<NonZeroU64, Vec<usize>, QuickHash>,
    /// How many searches were cut off.
    pub(crate) cut_off: u64,
}

/// Lists of dependencies by lock, the newest first, in little memory.
#[derive(Debug, Default)]
struct Lists {
    /// Where the list of a lock begins.
    heads: HashMap<LockId, u32, QuickHash>,
    /// A dependency, and the next one of the list.
    links: Vec<(u32, u32)>,
}

const END: u32 = u32::MAX;

impl Lists {
    /// Adds a dependency. Returns whether it is the first one for that lock.
    fn push(&mut self, lock: LockId, index: usize) -> bool {
        let head = self.heads.entry(lock).or_insert(END);
        let next = std::mem::replace(head, self.links.len() as u32);
        self.links.push((index as u32, next));
        next == END
    }

    fn of(&self, lock: LockId) -> impl Iterator<Item = usize> {
        self.from(self.heads.get(&lock).copied().unwrap_or(END))
    }

    /// The same, and the list is given up.
    fn take(&mut self, lock: LockId) -> Vec<usize> {
        self.heads.remove(&lock).map_or_else(Vec::new, |head| self.from(head).collect())
    }

    fn from(&self, head: u32) -> impl Iterator<Item = usize> {
        let link = |at: u32| self.links.get(at as usize).copied();
        std::iter::successors(link(head), move |&(_, next)| link(next))
            .map(|(index, _)| index as usize)
    }

    fn has(&self, lock: LockId) -> bool {
        self.heads.contains_key(&lock)
    }
}

/// A number for what makes a dependency the same as another one: agent, wanted and held locks with
/// their modes and what was meant by them, in whatever order, and the sections around it.
fn key_of(dependency: &Dependency) -> u64 {
    let pair = |held: &Held| key::of(held.lock, held.access.mode);
    let held = dependency.held().iter();
    let held = held.map(|section| pair(&section.held).wrapping_add(section.number_meant()));
    let around = dependency.around().iter().map(|section| section.number.get());
    let meant = dependency.meant.as_ref().map_or(0, |meant| meant.number());
    let wanted = pair(&dependency.wanted).wrapping_add(meant);
    let chain = key::chain(held.fold(0, u64::wrapping_add), wanted);
    let agent = key::chain(chain, dependency.agent().0);
    around.fold(agent, key::chain)
}

impl Dependencies {
    pub(crate) fn get(&self, index: usize) -> &Dependency {
        &self.all[index]
    }

    pub(crate) fn into_all(self) -> impl Iterator<Item = Dependency> {
        self.all.into_iter()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The requests that a writer of `lock` may keep waiting by queueing for it.
    pub(crate) fn sharing(&self, lock: LockId) -> impl Iterator<Item = usize> {
        self.sharing.of(lock)
    }

    /// How often, and by whom and where, `wanted` was wanted while `held` was held.
    pub(crate) fn sightings(&self, held: LockId, wanted: LockId) -> Sightings {
        let all = self.holding.of(held).map(|index| &self.all[index]);
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
        for &lock in locks {
            let is_inside = |index: &usize| locks.contains(&self.all[*index].wanted.lock);
            let inside = self.holding.of(lock).filter(is_inside);
            inside
                .chain(self.writing.of(lock))
                .for_each(|index| self.all[index].repeats.set_matter());
        }
    }

    /// Adds a dependency, or adds to what is known of it. Returns its index, and those that want a lock
    /// which nobody held before this one.
    pub(crate) fn add(&mut self, dependency: Dependency) -> (usize, Vec<usize>) {
        let index = self.all.len();
        let known = *self.by_key.entry(key_of(&dependency)).or_insert(index as u32) as usize;
        if known != index {
            let new = dependency.repeats;
            self.all[known].repeats.add(new.count(), new.last());
            return (known, Vec::new());
        }
        let mut met = Vec::new();
        for section in dependency.held() {
            let lock = section.held.lock;
            if self.holding.push(lock, index) {
                met.append(&mut self.wanting.take(lock));
            }
        }
        for section in dependency.around() {
            self.inside_open.entry(section.number).or_default().push(index);
        }
        let wanted = dependency.wanted.lock;
        if dependency.is_shared() {
            match dependency.mode() {
                Mode::Exclusive => self.writing.push(wanted, index),
                Mode::Upgradable | Mode::Read | Mode::RecursiveRead => {
                    self.sharing.push(wanted, index)
                }
            };
        }
        if !self.holding.has(wanted) {
            self.wanting.push(wanted, index);
        }
        self.all.push(dependency);
        (index, met)
    }

    /// Whether anybody was seen to hold `lock` while it wanted something.
    pub(crate) fn is_held(&self, lock: LockId) -> bool {
        self.holding.has(lock)
    }

    /// `section` has ended: finds out which dependencies happened inside it. Returns all for which that
    /// was open, and those that want a lock which nobody held before these.
    pub(crate) fn section_ended(&mut self, section: &Arc<Section>) -> (Vec<usize>, Vec<usize>) {
        let settled = self.inside_open.remove(&section.number).unwrap_or_default();
        let mut met = Vec::new();
        for &index in &settled {
            let is_inside = self.all[index].is_inside(section) == Some(true);
            let context = Arc::make_mut(&mut self.all[index].context);
            context.around.retain(|around| !Arc::ptr_eq(around, section));
            if is_inside {
                context.held.push(Arc::clone(section));
                if self.holding.push(section.held.lock, index) {
                    met.append(&mut self.wanting.take(section.held.lock));
                }
            }
        }
        (settled, met)
    }

    /// The shortest circle through dependency `start` that could happen, or else one that comes
    /// closest to that.
    pub(crate) fn circle_through(&mut self, start: usize) -> Option<Circle> {
        for level in 0..=LEVELS {
            for longest in LENGTHS {
                let mut search = Search::new(self, level, longest);
                search.extend(start);
                let (best, cut_off) = (search.best, search.steps >= STEPS_MAX);
                let was_too_long = search.was_too_long;
                self.cut_off += u64::from(cut_off);
                if best.is_some() {
                    return best;
                }
                if !was_too_long {
                    break;
                }
            }
        }
        None
    }
}

/// A depth-first search for the shortest circle whose obstacle is not above a level.
struct Search<'a> {
    seen: &'a Dependencies,
    level: u8,
    /// How many requests a circle may have, and whether one of more may have been missed.
    longest: usize,
    was_too_long: bool,
    steps: u32,
    path: Vec<CircleLink>,
    best: Option<Circle>,
}

impl<'a> Search<'a> {
    fn new(seen: &'a Dependencies, level: u8, longest: usize) -> Self {
        Self { seen, level, longest, was_too_long: false, steps: 0, path: Vec::new(), best: None }
    }

    /// Adds `next` to the path and goes on from there.
    fn extend(&mut self, next: usize) {
        self.steps += 1;
        let is_long =
            self.best.as_ref().is_some_and(|best| self.path.len() + 1 >= best.links.len());
        if self.steps >= STEPS_MAX || is_long {
            return;
        }
        self.path.push(CircleLink { dependency: next, writer: None });
        let first = self.path[0].dependency;
        if self.seen.get(first).blocks(self.seen.get(next)) != Blocks::No {
            self.close();
        }
        self.go_on_from(next);
        self.path.pop();
    }

    /// Goes on to whoever holds what `next`, the end of the path, wants.
    fn go_on_from(&mut self, next: usize) {
        let shortest = self.best.as_ref().map_or(usize::MAX, |best| best.links.len());
        if self.path.len() + 1 >= shortest {
            return;
        }
        if self.path.len() >= self.longest {
            self.was_too_long = true;
            return;
        }
        let wanted = self.seen.get(next).wanted.lock;
        for holder in self.seen.holding.of(wanted) {
            let blocks = self.seen.get(holder).blocks(self.seen.get(next)) != Blocks::No;
            if blocks && holder != self.path[0].dependency && self.fits(holder) {
                self.extend(holder);
            }
        }
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
        if self.add_writers(&mut links, 0).is_err() {
            for at in 0..links.len() {
                if let Some(lock) = self.lock_queued_for(&links, at) {
                    let writer = self.writers(lock, &links).next();
                    links[at].writer = writer;
                    if writer.is_none() {
                        obstacle = obstacle.max(Some(Obstacle::NoWriter(lock)));
                    }
                }
            }
        }
        if obstacle.is_none_or(|obstacle| obstacle.level() <= self.level) {
            self.best = Some(Circle { links, obstacle });
        }
    }

    /// The lock for which link `at` has to queue behind a writer, if it does.
    fn lock_queued_for(&self, links: &[CircleLink], at: usize) -> Option<LockId> {
        let from = self.seen.get(links[at].dependency);
        let to = self.seen.get(links[(at + 1) % links.len()].dependency);
        (to.blocks(from) == Blocks::ThroughWriter).then_some(from.wanted.lock)
    }

    /// Finds the writers behind which the links from `at` on queue, all at the same time.
    fn add_writers(&mut self, links: &mut [CircleLink], at: usize) -> Result<(), Lacking> {
        let queues = |&at: &usize| self.lock_queued_for(links, at).is_some();
        let Some(at) = (at..links.len()).find(queues) else { return Ok(()) };
        let lock = self.seen.get(links[at].dependency).wanted.lock;
        let writers: Vec<usize> = self.writers(lock, links).collect();
        for writer in writers {
            self.steps += 1;
            links[at].writer = Some(writer);
            if self.add_writers(links, at + 1).is_ok() {
                return Ok(());
            }
            links[at].writer = None;
            if self.steps >= STEPS_MAX {
                break;
            }
        }
        Err(Lacking)
    }

    /// The writers of `lock` that could queue while all of the circle are where they are, the other
    /// writers too.
    fn writers(&self, lock: LockId, links: &[CircleLink]) -> impl Iterator<Item = usize> {
        self.seen.writing.of(lock).filter(move |&writer| {
            let mut others =
                links.iter().flat_map(|link| [Some(link.dependency), link.writer]).flatten();
            others.all(|other| self.between(other, writer).is_none())
        })
    }
}

/// Not all writers can be there at the same time.
struct Lacking;

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
    fn writers_have_to_queue_at_the_same_time() {
        let readers = "t: r(a) r(b); u: r(b) r(a)";
        check_all_orders(&format!("{readers}; v: X(a); w: X(b)"), "deadlock: ab");
        check_all_orders(&format!("{readers}; v: X(g) X(a); w: X(h) X(b)"), "deadlock: ab");
        for writers in ["w: X(a) U(a) X(b)", "v: X(g) X(a); w: X(g) X(b)"] {
            let outcome = outcome(&format!("{readers}; {writers}"));
            assert!(outcome.starts_with("no writer of "), "{writers}: {outcome}");
        }
        // The first writer of `a` that comes to mind is the only one of `b`.
        check_all_orders(&format!("{readers}; w: X(a) U(a) X(b); v: X(a)"), "deadlock: ab");
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
