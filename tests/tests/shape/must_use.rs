//! What may be ignored and what may not: a warning that `std` does not give would break a build that
//! denies warnings.

#![deny(unfulfilled_lint_expectations)]

use super::sync::mpsc::{Receiver, channel, sync_channel};
use super::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};
use super::thread;

/// Statements whose value must be used; each has the lint's attention, or the expectation fails.
macro_rules! must_be_used {
    ($($value:expr;)*) => {$(
        #[expect(unused_must_use, reason = "that is what is tested")]
        $value;
    )*};
}

#[test]
fn values_that_must_be_used() {
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    let handle = thread::spawn(|| ());
    must_be_used! {
        Condvar::new();
        Barrier::new(1);
        Once::new();
        OnceLock::<u8>::new();
        channel::<u8>();
        sync_channel::<u8>(1);
        thread::Builder::new();
        thread::current();
        thread::panicking();
        handle.thread();
        mutex.lock().unwrap();
        rwlock.read().unwrap();
        rwlock.write().unwrap();
    }
}

#[test]
#[deny(unused_must_use)]
fn values_that_may_be_ignored() {
    let (barrier, once, mut lock) = (Barrier::new(1), Once::new(), OnceLock::new());
    let mut lazy = LazyLock::new(|| 1);
    let (_, receive) = channel::<u8>();
    barrier.wait();
    once.is_completed();
    lock.get_or_init(|| 1);
    lock.get();
    lock.wait();
    lock.take();
    OnceLock::from(1).into_inner();
    LazyLock::force(&lazy);
    LazyLock::force_mut(&mut lazy);
    LazyLock::get(&lazy);
    LazyLock::get_mut(&mut lazy);
    let ignored: fn(&Receiver<u8>) = |receive| {
        receive.iter();
        receive.try_iter();
    };
    ignored(&receive);
    thread::spawn(|| ());
    Mutex::new(1);
    RwLock::new(1);
    LazyLock::new(|| 1);
}
