//! `std::sync`, and [`Semaphore`], where tracing is compiled out.
//!
//! Every name of `std::sync` is here and is `std`'s own.

mod semaphore;

pub use semaphore::{
    AcquireError, AcquireTimeoutError, OwnedSemaphorePermit, Semaphore, SemaphorePermit,
    TryAcquireError,
};
pub use std::sync::*;
