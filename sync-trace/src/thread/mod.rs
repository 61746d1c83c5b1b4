//! `std::thread` with traced threads.
//!
//! Every name of `std::thread` is here. [`spawn`], [`Builder`], [`scope`] and their handles are
//! traced: the tracker knows who started whom and sees joins as waits. Everything else is `std`'s
//! own.

mod builder;
mod scope;

pub use builder::{Builder, JoinHandle, spawn};
pub use scope::{Scope, ScopedJoinHandle, scope};

pub use std::thread::{
    AccessError, LocalKey, Result, Thread, ThreadId, available_parallelism, current, panicking,
    park, park_timeout, sleep, yield_now,
};
#[expect(deprecated, reason = "std still exports them, so a drop-in has to")]
pub use std::thread::{park_timeout_ms, sleep_ms};
