//! Whether threads could read together, and whether they do.

use sync_trace::sync::{Mutex, MutexGuard, RwLock};
use sync_trace::{named, thread};

use crate::scene::{
    MS, assert_advised, assert_not_advised, counted, hand_around, one_waits_behind, pass,
    until_waiting, work,
};

/// Three threads hand a lock around, and look at what it protects for a millisecond each time.
fn look(name: &'static str, lock: &Mutex<u64>, section: impl Fn(&mut MutexGuard<'_, u64>) + Sync) {
    hand_around(name, lock, 3, 30, |held| {
        pass(MS);
        section(held);
    });
}

#[test]
fn a_mutex_that_is_only_looked_at_could_be_read_together() {
    let before = sync_trace::contention();
    let lock = named!("looked at", Mutex::new(7));
    look("looked at", &lock, |held| assert_eq!(**held, 7));
    assert_advised("looked at", &before, "MostlyReads");
}

#[test]
fn a_mutex_that_is_written_now_and_then_could_not() {
    let before = sync_trace::contention();
    let lock = named!("written", Mutex::new(7));
    let each_fourth = std::sync::atomic::AtomicU64::new(0);
    look("written", &lock, |held| {
        if each_fourth.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(4) {
            **held += 1;
        }
    });
    assert!(counted("written", &before).samples() >= 20);
    assert_not_advised("written", &before, "MostlyReads");
}

#[test]
fn a_write_lock_under_which_nothing_is_written_could_be_a_read_lock() {
    let before = sync_trace::contention();
    let lock = named!("write to read", RwLock::new(7));
    for _ in 0..25 {
        let looks = lock.write().unwrap();
        let wait = || {
            let looks = lock.write().unwrap();
            assert_eq!(*looks, 7);
            work(MS);
        };
        one_waits_behind("write to read", looks, wait, || pass(4 * MS));
    }
    assert_advised("write to read", &before, "MostlyReads");
}

#[test]
fn a_read_write_lock_that_is_mostly_written_gains_nothing() {
    let before = sync_trace::contention();
    let lock = named!("mostly written", RwLock::new(0));
    for _ in 0..60 {
        let mut writes = lock.write().unwrap();
        *writes += 1;
        let write = || *lock.write().unwrap() += 1;
        one_waits_behind("mostly written", writes, write, || pass(2 * MS));
        assert!(*lock.read().unwrap() > 0);
    }
    assert_advised("mostly written", &before, "SeldomShared");
}

#[test]
fn a_read_write_lock_whose_readers_meet_gains_much() {
    let before = sync_trace::contention();
    let lock = named!("mostly read", RwLock::new(0));
    let together = std::sync::Barrier::new(3);
    let read = || {
        let reads = lock.read().unwrap();
        together.wait();
        until_waiting("mostly read", 1);
        pass(4 * MS);
        drop(reads);
    };
    for _ in 0..40 {
        thread::scope(|scope| {
            (0..2).for_each(|_| _ = scope.spawn(read));
            together.wait();
            *lock.write().unwrap() += 1;
        });
    }
    let stats = counted("mostly read", &before);
    assert!(stats.acquisitions >= 100 && stats.waits.total() >= 100 * MS);
    assert_not_advised("mostly read", &before, "SeldomShared");
}
