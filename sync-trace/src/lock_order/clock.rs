//! What must come before what, whatever the schedule: vector clocks over segments.
//!
//! A *segment* is a stretch of an agent's life between two ordering events (spawn, join, message, …).
//! It comes before a moment if a chain of such events leads from its end to that moment. That one
//! thread took a mutex after another is no such event: on another day it is the other way round.
//!
//! The clocks are those of Fidge and Mattern (1988), but only agents with something to compare have a
//! component: those that have asked for a lock while they held one. So thousands of short-lived
//! threads that do not nest locks cost nothing.
//!
//! Some events come after everything so far, whoever did it: for those there is one global count,
//! called the *news*, that goes up with each of them.

use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use crate::finding::{AgentId, LockId};
use crate::held::Held;
use crate::lock_order::hold::{Guard, Hold};
use crate::op::Mode;
use crate::registry::next_number;

/// For each agent, up to which of its segments everything has happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Everything has that saw fewer news than these.
    news: u64,
    /// Sorted by agent.
    components: Vec<(AgentId, u64)>,
}

impl Clock {
    /// Whether `moment` came before this clock's.
    fn knows(&self, moment: &Moment) -> bool {
        moment.news < self.news || self.has_seen(moment.agent, moment.segment)
    }

    fn has_seen(&self, agent: AgentId, segment: u64) -> bool {
        let at = self.components.binary_search_by_key(&agent, |&(agent, _)| agent);
        at.is_ok_and(|at| segment <= self.components[at].1)
    }

    fn covers(&self, other: &Self) -> bool {
        other.news <= self.news
            && other.components.iter().all(|&(agent, segment)| self.has_seen(agent, segment))
    }

    /// The clock after `agent` has also ended its `segment`.
    fn advanced(&self, agent: AgentId, segment: u64) -> Self {
        self.joined(&Self { news: 0, components: vec![(agent, segment)] })
    }

    /// The clock of a moment after both.
    fn joined(&self, other: &Self) -> Self {
        let mut components = [self.components.as_slice(), &other.components].concat();
        // Of two components of one agent the later segment comes first, and stays.
        components.sort_unstable_by_key(|&(agent, segment)| (agent, std::cmp::Reverse(segment)));
        components.dedup_by_key(|&mut (agent, _)| agent);
        Self { news: self.news.max(other.news), components }
    }
}

/// A point in an agent's life, as far as its order among others goes.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) agent: AgentId,
    segment: u64,
    /// How many news there were then.
    news: u64,
    /// What comes before it.
    clock: Arc<Clock>,
}

impl Moment {
    /// Whether this comes before `later` in every schedule.
    pub(crate) fn precedes(&self, later: &Self) -> bool {
        later.clock.knows(self)
    }

    /// Whether no chain of ordering events leads from one to the other.
    pub(crate) fn is_concurrent_with(&self, other: &Self) -> bool {
        self.agent != other.agent && !self.precedes(other) && !other.precedes(self)
    }
}

/// A hold in which an event happened that other agents may have come after: what they did then may
/// be inside it. It goes on until the lock is released.
#[derive(Debug)]
pub(crate) struct Section {
    /// Never used again.
    pub(crate) number: NonZeroU64,
    agent: AgentId,
    pub(crate) hold: Hold,
    /// What came before its end, once it has ended.
    end: OnceLock<Arc<Clock>>,
}

impl Section {
    pub(crate) fn has_ended(&self) -> bool {
        self.end.get().is_some()
    }

    /// What it is for a request that was made inside it.
    pub(crate) fn guard(&self) -> Guard {
        Guard { hold: self.hold, by: self.agent }
    }

    /// Whether `moment` came before its end in every schedule. Nothing is known before it has ended.
    pub(crate) fn encloses(&self, moment: &Moment) -> Option<bool> {
        self.end.get().map(|end| end.knows(moment))
    }
}

/// What an ordering event hands on: what came before it, and the sections it happened in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    clock: Arc<Clock>,
    open: Vec<Arc<Section>>,
}

impl Parcel {
    /// What everything so far hands on to who comes after it; `news` have just gone up for that.
    pub(crate) fn of_everything(news: u64) -> Self {
        Self { clock: Arc::new(Clock { news, components: Vec::new() }), open: Vec::new() }
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self.clock == Clock::default() && self.open.is_empty()
    }

    /// Adds what another event hands on to those who come after both.
    pub(crate) fn add(&mut self, other: &Self) {
        if !self.clock.covers(&other.clock) {
            self.clock = match other.clock.covers(&self.clock) {
                true => Arc::clone(&other.clock),
                false => Arc::new(self.clock.joined(&other.clock)),
            };
        }
        add_sections(&mut self.open, &other.open, &self.clock);
    }

    /// Of how many agents it knows something.
    pub(crate) fn len(&self) -> usize {
        self.clock.components.len() + self.open.len()
    }
}

/// Adds sections that are not there yet, and drops those of which `clock` knows all there is to know:
/// whoever comes after them comes after their end anyway.
fn add_sections(to: &mut Vec<Arc<Section>>, new: &[Arc<Section>], clock: &Clock) {
    for section in new {
        if !to.iter().any(|known| Arc::ptr_eq(known, section)) {
            to.push(Arc::clone(section));
        }
    }
    to.retain(|section| section.end.get().is_none_or(|end| !clock.covers(end)));
}

/// One agent's way through its segments and sections.
#[derive(Debug)]
pub(crate) struct Timeline {
    agent: AgentId,
    segment: u64,
    clock: Arc<Clock>,
    /// The present moment, if the segment has one that may be compared.
    now: Option<Arc<Moment>>,
    /// Its own open sections, oldest first: of its oldest holds, up to the newest one that an event
    /// happened in.
    own: Vec<Arc<Section>>,
    /// Sections of others that were open at an event that this agent comes after.
    others: Vec<Arc<Section>>,
}

impl Timeline {
    /// The timeline of a new agent, which begins with this segment.
    pub(crate) fn new(agent: AgentId, segment: u64) -> Self {
        let (clock, own, others) = Default::default();
        Self { agent, segment, clock, now: None, own, others }
    }

    /// Sections of other agents that began before the present moment, and may turn out to end after
    /// it.
    pub(crate) fn around(&self) -> Vec<Arc<Section>> {
        self.others.iter().filter(|section| !section.has_ended()).cloned().collect()
    }

    /// The number of the present segment: it goes up whenever what is known changes.
    pub(crate) fn segment(&self) -> u64 {
        self.segment
    }

    /// Whether it may be inside sections of others, or wait for their end one day.
    pub(crate) fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// The present moment, to be compared with others; so many news there are.
    pub(crate) fn now(&mut self, news: u64) -> Arc<Moment> {
        match &self.now {
            Some(now) if now.news == news => Arc::clone(now),
            _ => {
                let (agent, segment) = (self.agent, self.segment);
                let clock = Arc::clone(&self.clock);
                let now = Arc::new(Moment { agent, segment, news, clock });
                self.now = Some(Arc::clone(&now));
                now
            }
        }
    }

    /// An event that others may come after, such as a message sent: what it is to take along. All holds
    /// have to have sections by now.
    pub(crate) fn publish(&mut self) -> Parcel {
        // Also those that have ended: who takes their lock comes after that, whoever told of them.
        let open = self.own.iter().chain(&self.others).cloned().collect();
        Parcel { clock: self.tick(), open }
    }

    /// The same for an event that others may have come after, but not in every schedule: their later
    /// deeds are not inside this agent's sections.
    pub(crate) fn publish_clock(&mut self) -> Parcel {
        Parcel { clock: self.tick(), open: Vec::new() }
    }

    /// Ends the segment, if anything in it may be compared.
    fn tick(&mut self) -> Arc<Clock> {
        if self.now.take().is_some() {
            self.clock = Arc::new(self.clock.advanced(self.agent, self.segment));
            self.segment += 1;
        }
        Arc::clone(&self.clock)
    }

    /// What follows comes after all that `parcel` brings.
    pub(crate) fn observe(&mut self, parcel: &Parcel) {
        self.observe_clock(&parcel.clock);
        let known = self.others.len();
        add_sections(&mut self.others, &parcel.open, &self.clock);
        self.others.retain(|section| section.agent != self.agent);
        if self.others.len() > known {
            self.tick();
        }
    }

    fn observe_clock(&mut self, clock: &Arc<Clock>) {
        if Arc::ptr_eq(clock, &self.clock) || self.clock.covers(clock) {
            return;
        }
        let own = self.tick();
        self.clock = match clock.covers(&own) {
            true => Arc::clone(clock),
            false => Arc::new(own.joined(clock)),
        };
    }

    /// What follows comes after everything so far; `news` have just gone up for that. No clock has to
    /// name anybody any more.
    pub(crate) fn observe_everything(&mut self, news: u64) {
        self.tick();
        self.clock = Arc::new(Clock { news: news.max(self.clock.news), components: Vec::new() });
    }

    /// Whether its clock names so many agents that it costs more than it is worth.
    pub(crate) fn is_crowded(&self, agents: usize) -> bool {
        self.clock.components.len() > agents
    }

    /// The agent has got a lock. If another one's section on it was open at an event that this comes
    /// after, that section has ended by now, and would have in every schedule.
    pub(crate) fn came_to(&mut self, lock: LockId, mode: Mode) {
        let is_over =
            |section: &Arc<Section>| section.hold.lock == lock && section.hold.mode().blocks(mode);
        let (over, others) = std::mem::take(&mut self.others).into_iter().partition(is_over);
        self.others = others;
        let over: Vec<Arc<Section>> = over;
        for section in over {
            if let Some(end) = section.end.get() {
                self.observe_clock(end);
            }
        }
    }

    /// From here on the agent's oldest hold without one has a section.
    pub(crate) fn begin_section(&mut self, held: Held) {
        self.own.push(self.new_section(held));
    }

    fn new_section(&self, held: Held) -> Arc<Section> {
        let (number, agent, end) = (next_number(), self.agent, OnceLock::new());
        Arc::new(Section { number, agent, hold: held.into(), end })
    }

    /// Forgets a section without a word, and leaks it: for where nothing may be freed. It seems open for
    /// ever.
    pub(crate) fn abandon_section(&mut self, at: usize) {
        std::mem::forget(self.own.remove(at));
    }

    /// The hold of the section at this place goes on in another way, which is a section of its own: who
    /// was inside the old one may go on inside the new one.
    pub(crate) fn change_section(&mut self, at: usize, held: Held) -> Arc<Section> {
        let old = self.end_section(at);
        self.own.insert(at, self.new_section(held));
        old
    }

    /// The agent gives up the hold of its section at this place, counted from the oldest.
    pub(crate) fn end_section(&mut self, at: usize) -> Arc<Section> {
        let section = self.own.remove(at);
        let end = self.tick();
        // It ends once.
        let _ = section.end.set(end);
        section
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn timelines<const N: usize>() -> [Timeline; N] {
        std::array::from_fn(|at| Timeline::new(AgentId(at as u64 + 1), 1))
    }

    #[test]
    fn nothing_is_ordered_without_an_event() {
        let [mut a, mut b] = timelines();
        let (one, two) = (a.now(0), b.now(0));
        assert!(one.is_concurrent_with(&two) && two.is_concurrent_with(&one));
        assert!(!one.is_concurrent_with(&a.now(0)), "an agent is not concurrent with itself");
    }

    #[test]
    fn what_was_done_before_a_message_comes_before_what_its_receiver_does_next() {
        let [mut a, mut b] = timelines();
        let (sent_before, received_before) = (a.now(0), b.now(0));
        let message = a.publish();
        let sent_after = a.now(0);
        b.observe(&message);
        let received_after = b.now(0);
        assert!(sent_before.precedes(&received_after));
        assert!(sent_after.is_concurrent_with(&received_after));
        assert!(sent_before.is_concurrent_with(&received_before));
    }

    #[test]
    fn order_passes_through_agents_that_do_nothing_themselves() {
        let [mut a, mut b, mut c] = timelines();
        let first = a.now(0);
        b.observe(&a.publish());
        c.observe(&b.publish());
        assert!(first.precedes(&c.now(0)));
        assert!(b.publish().clock.components.len() == 1, "b has nothing to compare");
    }

    #[test]
    fn two_orders_meet() {
        let [mut a, mut b, mut c] = timelines();
        let (one, two) = (a.now(0), b.now(0));
        let (from_a, from_b) = (a.publish(), b.publish());
        c.observe(&from_a);
        assert!(one.precedes(&c.now(0)) && two.is_concurrent_with(&c.now(0)));
        c.observe(&from_b);
        assert!(one.precedes(&c.now(0)) && two.precedes(&c.now(0)));
    }

    #[test]
    fn who_comes_after_everything_needs_no_names() {
        let [mut a, mut b] = timelines();
        let before = a.now(0);
        b.observe_everything(1);
        let (later, after) = (a.now(1), b.now(1));
        assert!(before.precedes(&after) && later.is_concurrent_with(&after));
        assert!(!b.is_crowded(0));
    }

    #[test]
    fn a_parcel_of_several_events_brings_what_all_of_them_bring() {
        let [mut a, mut b, mut c] = timelines();
        let (one, two) = (a.now(0), b.now(0));
        let mut parcel = a.publish();
        parcel.add(&b.publish());
        parcel.add(&Parcel::default());
        c.observe(&parcel);
        assert!(one.precedes(&c.now(0)) && two.precedes(&c.now(0)));
        assert!(!parcel.is_empty() && Parcel::default().is_empty());
    }

    #[test]
    fn what_is_known_already_makes_no_new_clock() {
        let [mut a, mut b] = timelines();
        a.now(0);
        let message = a.publish();
        b.observe(&message);
        let before = Arc::as_ptr(&b.clock);
        b.observe(&message);
        b.observe(&Parcel::default());
        assert_eq!(Arc::as_ptr(&b.clock), before);
        assert!(Arc::ptr_eq(&a.publish().clock, &a.publish().clock));
    }
}
