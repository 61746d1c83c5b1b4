//! The families of locks that are compared, behind one set of traits.
//!
//! Each method is a thin shell that is always inlined, so that a generic loop compiles to the same
//! code as one that was written for the lock itself. It hands on who called it: some families keep
//! accounts for each line of source.
//!
//! `each_family!` of [`peers`] does the same for all of them, in the order in which tables show them.

use std::ops::{Deref, DerefMut};

#[macro_use]
mod shells;

mod plain;
mod traced;

#[cfg(feature = "table")]
pub mod peers;

pub use plain::Std;
pub use traced::Traced;

/// A mutex and a read-write lock that belong together.
pub trait Family: 'static {
    /// What it is called.
    const NAME: &'static str;
    /// What it is called where there is little room.
    const SHORT: &'static str = Self::NAME;
    /// In how many rounds it takes part.
    const SHARE: Share = Share::AllRounds;
    /// Its mutex.
    type Mutex: Mutex;
    /// Its read-write lock.
    type RwLock: RwLock;

    /// Whatever has to be done once in a process before its locks check anything. To be called
    /// before the locks are made; may be called again.
    fn start() {}

    /// Whether it can do work that asks for this, in a time that one would wait for.
    fn bears(_: Demand) -> bool {
        true
    }
}

/// A family with a condition variable, one that can be relied on.
pub trait Waits: Family {
    /// Its condition variable.
    type Condvar: Condvar<Self::Mutex>;
}

/// In how many rounds a family takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// In all.
    AllRounds,
    /// In one of ten: it takes so much longer than `std` that nobody looks for percents, or has
    /// work to do in the background afterwards that would disturb others.
    OneInTen,
}

/// What work asks of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A few locks at a time, and some thousands in the life of a process.
    FewLocks,
    /// A few locks, for which threads have to wait most of the time.
    Contention,
    /// Some hundred thousand locks, at a time or one after another.
    ManyLocks,
    /// So many at a time, each of them taken more than once.
    ManyLocksOften,
}

/// A mutex around a number.
pub trait Mutex: Send + Sync + 'static {
    /// Its guard.
    type Guard<'a>: DerefMut<Target = u64>;
    /// Makes one.
    #[track_caller]
    fn new(value: u64) -> Self;
    /// Takes it.
    #[track_caller]
    fn lock(&self) -> Self::Guard<'_>;
}

/// The guard of the mutex `M`.
pub type Guard<'a, M> = <M as Mutex>::Guard<'a>;

/// A read-write lock around a number.
pub trait RwLock: Send + Sync + 'static {
    /// Its shared guard.
    type Read<'a>: Deref<Target = u64>;
    /// Its exclusive guard.
    type Write<'a>: DerefMut<Target = u64>;
    /// Makes one.
    #[track_caller]
    fn new(value: u64) -> Self;
    /// Takes it together with other readers.
    #[track_caller]
    fn read(&self) -> Self::Read<'_>;
    /// Takes it alone.
    #[track_caller]
    fn write(&self) -> Self::Write<'_>;
}

/// A condition variable for the mutex `M`.
pub trait Condvar<M: Mutex>: Send + Sync + 'static {
    /// Makes one.
    fn new() -> Self;
    /// Waits for a notification; may also wake without one.
    #[track_caller]
    fn wait<'a>(&self, guard: Guard<'a, M>) -> Guard<'a, M>;
    /// Wakes one waiter.
    fn notify_one(&self);
}
