//! Drop-in `std::sync` and `std::thread` that turn a deadlock into a failing test with a report.
//!
//! # Adopting it
//!
//! Change one import and run the tests as always:
//!
//! ```
//! use sync_trace::sync::{Arc, Mutex}; // was: use std::sync::{Arc, Mutex};
//! use sync_trace::thread; //             was: use std::thread;
//!
//! let counter = Arc::new(Mutex::new(0));
//! let clone = Arc::clone(&counter);
//! thread::spawn(move || *clone.lock().unwrap() += 1).join().unwrap();
//! assert_eq!(*counter.lock().unwrap(), 1);
//! ```
//!
//! When a thread is about to wait for ever, its `lock`, `read`, `write` or `join` panics instead,
//! with a report that names every thread and lock of the cycle, what each thread holds and wants,
//! and all source lines. The panic releases what the thread holds, so the others go on, and the
//! test fails.
//!
//! # What it sees
//!
//! A deadlock is found by the thread that would close it, before it blocks. Only what cannot be seen
//! at once (a queue inside `std`, a holder that has ended) is looked at again for some milliseconds.
//! Seen are [`sync::Mutex`], [`sync::RwLock`] (also a reader that queues behind a writer), the mutex
//! of a [`sync::Condvar`] wait, the initialisers of [`sync::Once`], [`sync::OnceLock`] and
//! [`sync::LazyLock`], joins, and the end of [`thread::scope`], in cycles of any length and mixture.
//! Such a finding is made only when it is certain: there are no false alarms.
//!
//! A deadlock that did not happen is found too, if what was seen could become one on another day: see
//! [`Level::Predicted`](finding::Level::Predicted). Orders of locks that contradict each other without
//! that are [`notes`], or findings with [`Policy::Order`]. Order that passes through atomics is stated
//! with [`mod@order`], and so is what it means to hold several locks of one kind; what is accepted is said with [`allow`] or in a file.
//!
//! What nobody owns may come from anybody: a signal of a [`sync::Condvar`], a message, a permit of a
//! [`sync::Semaphore`], the others at a [`sync::Barrier`], an unpark. Who waits for that is stuck if the whole
//! process is: if the operating system (Linux) says that every thread of it sleeps until another one wakes it.
//!
//! What it cannot see: locks that are not traced; a thread that waits for a signal that nobody will
//! send while another thread of the process goes on ([`dump`] shows it); the locks of the process's memory allocator (their acquisitions are
//! counted, see [`snapshot`]). A guard that unsafe code has sent to another thread counts as its old
//! owner's until it is dropped.
//!
//! # What it costs
//!
//! Tracing is on where `debug_assertions` are, or with the feature `always`; see [`ENABLED`].
//! Elsewhere the names in [`sync`] and [`thread`] *are* `std`'s ([`sync::Semaphore`], which `std` has not, is there
//! untraced). Where it is on, an uncontended lock costs
//! some nanoseconds more, and a contended one what it cost before. `SYNC_TRACE=off` in the
//! environment turns it off for one run.
//!
//! # Reading the source
//!
//! In this order: `sync` and `thread` (the fronts), `hooks` (all they may call), `current`, `agent`,
//! `held`, `permits`, `registry` (who holds what), `waits` and `tracker` (who waits for whom), `foresight` and
//! `lock_order` (what could happen), `order` and `meaning` (what the program says of that), `declared` (what
//! its attributes say), `evidence` and `finding` (facts), `report` (their text), `allow` (which of them are
//! accepted), `perturb` (who is held up at random), `stall` (whether everything waits), `json` and `run` (what other
//! programs are told), `reaction`, `config`, `fork` and `os` (the edge).

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(loom, allow(unreachable_pub, reason = "the model needs no public API"))]
#![cfg_attr(
    not(any(debug_assertions, feature = "always")),
    expect(dead_code, reason = "without the traced fronts nothing feeds the tracker")
)]

mod agent;
mod allow;
mod atomics;
mod config;
pub mod contention;
mod declared;
mod evidence;
pub mod finding;
mod foresight;
mod held;
mod json;
mod lock_order;
mod macros;
mod meaning;
mod numbers;
mod op;
pub mod order;
mod os;
mod own;
mod permits;
mod perturb;
mod registry;
mod report;
mod semaphore;
mod site;
mod spare;
mod stretch;
mod tracker;
mod waits;

#[cfg(not(loom))]
mod api;
#[cfg(not(loom))]
mod configure;
#[cfg(not(loom))]
mod current;
#[cfg(not(loom))]
mod fork;
#[cfg(not(loom))]
mod hooks;
#[cfg(not(loom))]
mod interop;
#[cfg(not(loom))]
mod reaction;
#[cfg(not(loom))]
mod run;
#[cfg(not(loom))]
mod stall;
#[cfg(not(loom))]
mod testing;

#[cfg(all(test, loom))]
mod model;

#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
pub mod sync;
#[cfg(all(not(any(debug_assertions, feature = "always")), not(loom)))]
#[path = "sync/off.rs"]
pub mod sync;
#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
pub mod thread;
#[cfg(not(any(debug_assertions, feature = "always")))]
pub use std::thread;

/// Whether tracing is compiled in: with `debug_assertions`, or with the feature `always`.
pub const ENABLED: bool = cfg!(any(debug_assertions, feature = "always"));

pub use allow::Allow;
pub use config::{
    Backtrace, Config, Contention, DumpOn, EXIT_STATUS, Notes, OnStuck, OnViolation, Perturb,
    Poison, Policy, PrintContention, Stall,
};
#[cfg(not(loom))]
pub use declared::{Key, LockClass, LockFields, Locks, TracedLock};
pub use finding::{Dump, Finding};
#[cfg(not(loom))]
pub use interop::{AsStd, IntoStd};
pub use sync_trace_macros::{
    LockFields, lock_acquires, lock_budget, lock_class, lock_excludes, lock_exempt, lock_hierarchy,
    lock_only, lock_order, lock_releases, lock_requires, lock_scope, locks, may_block, no_block,
    test,
};

#[cfg(not(loom))]
pub use api::{
    Contradictions, ObservedOrder, allow, contention, dump, findings, is_on, notes, observed_order,
    reset, reset_contention, set_handler, snapshot, take_findings, take_findings_where,
    verify_declarations,
};
#[cfg(all(feature = "metrics", not(loom)))]
pub use contention::record_metrics;
#[cfg(not(loom))]
pub use current::{Mute, mute};
#[cfg(not(loom))]
pub use testing::{Caught, catch_findings};

/// `std`'s macro of this name: so that the path prefix `std::thread` can be replaced by text.
pub use std::thread_local;

#[doc(hidden)]
#[cfg(not(loom))]
pub mod __private {
    /// What `cargo sync-trace` asks about the findings of other processes.
    pub mod told {
        pub use crate::allow::{
            Acceptance, Rules, Told, ToldLock, ToldMode as Mode, ToldWait as Wait, fingerprint,
        };
    }
    pub use crate::configure::{in_class, named, on_violation, untracked};
    /// What the attributes expand to.
    pub mod declared {
        pub use crate::declared::{
            Assertion, CLASSES, Clause, DECLARATIONS, Declaration, Element, HeldMode, Key,
            LockClass, LockFields, Members, NamesFields, NamesNothing, Options, Prepared, Receiver,
            Rule, Scope, Scoped, Span, TracedLock, What, assert_held, assert_no_locks_held,
            assert_not_held, check_class, check_key, check_lock, check_ranks, enter, label,
            name_field, prepare,
        };
    }
    pub use crate::site::Label;
    pub use crate::testing::{Settings, run_async_test, run_test, run_test_with};
    pub use linkme;
}

// The examples of the README and the guide are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
struct Guide;
