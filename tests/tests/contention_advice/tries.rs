//! Tries that come to nothing.

use std::sync::Barrier;

use sync_trace::sync::Mutex;
use sync_trace::{named, thread};

use crate::scene::{assert_advised, assert_not_advised, counted};

#[test]
fn two_that_give_way_to_each_other_for_ever_make_no_progress() {
    let before = sync_trace::contention();
    let locks = [named!("gives way", Mutex::new(())), named!("gives way too", Mutex::new(()))];
    let together = Barrier::new(2);
    let give_way = |first: usize| {
        for _ in 0..100 {
            let _first = locks[first].lock().unwrap();
            together.wait();
            (0..100).for_each(|_| assert!(locks[1 - first].try_lock().is_err()));
            together.wait();
        }
    };
    thread::scope(|scope| [0, 1].map(|first| _ = scope.spawn(move || give_way(first))));
    for name in ["gives way", "gives way too"] {
        assert_advised(name, &before, "TriesInVain");
    }
}

#[test]
fn one_that_tries_some_times_until_it_gets_the_lock_does() {
    let before = sync_trace::contention();
    let lock = named!("patient", Mutex::new(()));
    let together = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                together.wait();
                (0..60).for_each(|_| assert!(lock.try_lock().is_err()));
                together.wait();
                together.wait();
                assert!(lock.try_lock().is_ok());
                together.wait();
            }
        });
        for _ in 0..200 {
            let held = lock.lock().unwrap();
            together.wait();
            together.wait();
            drop(held);
            together.wait();
            together.wait();
        }
    });
    let stats = counted("patient", &before);
    assert_eq!((stats.try_failures, stats.try_successes), (12_000, 200));
    assert_not_advised("patient", &before, "TriesInVain");
}
