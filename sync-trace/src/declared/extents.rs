//! The extents that one agent is in, innermost last.
//!
//! Only the agent itself touches them, and before it runs whoever starts it: every method is for those alone.
//! Vectors keep their room, so that a function which has run before allocates nothing. What is noted after a real lock was taken has its
//! room made before: that lock may be the memory allocator's.
//!
//! Each entry has a number of its own. Most are left in the opposite order in which they were entered, but
//! a block that lives in a suspended task may be left at any time: then just that entry goes.

use std::time::{Duration, Instant};

use super::check::taken_inside;
use super::frame::{Before, Frame, Member, Which};
use super::model::{Clause, Declaration, Rule};
use crate::atomics::{AtomicBool, Ordering, const_fn};
use crate::finding::{Code, LockId};
use crate::held::{Held, key};
use crate::own::{Lent, Own};

/// What an agent keeps of its extents.
pub(crate) struct Extents {
    /// Whether it is in any. The agent's own: Relaxed.
    is_active: AtomicBool,
    /// Whether one of them looks at everything. As above.
    looks_at_everything: AtomicBool,
    stack: Own<Stack>,
}

#[derive(Default)]
struct Stack {
    entries: Vec<Entry>,
    /// Rooms of calls that have ended, for the next ones.
    spare: Vec<Room>,
    /// The same for what is held at a border.
    holds: Vec<Held>,
    /// What was taken in each extent that limits how long it may be held.
    taken: Vec<Taken>,
    /// How many entries there have been.
    entered: u64,
}

/// Which entry, of all that an agent has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Serial(u64);

/// What one call has given its declaration, and what was held when it began.
#[derive(Default)]
pub(crate) struct Room {
    members: Vec<Member>,
    before: Vec<Before>,
}

struct Entry {
    serial: Serial,
    declaration: &'static Declaration,
    room: Room,
    /// What it means alone.
    own: Bond,
    /// That of all extents up to this one.
    bond: Bond,
    /// See [`Suspended`].
    is_inherited: bool,
    /// The first thing that lasted too long.
    overrun: Option<Overrun>,
}

/// A lock that was taken in an extent which limits how long it may be held.
#[derive(Clone, Copy)]
struct Taken {
    extent: Serial,
    held: Held,
    at: Instant,
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
    /// What its task has taken and holds while it is suspended, by lock and stamp.
    inside: Vec<(LockId, u64)>,
    /// The same where it is limited how long that may be held, and since when it has been.
    taken: Vec<(Held, Instant)>,
    /// What its task holds while it is suspended, and since when, where that is limited.
    holding: Option<(Held, Instant)>,
    /// Of another thread's call: only the orders that go on in threads started there.
    is_inherited: bool,
}

impl Suspended {
    pub(crate) fn new(declaration: &'static Declaration, members: Vec<Member>) -> Self {
        Self {
            declaration,
            members,
            before: Vec::new(),
            overrun: None,
            inside: Vec::new(),
            taken: Vec::new(),
            holding: None,
            is_inherited: false,
        }
    }

    /// It is about to be suspended while these are held. Returns what lasts too long by that.
    pub(crate) fn suspends(&mut self, holds: &[Held]) -> Option<Overrun> {
        let inside = taken_inside(&self.before, holds);
        self.inside = inside.iter().map(|held| (held.lock, held.stamp)).collect();
        let limit = limit(self.declaration, Spent::Suspended)?;
        let held = *inside.first()?;
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

    /// It is entered, for the first time or again, by who holds these. What its task itself has held
    /// since it was suspended was taken inside; all else is that of whoever polls it now.
    pub(crate) fn set_before(&mut self, holds: &[Held]) {
        let inside = std::mem::take(&mut self.inside);
        let is_outside = |held: &&Held| !inside.contains(&(held.lock, held.stamp));
        self.before = holds.iter().filter(is_outside).map(before).collect();
    }

    /// Whether it is measured how long something is held that was taken before it was suspended.
    pub(crate) fn has_taken(&self) -> bool {
        !self.taken.is_empty()
    }

    /// What was released while it was suspended is measured no more: nobody knows when that was.
    pub(crate) fn retain_taken(&mut self, is_held: impl Fn(&Held) -> bool) {
        self.taken.retain(|(held, _)| is_held(held));
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
                stack: Own::new(Stack {
                    entries: Vec::new(),
                    spare: Vec::new(),
                    holds: Vec::new(),
                    taken: Vec::new(),
                    entered: 0,
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
            self.with(|stack| *stack = Stack::default());
        }
    }

    /// The stack, unless it is being worked on: that may take memory, and what the memory allocator does with
    /// locks meanwhile may come by here.
    #[inline]
    fn lend(&self) -> Option<Lent<'_, Stack>> {
        // SAFETY: every method is for the agent's own thread, or for who gives the record to another one: the
        // parent before it starts that, or who finds it in the list of those that are free.
        unsafe { self.stack.lend() }
    }

    /// Does something to the stack. Who comes by while that is done finds none.
    fn with<R>(&self, work: impl FnOnce(&mut Stack) -> R) -> R {
        let Some(mut stack) = self.lend() else { return work(&mut Stack::default()) };
        let result = work(&mut stack);
        self.note(&stack);
        result
    }

    /// Tells those who only look whether there is anything.
    #[inline]
    fn note(&self, stack: &Stack) {
        self.is_active.store(!stack.entries.is_empty(), Ordering::Relaxed);
        self.looks_at_everything.store(stack.bond().looks_at_everything, Ordering::Relaxed);
    }

    /// Room for a call, to be given back by [`enter`](Self::enter).
    #[inline]
    pub(crate) fn take_room(&self) -> Room {
        self.lend().and_then(|mut stack| stack.spare.pop()).unwrap_or_default()
    }

    /// Room for what is held at a border, to be [given back](Self::give_holds).
    pub(crate) fn take_holds(&self) -> Vec<Held> {
        self.lend().map(|mut stack| std::mem::take(&mut stack.holds)).unwrap_or_default()
    }

    pub(crate) fn give_holds(&self, mut holds: Vec<Held>) {
        holds.clear();
        if let Some(mut stack) = self.lend() {
            std::mem::swap(&mut stack.holds, &mut holds);
        }
    }

    /// Enters an extent, if that takes no memory.
    #[inline]
    pub(crate) fn enter_at_once(
        &self,
        declaration: &'static Declaration,
        room: &mut Room,
    ) -> Option<(Serial, Bond)> {
        let mut stack = self.lend()?;
        if stack.entries.len() == stack.entries.capacity() {
            return None;
        }
        let entered = stack.push(declaration, std::mem::take(room), false);
        self.note(&stack);
        Some(entered)
    }

    /// Enters an extent with these held.
    pub(crate) fn enter(
        &self,
        declaration: &'static Declaration,
        mut room: Room,
        holds: &[Held],
    ) -> (Serial, Bond) {
        room.before.extend(holds.iter().map(before));
        self.with(|stack| stack.push(declaration, room, false))
    }

    /// Goes on with an extent that was suspended.
    pub(crate) fn resume(&self, suspended: &mut Suspended) -> (Serial, Bond) {
        let Suspended { declaration, members, before, overrun, taken, is_inherited, .. } =
            suspended;
        self.with(|stack| {
            let mut room = stack.spare.pop().unwrap_or_default();
            room.members.extend_from_slice(members);
            room.before.extend_from_slice(before);
            let (serial, bond) = stack.push(declaration, room, *is_inherited);
            if let Some(entry) = stack.entries.last_mut() {
                entry.overrun = *overrun;
            }
            let again = |(held, at): (Held, Instant)| Taken { extent: serial, held, at };
            stack.taken.extend(taken.drain(..).map(again));
            (serial, bond)
        })
    }

    /// What is known of an extent goes with it when it is about to be suspended: what has lasted too long,
    /// and what was taken in it and is still held.
    pub(crate) fn suspend(&self, serial: Serial, suspended: &mut Suspended) {
        self.with(|stack| {
            if let Some(at) = stack.place(serial) {
                suspended.overrun = stack.entries[at].overrun;
                let taken = stack.taken.iter().filter(|taken| taken.extent == serial);
                suspended.taken.extend(taken.map(|taken| (taken.held, taken.at)));
            }
        });
    }

    /// Leaves an extent, if it has not been left; `at_end` says whether that is the end of the call.
    /// Returns what the others mean, and what lasted too long.
    pub(crate) fn leave(&self, serial: Serial, at_end: bool) -> (Bond, Option<Overrun>) {
        self.with(|stack| {
            if at_end && !stack.taken.is_empty() {
                stack.still_held(serial);
            }
            let overrun = stack.remove(serial);
            (stack.bond(), overrun)
        })
    }

    /// Leaves the innermost extent, if it is this one and nothing was measured in it. Returns what the others
    /// mean.
    #[inline]
    pub(crate) fn leave_at_once(&self, serial: Serial) -> Option<Bond> {
        let mut stack = self.lend()?;
        let innermost = stack.entries.last()?;
        if innermost.serial != serial
            || innermost.overrun.is_some()
            || !stack.taken.is_empty()
            || stack.spare.len() == stack.spare.capacity()
        {
            return None;
        }
        stack.pop();
        self.note(&stack);
        Some(stack.bond())
    }

    /// Looks at the extents, the innermost one first.
    pub(crate) fn look<R>(&self, look: impl FnOnce(Frames<'_>) -> R) -> R {
        self.with(|stack| look(Frames { stack, left: stack.entries.len() }))
    }

    /// Looks at one extent, if it has not been left.
    pub(crate) fn look_at<R>(
        &self,
        serial: Serial,
        look: impl FnOnce(Frame<'_>) -> R,
    ) -> Option<R> {
        self.with(|stack| stack.place(serial).map(|at| look(stack.frame(at))))
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
        let handed_on = |frame: Frame<'_>| Suspended {
            is_inherited: true,
            ..Suspended::new(frame.declaration, frame.members.to_vec())
        };
        self.with(|stack| {
            let frames = (0..stack.entries.len()).map(|at| stack.frame(at));
            let inherited =
                frames.filter(|frame| frame.clauses().any(|clause| is_inherited(&clause.rule)));
            inherited.map(handed_on).collect()
        })
    }

    // ---- how long it takes -----------------------------------------------------------------

    /// Makes room for what is noted of the next lock that is taken.
    pub(crate) fn make_room(&self) {
        self.with(|stack| {
            let limited = stack.entries.iter().filter(|entry| entry.limits_holds()).count();
            stack.taken.reserve(limited);
        });
    }

    /// A lock was taken; the clock is read only where that matters. It may be the memory allocator's, so
    /// nothing is allocated: there is room, or else it is not measured.
    pub(crate) fn taken(&self, held: &Held) {
        let Some(mut stack) = self.lend() else { return };
        let Stack { entries, taken, .. } = &mut *stack;
        let mut now = None;
        for entry in entries.iter().filter(|entry| entry.limits_holds()) {
            if taken.len() < taken.capacity() {
                let at = *now.get_or_insert_with(Instant::now);
                taken.push(Taken { extent: entry.serial, held: *held, at });
            }
        }
    }

    /// A lock was released, at that time. Allocates and frees nothing.
    pub(crate) fn released(&self, id: LockId, at: Instant) {
        let Some(mut stack) = self.lend() else { return };
        let Stack { entries, taken, .. } = &mut *stack;
        if taken.is_empty() {
            return;
        }
        for entry in entries.iter_mut() {
            let is_it = |taken: &Taken| taken.extent == entry.serial && taken.held.lock == id;
            if let Some(index) = taken.iter().rposition(is_it) {
                let Taken { held, at: since, .. } = taken.remove(index);
                entry.spent(Spent::Holding, &held, at.saturating_duration_since(since));
            }
        }
    }

    /// A lock was waited for.
    pub(crate) fn waited(&self, wanted: &Held, took: Duration) {
        let Some(mut stack) = self.lend() else { return };
        let entries = stack.entries.iter_mut();
        entries.for_each(|entry| entry.spent(Spent::Waiting, wanted, took));
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
    #[inline]
    fn push(
        &mut self,
        declaration: &'static Declaration,
        room: Room,
        is_inherited: bool,
    ) -> (Serial, Bond) {
        self.entered += 1;
        let serial = Serial(self.entered);
        let own = Bond {
            number: number(declaration, &room),
            looks_at_everything: declaration.looks_at_everything(is_inherited),
        };
        let bond = self.bond().and(own);
        let overrun = None;
        self.entries.push(Entry { serial, declaration, room, own, bond, is_inherited, overrun });
        (serial, bond)
    }

    /// Removes the innermost entry and keeps its room.
    #[inline]
    fn pop(&mut self) {
        if let Some(entry) = self.entries.pop() {
            self.keep(entry.room);
        }
    }

    #[inline]
    fn keep(&mut self, mut room: Room) {
        room.members.clear();
        room.before.clear();
        self.spare.push(room);
    }

    /// Where the entry is, if it still is.
    fn place(&self, serial: Serial) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.serial == serial)
    }

    /// Removes an entry with all that belongs to it. Those above it stay.
    fn remove(&mut self, serial: Serial) -> Option<Overrun> {
        let at = self.place(serial)?;
        self.taken.retain(|taken| taken.extent != serial);
        let Entry { room, overrun, .. } = self.entries.remove(at);
        self.keep(room);
        for above in at..self.entries.len() {
            let below = above.checked_sub(1).map(|below| self.entries[below].bond);
            let entry = &mut self.entries[above];
            entry.bond = below.unwrap_or_default().and(entry.own);
        }
        overrun
    }

    fn bond(&self) -> Bond {
        self.entries.last().map(|entry| entry.bond).unwrap_or_default()
    }

    /// What was taken in an extent and is still held has been held until now.
    fn still_held(&mut self, serial: Serial) {
        let Some(at) = self.place(serial) else { return };
        let entry = &mut self.entries[at];
        for taken in self.taken.iter().filter(|taken| taken.extent == serial) {
            entry.spent(Spent::Holding, &taken.held, taken.at.elapsed());
        }
    }

    fn frame(&self, at: usize) -> Frame<'_> {
        let Entry { declaration, room, is_inherited, .. } = &self.entries[at];
        let Room { members, before } = room;
        Frame { declaration, members, before, is_inherited: *is_inherited }
    }
}

impl Room {
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn into_members(self) -> Vec<Member> {
        self.members
    }

    #[inline]
    pub(crate) fn add(&mut self, member: Member) {
        self.members.push(member);
    }
}

impl Entry {
    fn limits_holds(&self) -> bool {
        !self.is_inherited && limit(self.declaration, Spent::Holding).is_some()
    }

    /// Notes what lasted too long; the first of it is remembered.
    fn spent(&mut self, what: Spent, held: &Held, took: Duration) {
        if !self.is_inherited
            && let Some(limit) = limit(self.declaration, what)
            && took > limit
        {
            self.overrun.get_or_insert(Overrun { what, lock: *held, took, limit });
        }
    }
}

impl Bond {
    /// What both mean together.
    fn and(self, other: Self) -> Self {
        Self {
            number: self.number.wrapping_add(other.number),
            looks_at_everything: self.looks_at_everything || other.looks_at_everything,
        }
    }
}

/// A number for what a declaration says of nested requests in one call: 0 if it says nothing of them.
fn number(declaration: &'static Declaration, room: &Room) -> u64 {
    if !declaration.needs.number {
        return 0;
    }
    let start = std::ptr::from_ref(declaration).addr() as u64;
    let of_members = room.members.iter().fold(start, |sum, member| {
        let (which, key) = match member.what {
            Which::Lock { id, key, .. } => (id.0, key as u64),
            Which::Type(name) => (name as usize as u64, 0),
            Which::Unknown => (0, 0),
        };
        key::chain(key::chain(sum, which), key.wrapping_add(member.slot as u64))
    });
    room.before
        .iter()
        .fold(of_members, |sum, before| key::chain(sum, key::of(before.lock, before.mode)))
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::declared::model::{Element, Options, Span};
    use crate::finding::LockKind;
    use crate::op::{Mode, Op};
    use crate::registry::Access;
    use crate::site::{Origin, Site};

    const SPAN: Span = Span { line: 1, column: 1, end: 2 };

    fn declaration(rule: Rule) -> &'static Declaration {
        let clauses = Box::leak(Box::new([Clause { rule, span: SPAN, text: "" }]));
        Box::leak(Box::new(Declaration::new("test", "test.rs", SPAN, clauses)))
    }

    fn order() -> &'static Declaration {
        const CHAINS: &[&[Element]] = &[];
        declaration(Rule::Order { chains: CHAINS, options: Options::default() })
    }

    fn only() -> &'static Declaration {
        declaration(Rule::Only { locks: &[] })
    }

    fn budget(hold: Duration) -> &'static Declaration {
        let hold = Some(hold.as_nanos() as u64);
        declaration(Rule::Budget { hold, wait: None, await_hold: None })
    }

    fn held(lock: u64) -> Held {
        let type_name = std::any::type_name::<u32>;
        let (kind, mode, op) = (LockKind::Mutex, Mode::Exclusive, Op::Lock);
        let access = Box::leak(Box::new(Access { kind, type_name, mode, op }));
        let site = Site::caller();
        let created = Origin::unnamed(site);
        Held { lock: LockId(lock), stamp: 0, told: false, access, created, site }
    }

    /// Members numbered from `first`.
    fn members(first: u64, count: u64) -> Vec<Member> {
        let member = |id| {
            let (origin, key) = (Origin::unnamed(Site::caller()), 0);
            Member { slot: 0, what: Which::Lock { id: LockId(id), origin, key } }
        };
        (first..first + count).map(member).collect()
    }

    fn enter(
        extents: &Extents,
        declaration: &'static Declaration,
        members: Vec<Member>,
        holds: &[Held],
    ) -> (Serial, Bond) {
        let mut room = extents.take_room();
        members.into_iter().for_each(|member| room.add(member));
        extents.enter(declaration, room, holds)
    }

    /// The locks of each extent, the innermost one first.
    fn locks(extents: &Extents) -> Vec<Vec<u64>> {
        let lock = |member: &Member| match member.what {
            Which::Lock { id, .. } => id.0,
            _ => 0,
        };
        extents
            .look(|frames| frames.map(|frame| frame.members.iter().map(lock).collect()).collect())
    }

    #[test]
    fn an_extent_that_is_not_the_innermost_is_left_alone() {
        let extents = Extents::new();
        let (first, _) = enter(&extents, order(), members(10, 2), &[held(1)]);
        let (second, _) = enter(&extents, only(), members(20, 1), &[held(1), held(2)]);
        let (third, _) = enter(&extents, order(), members(30, 3), &[held(3)]);
        assert!(extents.looks_at_everything());
        let (_, overrun) = extents.leave(second, true);
        assert!(overrun.is_none());
        assert_eq!(locks(&extents), [vec![30, 31, 32], vec![10, 11]]);
        assert!(!extents.looks_at_everything());
        let of_third = |frame: Frame<'_>| frame.before.to_vec();
        assert_eq!(extents.look_at(third, of_third), Some(vec![before(&held(3))]));
        extents.leave(first, true);
        assert_eq!(locks(&extents), [vec![30, 31, 32]]);
        extents.leave(third, true);
        assert!(!extents.is_active());
    }

    #[test]
    fn what_was_left_is_not_left_again() {
        let extents = Extents::new();
        let (first, _) = enter(&extents, order(), members(10, 1), &[]);
        extents.leave(first, true);
        let (second, _) = enter(&extents, order(), members(20, 1), &[]);
        extents.leave(first, true);
        assert_eq!(locks(&extents), [vec![20]]);
        assert_eq!(extents.look_at(first, |_| ()), None);
        assert_eq!(extents.look_at(second, |_| ()), Some(()));
    }

    #[test]
    fn what_is_left_means_what_it_means_alone() {
        let (one, other) = (order(), order());
        let alone = enter(&Extents::new(), other, members(20, 1), &[]).1;
        let extents = Extents::new();
        let (first, _) = enter(&extents, one, members(10, 1), &[]);
        let (_, both) = enter(&extents, other, members(20, 1), &[]);
        assert_ne!(both, alone);
        assert_eq!(extents.leave(first, true).0, alone);
    }

    #[test]
    fn each_extent_measures_what_was_taken_in_it() {
        let short = Duration::from_millis(1);
        let extents = Extents::new();
        let (outer, _) = enter(&extents, budget(short), members(10, 1), &[]);
        extents.make_room();
        extents.taken(&held(1));
        let (inner, _) = enter(&extents, budget(short), members(20, 1), &[]);
        let later = Instant::now() + Duration::from_secs(1);
        extents.released(LockId(1), later);
        assert!(extents.leave(inner, true).1.is_none());
        assert_eq!(extents.leave(outer, true).1.unwrap().lock.lock, LockId(1));
    }

    #[test]
    fn what_is_held_while_a_task_is_suspended_goes_on_being_held() {
        let members = || members(10, 1);
        let budget = budget(Duration::from_millis(1));
        let check = |is_held: bool| {
            let (first, second) = (Extents::new(), Extents::new());
            let mut suspended = Suspended::new(budget, members());
            let (serial, _) = first.resume(&mut suspended);
            first.make_room();
            first.taken(&held(1));
            first.suspend(serial, &mut suspended);
            assert!(first.leave(serial, false).1.is_none());
            assert!(suspended.has_taken());
            suspended.retain_taken(|_| is_held);
            let (serial, _) = second.resume(&mut suspended);
            second.released(LockId(1), Instant::now() + Duration::from_secs(1));
            second.leave(serial, true).1.is_some()
        };
        assert!(check(true));
        assert!(!check(false));
    }

    #[test]
    fn what_whoever_polls_holds_was_not_taken_inside() {
        let mut suspended = Suspended::new(order(), Vec::new());
        suspended.set_before(&[held(1)]);
        assert_eq!(suspended.frame().before, [before(&held(1))]);
        // It takes 2, which it keeps, and is polled by who holds 3.
        suspended.suspends(&[held(1), held(2)]);
        suspended.set_before(&[held(3), held(2)]);
        assert_eq!(suspended.frame().before, [before(&held(3))]);
        // It gives 2 back.
        suspended.suspends(&[held(3)]);
        suspended.set_before(&[held(2)]);
        assert_eq!(suspended.frame().before, [before(&held(2))]);
    }
}
