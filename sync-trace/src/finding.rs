//! Findings as plain data.
//!
//! A finding is built by the tracker and shown by somebody else: the report is rendered from it, a
//! [handler](crate::set_handler) may send it on. It owns everything it names, so it can be kept
//! after the threads and locks in it are gone.
//!
//! # Example
//!
//! ```
//! use sync_trace::finding::{Code, Target};
//! use sync_trace::sync::Mutex;
//!
//! # if !sync_trace::ENABLED { return; }
//! let lock = Mutex::new(0);
//! let _guard = lock.lock().unwrap();
//! let again = std::panic::catch_unwind(|| lock.lock().map(drop).is_ok());
//! assert!(again.is_err());
//!
//! let finding = &sync_trace::take_findings()[0];
//! assert_eq!(finding.code, Code::SelfDeadlock);
//! let Target::Lock(wanted, _) = &finding.links[0].wait.target else { panic!("a lock") };
//! assert!(wanted.created.file().ends_with(".rs"));
//! println!("{finding}"); // the whole report
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use crate::meaning::Stated;
pub use crate::op::{Mode, Op};
pub use crate::site::Site;

/// The stable code of a kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// `ST0001`: several threads each hold what another one waits for.
    Deadlock,
    /// `ST0002`: one thread waits for what it holds itself.
    SelfDeadlock,
    /// `ST0003`: a thread waits, and everyone who could wake it is gone.
    Stuck,
    /// `ST0101`: locks are taken in orders that contradict each other, or are held by who waits for a thread that
    /// needs them.
    Inversion,
    /// `ST0102`: a lock is taken against a declared order.
    OrderBroken,
    /// `ST0103`: declarations contradict each other.
    Contradiction,
    /// `ST0104`: a lock is taken while another one of its class is held, and nothing that
    /// [`order`](mod@crate::order) offers says that this is meant; or it is not taken as
    /// [`keyed`](crate::order::keyed) says.
    SameClass,
    /// `ST0201`: a lock is not held that has to be.
    NotHeld,
    /// `ST0202`: a lock is held that must not be.
    Excluded,
    /// `ST0203`: a lock is taken where only others may be, or none.
    NotAllowed,
    /// `ST0204`: a lock was not taken, or not released, as a function says.
    Unbalanced,
    /// `ST0301`: a lock is held while a task is suspended.
    HeldAcrossAwait,
    /// `ST0303`: something blocks where nothing may.
    Blocks,
    /// `ST0401`: a lock was waited for too long.
    WaitedTooLong,
    /// `ST0402`: a lock was held too long.
    HeldTooLong,
    /// `ST0501`: a condition variable is used with two mutexes.
    TwoMutexes,
}

impl Code {
    pub(crate) const ALL: [Self; 16] = [
        Self::Deadlock,
        Self::SelfDeadlock,
        Self::Stuck,
        Self::Inversion,
        Self::OrderBroken,
        Self::Contradiction,
        Self::SameClass,
        Self::NotHeld,
        Self::Excluded,
        Self::NotAllowed,
        Self::Unbalanced,
        Self::HeldAcrossAwait,
        Self::Blocks,
        Self::WaitedTooLong,
        Self::HeldTooLong,
        Self::TwoMutexes,
    ];

    /// Every code that there is, in the order of their numbers.
    pub fn all() -> &'static [Self] {
        &Self::ALL
    }

    /// The code as printed, such as `ST0001`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deadlock => "ST0001",
            Self::SelfDeadlock => "ST0002",
            Self::Stuck => "ST0003",
            Self::Inversion => "ST0101",
            Self::OrderBroken => "ST0102",
            Self::Contradiction => "ST0103",
            Self::SameClass => "ST0104",
            Self::NotHeld => "ST0201",
            Self::Excluded => "ST0202",
            Self::NotAllowed => "ST0203",
            Self::Unbalanced => "ST0204",
            Self::HeldAcrossAwait => "ST0301",
            Self::Blocks => "ST0303",
            Self::WaitedTooLong => "ST0401",
            Self::HeldTooLong => "ST0402",
            Self::TwoMutexes => "ST0501",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// V0: it has happened; the threads named are blocked for ever.
    Actual,
    /// V2: it has not happened, but it can: different threads, no lock around both sides, nothing that
    /// orders them, and a writer wherever readers would have to queue behind one.
    Predicted,
    /// What the program declares is not what it does: certain, whether or not it ever deadlocks.
    Declared,
    /// V3: the order of locks is inconsistent, but the [condition](Finding::condition) kept it from
    /// happening in what was seen.
    Order,
    /// V3: something is used in a way of which `std` does not say that it works. Nothing has failed.
    Misuse,
}

/// Why orders of locks that contradict each other could not become a deadlock in what was seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Condition {
    /// One thread did both.
    OneThread,
    /// This lock was held around both, at least once alone.
    Gate(Lock),
    /// One came before the other in every schedule: there was a spawn, a join, a message, a barrier,
    /// an initialisation or a condition variable's signal in between.
    Ordered,
    /// Readers would have to queue behind a writer of this lock, and none was seen that could be there
    /// at that time, unless it is one of the threads that wait or queues for another lock.
    NoWriter(Lock),
    /// Readers would have to queue behind a writer of this lock, and what was seen to write it could not
    /// be there at that time: a lock around both or an ordering event kept it away.
    WriterApart(Lock),
    /// A thread still holds this lock, which it may release only after the others have ended.
    Undecided(Lock),
    /// What one of them waits for at this was given also by a thread that nothing kept from that, or others may
    /// give it of whom nothing is known.
    OtherGivers(Lock),
    /// The thread that is joined has held this lock last, and what that protects may have told who joins that it
    /// needs nothing any more.
    MayBeTold(Lock),
    /// The locks are different ones, though of the same classes.
    OtherInstances,
    /// The order is declared, but for the inside of functions that were not running.
    DeclaredElsewhere,
}

/// What was done when the finding was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The thread that would have closed the cycle panics with the report as its message.
    Panicked,
    /// The process ends, because a panic could not have freed the other threads.
    Ended,
    /// The report was printed and the thread went on to wait.
    Logged,
    /// It became known where no thread of it could be made to fail. The next nested lock operation of
    /// one of them panics with the report, or else the test or the process fails at its end.
    Deferred,
    /// It is only listed.
    Noted,
}

/// One discovered fact.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What was found.
    pub code: Code,
    /// How sure it is.
    pub level: Level,
    /// Who waits for whom, in wait order: each link waits for the next one and the last for the
    /// first. The first link is the thread that would have closed the cycle.
    ///
    /// Of a deadlock that has not happened: what was seen of whom, each link at a time of its own. Empty
    /// where a declaration is broken.
    pub links: Vec<Link>,
    /// Of a declaration that is broken: which, and by what.
    pub breach: Option<Box<Breach>>,
    /// Of a condition variable that is used with two mutexes: who waits there with which.
    pub pairing: Option<Box<Pairing>>,
    /// What kept it from happening; `None` for what has happened, or can.
    pub condition: Option<Condition>,
    /// What was done about it.
    pub outcome: Outcome,
    /// Other threads of the same roots that were waiting at that moment, though not in a circle:
    /// often for what those in it hold. Who waits for those to end is left out.
    pub also_waiting: Vec<(Participant, Wait)>,
    /// The names of the root threads whose descendants take part. Under libtest a root thread's
    /// name is the path of its test.
    pub roots: Vec<String>,
    /// The same for every run that finds the same thing: no ids, no line numbers.
    pub fingerprint: Fingerprint,
    /// The seed with which the schedule was [perturbed](crate::Perturb), if it was.
    pub seed: Option<u64>,
    pub(crate) tests: Vec<TestId>,
    /// The root threads behind `roots`.
    pub(crate) root_ids: Vec<AgentId>,
    pub(crate) raised_in_root: bool,
    /// In which thread it was made, where that need not be the first link's.
    pub(crate) raised_by: Option<Participant>,
}

impl Finding {
    /// Whether the threads named are blocked for ever, now; otherwise the links tell what was done at
    /// different times and could come together.
    pub fn has_happened(&self) -> bool {
        self.level == Level::Actual
    }
}

/// A condition variable that is used with two mutexes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pairing {
    /// The condition variable.
    pub condvar: Lock,
    /// A wait with the mutex that came first, and one with another. What is waited for is the mutex.
    pub waits: [(Participant, Wait); 2],
}

/// A declaration that is broken, by an attribute of this crate or by a class of locks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Breach {
    /// How.
    pub broken: Broken,
    /// Who did it; `None` if declarations contradict each other, which is nobody's doing.
    pub agent: Option<Participant>,
    /// The declaration. Several, each leading to the next, if the order follows from all of them.
    pub declared: Vec<Declared>,
    /// What the thread was about to take or wait for, if it was.
    pub wait: Option<Wait>,
    /// The hold that it is at odds with, if it is one.
    pub against: Option<Hold>,
    /// Everything that the thread held at that moment, oldest first.
    pub held: Vec<Hold>,
    /// How long a lock was held or waited for, where that was too long, and how long it may be.
    pub took: Option<(Duration, Duration)>,
}

/// In which way a declaration is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Broken {
    /// A lock is taken while one is held that comes after it.
    OutOfOrder,
    /// A lock is taken without the one that has to be held before it.
    NotAfter,
    /// A lock is taken while another one is held that is the same element of an order.
    SameElement,
    /// The same, and they are not taken in ascending order of their keys.
    KeysDescend,
    /// A lock is taken while one of a class of a higher or the same rank is held.
    RankDescends,
    /// A lock is not held at entry.
    NotHeld,
    /// A lock is not held at the exit any more.
    NotHeldAtExit,
    /// A lock is held at entry.
    Held,
    /// A lock is held at entry that the function says to take.
    HeldAlready,
    /// A lock was not taken that the function says to take.
    NotAcquired,
    /// A lock is still held that the function says to release.
    NotReleased,
    /// A lock is taken where only others may be.
    NotAllowed,
    /// A lock is taken while one of a class is held that is the last to be taken.
    AfterLeaf,
    /// A lock of a class that is the first to be taken is taken while another one is held.
    NotFirst,
    /// Something blocks where nothing may.
    Blocks,
    /// A function that may block is entered where nothing may.
    MayBlock,
    /// A lock was waited for too long.
    WaitedTooLong,
    /// A lock was held too long.
    HeldTooLong,
    /// A lock is, or was for too long, held while the task is suspended.
    HeldAcrossAwait,
    /// Orders that are declared contradict each other.
    Contradiction,
    /// Classes of one name are declared differently.
    ClassesDiffer,
}

impl Broken {
    /// The code of its finding.
    pub fn code(self) -> Code {
        match self {
            Self::OutOfOrder | Self::NotAfter | Self::RankDescends | Self::NotFirst => {
                Code::OrderBroken
            }
            Self::Contradiction | Self::ClassesDiffer => Code::Contradiction,
            Self::SameElement | Self::KeysDescend => Code::SameClass,
            Self::NotHeld | Self::NotHeldAtExit => Code::NotHeld,
            Self::Held => Code::Excluded,
            Self::NotAllowed | Self::AfterLeaf => Code::NotAllowed,
            Self::HeldAlready | Self::NotAcquired | Self::NotReleased => Code::Unbalanced,
            Self::Blocks | Self::MayBlock => Code::Blocks,
            Self::WaitedTooLong => Code::WaitedTooLong,
            Self::HeldTooLong => Code::HeldTooLong,
            Self::HeldAcrossAwait => Code::HeldAcrossAwait,
        }
    }
}

/// One rule, where it is declared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Declared {
    /// The path of the item that says it: a function, a type, a module or a class.
    pub item: &'static str,
    /// The attribute or option that says it, such as `lock_order`.
    pub attribute: &'static str,
    /// What it says, as written.
    pub text: &'static str,
    /// Where that stands.
    pub passage: Passage,
    /// Where the name of the function stands, if it is one.
    pub name: Option<Passage>,
    /// The part of the text that is broken, as written, and what that is at odds with.
    pub parts: [Option<&'static str>; 2],
    /// Whether it is that of a call which is under way, and not declared elsewhere.
    pub in_force: bool,
}

/// That a lock was taken while another one was held; of [`ObservedOrder`](crate::ObservedOrder).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Nesting {
    /// The lock that was held.
    pub outer: Hold,
    /// The one that was taken meanwhile.
    pub inner: Hold,
    /// How often that was seen there.
    pub times: u64,
}

/// A piece of one line of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Passage {
    /// The file as rustc was given it.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// The column behind its last character.
    pub end: u32,
}

impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One participant of a stuck set: who waits, for what, and why it is blocked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Link {
    /// Who waits.
    pub agent: Participant,
    /// For what.
    pub wait: Wait,
    /// What the next participant does that keeps this one waiting.
    pub blocker: Blocker,
    /// Of a deadlock that has not happened: how often its locks were taken in this link's order, the
    /// one that it holds first.
    pub seen: Option<Sightings>,
    /// The same, if the program has stated anything of these two locks with
    /// [`order`](mod@crate::order).
    pub stated: Option<Statement>,
}

/// What the program stated of two locks of which one was taken while the other one was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// Of the one that was held.
    pub held: Stated,
    /// Of the one that was taken.
    pub wanted: Stated,
}

/// How often two locks were taken in one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sightings {
    /// How often at all.
    pub times: u64,
    /// By how many threads.
    pub threads: u64,
    /// At how many different lines the inner one was taken, as far as they were told apart.
    pub sites: u64,
}

/// Who takes part in a finding: a thread.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Participant {
    /// Its number, never reused.
    pub id: AgentId,
    /// The thread's name, if it has one.
    pub name: Option<Arc<str>>,
    /// The operating system's id of the thread.
    pub os_id: Option<u64>,
    /// Who started it, and where; `None` for a thread that was not started through
    /// `sync_trace::thread`.
    pub started_by: Option<StartedBy>,
}

/// Who started a thread.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartedBy {
    /// The parent's number.
    pub id: AgentId,
    /// The parent's name.
    pub name: Option<Arc<str>>,
    /// The line that started the thread.
    pub site: Site,
}

/// A wait of one participant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wait {
    /// The call that waits.
    pub op: Op,
    /// Where it stands.
    pub site: Site,
    /// What is waited for.
    pub target: Target,
    /// How long it has been waiting: exact. `None` for the thread that was about to wait.
    pub age: Option<Duration>,
    /// The call stack, one frame a line, when `backtrace=waits` is set.
    pub stack: Option<String>,
}

/// What a wait is for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Target {
    /// A lock, in a mode.
    Lock(Lock, Mode),
    /// The end of a thread.
    Thread(Participant),
    /// The end of every thread started in one `thread::scope`.
    Scope,
    /// Somebody who unparks the thread.
    Unpark,
    /// Nothing but the time.
    Time,
}

/// Why a wait cannot end: what the next link's thread (or, for [`Ended`](Self::Ended), a thread
/// that is gone) does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Blocker {
    /// It holds the lock.
    Holds(Hold),
    /// It has not ended, and its end is what is waited for.
    Runs,
    /// It reads the lock; a queued writer waits for that, and this read has to wait for the writer.
    QueuedWriter {
        /// Its read.
        hold: Hold,
        /// The writer that queues, when it is known, and its wait.
        writer: Option<(Participant, Site)>,
    },
    /// The thread that took the lock has ended without releasing it.
    Ended {
        /// That thread.
        owner: Participant,
        /// How it took the lock.
        hold: Hold,
    },
    /// It is the one that has given so far what is waited for, and every thread of the process sleeps. Or, of what
    /// is predicted, it gives that once it has what its own link says.
    Gives(Signal),
    /// Every thread of the process sleeps, and none is known that would give what is waited for. The next
    /// link, if there is one, is another such wait.
    Nobody {
        /// Who gave it last, if anybody did.
        last: Option<Signal>,
        /// What this one holds meanwhile that others wait for.
        holds: Vec<Hold>,
        /// Of a barrier: how many have to come, and how many have.
        parties: Option<(usize, usize)>,
    },
}

/// That a thread gave what others wait for: a signal, a message, room for one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Signal {
    /// Who.
    pub by: Participant,
    /// Whether that thread has ended since.
    pub has_ended: bool,
    /// By which call.
    pub op: Op,
    /// Where that stands.
    pub site: Site,
    /// How long ago.
    pub age: Duration,
    /// Nobody waited for it at that moment.
    pub in_vain: bool,
}

/// One acquisition that is still held.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hold {
    /// The lock.
    pub lock: Lock,
    /// The mode it is held in.
    pub mode: Mode,
    /// The call that took it.
    pub op: Op,
    /// Where that call stands.
    pub site: Site,
    /// It has been held at least this long (an uncontended acquisition reads no clock).
    pub at_least: Option<Duration>,
    /// Who took it, if that is another thread, which in every schedule holds it until this one has
    /// come so far: as one does that starts a thread and joins it before it releases the lock.
    pub taken_by: Option<Participant>,
}

/// One lock.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Lock {
    /// Its number, never reused.
    pub id: LockId,
    /// Which primitive it is.
    pub kind: LockKind,
    /// The type it protects; empty for a primitive that protects none.
    pub type_name: &'static str,
    /// The name it was given.
    pub name: Option<&'static str>,
    /// Where it was created.
    pub created: Site,
}

impl Lock {
    /// What the locks of its class have in common in every process that was built from the same source: their
    /// name, or else where they were created and what they protect. `None` for one that was made by code
    /// of the standard library, so that it is not known where it belongs.
    pub(crate) fn class_key(&self) -> Option<String> {
        match self.name {
            Some(name) => Some(format!("name:{name}")),
            None if self.created.is_unknown() => None,
            None => Some(format!("created:{}:{}", self.created, self.type_name)),
        }
    }
}

/// Which primitive a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LockKind {
    /// `std::sync::Mutex`
    Mutex,
    /// `std::sync::RwLock`
    RwLock,
    /// `std::sync::Condvar`
    Condvar,
    /// `std::sync::Once`, held by who runs its closure
    Once,
    /// `std::sync::OnceLock`, held by who runs its initialiser
    OnceLock,
    /// `std::sync::LazyLock`, held by who runs its initialiser
    LazyLock,
    /// `std::sync::Barrier`
    Barrier,
    /// A channel of `std::sync::mpsc`
    Channel,
    /// [`sync::Semaphore`](crate::sync::Semaphore); to hold one is to hold permits of it, which keeps nobody
    /// in particular waiting
    Semaphore,
    /// A thread, whose end is waited for.
    Thread,
}

impl LockKind {
    /// Whether to hold one is to run its initialiser.
    pub fn is_once(self) -> bool {
        matches!(self, Self::Once | Self::OnceLock | Self::LazyLock)
    }
}

impl fmt::Display for LockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mutex => "std Mutex",
            Self::RwLock => "std RwLock",
            Self::Condvar => "std Condvar",
            Self::Once => "std Once",
            Self::OnceLock => "std OnceLock",
            Self::LazyLock => "std LazyLock",
            Self::Barrier => "std Barrier",
            Self::Channel => "std channel",
            Self::Semaphore => "Semaphore",
            Self::Thread => "thread",
        })
    }
}

/// The number of one lock; a later lock never gets the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(pub(crate) u64);

/// The number of one agent (a thread); a later one never gets the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(pub(crate) u64);

/// The number of one `#[sync_trace::test]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TestId(pub(crate) u64);

macro_rules! number {
    ($($name:ident),*) => {$(
        impl $name {
            /// The bare number.
            pub fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "#{}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
number!(LockId, AgentId);

/// Identifies a finding across runs and machines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(crate) u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Finding {
    /// Whether a thread takes part in both.
    pub(crate) fn shares_a_thread_with(&self, other: &Self) -> bool {
        let takes_part = |id| other.links.iter().any(|link| link.agent.id == id);
        self.links.iter().any(|link| takes_part(link.agent.id))
    }

    /// Where its locks were taken and wanted.
    pub(crate) fn sites(&self) -> BTreeSet<Site> {
        let held = |link: &Link| match &link.blocker {
            Blocker::Holds(hold)
            | Blocker::QueuedWriter { hold, .. }
            | Blocker::Ended { hold, .. } => Some(hold.site),
            Blocker::Gives(signal) => Some(signal.site),
            Blocker::Nobody { holds, .. } => holds.first().map(|hold| hold.site),
            Blocker::Runs => None,
        };
        let sites = self.links.iter().flat_map(|link| [Some(link.wait.site), held(link)]);
        let breach = self.breach.iter().flat_map(|breach| {
            [
                breach.wait.as_ref().map(|wait| wait.site),
                breach.against.as_ref().map(|hold| hold.site),
            ]
        });
        let pairing = self.pairing.iter().flat_map(|pairing| &pairing.waits);
        let pairing = pairing.map(|(_, wait)| Some(wait.site));
        sites.chain(breach).chain(pairing).flatten().collect()
    }

    /// Whether it is predicted of a wait for something that anybody may give. Until the end somebody may turn up
    /// who could.
    pub(crate) fn may_be_withdrawn(&self) -> bool {
        let is_given = |link: &Link| matches!(link.blocker, Blocker::Gives(_));
        self.level == Level::Predicted && self.links.iter().any(is_given)
    }

    /// The locks that its links wait for.
    pub(crate) fn locks_waited_for(&self) -> BTreeSet<LockId> {
        let lock = |link: &Link| match &link.wait.target {
            Target::Lock(lock, _) => Some(lock.id),
            _ => None,
        };
        self.links.iter().filter_map(lock).collect()
    }
}

impl Fingerprint {
    /// From the code and, for each link, what is waited for and the files it happens in.
    pub(crate) fn of(code: Code, links: &[Link]) -> Self {
        Self::of_waits(code, links.iter().map(link_identity).collect())
    }

    /// From the code and what identifies each wait. They are sorted, because which thread comes last is
    /// chance.
    pub(crate) fn of_waits(code: Code, mut parts: Vec<String>) -> Self {
        parts.sort_unstable();
        let mut hash = Fnv::new();
        hash.write(code.as_str());
        parts.iter().for_each(|part| hash.write(part));
        Self(hash.0)
    }
}

impl Fingerprint {
    /// From the code, and from what is declared and where.
    pub(crate) fn of_breach(breach: &Breach) -> Self {
        let mut hash = Fnv::new();
        hash.write(breach.broken.code().as_str());
        for declared in &breach.declared {
            [declared.item, declared.attribute, declared.text]
                .iter()
                .for_each(|text| hash.write(text));
            if !declared.in_force {
                // The text may be a part of what it says, such as the name of a neighbour.
                declared.parts.iter().flatten().for_each(|part| hash.write(part));
            }
        }
        let site = breach.wait.as_ref().map(|wait| wait.site);
        hash.write(site.map_or("", Site::file));
        Self(hash.0)
    }
}

impl Fingerprint {
    /// From the code, the mutexes and the files of the waits.
    pub(crate) fn of_pairing(pairing: &Pairing) -> Self {
        let mut parts = pairing.waits.each_ref().map(|(_, wait)| wait_identity(wait));
        parts.sort_unstable();
        let mut hash = Fnv::new();
        hash.write(Code::TwoMutexes.as_str());
        parts.iter().for_each(|part| hash.write(part));
        Self(hash.0)
    }
}

fn link_identity(link: &Link) -> String {
    wait_identity(&link.wait)
}

fn wait_identity(wait: &Wait) -> String {
    let target = match &wait.target {
        Target::Lock(lock, mode) => lock_identity(
            lock.name,
            [&lock.kind.to_string(), lock.type_name, lock.created.file()],
            *mode,
        ),
        Target::Thread(_) => "thread".to_owned(),
        Target::Scope => "scope".to_owned(),
        Target::Unpark => "unpark".to_owned(),
        Target::Time => "time".to_owned(),
    };
    format!("{} {} {target}", wait.op, wait.site.file())
}

/// A lock in a mode: by its name, or else by kind, type and the file that creates it.
pub(crate) fn lock_identity(name: Option<&str>, created: [&str; 3], mode: Mode) -> String {
    match name {
        Some(name) => format!("{name} {mode:?}"),
        None => format!("{} {mode:?}", created.join(" ")),
    }
}

/// FNV-1a, 64 bits: small, and the same on every platform and in every release.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Everything that is held and waited for at one moment: what [`dump`](crate::dump) prints.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dump {
    /// Every thread that has touched a traced lock and has not ended, oldest first.
    pub agents: Vec<AgentState>,
    /// What the tracker could not record, and why; only what is not zero.
    pub limits: Vec<(&'static str, u64)>,
    /// How the schedule is perturbed, if it is.
    pub perturbed: Option<Perturbed>,
}

/// How far the schedule was [perturbed](crate::Perturb).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Perturbed {
    /// The seed.
    pub seed: u64,
    /// How often a thread came by a place where it might have been held up. Waits of condition variables
    /// and calls of initialisers are left out: how many of them there are depends on the schedule.
    pub decisions: u64,
    /// A number for all that was decided there: the same if every thread does the same again with the
    /// same seed.
    pub digest: u64,
}

/// One thread in a [`Dump`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentState {
    /// The thread.
    pub agent: Participant,
    /// Whether it has ended without releasing what it holds.
    pub ended: bool,
    /// What it holds, oldest first.
    pub holds: Vec<Hold>,
    /// What it waits for, and who keeps it waiting.
    pub wait: Option<(Wait, Vec<Participant>)>,
    /// Who gave last what it waits for, where anybody may give that: a signal, a message, a permit.
    pub given: Option<Signal>,
}

/// Waits that last long, keep others from what they want, and would have to be ended by one another as far as
/// is known: they need not be stuck.
#[cfg_attr(loom, expect(dead_code, reason = "the model does not look for them"))]
#[derive(Clone, Debug)]
pub(crate) struct Stalled {
    /// Each waits for the next one; the last one for the first, or for what nobody is known to give.
    pub(crate) core: Vec<AgentState>,
    pub(crate) is_circle: bool,
    /// Who waits for those, one way or another.
    pub(crate) behind: Vec<Participant>,
    /// How long they have waited at least.
    pub(crate) threshold: Duration,
}
