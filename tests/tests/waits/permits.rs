//! Waits for permits, while a lock is held that somebody needs before it adds some. It is only listed: whose
//! guards give permits back is not known.

use std::time::Duration;

use sync_trace::finding::Op;
use sync_trace::sync::{Arc, Mutex, Semaphore};
use sync_trace::thread;

use crate::programs::locks;
use crate::scene::{Expected, Watched, check, gate, parts};

fn take(lock: &Mutex<u32>) {
    *lock.lock().expect("not poisoned") += 1;
}

/// A thread acquires a permit by `acquire` and forgets it, under a lock, while another one adds one after what it
/// does `before`.
fn acquires_under_a_lock(
    permits: usize,
    op: Op,
    before: impl FnOnce(&Mutex<u32>, &Semaphore) + Send + 'static,
    acquire: impl FnOnce(&Semaphore),
) {
    let [held] = locks();
    let semaphore = Arc::new(Semaphore::new(permits));
    let (past, is_past) = gate();
    let root = Watched::me();
    let adding = {
        let (held, semaphore) = (held.clone(), semaphore.clone());
        thread::spawn(move || {
            before(&held, &semaphore);
            past.open();
            root.until_it_waits_in(op);
            semaphore.add_permits(1);
        })
    };
    is_past.wait();
    {
        let _held = held.lock().expect("not poisoned");
        acquire(&semaphore);
    }
    adding.join().expect("it adds a permit");
}

fn acquire(semaphore: &Semaphore) {
    semaphore.acquire().expect("it is open").forget();
}

#[test]
fn who_adds_permits_needs_what_holds_who_waits_for_one() {
    let found = check(Expected::OthersGive, || {
        acquires_under_a_lock(0, Op::Acquire, |held, _| take(held), acquire);
    });
    assert_eq!(
        parts(&found[0]),
        ["acquire Semaphore, given by add_permits", "lock std Mutex, held"]
    );
    let report = found[0].to_string();
    for part in
        ["wait under a lock: ", "needs that before it adds permits", "semaphore.add_permits(1);"]
    {
        assert!(report.contains(part), "{part}\n{report}");
    }
}

#[test]
fn several_permits_at_once_are_waited_for_like_one() {
    check(Expected::OthersGive, || {
        let acquire =
            |semaphore: &Semaphore| semaphore.acquire_many(2).expect("it is open").forget();
        acquires_under_a_lock(1, Op::AcquireMany, |held, _| take(held), acquire);
    });
}

#[test]
fn who_takes_the_permit_after_the_lock_has_let_the_lock_go() {
    check(Expected::Silent, || {
        let before = |held: &Mutex<u32>, semaphore: &Semaphore| {
            take(held);
            acquire(semaphore);
        };
        acquires_under_a_lock(1, Op::Acquire, before, acquire);
    });
}

#[test]
fn who_takes_the_permit_first_and_then_needs_the_lock_does_not_give_it_back() {
    check(Expected::OthersGive, || {
        let before = |held: &Mutex<u32>, semaphore: &Semaphore| {
            acquire(semaphore);
            take(held);
        };
        acquires_under_a_lock(1, Op::Acquire, before, acquire);
    });
}

#[test]
fn another_lock_keeps_nobody_from_it() {
    check(Expected::Silent, || {
        let [other] = locks();
        acquires_under_a_lock(0, Op::Acquire, move |_, _| take(&other), acquire);
    });
}

#[test]
fn a_wait_with_a_time_limit_ends() {
    check(Expected::Silent, || {
        let acquire = |semaphore: &Semaphore| {
            let permit = semaphore.acquire_timeout(Duration::from_secs(60));
            permit.expect("it comes in time").forget();
        };
        acquires_under_a_lock(0, Op::AcquireTimeout, |held, _| take(held), acquire);
    });
}
