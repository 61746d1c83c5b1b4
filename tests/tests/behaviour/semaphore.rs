//! `Semaphore`: permits are conserved, and go to whoever came first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::blocked::spawn_blocked;
use super::sync::{AcquireTimeoutError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use super::sync::{Mutex, TryAcquireError};
use super::thread;
use crate::{in_time, panic_of};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(2);

#[test]
fn what_is_acquired_is_not_available_until_it_is_dropped() {
    let semaphore = Semaphore::new(5);
    let one = semaphore.acquire().unwrap();
    let two = semaphore.acquire_many(2).unwrap();
    assert_eq!((one.num_permits(), two.num_permits()), (1, 2));
    assert_eq!(semaphore.available_permits(), 2);
    drop(one);
    assert_eq!(semaphore.available_permits(), 3);
    let all = semaphore.acquire_many_timeout(3, Duration::ZERO).unwrap();
    assert_eq!(semaphore.available_permits(), 0);
    drop((two, all));
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn who_only_tries_is_told_why_not() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    assert_eq!(semaphore.try_acquire_many(2).unwrap_err(), TryAcquireError::NoPermits);
    drop(permit);
    assert_eq!(semaphore.try_acquire_many(2).unwrap_err(), TryAcquireError::NoPermits);
    assert_eq!(semaphore.available_permits(), 1, "nothing is taken in vain");
    semaphore.close();
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert_eq!(semaphore.try_acquire_many(0).unwrap_err(), TryAcquireError::Closed);
}

#[test]
fn every_way_to_acquire_has_an_owned_twin() {
    let semaphore = Arc::new(Semaphore::new(20));
    let again = || Arc::clone(&semaphore);
    let permits: [OwnedSemaphorePermit; 6] = [
        again().acquire_owned().unwrap(),
        again().acquire_many_owned(2).unwrap(),
        again().acquire_owned_timeout(LONG).unwrap(),
        again().acquire_many_owned_timeout(2, LONG).unwrap(),
        again().try_acquire_owned().unwrap(),
        again().try_acquire_many_owned(2).unwrap(),
    ];
    assert_eq!(permits.each_ref().map(|permit| permit.num_permits()), [1, 2, 1, 2, 1, 2]);
    assert!(permits.iter().all(|permit| Arc::ptr_eq(permit.semaphore(), &semaphore)));
    assert_eq!(semaphore.available_permits(), 11);
    let late = again().acquire_many_owned_timeout(12, Duration::ZERO);
    assert_eq!(late.unwrap_err(), AcquireTimeoutError::Timeout);
    assert!(again().try_acquire_many_owned(12).is_err());
    drop(permits);
    assert_eq!((semaphore.available_permits(), Arc::strong_count(&semaphore)), (20, 1));
    semaphore.close();
    assert!(again().acquire_owned().is_err() && again().acquire_many_owned(1).is_err());
    let closed = again().acquire_owned_timeout(LONG);
    assert_eq!(closed.unwrap_err(), AcquireTimeoutError::Closed);
    assert_eq!(again().try_acquire_owned().unwrap_err(), TryAcquireError::Closed);
}

#[test]
fn an_owned_permit_keeps_its_semaphore_alive() {
    let permit = Arc::new(Semaphore::new(1)).acquire_owned().unwrap();
    let semaphore = Arc::clone(permit.semaphore());
    assert_eq!(semaphore.available_permits(), 0);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn no_permits_are_always_available() {
    in_time(|| {
        let semaphore = Semaphore::new(0);
        assert_eq!(semaphore.acquire_many(0).unwrap().num_permits(), 0);
        thread::scope(|scope| {
            let waiting = spawn_blocked(scope, || drop(semaphore.acquire()));
            assert!(semaphore.try_acquire_many(0).is_ok(), "also while others wait");
            drop(semaphore.acquire_many(0).unwrap());
            semaphore.add_permits(0);
            assert!(!waiting.is_finished());
            semaphore.add_permits(1);
        });
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn what_is_forgotten_never_comes_back() {
    let semaphore = Arc::new(Semaphore::new(5));
    semaphore.acquire().unwrap().forget();
    Arc::clone(&semaphore).acquire_many_owned(2).unwrap().forget();
    assert_eq!((semaphore.available_permits(), Arc::strong_count(&semaphore)), (2, 1));
    assert_eq!([semaphore.forget_permits(1), semaphore.forget_permits(7)], [1, 1]);
    assert_eq!(semaphore.forget_permits(1), 0);
    semaphore.add_permits(3);
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn permits_are_split_and_merged() {
    let semaphore = Arc::new(Semaphore::new(6));
    let mut permits = semaphore.acquire_many(4).unwrap();
    let three = permits.split(3).unwrap();
    assert_eq!((permits.num_permits(), three.num_permits()), (1, 3));
    assert!(permits.split(2).is_none());
    assert_eq!(permits.num_permits(), 1, "what fails changes nothing");
    assert_eq!(permits.split(0).unwrap().num_permits(), 0);
    let last = permits.split(1).unwrap();
    assert_eq!(permits.num_permits(), 0);
    permits.merge(three);
    permits.merge(semaphore.acquire_many(2).unwrap());
    drop(last);
    assert_eq!((permits.num_permits(), semaphore.available_permits()), (5, 1));
    drop(permits);
    let mut owned = Arc::clone(&semaphore).acquire_many_owned(3).unwrap();
    let part = owned.split(2).unwrap();
    assert!(owned.split(2).is_none());
    owned.merge(Arc::clone(&semaphore).try_acquire_owned().unwrap());
    assert_eq!((owned.num_permits(), part.num_permits()), (2, 2));
    assert_eq!(semaphore.available_permits(), 2);
    owned.merge(part);
    drop(owned);
    assert_eq!((semaphore.available_permits(), Arc::strong_count(&semaphore)), (6, 1));
}

#[test]
fn permits_of_two_semaphores_do_not_merge() {
    let semaphores = [(); 2].map(|()| Arc::new(Semaphore::new(1)));
    let message = panic_of(|| {
        let [mut one, other] = semaphores.each_ref().map(|it| it.acquire().unwrap());
        one.merge(other);
    });
    assert_eq!(message, "merging permits from different semaphore instances");
    let owned = || semaphores.each_ref().map(|it| Arc::clone(it).acquire_owned().unwrap());
    let message = panic_of(|| {
        let [mut one, other] = owned();
        one.merge(other);
    });
    assert_eq!(message, "merging permits from different semaphore instances");
    assert_eq!(semaphores.map(|semaphore| semaphore.available_permits()), [1, 1]);
}

#[test]
fn more_permits_than_there_may_be_are_a_panic() {
    const MOST: usize = Semaphore::MAX_PERMITS;
    assert_eq!(MOST, usize::MAX >> 3);
    let semaphore = Semaphore::new(MOST);
    let too_many = "a semaphore may not have more than MAX_PERMITS permits";
    assert_eq!(panic_of(|| Semaphore::new(MOST + 1)), too_many);
    let message = panic_of(|| semaphore.add_permits(1));
    assert_eq!(message, format!("number of added permits (1) would overflow MAX_PERMITS ({MOST})"));
    assert_eq!(semaphore.available_permits(), MOST);
    let permit = semaphore.acquire().unwrap();
    semaphore.add_permits(1);
    permit.forget();
}

#[test]
fn a_permit_given_back_wakes_one_who_waits() {
    in_time(|| {
        let semaphore = Semaphore::new(1);
        thread::scope(|scope| {
            let permit = semaphore.acquire().unwrap();
            let waits = || drop(semaphore.acquire().unwrap());
            let threads = [(); 3].map(|()| spawn_blocked(scope, waits));
            drop(permit);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn first_come_first_served_whatever_is_asked_for() {
    in_time(|| {
        let semaphore = Semaphore::new(0);
        let (served, order) = mpsc::channel();
        thread::scope(|scope| {
            let waiting = [3, 1, 2].map(|n| {
                let (semaphore, served) = (&semaphore, served.clone());
                spawn_blocked(scope, move || {
                    semaphore.acquire_many(n).unwrap().forget();
                    served.send(n).unwrap();
                })
            });
            // Enough for each that came later.
            semaphore.add_permits(2);
            assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
            let timed = semaphore.acquire_timeout(SHORT);
            assert_eq!(timed.unwrap_err(), AcquireTimeoutError::Timeout);
            assert_eq!(semaphore.available_permits(), 2);
            assert!(waiting.iter().all(|thread| !thread.is_finished()));
            for (more, next) in [(1, 3), (1, 1), (2, 2)] {
                semaphore.add_permits(more);
                assert_eq!(order.recv(), Ok(next));
            }
        });
        assert_eq!(semaphore.available_permits(), 0);
    });
}

/// Small requests go on all the time, so that without the queue there would hardly ever be two at once.
#[test]
fn a_large_request_is_not_starved_by_small_ones() {
    in_time(|| {
        let (semaphore, is_served) = (Semaphore::new(4), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    while is_served.load(Ordering::Relaxed) == 0 {
                        let permit = semaphore.acquire().unwrap();
                        thread::yield_now();
                        drop(permit);
                    }
                });
            }
            let all = semaphore.acquire_many(4).unwrap();
            is_served.store(1, Ordering::Relaxed);
            drop(all);
        });
        assert_eq!(semaphore.available_permits(), 4);
    });
}

#[test]
fn who_waits_in_vain_leaves_the_queue() {
    in_time(|| {
        let semaphore = Semaphore::new(1);
        let began = Instant::now();
        let late = semaphore.acquire_many_timeout(2, SHORT);
        assert_eq!(late.unwrap_err(), AcquireTimeoutError::Timeout);
        assert!(began.elapsed() >= SHORT);
        assert!(semaphore.try_acquire().is_ok(), "nobody waits any more");
        // What it kept from those behind it is theirs when it leaves.
        thread::scope(|scope| {
            let timed = || semaphore.acquire_many_timeout(2, Duration::from_millis(200)).is_err();
            let large = scope.spawn(timed);
            let small = scope.spawn(|| semaphore.acquire().unwrap().forget());
            small.join().unwrap();
            assert!(large.join().unwrap());
        });
        assert_eq!(semaphore.available_permits(), 0);
        semaphore.add_permits(1);
        assert!(semaphore.try_acquire().is_ok());
    });
}

#[test]
fn a_timeout_of_no_time_takes_what_is_there_and_the_longest_is_no_timeout() {
    in_time(|| {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire_timeout(Duration::ZERO).unwrap();
        assert!(semaphore.acquire_timeout(Duration::ZERO).is_err());
        thread::scope(|scope| {
            let waits = || semaphore.acquire_timeout(Duration::MAX).map(drop);
            let waiting = spawn_blocked(scope, waits);
            drop(permit);
            assert_eq!(waiting.join().unwrap(), Ok(()));
        });
    });
}

#[test]
fn when_it_is_closed_all_who_wait_are_told() {
    in_time(|| {
        let semaphore = Semaphore::new(1);
        assert!(!semaphore.is_closed());
        let kept = semaphore.acquire().unwrap();
        thread::scope(|scope| {
            let many = spawn_blocked(scope, || semaphore.acquire_many(9).map(drop));
            let one = spawn_blocked(scope, || semaphore.acquire().map(drop));
            let timed = spawn_blocked(scope, || semaphore.acquire_timeout(LONG).map(drop));
            semaphore.close();
            let [many, one] = [many, one].map(|thread| thread.join().unwrap().unwrap_err());
            assert_eq!([many.to_string(), one.to_string()], ["semaphore closed"; 2]);
            assert_eq!(timed.join().unwrap(), Err(AcquireTimeoutError::Closed));
        });
        assert!(semaphore.is_closed() && semaphore.acquire().is_err());
        drop(kept);
        assert_eq!(semaphore.available_permits(), 1);
        semaphore.close();
        assert!(semaphore.acquire_many(0).is_err());
    });
}

#[test]
fn a_thread_that_panics_gives_back_what_it_has() {
    struct Acquires<'a>(&'a Semaphore);
    impl Drop for Acquires<'_> {
        fn drop(&mut self) {
            let _permit = self.0.acquire().unwrap();
            assert_eq!(self.0.available_permits(), 0);
        }
    }
    in_time(|| {
        let semaphore = Semaphore::new(2);
        panic_of(|| {
            let _acquires = Acquires(&semaphore);
            let _permit = semaphore.acquire().unwrap();
            semaphore.acquire().unwrap().forget();
            panic!("unwinding");
        });
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn permits_are_given_back_by_whatever_thread_has_them() {
    in_time(|| {
        let semaphore = Semaphore::new(2);
        let permits: [SemaphorePermit<'_>; 2] = [(); 2].map(|()| semaphore.acquire().unwrap());
        thread::scope(|scope| {
            let [one, other] = permits;
            scope.spawn(move || drop(one));
            scope.spawn(move || drop(other));
            drop(semaphore.acquire_many(2).unwrap());
        });
        assert_eq!(semaphore.available_permits(), 2);
    });
}

#[test]
fn it_is_a_signal_that_belongs_to_nobody() {
    static DONE: Semaphore = Semaphore::new(0);
    in_time(|| {
        let threads = [(); 3].map(|()| thread::spawn(|| DONE.add_permits(1)));
        DONE.acquire_many(3).unwrap().forget();
        assert_eq!(DONE.available_permits(), 0);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn what_came_before_a_release_is_seen_behind_the_acquisition() {
    in_time(|| {
        let (semaphore, value) = (Semaphore::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for n in 1..=200 {
                scope.spawn(|| {
                    value.store(1, Ordering::Relaxed);
                    semaphore.add_permits(1);
                });
                semaphore.acquire().unwrap().forget();
                assert_eq!(value.swap(0, Ordering::Relaxed), 1, "{n}");
            }
        });
    });
}

/// What is inside is counted, and may never be more than there are permits.
#[test]
fn eight_threads_never_have_more_than_there_is() {
    const PERMITS: usize = 5;
    const ROUNDS: u32 = 2000;
    in_time(|| {
        let (semaphore, inside) = (Arc::new(Semaphore::new(PERMITS)), AtomicUsize::new(0));
        thread::scope(|scope| {
            for thread in 0..8 {
                let (semaphore, inside) = (&semaphore, &inside);
                let uses = |n: usize| {
                    assert!(inside.fetch_add(n, Ordering::Relaxed) + n <= PERMITS);
                    inside.fetch_sub(n, Ordering::Relaxed);
                };
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let n = 1 + (round + thread) % 3;
                        match (round + thread * 3) % 5 {
                            0 => {
                                let permit = semaphore.acquire_many(n).unwrap();
                                uses(permit.num_permits());
                            }
                            1 => {
                                let timeout = Duration::from_micros(u64::from(round % 30));
                                let permit = semaphore.acquire_many_timeout(n, timeout);
                                permit.iter().for_each(|permit| uses(permit.num_permits()));
                            }
                            2 => {
                                let permit = semaphore.try_acquire_many(n);
                                permit.iter().for_each(|permit| uses(permit.num_permits()));
                            }
                            3 => {
                                let permits = Arc::clone(semaphore).acquire_many_owned(n);
                                let mut permits = permits.unwrap();
                                let part = permits.split(1).unwrap();
                                uses(part.num_permits() + permits.num_permits());
                            }
                            _ => {
                                let permit = semaphore.acquire().unwrap();
                                uses(1);
                                permit.forget();
                                semaphore.add_permits(1);
                            }
                        }
                    }
                });
            }
        });
        assert_eq!((semaphore.available_permits(), inside.into_inner()), (PERMITS, 0));
        assert!(semaphore.try_acquire_many(PERMITS as u32).is_ok(), "nobody is left in the queue");
    });
}

/// One permit excludes, though nothing but the semaphore orders the accesses.
#[test]
fn one_permit_is_a_mutex() {
    struct Count(std::cell::UnsafeCell<usize>);
    // SAFETY: it is accessed by the holder of the one permit only.
    unsafe impl Sync for Count {}
    impl Count {
        /// # Safety
        ///
        /// Nobody else may do so meanwhile.
        unsafe fn add_one(&self) {
            // SAFETY: our caller is alone.
            unsafe { *self.0.get() += 1 };
        }
    }
    in_time(|| {
        let (semaphore, count) = (Semaphore::new(1), Count(std::cell::UnsafeCell::new(0)));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let _permit = semaphore.acquire().unwrap();
                        // SAFETY: this thread has the one permit.
                        unsafe { count.add_one() };
                    }
                });
            }
        });
        assert_eq!(count.0.into_inner(), 8000);
    });
}

/// A permit is no lock: two threads may do so in opposite orders for ever.
#[test]
fn locks_and_permits_may_be_taken_in_any_order() {
    in_time(|| {
        let (semaphore, mutex) = (Semaphore::new(2), Mutex::new(0));
        for _ in 0..2 {
            thread::scope(|scope| {
                scope.spawn(|| {
                    let _permit = semaphore.acquire().unwrap();
                    *mutex.lock().unwrap() += 1;
                });
            });
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut guard = mutex.lock().unwrap();
                    let _permit = semaphore.acquire().unwrap();
                    *guard += 1;
                });
            });
        }
        assert_eq!(*mutex.lock().unwrap(), 4);
    });
}

#[test]
fn its_texts_say_what_there_is() {
    let semaphore = Arc::new(Semaphore::new(3));
    let permits = semaphore.acquire_many(2).unwrap();
    assert_eq!(format!("{semaphore:?}"), "Semaphore { permits: 1, closed: false, .. }");
    assert_eq!(format!("{permits:?}"), "SemaphorePermit { permits: 2, .. }");
    let owned = Arc::clone(&semaphore).acquire_owned().unwrap();
    assert_eq!(format!("{owned:?}"), "OwnedSemaphorePermit { permits: 1, .. }");
    let texts = [TryAcquireError::NoPermits, TryAcquireError::Closed].map(|it| it.to_string());
    assert_eq!(texts, ["no permits available", "semaphore closed"]);
    let texts =
        [AcquireTimeoutError::Timeout, AcquireTimeoutError::Closed].map(|it| it.to_string());
    assert_eq!(texts, ["timed out waiting for a permit", "semaphore closed"]);
}

#[cfg(any(debug_assertions, feature = "always"))]
mod tracked {
    use sync_trace::finding::{AgentState, Hold, LockKind, Mode, Op};
    use sync_trace::{mute, named, snapshot, untracked};

    use super::*;

    fn agent(name: &str) -> Option<AgentState> {
        let named = |state: &AgentState| state.agent.name.as_deref() == Some(name);
        snapshot().agents.into_iter().find(named)
    }

    /// The calling thread's name, which `in_time` made unique.
    fn here() -> String {
        thread::current().name().expect("`in_time` named it").to_owned()
    }

    /// What the calling thread holds.
    fn holds() -> Vec<Hold> {
        agent(&here()).map(|state| state.holds).unwrap_or_default()
    }

    /// The calls by which it acquired what it holds.
    fn ops() -> Vec<Op> {
        holds().iter().map(|hold| hold.op).collect()
    }

    #[test]
    fn every_permit_is_on_record_under_the_call_that_acquired_it() {
        in_time(|| {
            let made = line!() + 1;
            let semaphore = Arc::new(named!("tracked::pool", Semaphore::new(30)));
            let again = || Arc::clone(&semaphore);
            let taken = line!() + 1;
            let one = semaphore.acquire().unwrap();
            let [hold] = &holds()[..] else { panic!("one is held: {:?}", holds()) };
            assert_eq!((hold.lock.kind, hold.mode), (LockKind::Semaphore, Mode::RecursiveRead));
            assert_eq!((hold.lock.name, hold.site.line()), (Some("tracked::pool"), taken));
            assert_eq!(hold.lock.created.line(), made);
            let borrowed = (
                semaphore.acquire_many(1).unwrap(),
                semaphore.acquire_timeout(LONG).unwrap(),
                semaphore.acquire_many_timeout(1, LONG).unwrap(),
                semaphore.try_acquire().unwrap(),
                semaphore.try_acquire_many(1).unwrap(),
            );
            use Op::*;
            let all = [
                Acquire,
                AcquireMany,
                AcquireTimeout,
                AcquireManyTimeout,
                TryAcquire,
                TryAcquireMany,
            ];
            assert_eq!(ops(), all);
            drop(borrowed);
            assert_eq!(ops(), [Acquire]);
            drop(one);
            let owned = (
                again().acquire_owned().unwrap(),
                again().acquire_many_owned(1).unwrap(),
                again().acquire_owned_timeout(LONG).unwrap(),
                again().acquire_many_owned_timeout(1, LONG).unwrap(),
                again().try_acquire_owned().unwrap(),
                again().try_acquire_many_owned(1).unwrap(),
            );
            let all = [
                AcquireOwned,
                AcquireManyOwned,
                AcquireOwnedTimeout,
                AcquireManyOwnedTimeout,
                TryAcquireOwned,
                TryAcquireManyOwned,
            ];
            assert_eq!(ops(), all);
            drop(owned);
            assert_eq!(ops(), []);
        });
    }

    #[test]
    fn what_is_split_merged_or_forgotten_is_on_record_as_often_as_there_are_guards() {
        in_time(|| {
            let semaphore = Semaphore::new(5);
            let mut permits = semaphore.acquire_many(4).unwrap();
            let one = permits.split(1).unwrap();
            assert_eq!(ops(), [Op::AcquireMany, Op::Split]);
            let none = permits.split(0).unwrap();
            let rest = permits.split(3).unwrap();
            assert_eq!(ops().len(), 2, "guards without a permit are nothing");
            drop(none);
            permits.merge(rest);
            permits.merge(one);
            assert_eq!(ops().len(), 1);
            permits.forget();
            assert_eq!(ops(), []);
        });
    }

    #[test]
    fn locks_come_before_permits_and_neither_hides_the_other() {
        in_time(|| {
            let (semaphore, mutex) = (Semaphore::new(40), Mutex::new(0));
            let permits: Vec<_> = (0..20).map(|_| semaphore.acquire().unwrap()).collect();
            let guard = mutex.lock().unwrap();
            assert_eq!((ops().len(), ops()[0]), (21, Op::Lock));
            drop(guard);
            assert_eq!(ops(), [Op::Acquire; 20]);
            // The oldest first.
            permits.into_iter().for_each(drop);
            assert_eq!(ops(), []);
        });
    }

    #[test]
    fn a_permit_given_back_elsewhere_is_on_record_no_more() {
        in_time(|| {
            let semaphore = Semaphore::new(40);
            let other = || {
                thread::scope(|scope| {
                    let permit = semaphore.acquire().unwrap();
                    let kept = semaphore.acquire().unwrap();
                    scope.spawn(move || drop(permit)).join().unwrap();
                    assert_eq!(ops(), [Op::Acquire]);
                    drop(kept);
                    assert_eq!(ops(), []);
                });
            };
            (0..3).for_each(|_| other());
            // The thread that acquired it is gone.
            let left = thread::scope(|scope| {
                let leaves = scope.spawn(|| semaphore.acquire().unwrap());
                leaves.join().unwrap()
            });
            assert_eq!(ops(), []);
            drop(left);
            // It was on another one's record, and is not on this one's.
            let mine = semaphore.acquire().unwrap();
            thread::scope(|scope| {
                let theirs = scope.spawn(|| semaphore.acquire().unwrap()).join().unwrap();
                drop(theirs);
            });
            assert_eq!(ops(), [Op::Acquire]);
            drop(mine);
            assert_eq!(semaphore.available_permits(), 40);
        });
    }

    #[test]
    fn who_waits_is_shown_with_those_who_hold_permits() {
        in_time(|| {
            let semaphore = named!("tracked::busy", Semaphore::new(1));
            let name = format!("{}, waiting", here());
            thread::scope(|scope| {
                let permit = semaphore.acquire().unwrap();
                let builder = thread::Builder::new().name(name.clone());
                builder.spawn_scoped(scope, || drop(semaphore.acquire().unwrap())).unwrap();
                let (wait, holders) = loop {
                    match agent(&name).and_then(|state| state.wait) {
                        Some(wait) => break wait,
                        None => thread::yield_now(),
                    }
                };
                assert_eq!(wait.op, Op::Acquire);
                let holders: Vec<_> = holders.into_iter().map(|holder| holder.name).collect();
                assert_eq!(holders, [Some(here().into())]);
                let text = snapshot().to_string();
                assert!(text.contains("holds a permit of tracked::busy (Semaphore #"), "{text}");
                assert!(text.contains("for a permit of tracked::busy (Semaphore #"), "{text}");
                drop(permit);
            });
            assert!(agent(&here()).is_none_or(|state| state.wait.is_none()));
        });
    }

    #[test]
    fn what_is_untracked_or_muted_is_not_on_record() {
        in_time(|| {
            let semaphore = untracked!(Semaphore::new(2));
            let mut permits = semaphore.acquire_many(2).unwrap();
            let half = permits.split(1).unwrap();
            assert_eq!(ops(), []);
            drop((half, permits));
            assert_eq!(semaphore.available_permits(), 2);
            let semaphore = Semaphore::new(2);
            let (recorded, quiet) = (semaphore.acquire().unwrap(), mute());
            let muted = semaphore.acquire().unwrap();
            drop(recorded);
            drop(quiet);
            assert_eq!(ops(), []);
            drop(muted);
            assert_eq!(ops(), []);
        });
    }

    /// In destructors of thread-local values, after the tracker's own.
    #[test]
    fn a_thread_that_is_ending_may_use_it() {
        static LATE: Semaphore = Semaphore::new(3);
        struct Late;
        impl Drop for Late {
            fn drop(&mut self) {
                let permit = LATE.acquire().unwrap();
                drop((LATE.acquire(), permit));
            }
        }
        thread_local!(static KEPT: Late = const { Late });
        in_time(|| {
            for before in [true, false] {
                let used = move || {
                    if before {
                        KEPT.with(|_| ());
                    }
                    LATE.acquire().unwrap().forget();
                    KEPT.with(|_| ());
                };
                thread::spawn(used).join().unwrap();
                LATE.add_permits(1);
            }
            assert_eq!(LATE.available_permits(), 3);
        });
    }
}
