//! `std::sync` with traced locks.
//!
//! Every name of `std::sync` is here. [`Mutex`], [`RwLock`] and [`Condvar`] and their guards are
//! traced types of the same shape; everything else is `std`'s own.

mod condvar;
mod mutex;
mod rwlock;

pub use condvar::Condvar;
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

#[expect(deprecated, reason = "std still exports it, so a drop-in has to")]
pub use std::sync::ONCE_INIT;
pub use std::sync::{
    Arc, Barrier, BarrierWaitResult, LazyLock, LockResult, Once, OnceLock, OnceState, PoisonError,
    TryLockError, TryLockResult, WaitTimeoutResult, Weak, atomic, mpsc,
};
