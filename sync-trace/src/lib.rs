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
//! What it cannot see: locks that are not traced; a thread that waits for a signal that nobody will
//! send (waits for a [`sync::Condvar`], a channel, a [`sync::Barrier`] or an unpark are shown by
//! [`dump`] and not judged); the locks of the process's memory allocator (their acquisitions are
//! counted, see [`snapshot`]). A guard that unsafe code has sent to another thread counts as its old
//! owner's until it is dropped.
//!
//! # What it costs
//!
//! Tracing is on where `debug_assertions` are, or with the feature `always`; see [`ENABLED`].
//! Elsewhere [`sync`] and [`thread`] *are* `std`'s modules. Where it is on, an uncontended lock costs
//! some nanoseconds more, and a contended one what it cost before. `SYNC_TRACE=off` in the
//! environment turns it off for one run.
//!
//! # Reading the source
//!
//! In this order: `sync` and `thread` (the fronts), `hooks` (all they may call), `current`, `agent`,
//! `held`, `registry` (who holds what), `meaning` (what is meant by that), `waits` and `tracker` (who waits for whom), `forecast` (what
//! could happen), with `chains` (what is known), `chronicle`, `passage` and `news` (what comes before
//! what), `lock_order` and `orders`, `evidence` and `finding` (facts), `report` (their text), `allow` (which of them are accepted), `reaction`, `config`
//! and `os` (the edge).

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(debug_assertions, feature = "always")),
    expect(dead_code, reason = "without the traced fronts nothing feeds the tracker")
)]

mod agent;
mod allow;
mod atomics;
mod config;
mod declared;
mod evidence;
pub mod finding;
mod foresight;
mod held;
mod lock_order;
mod meaning;
mod op;
pub mod order;
mod os;
mod registry;
mod report;
mod site;
mod tracker;
mod waits;

#[cfg(not(loom))]
mod api;
#[cfg(not(loom))]
mod configure;
#[cfg(not(loom))]
mod current;
#[cfg(not(loom))]
mod hooks;
#[cfg(not(loom))]
mod interop;
#[cfg(not(loom))]
mod reaction;
#[cfg(not(loom))]
mod testing;

#[cfg(all(test, loom))]
mod model;

#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
pub mod sync;
#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
pub mod thread;
#[cfg(not(any(debug_assertions, feature = "always")))]
pub use std::{sync, thread};

/// Whether tracing is compiled in: with `debug_assertions`, or with the feature `always`.
pub const ENABLED: bool = cfg!(any(debug_assertions, feature = "always"));

pub use allow::Allow;
pub use config::{
    Backtrace, Config, DumpOn, EXIT_STATUS, Notes, OnStuck, OnViolation, Poison, Policy,
};
pub use declared::{Key, LockClass, LockFields, Locks, TracedLock};
pub use finding::{Dump, Finding};
#[cfg(not(loom))]
pub use interop::{AsStd, IntoStd};
pub use sync_trace_macros::test;

#[cfg(not(loom))]
pub use api::{
    Contradictions, ObservedOrder, allow, dump, findings, is_on, notes, observed_order, reset,
    set_handler, snapshot, take_findings, take_findings_where, verify_declarations,
};
#[cfg(not(loom))]
pub use current::{Mute, mute};
#[cfg(not(loom))]
pub use testing::{Caught, catch_findings};

/// `std`'s macro of this name: so that the path prefix `std::thread` can be replaced by text.
pub use std::thread_local;

#[doc(hidden)]
#[cfg(not(loom))]
pub mod __private {
    pub use crate::configure::{in_class, named, on_violation, untracked};
    /// What the attributes expand to.
    pub mod declared {
        pub use crate::declared::{
            Assertion, CLASSES, Clause, DECLARATIONS, Declaration, Element, HeldMode, Key,
            LockClass, LockFields, Members, Options, Prepared, Rule, Scope, Scoped, Span,
            TracedLock, What, assert_held, assert_no_locks_held, assert_not_held, check_class,
            check_key, check_lock, check_ranks, enter, name_field, prepare,
        };
    }
    pub use crate::site::Label;
    pub use crate::testing::{Settings, run_async_test, run_test, run_test_with};
    pub use linkme;
}

#[cfg(any(debug_assertions, feature = "always"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_enabled {
    (on { $($on:tt)* } off { $($off:tt)* }) => { $($on)* };
}

#[cfg(not(any(debug_assertions, feature = "always")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_enabled {
    (on { $($on:tt)* } off { $($off:tt)* }) => { $($off)* };
}

/// Names a lock: `named!("accounts", Mutex::new(0))`.
///
/// Reports, [`dump`] and everything else that speaks of the lock call it by that name. Without one it
/// is called after the field, static or variable that it is created for, or after its type.
///
/// It takes every traced primitive of [`sync`], and the pair of endpoints that a channel function
/// gives. The name has to be a constant; several locks may share one, and are then told apart by
/// number. Works in statics and costs nothing; where tracing is compiled out, it is the expression
/// itself. In place of a name there may be a class that [`lock_class!`] made: `named!(class(ACCOUNTS), ..)`.
///
/// # Example
///
/// ```
/// use sync_trace::named;
/// use sync_trace::sync::{Mutex, mpsc};
///
/// static ACCOUNTS: Mutex<Vec<i64>> = named!("accounts", Mutex::new(Vec::new()));
///
/// let (sender, receiver) = named!("transfers", mpsc::channel());
/// sender.send(5).unwrap();
/// ACCOUNTS.lock().unwrap().push(receiver.recv().unwrap());
/// ```
#[macro_export]
macro_rules! named {
    (class($class:path), $lock:expr $(,)?) => {
        $crate::__private::in_class(const { &$crate::__private::Label::of_class(&$class) }, $lock)
    };
    ($name:expr, $lock:expr $(,)?) => {
        $crate::__private::named(const { &$crate::__private::Label::new($name) }, $lock)
    };
}

/// Makes a lock that is never recorded: `untracked!(Mutex::new(0))`.
///
/// It can take part in no finding, and its fast path costs a little less of what tracing adds. Works
/// in statics; where tracing is compiled out, it is the expression itself.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// static SCRATCH: Mutex<Vec<u8>> = sync_trace::untracked!(Mutex::new(Vec::new()));
/// SCRATCH.lock().unwrap().push(1);
/// ```
#[macro_export]
macro_rules! untracked {
    ($lock:expr $(,)?) => {
        $crate::__private::untracked($lock)
    };
}

/// Gives one lock a reaction of its own: `on_violation!(OnViolation::Log, Mutex::new(0))`.
///
/// It holds for a wait for this very lock that would close a deadlock, and goes before
/// [`Config::on_violation`]. Works in statics; where tracing is compiled out, it is the expression
/// itself.
///
/// # Example
///
/// ```
/// use sync_trace::{OnViolation, on_violation, sync::RwLock};
///
/// static LEGACY: RwLock<u32> = on_violation!(OnViolation::Log, RwLock::new(0));
/// assert_eq!(*LEGACY.read().unwrap(), 0);
/// ```
#[macro_export]
macro_rules! on_violation {
    ($reaction:expr, $lock:expr $(,)?) => {
        $crate::__private::on_violation($reaction, $lock)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __assertion {
    ($attribute:literal $($text:tt)*) => {
        &$crate::__private::declared::Assertion {
            module: ::core::module_path!(),
            attribute: $attribute,
            text: ::core::stringify!($($text)*),
        }
    };
}

/// Asserts that the calling thread holds a lock: `assert_held!(self.accounts)`.
///
/// A collection of locks has to be held whole. `assert_held!(write(map))` asks for the mode: `read` is
/// satisfied by any, `write` by a lock that is held alone. Where tracing is compiled out, only the types
/// are checked.
///
/// # Panics
///
/// With a report (`ST0201`), if it is not held.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// let accounts = Mutex::new(0);
/// let _guard = accounts.lock().unwrap();
/// sync_trace::assert_held!(accounts);
/// ```
#[macro_export]
macro_rules! assert_held {
    (read($lock:expr) $(,)?) => {
        $crate::assert_held!(@ $lock, Read, read($lock))
    };
    (write($lock:expr) $(,)?) => {
        $crate::assert_held!(@ $lock, Write, write($lock))
    };
    (upgradable($lock:expr) $(,)?) => {
        $crate::assert_held!(@ $lock, Upgradable, upgradable($lock))
    };
    (@ $lock:expr, $mode:ident, $($text:tt)*) => {
        $crate::__private::declared::assert_held(
            $crate::__assertion!("assert_held" $($text)*),
            &$lock,
            ::core::option::Option::Some($crate::__private::declared::HeldMode::$mode),
        )
    };
    ($lock:expr $(,)?) => {
        $crate::__private::declared::assert_held(
            $crate::__assertion!("assert_held" $lock),
            &$lock,
            ::core::option::Option::None,
        )
    };
}

/// Asserts that the calling thread does not hold a lock: `assert_not_held!(self.accounts)`.
///
/// Of a collection of locks none may be held. Where tracing is compiled out, only the types are checked.
///
/// # Panics
///
/// With a report (`ST0202`), if it is held.
///
/// # Example
///
/// ```
/// let accounts = sync_trace::sync::Mutex::new(0);
/// sync_trace::assert_not_held!(accounts);
/// ```
#[macro_export]
macro_rules! assert_not_held {
    ($lock:expr $(,)?) => {
        $crate::__private::declared::assert_not_held(
            $crate::__assertion!("assert_not_held" $lock),
            &$lock,
        )
    };
}

/// Asserts that the calling thread holds no lock at all: as before a call of which nothing is known.
///
/// Where tracing is compiled out, it is nothing.
///
/// # Panics
///
/// With a report (`ST0202`), if it holds one.
///
/// # Example
///
/// ```
/// fn call_back(f: impl FnOnce()) {
///     sync_trace::assert_no_locks_held!();
///     f();
/// }
/// # call_back(|| ());
/// ```
#[macro_export]
macro_rules! assert_no_locks_held {
    () => {
        $crate::__private::declared::assert_no_locks_held(
            $crate::__assertion!("assert_no_locks_held" any lock),
        )
    };
}

// The examples of the README and the guide are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
struct Guide;
