//! One request: who wanted what, holding what, when, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::atomics::{Mutex, lock};
use crate::finding::{AgentId, LockId};
use crate::held::key;
use crate::lock_order::clock::{Moment, Section};
use crate::lock_order::hold::{self, Guard, Hold};
use crate::lock_order::label::{Blocks, blocks_or_queues};
use crate::meaning::{Meaning, Outer, Stated};
use crate::op::Mode;

/// What an agent is about to ask for, and when.
#[derive(Debug)]
pub(crate) struct Request {
    /// The hold that it is to become.
    pub(crate) wanted: Hold,
    /// What is meant by that, if it is anything in particular.
    pub(crate) meant: Option<Arc<Meaning>>,
    /// What was meant by the agent's oldest holds, in their order. What is missing was plain.
    pub(crate) held_meant: Vec<Option<Arc<Meaning>>>,
    /// Sections of other agents that may turn out to be around it.
    pub(crate) around: Vec<Arc<Section>>,
    pub(crate) now: Arc<Moment>,
    /// What the agent remembers of having done the same before.
    pub(crate) known: Option<Arc<Repeats>>,
}

impl Request {
    /// Whether anything can come of it: it is made inside something, or is a write that others queue
    /// behind.
    pub(crate) fn is_relevant(&self, held: &[Guard]) -> bool {
        !held.is_empty() || !self.around.is_empty() || self.wanted.is_shared_write()
    }

    /// Settles what has ended since it was made, of which nobody will tell any more. Returns what that
    /// adds to what is held.
    pub(crate) fn settle(&mut self) -> Vec<Guard> {
        let mut inside = Vec::new();
        let now = &self.now;
        self.around.retain(|section| match section.encloses(now) {
            Some(is_inside) => {
                inside.extend(is_inside.then(|| section.guard().clone()));
                false
            }
            None => true,
        });
        inside
    }
}

/// An agent's request for a lock while it held others, or for a write while it held none.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// What was wanted: the hold that it was to become.
    pub(crate) wanted: Hold,
    /// Shared by those of one nest, and often with the next one that holds the same.
    context: Arc<Context>,
    pub(crate) repeats: Arc<Repeats>,
}

/// What a request was made in, and what was meant by it.
#[derive(Clone, Debug)]
struct Context {
    /// What the agent held, oldest first; later also what others held around it.
    held: Vec<Guard>,
    /// Sections of other agents that began before it and had not ended. When they do it turns out
    /// whether they had to wait for it: then it happened inside them, whatever the schedule.
    around: Vec<Arc<Section>>,
    /// What was meant by what was wanted, if it was anything in particular.
    meant: Option<Arc<Meaning>>,
}

/// How often a dependency was seen, and when first and last. Its agent adds to it, without a look at anything
/// global, and whoever judges reads.
#[derive(Debug)]
pub(crate) struct Repeats {
    /// Only the agent writes. Relaxed: a count says nothing about other memory.
    count: AtomicU64,
    first: Arc<Moment>,
    last: Mutex<Arc<Moment>>,
    /// Where the dependency is in the store, if it is there. Only who has the store reads and writes.
    index: AtomicU32,
    /// Whether a repeat at another time could make a circle possible.
    matter: AtomicBool,
    /// Whether it was made where others' sections may turn out to be around it: a repeat may not be.
    is_inside: bool,
}

impl Repeats {
    pub(crate) fn new(first: Arc<Moment>, is_inside: bool) -> Self {
        Self {
            count: AtomicU64::new(1),
            last: Mutex::new(Arc::clone(&first)),
            first,
            index: AtomicU32::new(u32::MAX),
            matter: AtomicBool::new(false),
            is_inside,
        }
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

    pub(super) fn set_matter(&self) {
        self.matter.store(true, Ordering::Relaxed);
    }

    pub(super) fn index(&self) -> usize {
        self.index.load(Ordering::Relaxed) as usize
    }

    pub(super) fn set_index(&self, index: usize) {
        self.index.store(index as u32, Ordering::Relaxed);
    }
}

impl Dependency {
    /// What is made of a request. `like` may have been made while the same was held.
    pub(super) fn new(request: Request, held: &[Guard], like: Option<&Self>) -> Self {
        let Request { wanted, meant, around, now, known, .. } = request;
        let is_inside = !around.is_empty();
        // What may turn out to be inside of sections is not the same as what was not.
        let repeats = match known.filter(|known| !is_inside && !known.is_inside()) {
            Some(known) => {
                known.add(1, now);
                known
            }
            None => Arc::new(Repeats::new(now, is_inside)),
        };
        let is_same = |like: &&Self| {
            let context = &like.context;
            !is_inside
                && context.around.is_empty()
                && context.held == held
                && context.meant == meant
        };
        let context = match like.filter(is_same) {
            Some(like) => Arc::clone(&like.context),
            None => Arc::new(Context { held: held.to_vec(), around, meant }),
        };
        Self { wanted, context, repeats }
    }

    /// Whether it is a wait for something that is given, or what somebody does before it gives that.
    pub(crate) fn is_about_giving(&self) -> bool {
        self.wanted.is_given() || self.gives().is_some()
    }

    /// What its agent is going to give, if that is known.
    pub(crate) fn gives(&self) -> Option<&Hold> {
        self.holds().find(|hold| hold.is_given())
    }

    /// What the agent held, and what others held around it, as far as is known.
    pub(crate) fn guards(&self) -> &[Guard] {
        &self.context.held
    }

    /// The same, without whose it was.
    pub(crate) fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.guards().iter().map(|guard| &guard.hold)
    }

    /// The place of what was wanted in its class, as far as that was stated.
    pub(crate) fn stated(&self) -> Stated {
        hold::stated(self.context.meant.as_deref())
    }

    /// Whether it was made under a lock that keeps others away while several of one class are taken,
    /// and that the agent held before hold `at` of those it held.
    pub(crate) fn is_under_one_before(&self, at: usize) -> bool {
        match self.under() {
            None => false,
            Some(Outer::Unrecorded) => true,
            Some(Outer::Lock(lock)) => self.holds_alone(lock, at),
        }
    }

    /// The lock that is said to keep others away, and that it holds.
    pub(crate) fn outer(&self) -> Option<LockId> {
        match self.under()? {
            Outer::Lock(lock) if self.holds_alone(lock, self.guards().len()) => Some(lock),
            Outer::Lock(_) | Outer::Unrecorded => None,
        }
    }

    /// What is said to keep others away.
    fn under(&self) -> Option<Outer> {
        self.context.meant.as_ref()?.under
    }

    /// Whether the agent itself holds `lock` alone, in one of its first `count` holds.
    fn holds_alone(&self, lock: LockId, count: usize) -> bool {
        let is_it = |guard: &Guard| {
            guard.hold.lock == lock
                && guard.hold.mode() == Mode::Exclusive
                && guard.by == self.agent()
        };
        self.guards()[..count].iter().any(is_it)
    }

    /// Sections of other agents that may turn out to be around it.
    pub(crate) fn around(&self) -> &[Arc<Section>] {
        &self.context.around
    }

    /// A section that was around it has ended. Returns whether it was made inside that.
    pub(super) fn settle(&mut self, section: &Arc<Section>) -> bool {
        let is_inside = |moment: &Moment| section.encloses(moment) == Some(true);
        let was_inside = is_inside(&self.repeats.first) && is_inside(&self.repeats.last());
        let context = Arc::make_mut(&mut self.context);
        context.around.retain(|one| !Arc::ptr_eq(one, section));
        if was_inside {
            context.held.push(section.guard().clone());
        }
        was_inside
    }

    /// It was made again, as it is on record elsewhere.
    pub(super) fn merge(&self, again: &Self) {
        if !Arc::ptr_eq(&self.repeats, &again.repeats) {
            self.repeats.add(again.repeats.count(), again.repeats.last());
        }
    }

    /// A number for what makes it the same as another one: agent, wanted and held locks with their
    /// modes and what was meant by them, in whatever order, and the sections around it.
    pub(crate) fn key(&self) -> u64 {
        let held = self.guards().iter().map(Guard::key).fold(0, u64::wrapping_add);
        let meant = self.context.meant.as_ref().map_or(0, |meant| meant.number());
        let wanted = self.wanted.key().wrapping_add(meant);
        let around = self.around().iter().map(|section| section.number.get());
        let agent = key::chain(key::chain(held, wanted), self.agent().0);
        around.fold(agent, key::chain)
    }

    /// The locks that it holds or wants.
    pub(crate) fn locks(&self) -> impl Iterator<Item = LockId> {
        self.holds().chain([&self.wanted]).map(|hold| hold.lock)
    }

    /// Whether others may want to share the lock.
    pub(super) fn is_shared(&self) -> bool {
        self.wanted.is_shared()
    }

    pub(crate) fn agent(&self) -> AgentId {
        self.repeats.first.agent
    }

    pub(super) fn mode(&self) -> Mode {
        self.wanted.mode()
    }

    /// How it keeps the request of `other` waiting.
    pub(super) fn blocks(&self, other: &Self) -> Blocks {
        let of_it = self.holds().filter(|hold| hold.lock == other.wanted.lock);
        let blocks = of_it.map(|hold| blocks_or_queues(hold.mode(), other.mode()));
        blocks
            .filter(|blocks| *blocks != Blocks::No)
            .min_by_key(|blocks| *blocks as u8)
            .unwrap_or(Blocks::No)
    }

    /// A lock that excludes the two from each other.
    pub(super) fn gate(&self, other: &Self) -> Option<LockId> {
        gate_between(self.guards().iter(), other.guards().iter())
    }

    /// A lock that does so if a section that is still open turns out to enclose one of them.
    pub(super) fn open_gate<'a>(&'a self, other: &'a Self) -> Option<LockId> {
        let known = |of: &'a Self| of.guards().iter();
        let open = |of: &'a Self| of.around().iter().map(|section| section.guard());
        gate_between(open(self), known(other))
            .or_else(|| gate_between(known(self), open(other)))
            .or_else(|| gate_between(open(self), open(other)))
    }

    /// Whether there were times of the two that no ordering event keeps apart.
    pub(super) fn is_concurrent_with(&self, other: &Self) -> bool {
        let times = |of: &Self| [Arc::clone(&of.repeats.first), of.repeats.last()];
        let theirs = times(other);
        times(self).iter().any(|own| theirs.iter().any(|other| own.is_concurrent_with(other)))
    }
}

/// A lock that is held in both, by different agents and by at least one of them alone.
///
/// One agent's hold around both may be one and the same; and if it is not, the agent's later one comes
/// after all that happened inside the earlier one.
fn gate_between<'a>(
    ones: impl Iterator<Item = &'a Guard>,
    others: impl Iterator<Item = &'a Guard> + Clone,
) -> Option<LockId> {
    let alone = |guard: &Guard| guard.hold.mode() == Mode::Exclusive;
    for one in ones {
        let excludes = |other: &Guard| {
            other.hold.lock == one.hold.lock && other.by != one.by && (alone(one) || alone(other))
        };
        if others.clone().any(excludes) {
            return Some(one.hold.lock);
        }
    }
    None
}
