//! `Condvar`: the six ways to wait, signals and timeouts.

use std::sync::{Barrier, TryLockError};
use std::time::{Duration, Instant};

use super::sync::{Condvar, Mutex, MutexGuard};
use super::thread;
use crate::in_time;

/// Longer than any test may take.
const LONG: Duration = Duration::from_secs(60);

fn is_held<T>(mutex: &Mutex<T>) -> bool {
    matches!(mutex.try_lock(), Err(TryLockError::WouldBlock))
}

/// One way to wait until the value is not zero, and whether it says that the time ran out.
type Way = for<'a> fn(&Condvar, MutexGuard<'a, u32>) -> (MutexGuard<'a, u32>, Option<bool>);

/// Every way to wait. The ones that may return early are called in a loop, as they should be.
#[expect(deprecated, reason = "`wait_timeout_ms` is there, so it is tested")]
const WAYS: [Way; 5] = [
    |signal, mut guard| {
        while *guard == 0 {
            guard = signal.wait(guard).unwrap();
        }
        (guard, None)
    },
    |signal, guard| (signal.wait_while(guard, |value| *value == 0).unwrap(), None),
    |signal, mut guard| {
        let mut timed = None;
        while *guard == 0 {
            let (back, result) = signal.wait_timeout(guard, LONG).unwrap();
            (guard, timed) = (back, Some(result.timed_out()));
        }
        (guard, timed)
    },
    |signal, mut guard| {
        let mut timed = None;
        while *guard == 0 {
            let (back, in_time) = signal.wait_timeout_ms(guard, 60_000).unwrap();
            (guard, timed) = (back, Some(!in_time));
        }
        (guard, timed)
    },
    |signal, guard| {
        let (guard, result) = signal.wait_timeout_while(guard, LONG, |value| *value == 0).unwrap();
        (guard, Some(result.timed_out()))
    },
];

#[test]
fn every_wait_gives_the_mutex_up_and_comes_back_with_it_when_it_is_notified() {
    in_time(|| {
        for way in WAYS {
            let (mutex, signal, ready) = (Mutex::new(0), Condvar::new(), Barrier::new(2));
            thread::scope(|scope| {
                let waiter = scope.spawn(|| {
                    let guard = mutex.lock().unwrap();
                    ready.wait();
                    let (mut guard, timed_out) = way(&signal, guard);
                    assert_ne!(timed_out, Some(true));
                    assert!(is_held(&mutex));
                    *guard += 1;
                });
                ready.wait();
                // Had only because the waiter has given it up.
                *mutex.lock().unwrap() = 1;
                signal.notify_one();
                waiter.join().unwrap();
            });
            assert_eq!(*mutex.try_lock().unwrap(), 2);
        }
    });
}

#[test]
fn notify_all_ends_the_waits_of_all_threads_in_whatever_way_they_wait() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        let ready = Barrier::new(WAYS.len() + 1);
        thread::scope(|scope| {
            for way in WAYS {
                let (mutex, signal, ready) = (&mutex, &signal, &ready);
                scope.spawn(move || {
                    ready.wait();
                    let (mut guard, _) = way(signal, mutex.lock().unwrap());
                    *guard += 1;
                });
            }
            ready.wait();
            *mutex.lock().unwrap() = 1;
            signal.notify_all();
        });
        assert_eq!(mutex.into_inner().unwrap() as usize, WAYS.len() + 1);
    });
}

#[test]
fn each_notify_one_lets_a_waiter_go_on() {
    const WAITERS: u32 = 4;
    in_time(|| {
        // Waiting, and permits to stop that.
        let (state, signal) = (Mutex::new((0, 0)), Condvar::new());
        thread::scope(|scope| {
            for _ in 0..WAITERS {
                scope.spawn(|| {
                    let mut guard = state.lock().unwrap();
                    guard.0 += 1;
                    let mut guard = signal.wait_while(guard, |(_, permits)| *permits == 0).unwrap();
                    guard.0 -= 1;
                    guard.1 -= 1;
                });
            }
            while state.lock().unwrap().0 < WAITERS {
                thread::yield_now();
            }
            for left in (0..WAITERS).rev() {
                state.lock().unwrap().1 += 1;
                signal.notify_one();
                while state.lock().unwrap().0 > left {
                    thread::yield_now();
                }
            }
        });
        assert_eq!(state.into_inner().unwrap(), (0, 0));
    });
}

#[test]
fn two_threads_take_turns_through_two_condvars() {
    const TURNS: u32 = 200;
    in_time(|| {
        let (turn, signals) = (Mutex::new(0), [Condvar::new(), Condvar::new()]);
        thread::scope(|scope| {
            for parity in 0..2 {
                let (turn, signals) = (&turn, &signals);
                scope.spawn(move || {
                    let mut guard = turn.lock().unwrap();
                    while *guard < TURNS {
                        let mine = |turn: &mut u32| *turn % 2 != parity && *turn < TURNS;
                        guard = signals[parity as usize].wait_while(guard, mine).unwrap();
                        if *guard < TURNS {
                            *guard += 1;
                        }
                        signals[1 - parity as usize].notify_one();
                    }
                });
            }
        });
        assert_eq!(turn.into_inner().unwrap(), TURNS);
    });
}

#[test]
fn a_signal_that_nobody_waits_for_is_lost() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        signal.notify_one();
        signal.notify_all();
        let guard = mutex.lock().unwrap();
        let (guard, result) = signal.wait_timeout(guard, Duration::from_millis(1)).unwrap();
        assert!(result.timed_out());
        assert_eq!(*guard, 0);
    });
}

#[test]
#[expect(deprecated, reason = "`wait_timeout_ms` is there, so it is tested")]
fn a_wait_of_no_time_at_all_times_out_with_the_mutex_held() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        let guard = mutex.lock().unwrap();
        let (guard, result) = signal.wait_timeout(guard, Duration::ZERO).unwrap();
        assert!(result.timed_out() && is_held(&mutex));
        let (guard, in_time) = signal.wait_timeout_ms(guard, 0).unwrap();
        assert!(!in_time && is_held(&mutex));
        let (guard, result) = signal.wait_timeout_while(guard, Duration::ZERO, |_| true).unwrap();
        assert!(result.timed_out() && is_held(&mutex));
        drop(guard);
        assert!(!is_held(&mutex));
    });
}

#[test]
fn a_timed_wait_lasts_as_long_as_it_should_and_not_for_ever() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        let (start, time) = (Instant::now(), Duration::from_millis(20));
        let guard = mutex.lock().unwrap();
        let (guard, result) = signal.wait_timeout_while(guard, time, |_| true).unwrap();
        assert!(result.timed_out() && start.elapsed() >= time);
        let (guard, result) = signal.wait_timeout(guard, time).unwrap();
        assert!(result.timed_out() && start.elapsed() >= 2 * time);
        drop(guard);
        assert!(!is_held(&mutex));
    });
}

#[test]
fn a_condition_that_is_met_at_once_does_not_wait_and_does_not_time_out() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(5), Condvar::new());
        let mut calls = 0;
        let condition = |calls: &mut u32, value: &mut u32| {
            *calls += 1;
            // It may change the value, too.
            *value += 1;
            false
        };
        let guard = mutex.lock().unwrap();
        let guard = signal.wait_while(guard, |value| condition(&mut calls, value)).unwrap();
        let (guard, result) = signal
            .wait_timeout_while(guard, Duration::ZERO, |value| condition(&mut calls, value))
            .unwrap();
        assert!(!result.timed_out());
        let (guard, result) = signal
            .wait_timeout_while(guard, Duration::MAX, |value| condition(&mut calls, value))
            .unwrap();
        assert!(!result.timed_out());
        assert_eq!((*guard, calls), (8, 3));
    });
}

#[test]
fn a_time_beyond_all_clocks_waits_for_the_signal() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            let guard = mutex.lock().unwrap();
            scope.spawn(|| {
                *mutex.lock().unwrap() = 1;
                signal.notify_one();
            });
            let (guard, result) =
                signal.wait_timeout_while(guard, Duration::MAX, |value| *value == 0).unwrap();
            assert!(!result.timed_out());
            assert_eq!(*guard, 1);
        });
    });
}

#[test]
fn the_condition_runs_with_the_mutex_held_each_time() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        for timed in [false, true] {
            *mutex.lock().unwrap() = 0;
            thread::scope(|scope| {
                let guard = mutex.lock().unwrap();
                scope.spawn(|| {
                    for _ in 0..3 {
                        *mutex.lock().unwrap() += 1;
                        signal.notify_all();
                    }
                });
                let mut seen = Vec::new();
                let condition = |value: &mut u32| {
                    assert!(is_held(&mutex));
                    seen.push(*value);
                    *value < 3
                };
                let guard = match timed {
                    false => signal.wait_while(guard, condition).unwrap(),
                    true => signal.wait_timeout_while(guard, LONG, condition).unwrap().0,
                };
                assert!(is_held(&mutex));
                assert_eq!((*guard, seen[0], *seen.last().unwrap()), (3, 0, 3));
            });
        }
    });
}

#[test]
fn a_wait_gives_up_its_own_mutex_only_wherever_that_stands_among_those_held() {
    in_time(|| {
        let mutexes = [Mutex::new(0), Mutex::new(0), Mutex::new(0)];
        let signal = Condvar::new();
        for (way, waited) in WAYS.into_iter().flat_map(|way| (0..3).map(move |at| (way, at))) {
            thread::scope(|scope| {
                let mut guards = mutexes.each_ref().map(|mutex| Some(mutex.lock().unwrap()));
                **guards[waited].as_mut().unwrap() = 0;
                let other = scope.spawn(|| {
                    // Had as soon as the wait begins; the other two are not.
                    *mutexes[waited].lock().unwrap() = 1;
                    let held = mutexes.each_ref().map(is_held);
                    signal.notify_one();
                    held
                });
                let (guard, _) = way(&signal, guards[waited].take().unwrap());
                assert!(mutexes.iter().all(is_held));
                let mut expected = [true; 3];
                expected[waited] = false;
                let mut seen = other.join().unwrap();
                // By then this thread may have its mutex again.
                seen[waited] = false;
                assert_eq!(seen, expected);
                drop(guard);
                assert!(!is_held(&mutexes[waited]));
            });
            assert!(!mutexes.iter().any(is_held));
        }
    });
}

#[test]
fn a_condvar_serves_one_mutex_after_another() {
    in_time(|| {
        let signal = Condvar::new();
        for _ in 0..3 {
            let mutex = Mutex::new(0);
            let guard = mutex.lock().unwrap();
            let (guard, result) = signal.wait_timeout(guard, Duration::ZERO).unwrap();
            assert!(result.timed_out());
            drop(guard);
            assert!(!is_held(&mutex));
        }
    });
}

#[test]
fn waiting_on_a_mutex_that_another_thread_wants_lets_it_in() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            let guard = mutex.lock().unwrap();
            let other = scope.spawn(|| {
                let mut guard = mutex.lock().unwrap();
                *guard = 1;
                signal.notify_one();
                // The waiter has been notified and cannot go on before this.
                *guard = 2;
                drop(guard);
            });
            let guard = signal.wait_while(guard, |value| *value == 0).unwrap();
            assert_eq!(*guard, 2);
            drop(guard);
            other.join().unwrap();
        });
    });
}
