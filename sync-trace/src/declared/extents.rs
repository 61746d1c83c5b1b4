//! The extents that one agent is in, innermost last.
//!
//! Only the agent itself changes them, and before it runs whoever starts it. Vectors keep their room, so
//! that a function which has run before allocates nothing.

use std::time::{Duration, Instant};

use super::check::taken_inside;
use super::frame::{Before, Frame, Member, Which};
use super::model::{Clause, Declaration, Rule};
use crate::atomics::{AtomicBool, Mutex, Ordering, const_fn, lock};
use crate::finding::{Code, LockId};
use crate::held::{Held, key};

/// What an agent keeps of its extents.
pub(crate) struct Extents {
    /// Whether it is in any. The agent's own: Relaxed.
    is_active: AtomicBool,
    /// Whether one of them looks at everything. As above.
    looks_at_everything: AtomicBool,
    stack: Mutex<Stack>,
}

#[derive(Default)]
struct Stack {
    entries: Vec<Entry>,
    members: Vec<Member>,
    before: Vec<Before>,
    /// Room for what the next call gives its declaration.
    scratch: Vec<Member>,
    /// What was taken while an extent limited how long it may be held.
    taken: Vec<Taken>,
}

struct Entry {
    declaration: &'static Declaration,
    /// Where its part of the vectors begins.
    members: usize,
    before: usize,
    /// That of all extents up to this one.
    bond: Bond,
    /// See [`Suspended`].
    is_inherited: bool,
    /// The first thing that lasted too long.
    overrun: Option<Overrun>,
}

#[derive(Clone, Copy)]
struct Taken {
    held: Held,
    at: Instant,
    /// In how many extents.
    depth: usize,
}

/// Something that lasted too long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overrun {
    pub(crate) what: Spent,
    pub(crate) lock: Held,
    pub(crate) took: Duration,
    pub(crate) limit: Duration,
}

/// What the extents that an agent is in mean for its way of recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bond {
    /// Different for different orders and locks: what is in order under some need not be under others.
    pub(crate) number: u64,
    /// Whether everything has to be looked at.
    pub(crate) looks_at_everything: bool,
}

/// With what time was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    Holding,
    Waiting,
    /// Suspended while something was held.
    Suspended,
}

/// What a future keeps of its extent while it is not polled.
#[derive(Clone, Debug)]
pub(crate) struct Suspended {
    pub(crate) declaration: &'static Declaration,
    pub(crate) members: Vec<Member>,
    before: Vec<Before>,
    overrun: Option<Overrun>,
    /// What its task holds while it is suspended, and since when, where that matters.
    holding: Option<(Held, Instant)>,
    /// Of another thread's call: only the orders that go on in threads started there.
    is_inherited: bool,
}

impl Suspended {
    pub(crate) fn new(declaration: &'static Declaration, members: Vec<Member>) -> Self {
        let (before, overrun, holding) = (Vec::new(), None, None);
        Self { declaration, members, before, overrun, holding, is_inherited: false }
    }

    /// It is about to be suspended while these are held. Returns what lasts too long by that.
    pub(crate) fn suspends(&mut self, holds: &[Held]) -> Option<Overrun> {
        let limit = limit(self.declaration, Spent::Suspended)?;
        let held = taken_inside(&self.before, holds).into_iter().next()?;
        self.holding = Some((held, Instant::now()));
        let took = Duration::ZERO;
        (limit == took).then_some(Overrun { what: Spent::Suspended, lock: held, took, limit })
    }

    /// It goes on. Returns what lasted too long.
    pub(crate) fn resumes(&mut self) -> Option<Overrun> {
        let (lock, since) = self.holding.take()?;
        let limit = limit(self.declaration, Spent::Suspended)?;
        let took = since.elapsed();
        (took > limit).then_some(Overrun { what: Spent::Suspended, lock, took, limit })
    }

    /// As it is for a call that has just begun.
    pub(crate) fn frame(&self) -> Frame<'_> {
        let Self { declaration, members, before, is_inherited, .. } = self;
        Frame { declaration, members, before, is_inherited: *is_inherited }
    }

    /// What is held by whoever enters it first.
    pub(crate) fn set_before(&mut self, holds: &[Held]) {
        self.before = holds.iter().map(before).collect();
    }
}

fn before(held: &Held) -> Before {
    Before { lock: held.lock, mode: held.access.mode }
}

impl Extents {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                is_active: AtomicBool::new(false),
                looks_at_everything: AtomicBool::new(false),
                stack: Mutex::new(Stack {
                    entries: Vec::new(),
                    members: Vec::new(),
                    before: Vec::new(),
                    scratch: Vec::new(),
                    taken: Vec::new(),
                }),
            }
        }
    }

    /// Whether the agent is in any.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        self.is_active.load(Ordering::Relaxed)
    }

    /// Whether everything that the agent does has to be looked at.
    pub(crate) fn looks_at_everything(&self) -> bool {
        self.looks_at_everything.load(Ordering::Relaxed)
    }

    /// For the record's next agent.
    pub(crate) fn clear(&self) {
        if self.is_active() {
            *lock(&self.stack) = Stack::default();
            self.note(&lock(&self.stack));
        }
    }

    /// Room for the members of a call.
    pub(crate) fn take_scratch(&self) -> Vec<Member> {
        std::mem::take(&mut lock(&self.stack).scratch)
    }

    /// Enters an extent and keeps the room that its members came in. Returns its place.
    pub(crate) fn enter(
        &self,
        declaration: &'static Declaration,
        mut members: Vec<Member>,
        holds: &[Held],
    ) -> (usize, Bond) {
        let mut stack = lock(&self.stack);
        let entered = stack.push(declaration, &members, holds.iter().map(before), false);
        self.note(&stack);
        members.clear();
        // A call inside the one that gave the members may have left room, too.
        if stack.scratch.capacity() < members.capacity() {
            std::mem::swap(&mut stack.scratch, &mut members);
        }
        drop(stack);
        entered
    }

    /// Goes on with an extent that was suspended.
    pub(crate) fn resume(&self, suspended: &Suspended) -> (usize, Bond) {
        let Suspended { declaration, members, before, overrun, is_inherited, .. } = suspended;
        let mut stack = lock(&self.stack);
        let (place, bond) = stack.push(declaration, members, before.iter().copied(), *is_inherited);
        stack.entries[place].overrun = *overrun;
        self.note(&stack);
        (place, bond)
    }

    fn note(&self, stack: &Stack) {
        self.is_active.store(!stack.entries.is_empty(), Ordering::Relaxed);
        let looks = stack.bond().looks_at_everything;
        self.looks_at_everything.store(looks, Ordering::Relaxed);
    }

    /// What lasted too long so far goes with an extent that is about to be suspended.
    pub(crate) fn suspend(&self, place: usize, suspended: &mut Suspended) {
        if let Some(entry) = lock(&self.stack).entries.get(place) {
            suspended.overrun = entry.overrun;
        }
    }

    /// Leaves the extent at `place`, and any inside it that were not left; `at_end` says whether that is
    /// the end of the call. Returns what the others mean, and what lasted too long.
    pub(crate) fn leave(&self, place: usize, at_end: bool) -> (Bond, Option<Overrun>) {
        let mut stack = lock(&self.stack);
        if at_end && !stack.taken.is_empty() {
            stack.still_held();
        }
        let overrun = stack.pop(place);
        self.note(&stack);
        (stack.bond(), overrun)
    }

    /// Looks at the extents, the innermost one first.
    pub(crate) fn look<R>(&self, look: impl FnOnce(Frames<'_>) -> R) -> R {
        let stack = lock(&self.stack);
        look(Frames { stack: &stack, left: stack.entries.len() })
    }

    /// Looks at the extent at `place`.
    pub(crate) fn look_at<R>(&self, place: usize, look: impl FnOnce(Frame<'_>) -> R) -> Option<R> {
        let stack = lock(&self.stack);
        (place < stack.entries.len()).then(|| look(stack.frame(place)))
    }

    /// Whether a clause of any extent is such a one.
    pub(crate) fn any(&self, is_such: impl Fn(&Rule) -> bool) -> bool {
        self.is_active()
            && self.look(|mut frames| {
                frames.any(|frame| frame.clauses().any(|clause| is_such(&clause.rule)))
            })
    }

    /// What forbids to block here, if anything does.
    pub(crate) fn no_block(&self) -> Option<(&'static Declaration, &'static Clause)> {
        let is_it = |clause: &&Clause| matches!(clause.rule, Rule::NoBlock);
        self.look(|mut frames| {
            frames.find_map(|frame| Some((frame.declaration, frame.clauses().find(is_it)?)))
        })
    }

    /// Whether findings of this code are let be here.
    pub(crate) fn exempts(&self, code: Code) -> bool {
        self.any(|rule| match rule {
            Rule::Exempt { codes, .. } => codes.contains(&code.as_str()),
            _ => false,
        })
    }

    /// The extents that hold for what the agent starts now.
    pub(crate) fn inherited(&self) -> Vec<Suspended> {
        if !self.is_active() {
            return Vec::new();
        }
        let is_inherited =
            |rule: &Rule| matches!(rule, Rule::Order { options, .. } if options.inherit);
        let stack = lock(&self.stack);
        let frames = (0..stack.entries.len()).map(|at| stack.frame(at));
        let inherited =
            frames.filter(|frame| frame.clauses().any(|clause| is_inherited(&clause.rule)));
        let handed_on = |frame: Frame<'_>| Suspended {
            is_inherited: true,
            ..Suspended::new(frame.declaration, frame.members.to_vec())
        };
        inherited.map(handed_on).collect()
    }

    // ---- how long it takes -----------------------------------------------------------------

    /// A lock was taken; the clock is read only where that matters.
    pub(crate) fn taken(&self, held: &Held) {
        let mut stack = lock(&self.stack);
        if stack.entries.iter().any(|entry| limit(entry.declaration, Spent::Holding).is_some()) {
            let depth = stack.entries.len();
            stack.taken.push(Taken { held: *held, at: Instant::now(), depth });
        }
    }

    /// A lock is released.
    pub(crate) fn released(&self, id: LockId) {
        let mut stack = lock(&self.stack);
        if let Some(at) = stack.taken.iter().rposition(|taken| taken.held.lock == id) {
            let taken = stack.taken.remove(at);
            stack.spent(Spent::Holding, &taken.held, taken.at.elapsed(), taken.depth);
        }
    }

    /// A lock was waited for.
    pub(crate) fn waited(&self, lock_wanted: &Held, took: Duration) {
        lock(&self.stack).spent(Spent::Waiting, lock_wanted, took, usize::MAX);
    }
}

/// Extents, the innermost one first.
pub(crate) struct Frames<'a> {
    stack: &'a Stack,
    left: usize,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.stack.frame(self.left))
    }
}

impl Stack {
    fn push(
        &mut self,
        declaration: &'static Declaration,
        members: &[Member],
        before: impl Iterator<Item = Before>,
        is_inherited: bool,
    ) -> (usize, Bond) {
        let place = self.entries.len();
        let outer = self.bond();
        let (first_member, first_before) = (self.members.len(), self.before.len());
        self.members.extend_from_slice(members);
        self.before.extend(before);
        let own = number(declaration, members, &self.before[first_before..]);
        let bond = Bond {
            number: outer.number.wrapping_add(own),
            looks_at_everything: outer.looks_at_everything
                || declaration.looks_at_everything(is_inherited),
        };
        let (members, before) = (first_member, first_before);
        let overrun = None;
        self.entries.push(Entry { declaration, members, before, bond, is_inherited, overrun });
        (place, bond)
    }

    fn pop(&mut self, place: usize) -> Option<Overrun> {
        let &Entry { members, before, overrun, .. } = self.entries.get(place)?;
        self.members.truncate(members);
        self.before.truncate(before);
        self.entries.truncate(place);
        // What is entered from here on was not there yet when they were taken.
        self.taken.iter_mut().for_each(|taken| taken.depth = taken.depth.min(place));
        if !self.entries.iter().any(|entry| limit(entry.declaration, Spent::Holding).is_some()) {
            self.taken.clear();
        }
        overrun
    }

    fn bond(&self) -> Bond {
        self.entries.last().map(|entry| entry.bond).unwrap_or_default()
    }

    /// What was taken inside and is still held has been held until now.
    fn still_held(&mut self) {
        for at in 0..self.taken.len() {
            let Taken { held, at, depth } = self.taken[at];
            self.spent(Spent::Holding, &held, at.elapsed(), depth);
        }
    }

    fn frame(&self, at: usize) -> Frame<'_> {
        let entry = &self.entries[at];
        let next = self.entries.get(at + 1);
        let members = entry.members..next.map_or(self.members.len(), |next| next.members);
        let before = entry.before..next.map_or(self.before.len(), |next| next.before);
        Frame {
            declaration: entry.declaration,
            members: &self.members[members],
            before: &self.before[before],
            is_inherited: entry.is_inherited,
        }
    }

    /// Notes what lasted too long for one of the outermost `depth` extents; the first of it is
    /// remembered.
    fn spent(&mut self, what: Spent, held: &Held, took: Duration, depth: usize) {
        for entry in self.entries.iter_mut().take(depth).filter(|entry| !entry.is_inherited) {
            if let Some(limit) = limit(entry.declaration, what)
                && took > limit
            {
                let overrun = Overrun { what, lock: *held, took, limit };
                entry.overrun.get_or_insert(overrun);
            }
        }
    }
}

/// A number for what a declaration says of nested requests in one call: 0 if it says nothing of them.
fn number(declaration: &'static Declaration, members: &[Member], before: &[Before]) -> u64 {
    let says_something =
        |clause: &Clause| matches!(clause.rule, Rule::Order { .. } | Rule::Exempt { .. });
    if !declaration.clauses.iter().any(says_something) {
        return 0;
    }
    let start = std::ptr::from_ref(declaration).addr() as u64;
    let of_members = members.iter().fold(start, |sum, member| {
        let (which, key) = match member.what {
            Which::Lock { id, key, .. } => (id.0, key as u64),
            Which::Type(name) => (name as usize as u64, 0),
            Which::Unknown => (0, 0),
        };
        key::chain(key::chain(sum, which), key.wrapping_add(member.slot as u64))
    });
    before.iter().fold(of_members, |sum, before| key::chain(sum, key::of(before.lock, before.mode)))
}

/// How long something may last, if that is declared.
pub(crate) fn limit(declaration: &'static Declaration, what: Spent) -> Option<Duration> {
    let limits = declaration.clauses.iter().filter_map(|clause| match (&clause.rule, what) {
        (Rule::Budget { hold, .. }, Spent::Holding) => *hold,
        (Rule::Budget { wait, .. }, Spent::Waiting) => *wait,
        (Rule::Budget { await_hold, .. }, Spent::Suspended) => *await_hold,
        _ => None,
    });
    limits.min().map(Duration::from_nanos)
}
