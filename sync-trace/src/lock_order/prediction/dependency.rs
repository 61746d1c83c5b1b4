//! One request: who wanted what, holding what, when, and how often.

use std::sync::Arc;

use super::repeats::{Line, Noted};
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
    /// What the agent remembers of having done the same before, or the line for that.
    pub(crate) noted: Noted,
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

/// An agent's request for a lock while it held others, or for a write while it held none: as it is in the
/// [store](super::store).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dependency<'s> {
    /// What was wanted: the hold that it was to become.
    pub(crate) wanted: Hold,
    context: &'s Context,
    /// By whom it was seen, when and how often.
    pub(crate) repeats: Line<'s>,
}

/// What requests were made in, and what was meant by them.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// What the agent held, oldest first; later also what others held around it.
    pub(super) held: Vec<Guard>,
    /// Sections of other agents that began before it and had not ended. When they do it turns out
    /// whether they had to wait for it: then it happened inside them, whatever the schedule.
    pub(super) around: Vec<Arc<Section>>,
    /// What was meant by what was wanted, if it was anything in particular.
    pub(super) meant: Option<Arc<Meaning>>,
}

impl<'s> Dependency<'s> {
    pub(super) fn new(wanted: Hold, context: &'s Context, repeats: Line<'s>) -> Self {
        Self { wanted, context, repeats }
    }

    /// Whether it is a wait for something that is given, or what somebody does before it gives that.
    pub(crate) fn is_about_giving(&self) -> bool {
        self.wanted.is_given() || self.gives().is_some()
    }

    /// What its agent is going to give, if that is known.
    pub(crate) fn gives(&self) -> Option<&'s Hold> {
        self.holds().find(|hold| hold.is_given())
    }

    /// What the agent held, and what others held around it, as far as is known.
    pub(crate) fn guards(&self) -> &'s [Guard] {
        &self.context.held
    }

    /// The same, without whose it was.
    pub(crate) fn holds(&self) -> impl Iterator<Item = &'s Hold> + use<'s> {
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
    pub(crate) fn around(&self) -> &'s [Arc<Section>] {
        &self.context.around
    }

    /// A number for what makes it the same as another one.
    pub(crate) fn key(&self) -> u64 {
        let Context { held, around, meant } = self.context;
        number_of(self.agent(), &self.wanted, held, around, meant.as_deref())
    }

    /// Whether it was made inside `section`, which has ended.
    pub(super) fn was_inside(&self, section: &Section) -> bool {
        let is_inside = |moment: &Moment| section.encloses(moment) == Some(true);
        is_inside(&self.repeats.first()) && is_inside(&self.repeats.last())
    }

    /// The locks that it holds or wants.
    pub(crate) fn locks(&self) -> impl Iterator<Item = LockId> + use<'s> {
        self.holds().map(|hold| hold.lock).chain([self.wanted.lock])
    }

    pub(crate) fn agent(&self) -> AgentId {
        self.repeats.agent()
    }

    pub(super) fn mode(&self) -> Mode {
        self.wanted.mode()
    }

    /// How it keeps the request of `other` waiting.
    pub(super) fn blocks(self, other: Self) -> Blocks {
        let of_it = self.holds().filter(|hold| hold.lock == other.wanted.lock);
        let blocks = of_it.map(|hold| blocks_or_queues(hold.mode(), other.mode()));
        blocks
            .filter(|blocks| *blocks != Blocks::No)
            .min_by_key(|blocks| *blocks as u8)
            .unwrap_or(Blocks::No)
    }

    /// A lock that excludes the two from each other.
    pub(super) fn gate(self, other: Self) -> Option<LockId> {
        gate_between(self.guards().iter(), other.guards().iter())
    }

    /// A lock that does so if a section that is still open turns out to enclose one of them.
    pub(super) fn open_gate(self, other: Self) -> Option<LockId> {
        let known = |of: Self| of.guards().iter();
        let open = |of: Self| of.around().iter().map(|section| section.guard());
        gate_between(open(self), known(other))
            .or_else(|| gate_between(known(self), open(other)))
            .or_else(|| gate_between(open(self), open(other)))
    }

    /// Whether there were times of the two that no ordering event keeps apart.
    pub(super) fn is_concurrent_with(self, other: Self) -> bool {
        let times = |of: Self| [of.repeats.first(), of.repeats.last()];
        let theirs = times(other);
        times(self).iter().any(|own| theirs.iter().any(|other| own.is_concurrent_with(other)))
    }
}

/// The [key](Dependency::key) of what will be made of a request while this is held.
pub(super) fn key(request: &Request, held: &[Guard]) -> u64 {
    let Request { wanted, around, now, meant, .. } = request;
    number_of(now.agent, wanted, held, around, meant.as_deref())
}

/// A number for an agent, what it wants and holds, with the modes and what was meant by that, in whatever order,
/// and the sections around it.
fn number_of(
    agent: AgentId,
    wanted: &Hold,
    held: &[Guard],
    around: &[Arc<Section>],
    meant: Option<&Meaning>,
) -> u64 {
    let held = held.iter().map(Guard::key).fold(0, u64::wrapping_add);
    let wanted = wanted.key().wrapping_add(meant.map_or(0, Meaning::number));
    let around = around.iter().map(|section| section.number.get());
    around.fold(key::chain(key::chain(held, wanted), agent.0), key::chain)
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
