//! `std::sync` with traced locks.
//!
//! Every name of `std::sync` is here. What can be waited for is a traced type of the same shape; all
//! else is `std`'s own: [`Arc`], [`Weak`], [`atomic`], the errors and results.

/// Gives a front what [`named!`](crate::named), [`untracked!`](crate::untracked) and
/// [`on_violation!`](crate::on_violation) call; the last argument is the way to its header.
macro_rules! configurable {
    ([$($generics:ident),*] $front:ty, $($header:ident).+) => {
        #[doc(hidden)]
        impl<$($generics),*> $front {
            pub const fn __named(self, label: &'static $crate::__private::Label) -> Self {
                let mut front = self;
                front.$($header).+.set_name(label);
                front
            }

            pub const fn __untracked(self) -> Self {
                let mut front = self;
                front.$($header).+.make_untracked();
                front
            }

            pub const fn __on_violation(self, reaction: $crate::OnViolation) -> Self {
                let mut front = self;
                front.$($header).+.set_reaction(reaction);
                front
            }
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

pub use barrier::Barrier;
pub use condvar::Condvar;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
#[expect(deprecated, reason = "std still exports it, so a drop-in has to")]
pub use once::ONCE_INIT;
pub use once::Once;
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use std::sync::{
    Arc, BarrierWaitResult, LockResult, OnceState, PoisonError, TryLockError, TryLockResult,
    WaitTimeoutResult, Weak, atomic,
};
