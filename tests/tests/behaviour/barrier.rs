//! `Barrier`: nobody passes before all have come, and one of them leads.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::blocked::spawn_blocked;
use super::sync::{Barrier, Mutex};
use super::thread;
use crate::{in_time, panic_of};

#[test]
fn a_barrier_for_nobody_or_for_one_holds_nobody_back() {
    in_time(|| {
        for threads in [0, 1] {
            let barrier = Barrier::new(threads);
            for _ in 0..3 {
                assert!(barrier.wait().is_leader());
            }
        }
    });
}

#[test]
fn nobody_passes_before_the_last_one_has_come() {
    in_time(|| {
        let barrier = Barrier::new(4);
        thread::scope(|scope| {
            let early = [(); 3].map(|()| spawn_blocked(scope, || barrier.wait().is_leader()));
            assert!(early.iter().all(|thread| !thread.is_finished()));
            let last = barrier.wait().is_leader();
            let leaders = early.map(|thread| thread.join().unwrap());
            assert_eq!(leaders.iter().filter(|leads| **leads).count() + usize::from(last), 1);
        });
    });
}

#[test]
fn round_by_round_all_come_and_one_leads() {
    const ROUNDS: usize = 200;
    in_time(|| {
        for threads in [2, 3, 8] {
            let barrier = Barrier::new(threads);
            let (came, led) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for round in 1..=ROUNDS {
                            came.fetch_add(1, Ordering::Relaxed);
                            let leads = barrier.wait().is_leader();
                            // At most the others have gone on to the next round.
                            let now = came.load(Ordering::Relaxed);
                            assert!((round * threads..(round + 1) * threads).contains(&now));
                            led.fetch_add(usize::from(leads), Ordering::Relaxed);
                        }
                    });
                }
            });
            assert_eq!((came.into_inner(), led.into_inner()), (ROUNDS * threads, ROUNDS));
        }
    });
}

#[test]
fn what_came_before_it_is_seen_behind_it() {
    in_time(|| {
        let barrier = Barrier::new(3);
        let values = [const { AtomicUsize::new(0) }; 3];
        thread::scope(|scope| {
            for n in 0..3 {
                let (barrier, values) = (&barrier, &values);
                scope.spawn(move || {
                    values[n].store(n + 1, Ordering::Relaxed);
                    barrier.wait();
                    assert_eq!(values.each_ref().map(|n| n.load(Ordering::Relaxed)), [1, 2, 3]);
                });
            }
        });
    });
}

#[test]
fn more_threads_than_it_is_for_pass_in_groups() {
    in_time(|| {
        let (barrier, led) = (Barrier::new(2), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| {
                    let leads = barrier.wait().is_leader();
                    led.fetch_add(usize::from(leads), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(led.into_inner(), 5);
    });
}

#[test]
fn it_may_be_waited_at_with_a_lock_held() {
    in_time(|| {
        let (barrier, mutexes) = (Barrier::new(2), [Mutex::new(0), Mutex::new(0)]);
        thread::scope(|scope| {
            for mine in 0..2 {
                let (barrier, mutexes) = (&barrier, &mutexes);
                scope.spawn(move || {
                    let mut guard = mutexes[mine].lock().unwrap();
                    barrier.wait();
                    assert!(mutexes[1 - mine].try_lock().is_err());
                    barrier.wait();
                    *guard += 1;
                });
            }
        });
        assert_eq!(mutexes.map(|mutex| mutex.into_inner().unwrap()), [1, 1]);
    });
}

#[test]
fn it_is_not_poisoned_and_can_be_waited_at_while_a_thread_unwinds() {
    struct WaitsInDrop<'a>(&'a Barrier);
    impl Drop for WaitsInDrop<'_> {
        fn drop(&mut self) {
            self.0.wait();
        }
    }
    in_time(|| {
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| barrier.wait());
            panic_of(|| {
                let _waits = WaitsInDrop(&barrier);
                panic!("unwinding");
            });
            scope.spawn(|| barrier.wait());
            barrier.wait();
        });
    });
}

#[test]
fn a_static_one_is_met_at_by_threads_that_share_nothing_else() {
    static BARRIER: Barrier = Barrier::new(3);
    in_time(|| {
        let threads = [(); 3].map(|()| thread::spawn(|| BARRIER.wait().is_leader()));
        let leaders = threads.map(|thread| thread.join().unwrap());
        assert_eq!(leaders.iter().filter(|leads| **leads).count(), 1);
    });
}

#[test]
fn the_debug_texts_of_it_and_of_its_result_are_stds() {
    let barrier = Barrier::new(1);
    assert_eq!(format!("{barrier:?}"), "Barrier { .. }");
    assert_eq!(format!("{:?}", barrier.wait()), "BarrierWaitResult { is_leader: true }");
}
