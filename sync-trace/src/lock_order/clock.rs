//! What must come before what, whatever the schedule: vector clocks over segments.
//!
//! A *segment* is a stretch of an agent's life between two ordering events (spawn, join, message, …).
//! It comes before a moment if a chain of such events leads from its end to that moment. That one
//! thread took a mutex after another is no such event: on another day it is the other way round.
//!
//! The clocks are those of Fidge and Mattern (1988), but only agents with something to compare have a
//! component: those that have asked for a lock while they held one. So thousands of short-lived
//! threads that do not nest locks cost nothing.

use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use crate::finding::{AgentId, LockId};
use crate::held::Held;
use crate::registry::next_number;

/// For each agent, up to which of its segments everything has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Sorted by agent.
    components: Vec<(AgentId, u64)>,
}

impl Clock {
    /// Whether `segment` of `agent` was over before this clock's moment.
    pub(crate) fn knows(&self, agent: AgentId, segment: u64) -> bool {
        let at = self.components.binary_search_by_key(&agent, |&(agent, _)| agent);
        at.is_ok_and(|at| segment <= self.components[at].1)
    }

    fn covers(&self, other: &Self) -> bool {
        other.components.iter().all(|&(agent, segment)| self.knows(agent, segment))
    }

    /// The clock after `agent` has also ended its `segment`.
    fn advanced(&self, agent: AgentId, segment: u64) -> Self {
        self.joined(&Self { components: vec![(agent, segment)] })
    }

    /// The clock of a moment after both.
    fn joined(&self, other: &Self) -> Self {
        let mut components = [self.components.as_slice(), &other.components].concat();
        // Of two components of one agent the later segment comes first, and stays.
        components.sort_unstable_by_key(|&(agent, segment)| (agent, std::cmp::Reverse(segment)));
        components.dedup_by_key(|&mut (agent, _)| agent);
        Self { components }
    }
}

/// A point in an agent's life, as far as its order among others goes.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) agent: AgentId,
    segment: u64,
    /// What comes before it.
    clock: Arc<Clock>,
}

impl Moment {
    /// Whether this comes before `later` in every schedule.
    pub(crate) fn precedes(&self, later: &Self) -> bool {
        later.clock.knows(self.agent, self.segment)
    }

    /// Whether no chain of ordering events leads from one to the other.
    pub(crate) fn is_concurrent_with(&self, other: &Self) -> bool {
        self.agent != other.agent && !self.precedes(other) && !other.precedes(self)
    }
}

/// A hold, from when the lock was taken until it is released.
#[derive(Debug)]
pub(crate) struct Section {
    /// Never used again.
    pub(crate) number: NonZeroU64,
    pub(crate) agent: AgentId,
    pub(crate) held: Held,
    /// What came before its end, once it has ended.
    end: OnceLock<Arc<Clock>>,
}

impl Section {
    fn has_ended(&self) -> bool {
        self.end.get().is_some()
    }

    /// Whether `moment` came before its end in every schedule. Nothing is known before it has ended.
    pub(crate) fn encloses(&self, moment: &Moment) -> Option<bool> {
        self.end.get().map(|end| end.knows(moment.agent, moment.segment))
    }
}

/// What an ordering event hands on: what came before it, and the sections it happened in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    clock: Arc<Clock>,
    open: Vec<Arc<Section>>,
}

/// One agent's way through its segments and sections.
#[derive(Debug)]
pub(crate) struct Timeline {
    agent: AgentId,
    segment: u64,
    clock: Arc<Clock>,
    /// Whether the present segment has a moment that may be compared.
    is_marked: bool,
    /// Its own open sections, oldest first.
    own: Vec<Arc<Section>>,
    /// Sections of others that were open at an event that this agent comes after.
    others: Vec<Arc<Section>>,
}

impl Timeline {
    /// The timeline of a new agent.
    pub(crate) fn new(agent: AgentId) -> Self {
        let clock = Arc::default();
        Self { agent, segment: 1, clock, is_marked: false, own: Vec::new(), others: Vec::new() }
    }

    /// The sections that the agent is in.
    pub(crate) fn sections(&self) -> &[Arc<Section>] {
        &self.own
    }

    /// Sections of other agents that began before the present moment, and may turn out to end after
    /// it.
    pub(crate) fn around(&self) -> Vec<Arc<Section>> {
        self.others.iter().filter(|section| !section.has_ended()).cloned().collect()
    }

    /// The present moment, to be compared with others.
    pub(crate) fn now(&mut self) -> Moment {
        self.is_marked = true;
        Moment { agent: self.agent, segment: self.segment, clock: Arc::clone(&self.clock) }
    }

    /// An event that others may come after, such as a message sent: what it is to take along.
    pub(crate) fn publish(&mut self) -> Parcel {
        let open = self.own.iter().cloned().chain(self.around()).collect();
        Parcel { clock: self.tick(), open }
    }

    /// Ends the segment, if anything in it may be compared.
    fn tick(&mut self) -> Arc<Clock> {
        if self.is_marked {
            self.clock = Arc::new(self.clock.advanced(self.agent, self.segment));
            self.segment += 1;
            self.is_marked = false;
        }
        Arc::clone(&self.clock)
    }

    /// What follows comes after all that `parcel` brings.
    pub(crate) fn observe(&mut self, parcel: &Parcel) {
        self.observe_clock(&parcel.clock);
        for section in &parcel.open {
            let is_new = !self.others.iter().any(|known| Arc::ptr_eq(known, section));
            if section.agent != self.agent && is_new {
                self.others.push(Arc::clone(section));
            }
        }
    }

    fn observe_clock(&mut self, clock: &Arc<Clock>) {
        if !Arc::ptr_eq(clock, &self.clock) && !self.clock.covers(clock) {
            self.clock = Arc::new(self.clock.joined(clock));
        }
    }

    /// The agent has got a lock. If another one's section on it was open at an event that this comes
    /// after, that section has ended by now, and would have in every schedule.
    pub(crate) fn acquired(&mut self, held: Held) {
        let (over, others): (Vec<_>, _) =
            std::mem::take(&mut self.others).into_iter().partition(|section| {
                section.held.lock == held.lock && section.held.access.mode.blocks(held.access.mode)
            });
        self.others = others;
        for section in over {
            if let Some(end) = section.end.get() {
                self.observe_clock(end);
            }
        }
        let (number, agent) = (next_number(), self.agent);
        self.own.push(Arc::new(Section { number, agent, held, end: OnceLock::new() }));
    }

    /// The agent gives its newest hold of `lock` up.
    pub(crate) fn released(&mut self, lock: LockId) -> Option<Arc<Section>> {
        let at = self.own.iter().rposition(|section| section.held.lock == lock)?;
        let section = self.own.remove(at);
        let end = self.tick();
        // A section ends once.
        let _ = section.end.set(end);
        Some(section)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn timelines<const N: usize>() -> [Timeline; N] {
        std::array::from_fn(|at| Timeline::new(AgentId(at as u64 + 1)))
    }

    #[test]
    fn nothing_is_ordered_without_an_event() {
        let [mut a, mut b] = timelines();
        let (one, two) = (a.now(), b.now());
        assert!(one.is_concurrent_with(&two) && two.is_concurrent_with(&one));
        assert!(!one.is_concurrent_with(&a.now()), "an agent is not concurrent with itself");
    }

    #[test]
    fn what_was_done_before_a_message_comes_before_what_its_receiver_does_next() {
        let [mut a, mut b] = timelines();
        let (sent_before, received_before) = (a.now(), b.now());
        let message = a.publish();
        let sent_after = a.now();
        b.observe(&message);
        let received_after = b.now();
        assert!(sent_before.precedes(&received_after));
        assert!(sent_after.is_concurrent_with(&received_after));
        assert!(sent_before.is_concurrent_with(&received_before));
    }

    #[test]
    fn order_passes_through_agents_that_do_nothing_themselves() {
        let [mut a, mut b, mut c] = timelines();
        let first = a.now();
        b.observe(&a.publish());
        c.observe(&b.publish());
        assert!(first.precedes(&c.now()));
        assert!(b.publish().clock.components.len() == 1, "b has nothing to compare");
    }

    #[test]
    fn two_orders_meet() {
        let [mut a, mut b, mut c] = timelines();
        let (one, two) = (a.now(), b.now());
        let (from_a, from_b) = (a.publish(), b.publish());
        c.observe(&from_a);
        assert!(one.precedes(&c.now()) && two.is_concurrent_with(&c.now()));
        c.observe(&from_b);
        assert!(one.precedes(&c.now()) && two.precedes(&c.now()));
    }

    #[test]
    fn what_is_known_already_makes_no_new_clock() {
        let [mut a, mut b] = timelines();
        a.now();
        let message = a.publish();
        b.observe(&message);
        let before = Arc::as_ptr(&b.clock);
        b.observe(&message);
        b.observe(&Parcel::default());
        assert_eq!(Arc::as_ptr(&b.clock), before);
        assert!(Arc::ptr_eq(&a.publish().clock, &a.publish().clock));
    }
}
