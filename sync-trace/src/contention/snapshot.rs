//! What was counted by all agents, put together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use super::overhead;
use super::stats::Stats;
use super::table::Row;
use super::uses::Uses;
use crate::agent::Agent;
use crate::finding::{Lock, LockId, LockKind};
use crate::op::Mode;
use crate::site::Site;

/// How long locks were waited for, where, and because of whom: plain data, made by
/// [`contention`](fn@crate::contention).
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// let before = sync_trace::contention();
/// // … work that locks …
/// # drop(Mutex::new(0).lock());
/// let during = sync_trace::contention().since(&before);
/// println!("{during}");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// How long waits were counted.
    pub elapsed: Duration,
    /// What was waited for, by class and mode: what cost the most time comes first.
    pub classes: Vec<ClassStats>,
    /// How many events could not be told apart by their lock, or by their lines, because there were too many of
    /// those. They are counted in their class all the same.
    pub folded: u64,
    /// How many waits were not counted: they ended inside the memory allocator.
    pub lost: u64,
    /// What tracing costs on this machine: by how many nanoseconds a lock and unlock that nobody waits for takes longer
    /// than `std`'s. An estimate, measured when [`contention`](fn@crate::contention) is first called; `None` if it could
    /// not be. Code that is built without optimisation adds to it.
    pub overhead_ns: Option<u64>,
}

/// What was counted of a class of locks, in one mode: all locks with one name, or else all that were created at
/// one place and protect one type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClassStats {
    /// Which primitive they are.
    pub kind: LockKind,
    /// The name they were given.
    pub name: Option<&'static str>,
    /// The type they protect; empty for a primitive that protects none.
    pub type_name: &'static str,
    /// Where they were created, or one of them was.
    pub created: Site,
    /// How they were wanted.
    pub mode: Mode,
    /// All of them together.
    pub stats: Stats,
    /// Each of them, the one that cost the most time first; without those that were too many.
    pub locks: Vec<LockStats>,
}

/// What was counted of one lock.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LockStats {
    /// Its number, as in reports.
    pub id: LockId,
    /// What was counted.
    pub stats: Stats,
    pub(super) uses: Uses,
}

/// What the locks of a class have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Class {
    kind: LockKind,
    mode: Mode,
    name: Option<&'static str>,
    /// Where they were created and what they protect; not of those with a name.
    origin: Option<(Site, &'static str)>,
}

impl ClassStats {
    pub(super) fn new(
        kind: LockKind,
        name: Option<&'static str>,
        created: Site,
        mode: Mode,
    ) -> Self {
        let (stats, locks) = (Stats::default(), Vec::new());
        Self { kind, name, type_name: "", created, mode, stats, locks }
    }

    fn class(&self) -> Class {
        let origin = self.name.is_none().then_some((self.created, self.type_name));
        Class { kind: self.kind, mode: self.mode, name: self.name, origin }
    }

    /// Whether it is about the same locks, in whichever mode.
    pub(super) fn has_locks_of(&self, other: &Self) -> bool {
        self.class() == Class { mode: self.mode, ..other.class() }
    }

    /// One of its locks, as reports know it.
    pub(crate) fn as_lock(&self) -> Lock {
        let Self { kind, name, type_name, created, .. } = *self;
        let id = self.locks.first().map_or(LockId(0), |lock| lock.id);
        Lock { id, kind, type_name, name, created }
    }

    fn sort(&mut self) {
        self.stats.sort();
        self.locks.iter_mut().for_each(|lock| lock.stats.sort());
        let cost = |lock: &LockStats| lock.stats.waits.total();
        self.locks.sort_by(|a, b| cost(b).cmp(&cost(a)).then_with(|| a.id.cmp(&b.id)));
    }
}

impl Snapshot {
    /// What was counted since `earlier`, which is an earlier snapshot of this process.
    ///
    /// A wait belongs to the difference in which it ends, with all the time that it took. After a
    /// [reset](crate::reset_contention) in between, what was counted before it is not known any more, and
    /// some of the rest may be missing.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before: HashMap<Class, &ClassStats> =
            earlier.classes.iter().map(|class| (class.class(), class)).collect();
        let classes = self.classes.iter().filter_map(|class| {
            let Some(before) = before.get(&class.class()) else { return Some(class.clone()) };
            let known: HashMap<LockId, &LockStats> =
                before.locks.iter().map(|lock| (lock.id, lock)).collect();
            let locks = class.locks.iter().map(|lock| match known.get(&lock.id) {
                Some(before) => lock.since(before),
                None => lock.clone(),
            });
            let stats = class.stats.since(&before.stats);
            let locks = locks.filter(|lock| !lock.stats.is_empty()).collect();
            (!stats.is_empty()).then(|| ClassStats { stats, locks, ..class.clone() })
        });
        let mut since = Self {
            elapsed: self.elapsed.saturating_sub(earlier.elapsed),
            classes: classes.collect(),
            folded: self.folded.saturating_sub(earlier.folded),
            lost: self.lost.saturating_sub(earlier.lost),
            overhead_ns: self.overhead_ns,
        };
        since.sort();
        since
    }

    /// How long everybody waited for locks together.
    pub fn total_wait(&self) -> Duration {
        let locks = self.classes.iter().filter(|class| class.is_lock());
        locks.map(|class| class.stats.waits.total()).sum()
    }

    fn sort(&mut self) {
        self.classes.iter_mut().for_each(ClassStats::sort);
        let place = |class: &ClassStats| (class.name, class.created, class.type_name);
        self.classes.sort_by(|a, b| {
            let cost = b.stats.waits.total().cmp(&a.stats.waits.total());
            cost.then_with(|| place(a).cmp(&place(b)))
        });
    }

    /// Adds what other agents have counted at the same time.
    pub(super) fn merge(&mut self, other: &Self) {
        for class in &other.classes {
            let known = self.classes.iter_mut().find(|known| known.class() == class.class());
            let Some(known) = known else {
                self.classes.push(class.clone());
                continue;
            };
            known.stats.merge(&class.stats);
            for lock in &class.locks {
                match known.locks.iter_mut().find(|known| known.id == lock.id) {
                    Some(known) => known.stats.merge(&lock.stats),
                    None => known.locks.push(lock.clone()),
                }
            }
        }
        self.folded += other.folded;
        self.lost += other.lost;
        self.sort();
    }

    /// What all `agents` have counted, in so much time.
    /// What holds are counted as is there also where nothing `is_on`, and nobody wants to see it.
    pub(crate) fn of<'a>(
        agents: impl Iterator<Item = &'a Agent>,
        elapsed: Duration,
        is_on: bool,
    ) -> Self {
        let mut classes: HashMap<Class, Gathered> = HashMap::new();
        let (mut folded, mut lost) = (0, 0);
        for (number, agent) in agents.enumerate() {
            let (rows, more_folded, more_lost) =
                agent.account.look(&agent.stacks()[..if is_on { 2 } else { 0 }]);
            folded += more_folded;
            lost += more_lost;
            let mut its_own = HashMap::new();
            rows.iter().for_each(|row| gather(&mut its_own, row));
            its_own
                .into_iter()
                .for_each(|(class, its_own)| its_own.join(number, class, &mut classes));
        }
        let classes = classes.into_values().map(Gathered::finish).collect();
        let mut snapshot = Self { elapsed, classes, folded, lost, overhead_ns: overhead::known() };
        snapshot.sort();
        snapshot
    }
}

impl ClassStats {
    /// Whether somebody holds it who keeps others waiting; else it is a signal, a message, a permit.
    pub fn is_lock(&self) -> bool {
        matches!(self.kind, LockKind::Mutex | LockKind::RwLock) || self.kind.is_once()
    }
}

impl LockStats {
    fn since(&self, earlier: &Self) -> Self {
        let Self { id, stats, uses } = self;
        Self { id: *id, stats: stats.since(&earlier.stats), uses: uses.since(&earlier.uses) }
    }
}

/// A class while it is put together.
struct Gathered {
    class: ClassStats,
    locks: HashMap<LockId, (Stats, Uses)>,
}

impl Gathered {
    /// Adds what one agent has counted to what all have.
    fn join(mut self, number: usize, class: Class, all: &mut HashMap<Class, Self>) {
        let one = |stats: &mut Stats| stats.threads = u64::from(stats.acquisitions > 0);
        one(&mut self.class.stats);
        for (stats, uses) in self.locks.values_mut() {
            one(stats);
            uses.add(number, stats.acquisitions);
        }
        match all.entry(class) {
            Entry::Vacant(place) => _ = place.insert(self),
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.class.stats.merge(&self.class.stats);
                for (id, (stats, uses)) in self.locks {
                    let known = known.locks.entry(id).or_default();
                    known.0.merge(&stats);
                    known.1.merge(&uses);
                }
            }
        }
    }

    fn finish(self) -> ClassStats {
        let locks = self.locks.into_iter();
        let locks = locks.map(|(id, (stats, uses))| LockStats { id, stats, uses });
        ClassStats { locks: locks.collect(), ..self.class }
    }
}

fn gather(classes: &mut HashMap<Class, Gathered>, row: &Row) {
    let wanted = &row.wanted;
    let (name, created) = (wanted.created.name(), wanted.created.site());
    if name == Some(overhead::OWN) {
        return;
    }
    let class = ClassStats {
        type_name: (wanted.type_name)(),
        ..ClassStats::new(wanted.kind, name, created, wanted.mode)
    };
    let gathered =
        classes.entry(class.class()).or_insert_with(|| Gathered { class, locks: HashMap::new() });
    gathered.class.stats.merge(&row.stats);
    if row.is_own {
        let (stats, uses) = gathered.locks.entry(wanted.lock).or_default();
        stats.merge(&row.stats);
        uses.see_at(row.address);
    }
}
