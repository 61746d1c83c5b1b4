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
use crate::lock_order::hold::Guard;
use crate::meaning::Meaning;
use crate::numbers::next_number;
use crate::op::Mode;

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
        moment.news < self.news || self.has_seen(moment.line, moment.segment)
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
    /// Under which number clocks know it: the agent's own, or that of an initialiser it ran.
    line: AgentId,
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

    /// Whether it is in this segment of its agent's, or a later one.
    pub(crate) fn is_since(&self, segment: u64) -> bool {
        self.segment >= segment
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
    guard: Guard,
    /// What came before its end, once it has ended.
    end: OnceLock<Arc<Clock>>,
}

impl Section {
    fn of(guard: Guard) -> Arc<Self> {
        Arc::new(Self { number: next_number(), guard, end: OnceLock::new() })
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.end.get().is_some()
    }

    /// What it is for a request that was made inside it.
    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
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

    /// Whether it says all that the other one does.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        let has = |section: &Arc<Section>| self.open.iter().any(|own| Arc::ptr_eq(own, section));
        self.clock.covers(&other.clock) && other.open.iter().all(has)
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

/// An initialiser while it runs. On another day another agent runs it, so whoever uses what it has made
/// comes after what happened in it, and not after what its agent did before: clocks know it under a
/// number of its own.
#[derive(Debug)]
struct Body {
    /// What clocks know that by which it was begun.
    outer: AgentId,
    /// What it has done and heard so far, and nothing else that its agent did or knows.
    own: Parcel,
}

/// So many initialisers of one agent have numbers of their own. Those that come later share one, so that
/// clocks do not grow: who comes after one of them comes after the earlier ones too.
const BODIES_MAX: usize = 16;

/// A hold that a timeline was told of.
#[derive(Debug)]
struct Told {
    guard: Guard,
    /// What others may ask about, once an event has happened in it.
    section: Option<Arc<Section>>,
}

/// One agent's way through its segments and sections.
#[derive(Debug)]
pub(crate) struct Timeline {
    agent: AgentId,
    /// Under which number clocks know what it does now.
    line: AgentId,
    /// The initialisers that it runs, each inside the one before.
    bodies: Vec<Body>,
    /// How many initialisers have got a number of their own, and the last of those.
    numbered: (usize, AgentId),
    segment: u64,
    clock: Arc<Clock>,
    /// The present moment, if the segment has one that may be compared.
    now: Option<Arc<Moment>>,
    /// Its oldest holds, up to the newest one that an event happened in, or that it was told of because
    /// something was meant by it.
    own: Vec<Told>,
    /// Sections of others that were open at an event that this agent comes after.
    others: Vec<Arc<Section>>,
    /// What is meant by what it takes now, if that is anything in particular.
    meant: Option<Arc<Meaning>>,
    /// What was meant before that, which is often meant again.
    spare_meant: Option<Arc<Meaning>>,
    /// The sum of what was meant by those holds, as numbers.
    held_meant: u64,
}

impl Timeline {
    /// The timeline of a new agent, which begins with this segment.
    pub(crate) fn new(agent: AgentId, segment: u64) -> Self {
        let (line, bodies, numbered) = (agent, Vec::new(), (0, agent));
        let (clock, now, own, others, meant, spare_meant) = Default::default();
        Self {
            agent,
            line,
            bodies,
            numbered,
            segment,
            clock,
            now,
            own,
            others,
            meant,
            spare_meant,
            held_meant: 0,
        }
    }

    /// From here on, this is meant by what the agent takes.
    pub(crate) fn mean(&mut self, meaning: &Meaning) {
        if self.meant.as_deref().unwrap_or(&Meaning::PLAIN) != meaning {
            let old = self.meant.take();
            if !meaning.is_plain() {
                let alike = self.spare_meant.take().filter(|spare| **spare == *meaning);
                self.meant = alike.or_else(|| Some(Arc::new(*meaning)));
            }
            self.spare_meant = old.or(self.spare_meant.take());
        }
    }

    /// What is meant by what it takes now.
    pub(crate) fn meant(&self) -> Option<&Arc<Meaning>> {
        self.meant.as_ref()
    }

    /// What was meant by each of its holds that it was told of, oldest first; nothing if nothing was.
    pub(crate) fn meant_by_holds(&self) -> Vec<Option<Arc<Meaning>>> {
        let meant = || self.own.iter().map(|told| told.guard.meant.clone());
        if meant().any(|meant| meant.is_some()) { meant().collect() } else { Vec::new() }
    }

    /// What was meant by its newest hold of `lock` that it was told of.
    pub(crate) fn meaning_of(&self, lock: LockId) -> Meaning {
        let told = self.own.iter().rfind(|told| told.guard.hold.lock == lock);
        let meant = told.and_then(|told| told.guard.meant.as_deref());
        meant.copied().unwrap_or(Meaning::PLAIN)
    }

    /// A number for all that is meant now, by its holds and by what it takes: 0 if nothing is.
    pub(crate) fn number_meant(&self) -> u64 {
        let now = self.meant.as_ref().map_or(0, |meant| meant.number());
        self.held_meant.wrapping_add(now)
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
                let (agent, line, segment) = (self.agent, self.line, self.segment);
                let clock = Arc::clone(&self.clock);
                let now = Arc::new(Moment { agent, line, segment, news, clock });
                self.now = Some(Arc::clone(&now));
                now
            }
        }
    }

    /// An event that others may come after, such as a message sent: what it is to take along. It has to
    /// have been told of all holds by now, which have sections from here on.
    pub(crate) fn publish(&mut self) -> Parcel {
        let section = |told: &mut Told| {
            Arc::clone(told.section.get_or_insert_with(|| Section::of(told.guard.clone())))
        };
        let own = self.own.iter_mut().map(section);
        // Also those that have ended: who takes their lock comes after that, whoever told of them.
        let open = own.chain(self.others.iter().cloned()).collect();
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
            self.clock = Arc::new(self.clock.advanced(self.line, self.segment));
            if let Some(body) = self.bodies.last_mut() {
                body.own.clock = Arc::new(body.own.clock.advanced(self.line, self.segment));
            }
            self.segment += 1;
        }
        Arc::clone(&self.clock)
    }

    /// How many initialisers it runs, each inside the one before.
    pub(crate) fn bodies(&self) -> usize {
        self.bodies.len()
    }

    /// What follows happens in an initialiser.
    pub(crate) fn begin_body(&mut self) {
        self.tick();
        self.bodies.push(Body { outer: self.line, own: Parcel::default() });
        if self.numbered.0 < BODIES_MAX {
            self.numbered = (self.numbered.0 + 1, AgentId(next_number().get()));
        }
        self.line = self.numbered.1;
    }

    /// The innermost initialiser has ended: what happened in it and what it has heard, which is what
    /// whoever uses the result comes after.
    pub(crate) fn end_body(&mut self) -> Parcel {
        self.tick();
        let Some(Body { outer, own }) = self.bodies.pop() else { return Parcel::default() };
        self.line = outer;
        self.body_heard(&own);
        own
    }

    /// The innermost initialiser has heard this.
    fn body_heard(&mut self, parcel: &Parcel) {
        if let Some(body) = self.bodies.last_mut() {
            body.own.add(parcel);
        }
    }

    /// What follows comes after all that `parcel` brings.
    pub(crate) fn observe(&mut self, parcel: &Parcel) {
        // Also what its agent knew before: on another day the initialiser's agent does not.
        self.body_heard(parcel);
        self.observe_clock(&parcel.clock);
        let known = self.others.len();
        add_sections(&mut self.others, &parcel.open, &self.clock);
        self.others.retain(|section| section.guard.by != self.agent);
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
        self.body_heard(&Parcel::of_everything(news));
        self.clock = Arc::new(Clock { news: news.max(self.clock.news), components: Vec::new() });
    }

    /// It comes after everything that saw fewer news than these.
    pub(crate) fn news_behind(&self) -> u64 {
        self.clock.news
    }

    /// Whether its clock names so many agents that it costs more than it is worth.
    pub(crate) fn is_crowded(&self, agents: usize) -> bool {
        self.clock.components.len() > agents
    }

    /// The agent has got a lock. If another one's section on it was open at an event that this comes
    /// after, that section has ended by now, and would have in every schedule.
    pub(crate) fn came_to(&mut self, lock: LockId, mode: Mode) {
        let is_over = |section: &Arc<Section>| {
            let hold = &section.guard.hold;
            hold.lock == lock && hold.mode().blocks(mode)
        };
        let (over, others) = std::mem::take(&mut self.others).into_iter().partition(is_over);
        self.others = others;
        let over: Vec<Arc<Section>> = over;
        for section in over {
            if let Some(end) = section.end.get() {
                self.body_heard(&Parcel { clock: Arc::clone(end), open: Vec::new() });
                self.observe_clock(end);
            }
        }
    }

    /// It is told of the agent's oldest hold of which it does not know, by which is meant what is meant
    /// now.
    pub(crate) fn begin_hold(&mut self, held: Held) {
        let meant = self.meant.clone();
        let told =
            Told { guard: Guard { hold: held.into(), by: self.agent, meant }, section: None };
        self.held_meant = self.held_meant.wrapping_add(told.guard.number_meant());
        self.own.push(told);
    }

    /// Forgets a hold without a word, and leaks it: for where nothing may be freed. Its section seems open
    /// for ever.
    pub(crate) fn abandon_hold(&mut self, at: usize) {
        std::mem::forget(self.take_out(at));
    }

    /// The hold at this place goes on in another way, which is a section of its own: who was inside the
    /// old one may go on inside the new one. Returns the old one, if there was one.
    pub(crate) fn change_hold(&mut self, at: usize, held: Held) -> Option<Arc<Section>> {
        let old = self.take_out(at);
        let guard = Guard { hold: held.into(), ..old.guard };
        let section = old.section.as_ref().map(|_| Section::of(guard.clone()));
        self.held_meant = self.held_meant.wrapping_add(guard.number_meant());
        self.own.insert(at, Told { guard, section });
        self.end_section(old.section)
    }

    /// The agent gives up its hold at this place, counted from the oldest. Returns its section, if an
    /// event happened in it.
    pub(crate) fn end_hold(&mut self, at: usize) -> Option<Arc<Section>> {
        let told = self.take_out(at);
        self.end_section(told.section)
    }

    fn take_out(&mut self, at: usize) -> Told {
        let told = self.own.remove(at);
        self.held_meant = self.held_meant.wrapping_sub(told.guard.number_meant());
        told
    }

    fn end_section(&mut self, section: Option<Arc<Section>>) -> Option<Arc<Section>> {
        if let Some(section) = &section {
            let end = self.tick();
            // It ends once.
            let _ = section.end.set(end);
        }
        section
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::meaning::Stated;

    fn timelines<const N: usize>() -> [Timeline; N] {
        // Drawn as those of initialisers are: none is another one's.
        std::array::from_fn(|_| Timeline::new(AgentId(next_number().get()), 1))
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
    fn what_is_meant_by_a_hold_goes_with_it() {
        use crate::registry::tests::{ACCESS, DOWNGRADED};
        use crate::site::{Origin, Site};

        let site = Site::caller();
        let created = Origin::unnamed(site);
        let held = |lock, access| {
            let lock = LockId(lock);
            Held { lock, stamp: 0, told: false, access, created, site }
        };
        let level = |level| Meaning { stated: Stated { level, key: None }, under: None };
        let [mut a] = timelines();
        for _ in 0..2 {
            a.begin_hold(held(1, ACCESS));
            assert_eq!(a.number_meant(), 0);
            assert!(a.meant_by_holds().is_empty());
            a.mean(&level(1));
            let alone = a.number_meant();
            a.begin_hold(held(2, ACCESS));
            a.mean(&level(2));
            a.mean(&Meaning::PLAIN);
            let both = a.number_meant();
            assert!(alone != 0 && both != 0 && alone != both);
            let levels = |line: &Timeline| [1, 2].map(|lock| line.meaning_of(LockId(lock)));
            assert_eq!(levels(&a), [Meaning::PLAIN, level(1)]);
            assert_eq!(a.meant_by_holds(), [None, Some(Arc::new(level(1)))]);
            assert!(a.change_hold(1, held(2, DOWNGRADED)).is_none(), "nothing has happened in it");
            assert_eq!(levels(&a), [Meaning::PLAIN, level(1)]);
            assert_eq!(a.number_meant(), both);
            a.end_hold(0);
            assert_eq!(a.number_meant(), both);
            a.end_hold(0);
            assert_eq!(a.number_meant(), 0);
            // The same lock, taken in the same way: nothing of its last hold is left.
            a.begin_hold(held(2, ACCESS));
            assert_eq!(levels(&a), [Meaning::PLAIN; 2]);
            a.end_hold(0);
        }
    }

    #[test]
    fn a_hold_has_a_section_once_an_event_happened_in_it_which_says_what_was_meant() {
        use crate::registry::tests::{ACCESS, DOWNGRADED};
        use crate::site::{Origin, Site};

        let site = Site::caller();
        let created = Origin::unnamed(site);
        let held = |lock, access| {
            let lock = LockId(lock);
            Held { lock, stamp: 0, told: false, access, created, site }
        };
        let [mut a, mut b] = timelines();
        let level = Meaning { stated: Stated { level: 1, key: None }, under: None };
        a.mean(&level);
        a.begin_hold(held(1, ACCESS));
        a.mean(&Meaning::PLAIN);
        b.observe(&a.publish());
        // Nothing happens in this one.
        a.begin_hold(held(2, ACCESS));
        assert!(a.end_hold(1).is_none());
        let [inside] = &b.around()[..] else { panic!("there is one section") };
        assert_eq!(inside.guard().stated(), level.stated);
        let changed = a.change_hold(0, held(1, DOWNGRADED)).expect("an event happened in it");
        assert!(Arc::ptr_eq(&changed, inside) && changed.has_ended());
        let goes_on = a.end_hold(0).expect("who was inside the first may be inside the second");
        assert!(!Arc::ptr_eq(&changed, &goes_on));
        assert_eq!(goes_on.guard().stated(), level.stated);
    }

    #[test]
    fn an_initialiser_hands_on_what_it_did_and_heard_and_not_what_its_agent_did_before() {
        let [mut a, mut b, mut c] = timelines();
        let (outside, heard) = (a.now(0), b.now(0));
        a.begin_body();
        let inside = a.now(0);
        a.observe(&b.publish());
        a.begin_body();
        let innermost = a.now(0);
        a.end_body();
        let made = a.end_body();
        let after = a.now(0);
        c.observe(&made);
        let user = c.now(0);
        assert!([&inside, &innermost, &heard].iter().all(|moment| moment.precedes(&user)));
        assert!([&outside, &after].iter().all(|moment| moment.is_concurrent_with(&user)));
        // For its own agent one comes after the other.
        assert!(outside.precedes(&inside) && inside.precedes(&innermost));
        assert!(innermost.precedes(&after) && !after.is_concurrent_with(&innermost));
    }

    #[test]
    fn an_initialiser_tells_of_what_its_agent_had_heard_before_only_if_it_hears_it_again() {
        let [mut a, mut b] = timelines();
        b.now(0);
        let message = b.publish();
        a.observe(&message);
        a.begin_body();
        assert!(a.end_body().is_empty());
        a.begin_body();
        a.observe(&message);
        assert!(!a.end_body().is_empty());
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
