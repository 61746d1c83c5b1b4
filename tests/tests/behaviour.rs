//! The traced types behave as `std`'s do.
//!
//! What is asked of both stands in `behaviour/` and is compiled twice, once against `std` and once
//! against `sync_trace`: an expectation that `std` does not meet is a mistake of the test. What only
//! the traced types can do, such as showing what is held, is in `tracked`; `std` has no `semaphore`.

#![expect(clippy::duplicate_mod, reason = "std and sync-trace have to meet the same expectations")]

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

#[path = "behaviour"]
mod with_std {
    use std::{sync, thread};

    mod barrier;
    mod blocked;
    mod condvar;
    mod guards;
    mod lazy_lock;
    mod locks;
    mod mpsc;
    mod odd_places;
    mod once;
    mod once_lock;
    mod parking;
    mod poison;
    mod scope;
    mod threads;
}

#[path = "behaviour"]
mod traced {
    use sync_trace::{sync, thread};

    mod barrier;
    mod blocked;
    mod condvar;
    mod guards;
    mod lazy_lock;
    mod locks;
    mod mpsc;
    mod odd_places;
    mod once;
    mod once_lock;
    mod parking;
    mod poison;
    mod scope;
    mod semaphore;
    mod threads;
    #[cfg(any(debug_assertions, feature = "always"))]
    mod tracked;
}

/// No correct run takes nearly as long.
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs `body` in a thread of its own, named after the caller's line, and fails if it does not end
/// or if sync-trace finds anything wrong with it.
#[track_caller]
fn in_time(body: impl FnOnce() + Send + 'static) {
    let caller = Location::caller();
    let name = format!("{}:{}", caller.file(), caller.line());
    let (done, ended) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
        // Dropped when the body ends, however it does; that wakes the receiver.
        let _done = done;
        body();
    });
    if ended.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
        panic!("the test at {name} hangs");
    }
    if let Err(payload) = thread.expect("a thread can be started").join() {
        resume_unwind(payload);
    }
    let findings = sync_trace::findings();
    let false_alarm = findings.iter().find(|finding| finding.roots.contains(&name));
    assert!(false_alarm.is_none(), "{}", false_alarm.unwrap());
}

/// The message of the panic in which `body` ends.
#[track_caller]
fn panic_of<R>(body: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(_) => panic!("this should have panicked"),
        Err(payload) => message(&*payload),
    }
}

/// The text of a panic's payload.
fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("the payload is a text")
}

/// Counts how often its clones are dropped.
#[derive(Clone, Debug, Default)]
struct CountsDrops(Arc<AtomicUsize>);

impl CountsDrops {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for CountsDrops {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Makes its owner's value `Send`: for guards, which must not leave their thread in safe code.
struct Smuggled<T>(T);

// SAFETY: not in general. The tests use it for guards of `std`'s futex-based locks, which any thread
// may release, and for nothing else.
unsafe impl<T> Send for Smuggled<T> {}

impl<T> Smuggled<T> {
    /// The value; a method, because a closure would capture the field alone and not be `Send`.
    fn unpack(self) -> T {
        self.0
    }
}
