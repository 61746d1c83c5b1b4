//! `std::thread` with traced threads.
//!
//! Every name of `std::thread` is here. [`spawn`], [`Builder`], [`scope`] and their handles are
//! traced: the tracker knows who started whom and sees joins as waits. [`park`] and [`sleep`] are put
//! on record. Everything else is `std`'s own.

mod builder;
mod rest;
mod scope;

pub use builder::{Builder, JoinHandle, spawn};
pub use rest::{park, park_timeout, sleep};
#[expect(deprecated, reason = "std still exports them, so a drop-in has to")]
pub use rest::{park_timeout_ms, sleep_ms};
pub use scope::{Scope, ScopedJoinHandle, scope};

pub use std::thread::{
    AccessError, LocalKey, Result, Thread, ThreadId, available_parallelism, current, panicking,
    yield_now,
};
