//! Where nothing may block.

use super::broken;
use std::time::Duration;
use sync_trace::finding::Broken;
use sync_trace::sync::{Barrier, Condvar, Mutex, mpsc};
use sync_trace::{lock_class, may_block, named, no_block, thread};

#[no_block]
fn quick(f: impl FnOnce()) {
    f();
}

#[may_block]
fn slow() {}

lock_class!(SPIN, "waits.spin", spin);

#[test]
fn a_lock_that_is_free_does_not_block() {
    let lock = Mutex::new(0);
    assert_eq!(broken(|| quick(|| drop(lock.lock()))), []);
    assert_eq!(broken(|| quick(|| drop(lock.try_lock()))), []);
}

#[test]
fn a_lock_that_is_held_does() {
    let lock = Mutex::new(0);
    let (is_held, may_release) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = lock.lock().unwrap();
            is_held.wait();
            may_release.wait();
        });
        is_held.wait();
        let found = broken(|| quick(|| drop(lock.lock())));
        may_release.wait();
        assert_eq!(found, [Broken::Blocks]);
    });
    assert_eq!(broken(|| quick(|| drop(lock.lock()))), []);
}

#[test]
fn messages_signals_and_ends_are_waited_for() {
    let (sender, receiver) = mpsc::channel();
    assert_eq!(broken(|| quick(|| assert!(receiver.recv().is_ok()))), [Broken::Blocks]);
    sender.send(1).unwrap();
    assert_eq!(broken(|| quick(|| assert_eq!(receiver.recv(), Ok(1)))), []);
    assert_eq!(broken(|| quick(|| assert!(receiver.try_recv().is_err()))), []);

    let (lock, signal) = (Mutex::new(()), Condvar::new());
    let waits = || {
        let guard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(signal.wait_timeout(guard, Duration::from_millis(1)));
    };
    assert_eq!(broken(|| quick(waits)), [Broken::Blocks]);
    assert_eq!(broken(waits), []);
    assert_eq!(broken(|| quick(|| thread::sleep(Duration::ZERO))), [Broken::Blocks]);
}

#[test]
fn what_may_block_is_not_called_there() {
    assert_eq!(broken(slow), []);
    assert_eq!(broken(|| quick(slow)), [Broken::MayBlock]);
    let spin = named!(class(SPIN), Mutex::new(0));
    let held = || {
        let _spin = spin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        slow();
    };
    assert_eq!(broken(held), [Broken::MayBlock]);
}

#[test]
fn nobody_blocks_while_a_spinning_lock_is_held() {
    let spin = named!(class(SPIN), Mutex::new(0));
    let (_sender, receiver) = mpsc::channel::<()>();
    let held = || {
        let _spin = spin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(receiver.recv_timeout(Duration::from_millis(1)).is_err());
    };
    assert_eq!(broken(held), [Broken::Blocks]);
    assert_eq!(broken(|| assert!(receiver.recv_timeout(Duration::from_millis(1)).is_err())), []);
}
