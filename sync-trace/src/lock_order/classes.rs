//! The order of classes of locks: what is true of one pair of locks is meant for all of their kind.
//!
//! A class is all locks of one name, or else all that are created at one place for one type. An order
//! between classes that contradicts itself over different locks is no deadlock, but a hint that the
//! program has no order at all: that is all that Linux's lockdep looks at. Two locks of one class held
//! at once are the same, unless the program has said what it means by that: locks of different levels
//! count as of different classes, those with keys are taken by their keys, and below an outer lock
//! everything goes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map};

use super::adjacency::QuickHash;
use super::graph::{Inserted, OrderGraph};
use super::hold::{Guard, Hold};
use super::label::{Blocks, Label, blocks_or_queues};
use super::prediction::Dependency;
use crate::finding::LockId;
use crate::meaning::Stated;

/// What is known of the order of classes.
#[derive(Default)]
pub(crate) struct Classes {
    names: Names,
    graph: OrderGraph,
    /// The order that was found to be known last, by what the records of its locks say.
    last: Option<([Record; 2], Label)>,
    /// The first dependency that showed each order, and the modes in which it was seen.
    witnesses: HashMap<(LockId, LockId), (u32, Label), QuickHash>,
    /// The circles that different locks make, by their classes: a dependency for each order.
    circles: HashMap<BTreeSet<LockId>, Vec<usize>>,
    /// The classes of which two locks were held at once.
    nested: BTreeSet<LockId>,
    /// The classes of which two locks were not taken in the order of their keys: the first dependency
    /// that did so, and the lock that it held.
    against_keys: BTreeMap<LockId, (usize, LockId)>,
}

/// That a lock of one class was wanted while one of another was held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) held: Hold,
    pub(crate) wanted: Hold,
    /// At which levels of their classes they were taken.
    pub(crate) levels: [u32; 2],
    pub(crate) times: u64,
}

/// What a dependency has shown of classes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClassNews {
    /// These want in a circle what the next one holds, as far as classes go.
    Circle(Vec<usize>),
    /// A lock was wanted while this other one of its class was held, and that was not said to be meant,
    /// or not meant so.
    Nested(LockId),
}

/// The numbers of classes; each level of a class has its own. The graph takes them for those of locks.
#[derive(Default)]
struct Names {
    /// By what a lock's record says, which is the same for most locks of a class.
    by_record: HashMap<Record, Option<LockId>, QuickHash>,
    /// What was asked for last: locks of few kinds are nested in each other over and over.
    last: [(Record, Option<LockId>); 2],
    by_name: HashMap<(Name, u32), LockId>,
}

/// What a lock's record says of its class: where it was created, its type, and its level. None has zeros.
type Record = (usize, usize, u32);

fn record_of(hold: &Hold, stated: Stated) -> Record {
    (hold.created.to_ptr().addr(), hold.access.type_name as usize, stated.level)
}

/// What the locks of a class have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    Given(&'static str),
    Created(&'static str, u32, u32, &'static str),
}

impl Names {
    /// The class of a lock; `None` for one of which is not known where it comes from.
    fn of(&mut self, hold: &Hold, stated: Stated) -> Option<LockId> {
        let record = record_of(hold, stated);
        if let Some((_, class)) = self.last.iter().find(|last| last.0 == record) {
            return *class;
        }
        let class = match self.by_record.get(&record) {
            Some(known) => *known,
            None => self.named(hold, record),
        };
        self.last = [(record, class), self.last[0]];
        class
    }

    /// The class of what was not asked for yet.
    #[cold]
    fn named(&mut self, hold: &Hold, record: Record) -> Option<LockId> {
        let site = hold.created.site();
        let name = match hold.created.name() {
            Some(name) => Some(Name::Given(name)),
            None if site.is_unknown() => None,
            None => {
                let type_name = (hold.access.type_name)();
                Some(Name::Created(site.file(), site.line(), site.column(), type_name))
            }
        };
        let next = LockId(self.by_name.len() as u64 + 1);
        let class = name.map(|name| *self.by_name.entry((name, record.2)).or_insert(next));
        self.by_record.insert(record, class);
        class
    }

    /// The class of what `dependency` wanted.
    fn wanted(&mut self, dependency: &Dependency<'_>) -> Option<LockId> {
        self.of(&dependency.wanted, dependency.stated())
    }
}

/// What is wanted while the lock of `guard` is held, but for which locks these are.
fn order_of(guard: &Guard, dependency: &Dependency<'_>) -> ([Record; 2], Label) {
    let (held, wanted) = (&guard.hold, &dependency.wanted);
    let records = [record_of(held, guard.stated()), record_of(wanted, dependency.stated())];
    (records, Label::of(held.mode(), wanted.mode()))
}

impl Classes {
    /// Looks at a dependency that is new. `get` gives the others.
    pub(crate) fn add<'d>(
        &mut self,
        index: usize,
        get: impl Fn(usize) -> Dependency<'d>,
    ) -> Vec<ClassNews> {
        let dependency = &get(index);
        let wanted = &dependency.wanted;
        if let [guard] = dependency.guards()
            && self.last == Some(order_of(guard, dependency))
        {
            return Vec::new();
        }
        let Some(to) = self.names.wanted(dependency) else { return Vec::new() };
        let is_alike =
            |guard: &Guard, names: &mut Names| names.of(&guard.hold, guard.stated()) == Some(to);
        if dependency.guards().iter().enumerate().any(|(at, guard)| {
            dependency.is_under_one_before(at) && is_alike(guard, &mut self.names)
        }) {
            // What is true of that other one is true of this one too, and nothing else is.
            return Vec::new();
        }
        let mut news = Vec::new();
        for guard in dependency.guards() {
            let held = &guard.hold;
            match self.names.of(held, guard.stated()) {
                Some(from) if from == to => news.extend(self.nest(index, dependency, guard, to)),
                Some(from) => {
                    news.extend(self.order([from, to], [held, wanted], index, &get));
                    self.last = Some(order_of(guard, dependency));
                }
                None => {}
            }
        }
        news
    }

    /// The dependencies that stand for what is known.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = usize> {
        let witnesses = self.witnesses.values().map(|witness| witness.0 as usize);
        let circles = self.circles.values().flatten().copied();
        witnesses.chain(circles).chain(self.against_keys().map(|(dependency, _)| dependency))
    }

    /// Where each order of two classes was seen, the first of those with one pair of sites, in the order of
    /// `all`; at most `most`.
    pub(crate) fn seen<'d>(
        &mut self,
        all: impl Iterator<Item = Dependency<'d>>,
        most: usize,
    ) -> Vec<Seen> {
        let mut seen: Vec<Seen> = Vec::new();
        let mut by_place: HashMap<_, usize> = HashMap::new();
        for dependency in all {
            let Some(to) = self.names.wanted(&dependency) else { continue };
            let wanted = dependency.wanted;
            for guard in dependency.guards() {
                let held = guard.hold;
                let Some(from) = self.names.of(&held, guard.stated()) else { continue };
                if !self.witnesses.contains_key(&(from, to)) {
                    continue;
                }
                let times = dependency.repeats.count();
                match by_place.entry(((from, held.site), (to, wanted.site))) {
                    hash_map::Entry::Occupied(known) => seen[*known.get()].times += times,
                    hash_map::Entry::Vacant(new) if seen.len() < most => {
                        new.insert(seen.len());
                        let levels = [guard.stated().level, dependency.stated().level];
                        seen.push(Seen { held, wanted, levels, times });
                    }
                    hash_map::Entry::Vacant(_) => {}
                }
            }
        }
        seen
    }

    /// They have new numbers.
    pub(crate) fn renumber(&mut self, moved: &HashMap<usize, usize>) {
        for (witness, _) in self.witnesses.values_mut() {
            *witness = moved[&(*witness as usize)] as u32;
        }
        for dependency in self.circles.values_mut().flatten() {
            *dependency = moved[dependency];
        }
        for (dependency, _) in self.against_keys.values_mut() {
            *dependency = moved[dependency];
        }
    }

    /// Two locks of one class.
    fn nest(
        &mut self,
        index: usize,
        dependency: &Dependency<'_>,
        guard: &Guard,
        class: LockId,
    ) -> Option<ClassNews> {
        let (held, wanted) = (&guard.hold, &dependency.wanted);
        let blocks = blocks_or_queues(held.mode(), wanted.mode()) != Blocks::No;
        if !blocks || held.lock == wanted.lock {
            return None;
        }
        let is_news = match guard.stated().key.zip(dependency.stated().key) {
            Some((held, wanted)) if held < wanted => false,
            Some(_) => match self.against_keys.entry(class) {
                Entry::Vacant(first) => {
                    first.insert((index, held.lock));
                    true
                }
                Entry::Occupied(_) => false,
            },
            None => self.nested.insert(class),
        };
        is_news.then_some(ClassNews::Nested(held.lock))
    }

    /// The dependencies that took two locks of one class against their keys, and the locks that they held.
    pub(crate) fn against_keys(&self) -> impl Iterator<Item = (usize, LockId)> {
        self.against_keys.values().copied()
    }

    /// Locks of different classes.
    fn order<'d>(
        &mut self,
        [from, to]: [LockId; 2],
        [held, wanted]: [&Hold; 2],
        index: usize,
        get: &impl Fn(usize) -> Dependency<'d>,
    ) -> Option<ClassNews> {
        let modes = [held.mode(), wanted.mode()];
        let label = Label::of(modes[0], modes[1]);
        let known = self.witnesses.entry((from, to)).or_insert((index as u32, Label::default()));
        if known.1.contains(label) {
            return None;
        }
        known.1 = known.1.union(label);
        if self.graph.insert(from, to, modes[0], modes[1]) != Inserted::Closing {
            return None;
        }
        let classes = self.graph.strong_cycle_through(from, to, modes[0], modes[1])?;
        let mut circle: Vec<usize> = Vec::new();
        for (at, &class) in classes.iter().enumerate() {
            let next = classes[(at + 1) % classes.len()];
            // The first order is the new one, which may have older witnesses in other modes.
            let older = || self.witnesses.get(&(class, next)).map(|witness| witness.0 as usize);
            circle.push(if at == 0 { index } else { older()? });
        }
        let set: BTreeSet<LockId> = classes.into_iter().collect();
        if self.is_of_the_same_locks(&circle, get) || self.circles.contains_key(&set) {
            return None;
        }
        self.circles.insert(set, circle.clone());
        Some(ClassNews::Circle(circle))
    }

    /// Whether the circle is one of locks too, and with that another one's business.
    fn is_of_the_same_locks<'d>(
        &self,
        circle: &[usize],
        get: &impl Fn(usize) -> Dependency<'d>,
    ) -> bool {
        let nexts = circle.iter().cycle().skip(1);
        circle.iter().zip(nexts).all(|(&one, &next)| {
            let wanted = get(one).wanted.lock;
            get(next).holds().any(|held| held.lock == wanted)
        })
    }

    /// The circles of different locks, but for those whose classes also make one of the same locks.
    pub(crate) fn circles(
        &mut self,
        of_locks: &[Vec<Dependency<'_>>],
    ) -> impl Iterator<Item = &Vec<usize>> {
        let known: Vec<BTreeSet<LockId>> = of_locks
            .iter()
            .map(|circle| circle.iter().filter_map(|link| self.names.wanted(link)).collect())
            .collect();
        let is_new =
            move |(classes, _): &(&BTreeSet<LockId>, &Vec<usize>)| !known.contains(classes);
        self.circles.iter().filter(is_new).map(|(_, circle)| circle)
    }

    /// The lock that `blocking` holds of the class that `waiting` wants: that very lock, if it does.
    pub(crate) fn held_alike(
        &mut self,
        blocking: &Dependency<'_>,
        waiting: &Dependency<'_>,
    ) -> Option<Hold> {
        let class = self.names.wanted(waiting);
        let guards = || blocking.guards().iter();
        let same = guards().find(|guard| guard.hold.lock == waiting.wanted.lock);
        let alike = || guards().find(|guard| self.names.of(&guard.hold, guard.stated()) == class);
        same.or_else(alike).map(|guard| guard.hold)
    }
}
