//! Notifications that come to nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sync_trace::sync::{Condvar, Mutex};
use sync_trace::{named, thread};

use crate::scene::{MS, assert_advised, assert_not_advised, counted, until_waiting};

#[test]
fn a_notification_between_the_look_and_the_wait_is_missed() {
    let before = sync_trace::contention();
    let signal = named!("missed", Condvar::new());
    let (lock, is_ready) = (Mutex::new(()), AtomicBool::new(false));
    for _ in 0..20 {
        is_ready.store(false, Ordering::SeqCst);
        let mut held = lock.lock().unwrap();
        if !is_ready.load(Ordering::SeqCst) {
            // What is waited for is changed without the mutex.
            thread::scope(|scope| {
                scope.spawn(|| {
                    is_ready.store(true, Ordering::SeqCst);
                    signal.notify_one();
                });
            });
            held = signal.wait_timeout(held, 5 * MS).unwrap().0;
        }
        drop(held);
    }
    assert_advised("missed", &before, "SignalsInVain");
}

#[test]
fn a_queue_that_is_told_of_work_while_it_works_misses_nothing() {
    const LAST: u32 = 1_000;
    let before = sync_trace::contention();
    let signal = named!("told", Condvar::new());
    let queue = named!("told of", Mutex::new(0_u32));
    let work = || {
        let mut is_over = false;
        while !is_over {
            let (none, is_empty) = (Duration::from_secs(60), |work: &mut u32| *work == 0);
            let work = signal.wait_timeout_while(queue.lock().unwrap(), none, is_empty);
            is_over = std::mem::take(&mut *work.unwrap().0) >= LAST;
        }
    };
    let tell = |work| {
        *queue.lock().unwrap() += work;
        signal.notify_one();
    };
    thread::scope(|scope| {
        scope.spawn(work);
        for _ in 0..20 {
            // A wait for a signal is one for the mutex, too.
            until_waiting("told of", 1);
            // The second time it works already, or is about to.
            (0..2).for_each(|_| tell(1));
            while *queue.lock().unwrap() > 0 {
                std::thread::yield_now();
            }
        }
        tell(LAST);
    });
    assert!(counted("told", &before).notifies > 40);
    assert_not_advised("told", &before, "SignalsInVain");
}
