//! What a lock is to the tracker: its number, its kind and type, where it was created.

use std::num::NonZeroU64;

use crate::agent::Agent;
use crate::atomics::{AtomicPtr, AtomicU64, Ordering, const_fn};
use crate::config::OnViolation;
use crate::finding::{AgentId, LockId, LockKind};
use crate::foresight::passage::Use;
use crate::numbers::Block;
use crate::op::{Mode, Op};
#[cfg(not(loom))]
use crate::site::Label;
use crate::site::{Origin, Site};

/// The traced half of every primitive: 24 bytes beside the real lock.
///
/// It has no `Drop`, so `needs_drop::<Mutex<u32>>()` is false as it is for `std`, and a lock may
/// outlive what its payload borrows. It holds only atomics and `'static` data, so it takes no auto
/// trait away.
pub(crate) struct LockHeader {
    /// | bits | meaning |
    /// |---|---|
    /// | 0 | known to be poisoned by a panic of the program |
    /// | 1 | untracked: never gets a number, so every operation takes the pass-through path |
    /// | 2–3 | reaction of this lock: 0 as configured, else [`OnViolation`] plus one |
    /// | 4 | spared: `std`'s poison flag stems from the panic of a finding, and does not count |
    /// | 5 | [open](Self::is_open): initialised, and there is nothing to tell whoever uses it |
    /// | 6 | the same for whoever finds that it is initialised |
    /// | 7 | a mutex of [conditions](crate::foresight::conditions) |
    /// | 8 | its initialiser has something to tell whoever [uses](Use::OrInit) it |
    /// | 9 | who initialised it has something to tell whoever [finds](Use::Found) that |
    /// | 10, 11 | free for who keeps a copy of the word: [`word::FREE`], [`word::FREE_TOO`] |
    /// | 16–61 | the lock's number, 0 until its first use |
    /// | 62 | the memory allocator's: not recorded, see [`mark_allocators`](Self::mark_allocators) |
    /// | 63 | one of those two: not for the usual path |
    word: AtomicU64,
    /// Who took it alone last, and holds it now if anybody does. The truth is in the agents' held
    /// stacks; this finds the one to ask in one step. A mutex keeps it when it is released: from then
    /// to the next owner's entry it is free, or its new owner still runs. A read-write lock clears it,
    /// because readers may hold it next.
    owner: AtomicPtr<Agent>,
    /// Where it was created, and its name: an [`Origin`], which a type with lock fields may replace once by
    /// one with a name. Relaxed: what it points to is constant.
    origin: AtomicPtr<u8>,
}

const POISONED: u64 = 1;
const UNTRACKED: u64 = 1 << 1;
const SPARED: u64 = 1 << 4;
/// In the lowest byte, where they take the shortest instructions to test.
const OPEN_TO_USE: u64 = 1 << 5;
const OPEN_TO_FIND: u64 = 1 << 6;
const INIT_TELLS: u64 = 1 << 8;
const COMPLETION_TELLS: u64 = 1 << 9;
const REACTION_SHIFT: u32 = 2;
const REACTION_MASK: u64 = 0b11 << REACTION_SHIFT;
const ID_SHIFT: u32 = 16;
/// The sign bit: one signed comparison finds out whether there is a number to record with at once.
const UNUSUAL: u64 = 1 << 63;
const ALLOCATORS: u64 = 1 << 62;
const CONDITIONS: u64 = 1 << 7;

impl LockHeader {
    const_fn! {
        pub(crate) fn new(created: Site) -> Self {
            let owner = AtomicPtr::new(std::ptr::null_mut());
            let origin = AtomicPtr::new(Origin::unnamed(created).to_ptr());
            Self { word: AtomicU64::new(0), owner, origin }
        }
    }

    /// Gives a header that was never used a name.
    #[cfg(not(loom))]
    pub(crate) const fn set_name(&mut self, label: &'static Label) {
        self.origin = AtomicPtr::new(Origin::named(label).to_ptr());
    }

    /// Gives a lock that has no name yet one, from here on.
    #[cfg(not(loom))]
    pub(crate) fn name_now(&self, label: &'static Label) {
        if self.origin().name().is_none() {
            self.origin.store(Origin::named(label).to_ptr(), Ordering::Relaxed);
        }
    }

    /// Makes a header that was never used one of a lock that is never recorded.
    #[cfg(not(loom))]
    pub(crate) const fn make_untracked(&mut self) {
        let word = self.take_word();
        self.word = AtomicU64::new(word | UNTRACKED);
    }

    /// Gives a header that was never used a reaction of its own.
    #[cfg(not(loom))]
    pub(crate) const fn set_reaction(&mut self, reaction: OnViolation) {
        let others = self.take_word() & !REACTION_MASK;
        self.word = AtomicU64::new(others | (reaction as u64 + 1) << REACTION_SHIFT);
    }

    #[cfg(not(loom))]
    const fn take_word(&mut self) -> u64 {
        std::mem::replace(&mut self.word, AtomicU64::new(0)).into_inner()
    }

    /// Where the lock was created, and its name.
    #[inline]
    pub(crate) fn origin(&self) -> Origin {
        // SAFETY: only pointers that `to_ptr` gave are stored, and none is null.
        unsafe { Origin::from_ptr(self.origin.load(Ordering::Relaxed)).unwrap_unchecked() }
    }

    /// The word itself, as [`word`] takes it apart. Relaxed, as in [`id`](Self::id).
    #[inline]
    pub(crate) fn word(&self) -> u64 {
        self.word.load(Ordering::Relaxed)
    }

    /// The lock's number, unless this is its first use, it is not to be recorded, or it is not for the
    /// usual path. Relaxed: the number never changes once set, and says nothing about other memory.
    #[inline]
    pub(crate) fn id(&self) -> Option<LockId> {
        id_in(self.word.load(Ordering::Relaxed))
    }

    /// The lock's number, unless this is its first use or it is not to be recorded.
    #[inline]
    pub(crate) fn number(&self) -> Option<LockId> {
        number_in(self.word.load(Ordering::Relaxed))
    }

    /// The lock's number, drawn now if it has none; `None` if it is not to be recorded.
    pub(crate) fn ensure_id(&self) -> Option<LockId> {
        self.number().or_else(|| self.first_id())
    }

    /// Gives a lock that nobody has used yet its number, and returns the word with that; `None` if it is no such
    /// lock, or there is no number at hand.
    #[inline]
    pub(crate) fn number_new(&self, numbers: &Block) -> Option<u64> {
        if self.word.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let wanted = word::of(numbers.at_hand()?);
        let set = self.word.compare_exchange(0, wanted, Ordering::Relaxed, Ordering::Relaxed);
        set.is_ok().then_some(wanted)
    }

    /// The number of a lock that seems to have none yet; `None` if it is not to be recorded.
    #[inline(never)]
    pub(crate) fn first_id(&self) -> Option<LockId> {
        self.first_word(LockId::next).and_then(number_in)
    }

    /// The word of a lock that seems to have no number yet, with one; `None` if it is not to be
    /// recorded.
    #[inline]
    pub(crate) fn first_word(&self, next: impl Fn() -> LockId) -> Option<u64> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & (UNTRACKED | ALLOCATORS) != 0 {
                return None;
            }
            if number_in(word).is_some() {
                return Some(word);
            }
            let wanted = word | word::of(next());
            match self.word.compare_exchange(word, wanted, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(wanted),
                Err(seen) => word = seen,
            }
        }
    }

    /// The tracker's own work has met this lock. It calls no code of the user's but the memory
    /// allocator, so the lock is that one's: from here on it is not recorded, because whatever the
    /// tracker does with a record while the lock is held could ask for memory, and wait for the
    /// very lock.
    pub(crate) fn mark_allocators(&self) {
        self.word.fetch_or(UNUSUAL | ALLOCATORS, Ordering::Relaxed);
    }

    /// Whether it is the allocator's.
    pub(crate) fn is_allocators(&self) -> bool {
        self.word.load(Ordering::Relaxed) & ALLOCATORS != 0
    }

    /// The number under which a hold may be on record, also from before the lock was found to be the
    /// allocator's.
    pub(crate) fn recorded_id(&self) -> Option<LockId> {
        id_in(self.word.load(Ordering::Relaxed) & !(UNUSUAL | ALLOCATORS))
    }

    /// It is a mutex that belongs to a condition variable, and who takes it has to look. Only for one
    /// that has a number. Returns whether that is news.
    pub(crate) fn set_conditions(&self) -> bool {
        self.word.fetch_or(UNUSUAL | CONDITIONS, Ordering::Relaxed) & CONDITIONS == 0
    }

    /// Whether it is one.
    pub(crate) fn has_conditions(&self) -> bool {
        self.word.load(Ordering::Relaxed) & CONDITIONS != 0
    }

    /// Whether it is initialised and has nothing to tell whoever uses it so. Acquire pairs with the
    /// Release in [`open`](Self::open): who finds it open finds it initialised.
    #[inline]
    pub(crate) fn is_open(&self, how: Use) -> bool {
        let open = match how {
            Use::OrInit => OPEN_TO_USE,
            Use::Found => OPEN_TO_FIND,
        };
        self.word.load(Ordering::Acquire) & open != 0
    }

    /// The caller has seen that it is initialised: from here on a look at the header is enough, unless
    /// it has something to tell.
    pub(crate) fn open(&self) {
        let word = self.word.load(Ordering::Relaxed);
        let opens = |tells, open| if word & tells == 0 { open } else { 0 };
        let open = opens(INIT_TELLS, OPEN_TO_USE) | opens(COMPLETION_TELLS, OPEN_TO_FIND);
        if word & open != open {
            // Everything else in this word changes by read-modify-write operations, which hand this on.
            self.word.fetch_or(open, Ordering::Release);
        }
    }

    /// Whether a user of what is initialised comes after something. Relaxed: the flags are set before it
    /// is marked as initialised, and who asks has seen that mark.
    #[inline]
    pub(crate) fn tells(&self, how: Use) -> bool {
        self.word.load(Ordering::Relaxed) & flag_of(how) != 0
    }

    /// What is about to be marked as initialised has something to tell whoever uses it so.
    pub(crate) fn set_tells(&self, how: Use) {
        self.word.fetch_or(flag_of(how), Ordering::Relaxed);
    }

    /// What was initialised has been emptied: what comes next is another thing.
    #[cfg(not(loom))]
    pub(crate) fn renew(&mut self) {
        let word = self.take_word() & (UNUSUAL | ALLOCATORS | UNTRACKED | REACTION_MASK);
        self.word = AtomicU64::new(word);
    }

    /// The reaction that this lock was given, if any.
    pub(crate) fn reaction(&self) -> Option<OnViolation> {
        let bits = (self.word.load(Ordering::Relaxed) & REACTION_MASK) >> REACTION_SHIFT;
        OnViolation::ALL.get((bits as usize).wrapping_sub(1)).copied()
    }

    // Poisoning is `std`'s business, with one exception: the panic that reports a finding does not
    // count. It cannot be kept from setting `std`'s flag, but it can be told from other panics:
    // before the real lock is released by such a panic, `SPARED` is set, and whoever next finds the
    // flag set takes both back. A lock that was poisoned before stays so: `POISONED` remembers it.
    // All three are written by the holder of the real lock only, which orders them; so Relaxed.

    /// The panic of a finding is about to release the lock.
    pub(crate) fn spare(&self) {
        if self.word.load(Ordering::Relaxed) & POISONED == 0 {
            self.word.fetch_or(SPARED, Ordering::Relaxed);
        }
    }

    /// Whether `std`'s poison flag, which is set, does not count.
    pub(crate) fn is_spared(&self) -> bool {
        self.word.load(Ordering::Relaxed) & SPARED != 0
    }

    /// `std`'s poison flag was found set by the holder of the real lock: whether it counts. If not,
    /// `clear` is to clear it.
    #[cold]
    pub(crate) fn settle_poison(&self, clear: impl FnOnce()) -> bool {
        let counts = !self.is_spared();
        if counts {
            self.word.fetch_or(POISONED, Ordering::Relaxed);
        } else {
            clear();
            self.clear_poison();
        }
        counts
    }

    /// `std`'s poison flag is being cleared.
    pub(crate) fn clear_poison(&self) {
        self.word.fetch_and(!(POISONED | SPARED), Ordering::Relaxed);
    }

    /// Who took the lock alone last. Only the holder of the real lock asks.
    #[inline]
    pub(crate) fn last_owner(&self) -> LastOwner {
        LastOwner(self.owner.load(Ordering::Relaxed))
    }

    /// Records `agent`, which has just taken the lock alone, as its owner. Only the holder of the
    /// real lock writes. Release pairs with the Acquire in [`owner`](Self::owner), so that whoever
    /// finds the pointer also finds the record behind it.
    #[inline]
    pub(crate) fn set_owner(&self, agent: &Agent) {
        self.owner.store(std::ptr::from_ref(agent).cast_mut(), Ordering::Release);
    }

    /// Nobody on record holds the lock alone.
    #[inline]
    pub(crate) fn clear_owner(&self) {
        self.owner.store(std::ptr::null_mut(), Ordering::Release);
    }

    /// The agent that holds the lock alone, or did so last.
    #[inline]
    pub(crate) fn owner(&self) -> Option<&Agent> {
        let owner = self.owner.load(Ordering::Acquire);
        // SAFETY: only `set_owner` stores a pointer here, and agent records live as long as the
        // tracker, which outlives every lock recorded with it: the global one is never dropped.
        unsafe { owner.as_ref() }
    }
}

/// The agent that took a lock alone last, if any did.
#[derive(Clone, Copy)]
pub(crate) struct LastOwner(*const Agent);

impl LastOwner {
    #[inline]
    pub(crate) fn is(self, agent: &Agent) -> bool {
        std::ptr::eq(self.0, agent)
    }

    #[inline]
    pub(crate) fn is_any(self) -> bool {
        !self.0.is_null()
    }
}

/// A header's word, kept elsewhere.
pub(crate) mod word {
    use super::{ALLOCATORS, ID_SHIFT, UNUSUAL};
    use crate::finding::LockId;

    /// Never set in a header.
    pub(crate) const FREE: u64 = 1 << 10;
    /// Nor is this.
    pub(crate) const FREE_TOO: u64 = 1 << 11;

    /// That of a lock with this number and without flags.
    #[inline]
    pub(crate) fn of(lock: LockId) -> u64 {
        lock.0 << ID_SHIFT
    }

    /// The same as if it were for the usual path: so a copy of one that is not is unlike the header's,
    /// and not taken for it without a further look.
    #[inline]
    pub(crate) fn usual(word: u64) -> u64 {
        word & !UNUSUAL
    }

    /// Whether it is that of a lock with a number, for the usual path.
    #[inline]
    pub(crate) fn has_id(word: u64) -> bool {
        super::id_in(word).is_some()
    }

    /// The number in it, whatever the flags; 0 if there is none.
    #[inline]
    pub(crate) fn number(word: u64) -> u64 {
        (word & !(UNUSUAL | ALLOCATORS)) >> ID_SHIFT
    }
}

#[inline]
fn flag_of(how: Use) -> u64 {
    match how {
        Use::OrInit => INIT_TELLS,
        Use::Found => COMPLETION_TELLS,
    }
}

#[inline]
fn id_in(word: u64) -> Option<LockId> {
    // Negative where `UNUSUAL` is set.
    if word.cast_signed() < 1 << ID_SHIFT { None } else { Some(LockId(word >> ID_SHIFT)) }
}

#[inline]
fn number_in(word: u64) -> Option<LockId> {
    if word & ALLOCATORS != 0 { None } else { id_in(word & !UNUSUAL) }
}

/// What is known of an acquisition at compile time: one static for each protected type and
/// operation.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) kind: LockKind,
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) mode: Mode,
    pub(crate) op: Op,
}

impl Access {
    /// Whether who makes it initialises something, if nobody else does.
    pub(crate) fn may_initialise(&self) -> bool {
        self.kind.is_once() && !matches!(self.op, Op::WaitOnce | Op::WaitOnceForce)
    }
}

/// What an agent can wait for, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    Lock(LockId),
    /// The end of an agent; the agent itself holds it.
    End(AgentId),
    /// The end of all threads of a scope; each of them holds it.
    Scope(ScopeId),
    /// What wakes an agent that has laid itself down: an unpark, or the time.
    Wakeup(AgentId),
}

impl Resource {
    pub(crate) fn to_bits(self) -> u64 {
        match self {
            Self::Lock(id) => id.0 << 2,
            Self::End(id) => id.0 << 2 | 1,
            Self::Scope(id) => id.0.get() << 2 | 2,
            Self::Wakeup(id) => id.0 << 2 | 3,
        }
    }

    /// The inverse of [`to_bits`](Self::to_bits).
    pub(crate) fn from_bits(bits: u64) -> Self {
        let number = bits >> 2;
        match (bits & 3, NonZeroU64::new(number)) {
            (1, _) => Self::End(AgentId(number)),
            (2, Some(id)) => Self::Scope(ScopeId(id)),
            (3, _) => Self::Wakeup(AgentId(number)),
            _ => Self::Lock(LockId(number)),
        }
    }
}

/// The number of one `thread::scope` call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeId(pub(crate) NonZeroU64);

#[cfg(all(test, not(loom)))]
pub(crate) mod tests {
    use super::*;

    /// How the tests of other modules hold their locks.
    pub(crate) static ACCESS: &Access = &Access {
        kind: LockKind::Mutex,
        type_name: std::any::type_name::<u32>,
        mode: Mode::Exclusive,
        op: Op::Lock,
    };
    pub(crate) static DOWNGRADED: &Access =
        &Access { kind: LockKind::RwLock, mode: Mode::Read, op: Op::Downgrade, ..*ACCESS };

    #[test]
    fn resources_round_trip() {
        let seven = NonZeroU64::new(7).unwrap();
        for resource in [
            Resource::Lock(LockId(7)),
            Resource::End(AgentId(7)),
            Resource::Scope(ScopeId(seven)),
            Resource::Wakeup(AgentId(7)),
        ] {
            assert_eq!(Resource::from_bits(resource.to_bits()), resource);
        }
    }

    #[test]
    fn a_header_keeps_its_number_and_its_flags_apart() {
        let mut header = LockHeader::new(Site::caller());
        header.set_reaction(OnViolation::Log);
        assert_eq!(header.id(), None);
        let id = header.ensure_id();
        assert!(id.is_some());
        header.spare();
        assert!(header.is_spared());
        assert_eq!((header.id(), header.ensure_id()), (id, id));
        assert_eq!(header.reaction(), Some(OnViolation::Log));
        header.clear_poison();
        assert!(!header.is_spared());
        assert_eq!(header.id(), id);
    }

    #[test]
    fn what_was_emptied_has_nothing_to_tell_and_another_number() {
        let mut header = LockHeader::new(Site::caller());
        header.set_reaction(OnViolation::Log);
        let id = header.ensure_id();
        header.set_tells(Use::Found);
        let tells = |header: &LockHeader| [Use::OrInit, Use::Found].map(|how| header.tells(how));
        let is_open =
            |header: &LockHeader| [Use::OrInit, Use::Found].map(|how| header.is_open(how));
        assert_eq!((tells(&header), is_open(&header)), ([false, true], [false, false]));
        header.open();
        assert_eq!((is_open(&header), header.id()), ([true, false], id));
        header.renew();
        assert_eq!((tells(&header), is_open(&header)), ([false, false], [false, false]));
        assert_eq!(header.id(), None);
        assert_eq!(header.reaction(), Some(OnViolation::Log));
        assert_ne!(header.ensure_id(), id);
    }

    #[test]
    fn poison_of_the_programs_own_is_not_spared() {
        let header = LockHeader::new(Site::caller());
        assert!(header.settle_poison(|| panic!("the program's own panic counts")));
        header.spare();
        assert!(!header.is_spared());
        header.clear_poison();
        header.spare();
        let mut cleared = false;
        assert!(!header.settle_poison(|| cleared = true));
        assert!(cleared && !header.is_spared());
    }

    #[test]
    fn the_allocators_lock_has_no_number_to_record_with_and_keeps_the_one_it_had() {
        let header = LockHeader::new(Site::caller());
        let id = header.ensure_id();
        header.mark_allocators();
        assert_eq!((header.id(), header.ensure_id(), header.recorded_id()), (None, None, id));
        assert!(header.is_allocators());
        let unused = LockHeader::new(Site::caller());
        unused.mark_allocators();
        assert_eq!((unused.ensure_id(), unused.recorded_id()), (None, None));
    }

    #[test]
    fn a_mutex_of_conditions_keeps_its_number_off_the_usual_path() {
        let header = LockHeader::new(Site::caller());
        let id = header.ensure_id();
        assert!(!header.has_conditions());
        assert!(header.set_conditions() && header.has_conditions());
        assert!(!header.set_conditions());
        assert_eq!((header.id(), header.number(), header.ensure_id()), (None, id, id));
        header.mark_allocators();
        assert_eq!((header.id(), header.number(), header.recorded_id()), (None, None, id));
    }

    #[test]
    fn only_a_lock_that_nobody_has_used_gets_its_number_at_once() {
        let numbers = Block::new();
        let new = LockHeader::new(Site::caller());
        assert_eq!(new.number_new(&numbers), None, "there is none at hand");
        let first = numbers.next();
        let word = new.number_new(&numbers);
        assert_eq!((word, new.id()), (Some(new.word()), Some(LockId(first.0 + 1))));
        assert_eq!(new.number_new(&numbers), None);
        let mut settled = LockHeader::new(Site::caller());
        settled.set_reaction(OnViolation::Log);
        assert_eq!((settled.number_new(&numbers), settled.id()), (None, None));
        let allocators = LockHeader::new(Site::caller());
        allocators.mark_allocators();
        assert_eq!((allocators.number_new(&numbers), allocators.number()), (None, None));
        let mut untracked = LockHeader::new(Site::caller());
        untracked.make_untracked();
        assert_eq!((untracked.number_new(&numbers), untracked.number()), (None, None));
    }

    #[test]
    fn an_untracked_header_never_gets_a_number() {
        let mut header = LockHeader::new(Site::caller());
        header.make_untracked();
        assert_eq!((header.ensure_id(), header.id()), (None, None));
        assert_eq!(header.reaction(), None);
        header.set_reaction(OnViolation::Log);
        assert_eq!((header.ensure_id(), header.reaction()), (None, Some(OnViolation::Log)));
    }
}
