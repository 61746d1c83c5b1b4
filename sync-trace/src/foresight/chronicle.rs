//! What an agent remembers for the lock order: its place in time, and the sections it is in.
//!
//! Most agents never nest locks and hear of nobody who does; for them there is nothing here but a few
//! flags. The timeline is made when there is something to put on it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool as GlobalBool;

use crate::agent::Agent;
use crate::atomics::{AtomicBool, AtomicU64, Mutex, Ordering, const_fn, lock};
use crate::finding::LockId;
use crate::foresight::chains::Forgotten;
use crate::foresight::conditions::Conditions;
use crate::foresight::passage::{Heard, Passage};
use crate::foresight::{meant, news};
use crate::held::{self, Held, key};
use crate::lock_order::clock::{Parcel, Section, Timeline};
use crate::lock_order::hold::Hold;
use crate::lock_order::prediction::{Noted, Request};
use crate::meaning::Meaning;
use crate::op::Mode;

/// An agent's timeline and what is asked of it often.
pub(crate) struct TimeSlot {
    /// Only the agent itself locks it, and before it runs whoever starts it: so memory may be
    /// allocated meanwhile.
    line: Mutex<Option<Box<Timeline>>>,
    /// Whether there is one.
    is_begun: AtomicBool,
    /// The number of its segment.
    segment: AtomicU64,
    /// That of the first one after which it has only released mutexes of conditions.
    began: AtomicU64,
    /// The same plus `meant` and `bound`.
    stamp: AtomicU64,
    /// A number for what is meant by what it holds and takes: 0 if nothing is.
    meant: AtomicU64,
    /// A number for the orders that are declared for what it does now: 0 if none is. What was in order
    /// under them is known under it.
    bound: AtomicU64,
    /// Whether the agent may be inside sections of others, so that also a lock that it takes while it
    /// holds none is of interest.
    is_inside: AtomicBool,
    /// With so many news everything so far came before the agent, which has no timeline yet.
    born: AtomicU64,
    /// How many initialisers it runs, each inside the one before. The timeline is told when something
    /// happens in them.
    bodies: AtomicU64,
    said: Said,
    /// What it has used since that was initialised, and comes after.
    pub(crate) heard: Heard,
    /// What it has heard by taking mutexes.
    pub(crate) conditions: Conditions,
    /// Where its end is told.
    end: Mutex<Option<Arc<Passage>>>,
}

/// Whether anybody has made a request of which it may matter when it was.
static ANY_REQUEST: GlobalBool = GlobalBool::new(false);

/// The same. Relaxed: who made one before an event that others come after has set it by then, and they
/// see it.
pub(crate) fn any_request() -> bool {
    ANY_REQUEST.load(Ordering::Relaxed)
}

// All flags are the agent's own: Relaxed.

impl TimeSlot {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                line: Mutex::new(None),
                is_begun: AtomicBool::new(false),
                segment: AtomicU64::new(0),
                began: AtomicU64::new(0),
                stamp: AtomicU64::new(0),
                meant: AtomicU64::new(0),
                bound: AtomicU64::new(0),
                is_inside: AtomicBool::new(false),
                born: AtomicU64::new(0),
                bodies: AtomicU64::new(0),
                said: Said::new(),
                heard: Heard::new(),
                conditions: Conditions::new(),
                end: Mutex::new(None),
            }
        }
    }

    /// For the record's next agent.
    pub(crate) fn clear(&self) {
        let old = (lock(&self.line).take(), lock(&self.end).take());
        drop(old);
        self.is_begun.store(false, Ordering::Relaxed);
        self.is_inside.store(false, Ordering::Relaxed);
        self.bound.store(0, Ordering::Relaxed);
        // Goes on, so that nothing that was known of the last agent is ever taken for the next one's.
        self.set_segment(self.segment.load(Ordering::Relaxed) + 1, 0);
        self.born.store(0, Ordering::Relaxed);
        self.bodies.store(0, Ordering::Relaxed);
        self.said.clear();
        self.heard.clear();
        self.conditions.clear();
    }

    /// The stamp under which [`Chains`](crate::foresight::chains::Chains) remember now.
    #[inline]
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp_with(news::count())
    }

    /// The same, had there only been so many news.
    #[inline]
    pub(crate) fn stamp_with(&self, news: u64) -> u64 {
        self.stamp.load(Ordering::Relaxed).wrapping_add(news)
    }

    fn set_segment(&self, segment: u64, meant: u64) {
        if self.segment.load(Ordering::Relaxed) != segment {
            self.segment.store(segment, Ordering::Relaxed);
            self.began.store(segment, Ordering::Relaxed);
        }
        self.meant.store(meant, Ordering::Relaxed);
        self.set_bound(self.bound.load(Ordering::Relaxed));
    }

    /// From here on orders with this number are in force.
    pub(crate) fn set_bound(&self, bound: u64) {
        self.bound.store(bound, Ordering::Relaxed);
        let parts = [&self.segment, &self.meant, &self.bound];
        let sum =
            parts.map(|part| part.load(Ordering::Relaxed)).into_iter().fold(0, u64::wrapping_add);
        self.stamp.store(sum, Ordering::Relaxed);
    }

    /// The number of a chain: of what is held and what is wanted, by their numbers, of what is meant by
    /// them, and of the orders that are in force.
    #[inline]
    pub(crate) fn chain(&self, held: u64, wanted: u64) -> u64 {
        let said =
            self.meant.load(Ordering::Relaxed).wrapping_add(self.bound.load(Ordering::Relaxed));
        key::chain(held.wrapping_add(said), wanted)
    }

    #[inline]
    pub(crate) fn is_inside(&self) -> bool {
        self.is_inside.load(Ordering::Relaxed)
    }

    /// Where the end of the agent is to be told.
    pub(crate) fn set_end(&self, passage: Arc<Passage>) {
        let old = lock(&self.end).replace(passage);
        drop(old);
    }

    /// The same.
    pub(crate) fn end(&self) -> Option<Arc<Passage>> {
        lock(&self.end).clone()
    }
}

/// At which passages an agent was last, so that it need not say or hear the same again: a loop around some
/// channels mostly has nothing new to tell. The agent's own: Relaxed.
pub(crate) struct Said {
    /// The state of the held stack at which it has published all that its timeline knows; [`NEVER`] if
    /// something has happened since that the timeline knows or will be told.
    held: AtomicU64,
    /// Where it has: the numbers of passages, each at its remainder, or [`NEVER`].
    passages: [AtomicU64; PASSAGES],
    /// What it has observed, in the same way: the numbers of parcels.
    heard: [AtomicU64; PASSAGES],
    /// The parcels to which it has added [weakly](Agent::publish_weakly) all that its timeline knows, in the same
    /// way; 0 if there is none, or something has happened since.
    weakly: [AtomicU64; PASSAGES],
}

/// So many passages are told apart, by the remainders of their numbers. A power of two.
pub(crate) const PASSAGES: usize = 4;

/// No state and no passage.
const NEVER: u64 = u64::MAX;

impl Said {
    const_fn! {
        fn new() -> Self {
            Self {
                held: AtomicU64::new(NEVER),
                passages: no_passages(),
                heard: no_passages(),
                weakly: no_passages(),
            }
        }
    }

    fn clear(&self) {
        self.held.store(NEVER, Ordering::Relaxed);
        self.forget_weakly();
        self.forget_heard();
    }

    fn forget_heard(&self) {
        self.heard.iter().for_each(|heard| heard.store(0, Ordering::Relaxed));
    }

    fn forget_weakly(&self) {
        self.weakly.iter().for_each(|weakly| weakly.store(0, Ordering::Relaxed));
    }
}

#[cfg(not(loom))]
const fn no_passages() -> [AtomicU64; PASSAGES] {
    [const { AtomicU64::new(0) }; PASSAGES]
}

#[cfg(loom)]
fn no_passages() -> [AtomicU64; PASSAGES] {
    std::array::from_fn(|_| AtomicU64::new(0))
}

/// A hold has ended, or goes on in another way.
pub(crate) struct Ended {
    /// Its section, if something that others did may have happened inside it.
    pub(crate) section: Option<Arc<Section>>,
}

/// More agents are not named in a clock: it then counts as after everything.
const CROWD: usize = 1024;

/// Owner only, all of it, or before the agent runs.
impl Agent {
    fn timed<R>(&self, act: impl FnOnce(&mut Timeline) -> R) -> R {
        self.note_change();
        self.timed_unchanged(act)
    }

    /// As [`timed`](Self::timed) for what makes no difference to what it has to publish.
    fn timed_unchanged<R>(&self, act: impl FnOnce(&mut Timeline) -> R) -> R {
        self.timed_apart(|line| {
            if self.time.conditions.is_any_pending() {
                self.time.conditions.take().iter().for_each(|parcel| line.observe(parcel));
            }
            act(line)
        })
    }

    /// The same for what does not tell whether what it has heard by taking mutexes of conditions was for it.
    fn timed_apart<R>(&self, act: impl FnOnce(&mut Timeline) -> R) -> R {
        let mut slot = lock(&self.time.line);
        let line = slot.get_or_insert_with(|| {
            let segment = self.time.segment.load(Ordering::Relaxed) + 1;
            let mut line = Box::new(Timeline::new(self.id(), segment));
            match self.time.born.load(Ordering::Relaxed) {
                0 => {}
                news => line.observe_everything(news),
            }
            self.time.is_begun.store(true, Ordering::Relaxed);
            line
        });
        while (line.bodies() as u64) < self.time.bodies.load(Ordering::Relaxed) {
            line.begin_body();
        }
        line.mean(&meant::current());
        let result = act(line);
        if line.is_crowded(CROWD) {
            self.note_change();
            line.observe_everything(news::spread());
        }
        self.time.set_segment(line.segment(), line.number_meant());
        self.time.is_inside.store(line.has_others(), Ordering::Relaxed);
        result
    }

    /// Whether there can be something that others have to come after.
    #[inline]
    pub(crate) fn has_something_to_say(&self) -> bool {
        self.time.is_begun.load(Ordering::Relaxed)
            || self.time.born.load(Ordering::Relaxed) != 0
            || self.held.depth() > 0
    }

    /// Something has happened that it may have to publish.
    fn note_change(&self) {
        self.time.said.held.store(NEVER, Ordering::Relaxed);
        self.time.said.forget_weakly();
    }

    /// Whether it has published at the passage with this number all that it would publish there now.
    #[inline]
    pub(crate) fn has_said_all(&self, passage: u64) -> bool {
        let Said { held, passages, .. } = &self.time.said;
        held.load(Ordering::Relaxed) == self.held.version()
            && passages[passage as usize % PASSAGES].load(Ordering::Relaxed) == passage
    }

    /// The same, where something was taken and released since. That alone is nothing to say: nobody can ask about
    /// a hold during which nothing was published.
    pub(crate) fn has_said_all_but_holds(&self, passage: u64) -> bool {
        let held = &self.time.said.held;
        let said = held.load(Ordering::Relaxed);
        if said != NEVER && held::is_empty(said) && self.held.depth() == 0 {
            held.store(self.held.version(), Ordering::Relaxed);
        }
        self.has_said_all(passage)
    }

    /// It has just published all at the passage with this number.
    pub(crate) fn note_said_all(&self, passage: u64) {
        let Said { held, passages, .. } = &self.time.said;
        let state = self.held.version();
        if held.load(Ordering::Relaxed) != state {
            passages.iter().for_each(|passage| passage.store(NEVER, Ordering::Relaxed));
            held.store(state, Ordering::Relaxed);
        }
        passages[passage as usize % PASSAGES].store(passage, Ordering::Relaxed);
    }

    /// Whether it has heard the parcel with this number, which is 0 where nothing was left.
    #[inline]
    pub(crate) fn has_heard(&self, parcel: u64) -> bool {
        self.time.said.heard[parcel as usize % PASSAGES].load(Ordering::Relaxed) == parcel
    }

    /// It has just heard that, and all that was left there before.
    pub(crate) fn note_heard(&self, parcel: u64) {
        self.time.said.heard[parcel as usize % PASSAGES].store(parcel, Ordering::Relaxed);
    }

    /// An ordering event that others may come after: what it hands on.
    pub(crate) fn publish(&self) -> Parcel {
        // Who hears of it comes after what came before, which it may have published elsewhere already.
        self.timed_unchanged(|line| {
            self.held.tell(|held| line.begin_hold(held));
            line.publish()
        })
    }

    /// What follows comes after what `parcel` tells.
    pub(crate) fn observe(&self, parcel: &Parcel) {
        if !parcel.is_empty() {
            self.timed(|line| line.observe(parcel));
        }
    }

    /// What follows comes after everything so far, because what came before it is not known.
    pub(crate) fn observe_everything(&self) {
        let news = news::spread();
        if self.time.is_begun.load(Ordering::Relaxed) {
            self.timed(|line| line.observe_everything(news));
        } else {
            self.time.born.store(news, Ordering::Relaxed);
        }
    }

    /// What follows happens in an initialiser.
    pub(crate) fn begin_body(&self) {
        self.note_change();
        self.hear_again();
        let bodies = &self.time.bodies;
        bodies.store(bodies.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// What it hears from here on is heard in another initialiser, or outside of one, also what it knows already.
    fn hear_again(&self) {
        self.time.said.forget_heard();
        self.time.heard.clear();
    }

    /// The innermost initialiser has ended: what it hands on to whoever uses the result.
    pub(crate) fn end_body(&self) -> Parcel {
        self.note_change();
        self.hear_again();
        let bodies = self.time.bodies.load(Ordering::Relaxed);
        self.time.bodies.store(bodies.saturating_sub(1), Ordering::Relaxed);
        // Mostly nothing has happened in it, and the timeline does not know of it.
        let known = lock(&self.time.line).as_ref().map_or(0, |line| line.bodies() as u64);
        let has_begun = bodies != 0 && known == bodies;
        if has_begun { self.timed(Timeline::end_body) } else { Parcel::default() }
    }

    /// The agent, which may be inside sections of others, has got `lock`.
    #[cold]
    #[inline(never)]
    pub(crate) fn came_to(&self, lock: LockId, mode: Mode) {
        self.timed(|line| line.came_to(lock, mode));
    }

    /// It is about to make a request. `noted` gives the line for that, if it is told whether others' sections may
    /// be around it.
    pub(crate) fn request(
        &self,
        wanted: Hold,
        news: u64,
        noted: impl FnOnce(bool) -> Noted,
    ) -> Request {
        if !any_request() {
            ANY_REQUEST.store(true, Ordering::Relaxed);
        }
        self.timed(|line| {
            let around = line.around();
            let noted = noted(!around.is_empty());
            let (meant, held_meant) = (line.meant().cloned(), line.meant_by_holds());
            Request { wanted, meant, held_meant, around, now: line.now(news), noted }
        })
    }

    /// It begins or ceases to mean something by what it takes, as `change` says. What it has taken so far
    /// was meant as before.
    pub(crate) fn mean(&self, change: impl FnOnce()) {
        if self.held.depth() == 0 && !self.time.is_begun.load(Ordering::Relaxed) {
            return change();
        }
        self.timed(|line| {
            self.held.tell(|held| line.begin_hold(held));
            change();
            line.mean(&meant::current());
        });
    }

    /// The timeline is told of what it has taken so far, and so knows what was meant by that.
    pub(crate) fn note_meaning(&self) {
        self.timed(|line| self.held.tell(|held| line.begin_hold(held)));
    }

    /// What was meant by its newest hold of `lock`. Afterwards that hold is the only one that could be
    /// given a meaning later, if it is given up and taken again.
    pub(crate) fn meaning_of(&self, lock: LockId) -> Meaning {
        // Of a scope that began before anything was held the timeline may not know yet.
        if self.time.meant.load(Ordering::Relaxed) == 0 && meant::current().is_plain() {
            return Meaning::PLAIN;
        }
        self.note_meaning();
        self.timed(|line| line.meaning_of(lock))
    }

    /// That hold has been taken again, and is meant as before.
    pub(crate) fn mean_again(&self, meaning: &Meaning) {
        self.timed(|line| {
            line.mean(meaning);
            self.held.tell(|held| line.begin_hold(held));
            line.mean(&meant::current());
        });
    }

    /// It asks for what it has asked for before, and was found to mean nothing, at another time. Returns
    /// whether that is all there is to say.
    pub(crate) fn repeat(&self, key: u64, noted: &Noted, news: u64, generation: u64) -> bool {
        let repeats = noted.line().repeats();
        if repeats.matter() || repeats.is_inside() || self.time.is_inside() {
            return false;
        }
        let now = self.timed(|line| line.now(news));
        noted.line().add(1, &now);
        self.remember(key, self.time.stamp_with(news), noted, generation);
        true
    }

    /// What it has asked for in its present stretch while it held something, as far as that is known.
    pub(crate) fn nested_in_stretch(&self) -> Vec<Noted> {
        match self.held.is_stretch_cut() {
            true => Vec::new(),
            false => self.chains.made_since(self.time.began.load(Ordering::Relaxed)),
        }
    }

    /// Whether it comes after everything that saw only so many news.
    pub(crate) fn comes_after_all_before(&self, news: u64) -> bool {
        let line = lock(&self.time.line);
        let born = self.time.born.load(Ordering::Relaxed);
        news < line.as_ref().map_or(born, |line| line.news_behind())
    }

    /// Whether there can be something that others may come to hear of by a mutex.
    #[inline]
    pub(crate) fn has_something_to_signal(&self) -> bool {
        let has_been = self.time.is_begun.load(Ordering::Relaxed)
            || self.time.born.load(Ordering::Relaxed) != 0;
        has_been && any_request()
    }

    /// The agent has taken a mutex of conditions. What it heard when it took the last one was for it.
    pub(crate) fn came_by(&self, mutex: LockId, version: u64) {
        if self.time.conditions.is_any_pending() {
            self.timed(|_| ());
        }
        if self.time.conditions.collect(mutex, version) {
            self.note_change();
            // There is something to tell, once it turns out that it counts.
            self.time.is_begun.store(true, Ordering::Relaxed);
        }
    }

    /// An event of which it is not sure that others came after it because of it: what it hands on.
    pub(crate) fn publish_weakly(&self) -> Parcel {
        self.timed_unchanged(Timeline::publish_clock)
    }

    /// The same without what it has heard from other such events and may still
    /// [take back](crate::foresight::conditions).
    pub(crate) fn publish_weakly_apart(&self) -> Parcel {
        // What it has asked for so far belongs to its stretch all the same.
        let began = self.time.began.load(Ordering::Relaxed);
        let parcel = self.timed_apart(Timeline::publish_clock);
        self.time.began.store(began, Ordering::Relaxed);
        parcel
    }

    /// Whether the parcel with this number has all that it would hand on so.
    pub(crate) fn has_said_weakly(&self, parcel: u64) -> bool {
        self.time.said.weakly[parcel as usize % PASSAGES].load(Ordering::Relaxed) == parcel
    }

    /// It has just handed that on.
    pub(crate) fn note_said_weakly(&self, parcel: u64) {
        self.time.said.weakly[parcel as usize % PASSAGES].store(parcel, Ordering::Relaxed);
    }

    /// As [`take_off`](Self::take_off), where nothing may be allocated or freed.
    pub(crate) fn take_off_in_allocator(
        &self,
        matches: impl FnMut(&Held) -> bool,
    ) -> Option<Ended> {
        let (at, held) = self.held.remove(matches)?;
        if held.told
            && let Some(line) = lock(&self.time.line).as_mut()
        {
            line.abandon_hold(at);
        }
        Some(Ended { section: None })
    }

    /// The request was judged under this stamp, by what was known in this generation.
    pub(crate) fn remember(&self, key: u64, stamp: u64, noted: &Noted, generation: u64) {
        if self.chains.remember(key, stamp, noted, generation) == Forgotten::All {
            self.held.forget_known();
        }
    }

    /// Takes the newest hold that `matches` off the record.
    pub(crate) fn take_off(&self, matches: impl FnMut(&Held) -> bool) -> Option<Ended> {
        let (at, held) = self.held.remove(matches)?;
        let section = held.told.then(|| self.timed(|line| line.end_hold(at))).flatten();
        if section.is_some() {
            // Who may have been inside it has to look again.
            news::spread();
        }
        Some(Ended { section })
    }

    /// The newest hold of `lock`, an exclusive one, goes on as the shared `access`; `None` if there is
    /// none.
    pub(crate) fn relabel(
        &self,
        lock: LockId,
        access: &'static crate::registry::Access,
        site: crate::site::Site,
    ) -> Option<Ended> {
        let (at, held) = self.held.relabel(lock, access, site)?;
        let section = held.told.then(|| self.timed(|line| line.change_hold(at, held)));
        Some(Ended { section: section.flatten() })
    }
}
