//! `std::sync` with traced locks.
//!
//! Every name of `std::sync` is here. What can be waited for is a traced type of the same shape; all
//! else is `std`'s own: [`Arc`], [`Weak`], [`atomic`], the errors and results. One type more than in `std` is
//! here, the [`Semaphore`].

/// Says where the header of a front lies: what [`named!`](crate::named),
/// [`untracked!`](crate::untracked) and [`on_violation!`](crate::on_violation) need.
macro_rules! configurable {
    ([$($generics:ident),*] $front:ty, $($header:ident).+) => {
        // SAFETY: the field is a `LockHeader`; the compiler checks it below.
        unsafe impl<$($generics),*> $crate::configure::Traced for $front {
            const HEADERS: &'static [usize] = {
                fn _is_header<$($generics),*>(front: &$front) -> &$crate::registry::LockHeader {
                    &front.$($header).+
                }
                &[std::mem::offset_of!(Self, $($header).+)]
            };
        }
    };
}

mod barrier;
mod condvar;
mod initialising;
mod lazy_lock;
pub mod mpsc;
mod mutex;
mod once;
mod once_lock;
mod rwlock;
mod semaphore;

pub use barrier::Barrier;
pub use condvar::Condvar;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
#[expect(deprecated, reason = "std still exports it, so a drop-in has to")]
pub use once::ONCE_INIT;
pub use once::Once;
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{
    AcquireError, AcquireTimeoutError, OwnedSemaphorePermit, Semaphore, SemaphorePermit,
    TryAcquireError,
};

pub use std::sync::{
    Arc, BarrierWaitResult, LockResult, OnceState, PoisonError, TryLockError, TryLockResult,
    WaitTimeoutResult, Weak, atomic,
};
