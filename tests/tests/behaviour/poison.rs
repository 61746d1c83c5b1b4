//! Poisoning: what poisons, what does not, and how it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, PoisonError, TryLockError};
use std::time::Duration;

use super::sync::{Condvar, Mutex, RwLock, RwLockWriteGuard};
use super::thread;
use crate::{in_time, panic_of};

/// Runs `body`, which panics, and swallows that.
fn panics(body: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(body)).unwrap_err();
}

fn poisoned_mutex<T>(value: T) -> Mutex<T> {
    let mutex = Mutex::new(value);
    panics(|| {
        let _guard = mutex.lock().unwrap();
        panic!("poison");
    });
    mutex
}

fn poisoned_rwlock<T>(value: T) -> RwLock<T> {
    let rwlock = RwLock::new(value);
    panics(|| {
        let _guard = rwlock.write().unwrap();
        panic!("poison");
    });
    rwlock
}

#[test]
fn a_panic_while_a_mutex_is_held_poisons_it_and_frees_it() {
    let mutex = poisoned_mutex(1);
    assert!(mutex.is_poisoned());
    let mut guard = mutex.lock().unwrap_err().into_inner();
    *guard += 1;
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)), "held comes first");
    drop(guard);
    let Err(TryLockError::Poisoned(poisoned)) = mutex.try_lock() else {
        panic!("still poisoned");
    };
    assert_eq!(**poisoned.get_ref(), 2);
    drop(poisoned);
    assert_eq!(*mutex.lock().unwrap_or_else(PoisonError::into_inner), 2);
}

#[test]
fn a_panic_while_a_rwlock_is_written_poisons_it_for_readers_and_writers() {
    let rwlock = poisoned_rwlock(1);
    assert!(rwlock.is_poisoned());
    let read = rwlock.read().unwrap_err().into_inner();
    assert!(matches!(rwlock.try_read(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(rwlock.try_write(), Err(TryLockError::WouldBlock)));
    assert_eq!(*read, 1);
    drop(read);
    *rwlock.write().unwrap_err().into_inner() += 1;
    assert!(
        matches!(rwlock.try_write(), Err(TryLockError::Poisoned(guard)) if **guard.get_ref() == 2)
    );
}

#[test]
fn a_panic_in_another_thread_poisons_as_well() {
    in_time(|| {
        let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
        thread::scope(|scope| {
            let panicking = scope.spawn(|| {
                let _guards = (mutex.lock().unwrap(), rwlock.write().unwrap());
                panic!("in a thread");
            });
            panicking.join().unwrap_err();
        });
        assert!(mutex.is_poisoned() && rwlock.is_poisoned());
    });
}

#[test]
fn a_panic_poisons_each_of_many_locks_that_are_held() {
    let locks: Vec<Mutex<u8>> = (0..30).map(Mutex::new).collect();
    let untouched = Mutex::new(0);
    panics(|| {
        let _guards: Vec<_> = locks.iter().map(|lock| lock.lock().unwrap()).collect();
        drop(untouched.lock().unwrap());
        panic!("poison them all");
    });
    assert!(locks.iter().all(Mutex::is_poisoned));
    assert!(!untouched.is_poisoned());
}

#[test]
fn readers_never_poison() {
    let rwlock = RwLock::new(1);
    panics(|| {
        let _guards = (rwlock.read().unwrap(), rwlock.try_read().unwrap());
        panic!("reading");
    });
    panics(|| {
        let _guard = RwLockWriteGuard::downgrade(rwlock.write().unwrap());
        panic!("reading what was written");
    });
    assert!(!rwlock.is_poisoned());
    assert!(rwlock.try_write().is_ok());
}

#[test]
fn a_guard_made_while_its_thread_was_panicking_does_not_poison() {
    struct LocksInDrop<'a>(&'a Mutex<u8>, &'a RwLock<u8>);
    impl Drop for LocksInDrop<'_> {
        fn drop(&mut self) {
            assert!(thread::panicking());
            *self.0.lock().unwrap() += 1;
            *self.0.try_lock().unwrap() += 1;
            *self.1.write().unwrap() += 1;
            *self.1.try_write().unwrap() += 1;
            assert_eq!(*self.1.read().unwrap(), 2);
        }
    }
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    panics(|| {
        let _locks = LocksInDrop(&mutex, &rwlock);
        panic!("unwinding");
    });
    assert!(!mutex.is_poisoned() && !rwlock.is_poisoned());
    assert_eq!((*mutex.lock().unwrap(), *rwlock.read().unwrap()), (2, 2));
}

#[test]
fn a_panic_caught_while_the_guard_lives_on_does_not_poison() {
    let (mutex, rwlock) = (Mutex::new(1), RwLock::new(1));
    let (mut guard, write) = (mutex.lock().unwrap(), rwlock.write().unwrap());
    panics(|| {
        *guard += 1;
        panic!("caught below the guard");
    });
    drop((guard, write));
    assert!(!mutex.is_poisoned() && !rwlock.is_poisoned());
    assert_eq!(*mutex.lock().unwrap(), 2);
}

#[test]
fn a_poisoned_lock_is_poisoned_by_no_second_panic_and_healed_by_none() {
    let mutex = poisoned_mutex(0);
    panics(|| {
        let _guard = mutex.lock().unwrap_err().into_inner();
        panic!("again");
    });
    drop(mutex.lock().unwrap_err());
    assert!(mutex.is_poisoned());
}

#[test]
fn clear_poison_heals_whoever_calls_it_and_the_next_panic_poisons_again() {
    let (mutex, rwlock) = (poisoned_mutex(1), poisoned_rwlock(1));
    let healed = mutex.lock().unwrap_or_else(|poisoned| {
        mutex.clear_poison();
        poisoned.into_inner()
    });
    drop(healed);
    rwlock.clear_poison();
    assert_eq!((*mutex.lock().unwrap(), *rwlock.read().unwrap()), (1, 1));
    assert!(!mutex.is_poisoned() && !rwlock.is_poisoned());
    panics(|| {
        let _guards = (mutex.lock().unwrap(), rwlock.write().unwrap());
        // Cleared too early: the panic comes later.
        mutex.clear_poison();
        rwlock.clear_poison();
        panic!("again");
    });
    assert!(mutex.is_poisoned() && rwlock.is_poisoned());
}

#[test]
fn get_mut_and_into_inner_of_a_poisoned_lock_give_the_value_in_an_error() {
    let mut mutex = poisoned_mutex(String::from("m"));
    mutex.get_mut().unwrap_err().into_inner().push('!');
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), "m!");
    let mut rwlock = poisoned_rwlock(String::from("r"));
    rwlock.get_mut().unwrap_err().get_mut().push('!');
    assert_eq!(rwlock.into_inner().unwrap_err().into_inner(), "r!");
    let mut mutex = poisoned_mutex(0);
    mutex.clear_poison();
    assert!(mutex.get_mut().is_ok() && mutex.into_inner().is_ok());
}

#[test]
fn the_texts_of_poisoned_locks_and_of_their_errors_are_stds() {
    let (mutex, rwlock) = (poisoned_mutex(1), poisoned_rwlock(2));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 1, poisoned: true, .. }");
    assert_eq!(format!("{rwlock:?}"), "RwLock { data: 2, poisoned: true, .. }");
    let error = mutex.lock().unwrap_err();
    assert_eq!(format!("{mutex:?}"), r#"Mutex { data: "<locked>", poisoned: true, .. }"#);
    assert_eq!(format!("{error:?}"), "PoisonError { .. }");
    assert_eq!(error.to_string(), "poisoned lock: another task failed inside");
    drop(error);
    let error = rwlock.try_write().unwrap_err();
    assert_eq!(format!("{error:?}"), "\"Poisoned(..)\"");
    assert_eq!(error.to_string(), "poisoned lock: another task failed inside");
    assert_eq!(format!("{rwlock:?}"), "RwLock { data: <locked>, poisoned: true, .. }");
}

#[test]
fn unwrapping_the_result_of_a_poisoned_lock_panics_with_stds_message() {
    let mutex = poisoned_mutex(1);
    let text = panic_of(|| drop(mutex.lock().unwrap()));
    assert_eq!(text, "called `Result::unwrap()` on an `Err` value: PoisonError { .. }");
    // The error was dropped by the panic, and with it the guard.
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
}

/// Each way to wait, on a mutex that somebody poisons meanwhile.
#[test]
#[expect(deprecated, reason = "`wait_timeout_ms` is there, so it is tested")]
fn a_wait_returns_an_error_with_a_usable_guard_when_its_mutex_was_poisoned_meanwhile() {
    const LONG: Duration = Duration::from_secs(60);
    type Wait = fn(&Mutex<u8>, &Condvar, &mut dyn FnMut());
    /// Takes the mutex, says so, and waits.
    macro_rules! way {
        ($signal:ident, $guard:ident => $wait:expr, $guard_of:expr) => {
            |mutex, $signal, ready| {
                let $guard = mutex.lock().unwrap();
                ready();
                let mut guard = $guard_of($wait.unwrap_err().into_inner());
                *guard += 1;
                assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
            }
        };
    }
    let ways: [Wait; 5] = [
        way!(signal, guard => signal.wait(guard), |guard| guard),
        way!(signal, guard => signal.wait_while(guard, |n| *n == 0), |guard| guard),
        way!(signal, guard => signal.wait_timeout(guard, LONG), |(guard, _)| guard),
        way!(signal, guard => signal.wait_timeout_ms(guard, 60_000), |(guard, _)| guard),
        way!(
            signal,
            guard => signal.wait_timeout_while(guard, LONG, |n| *n == 0),
            |(guard, _)| guard
        ),
    ];
    for way in ways {
        in_time(move || {
            let (mutex, signal, ready) = (Mutex::new(0), Condvar::new(), Barrier::new(2));
            thread::scope(|scope| {
                let waiter = scope.spawn(|| way(&mutex, &signal, &mut || _ = ready.wait()));
                ready.wait();
                panics(|| {
                    // Had only when the waiter has given it up.
                    let mut guard = mutex.lock().unwrap();
                    *guard = 1;
                    signal.notify_one();
                    panic!("poison");
                });
                waiter.join().unwrap();
            });
            assert!(mutex.is_poisoned());
            assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 2);
        });
    }
}

#[test]
fn a_wait_with_the_guard_of_a_poisoned_mutex_returns_an_error() {
    in_time(|| {
        let (mutex, signal) = (poisoned_mutex(0), Condvar::new());
        let guard = mutex.lock().unwrap_err().into_inner();
        let (guard, timed) = signal.wait_timeout(guard, Duration::ZERO).unwrap_err().into_inner();
        assert!(timed.timed_out());
        // Nothing is waited for, so nothing is locked again, so the poison is not seen.
        let guard = signal.wait_while(guard, |_| false).unwrap();
        drop(guard);
        mutex.clear_poison();
        let guard = mutex.lock().unwrap();
        assert!(signal.wait_timeout(guard, Duration::ZERO).is_ok());
    });
}

#[test]
fn a_panic_in_the_condition_of_a_wait_poisons_the_mutex_and_frees_it() {
    in_time(|| {
        let signal = Condvar::new();
        let (first, timed) = (Mutex::new(0), Mutex::new(0));
        let outer = Mutex::new(0);
        let held = outer.lock().unwrap();
        panics(|| drop(signal.wait_while(first.lock().unwrap(), |_| panic!("at once"))));
        panics(|| {
            let guard = timed.lock().unwrap();
            let long = Duration::from_secs(60);
            drop(signal.wait_timeout_while(guard, long, |_| panic!("at once")));
        });
        for mutex in [&first, &timed] {
            assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
        }
        drop(held);
        assert!(!outer.is_poisoned());
    });
}

#[test]
fn a_panic_in_the_condition_after_a_wait_poisons_the_mutex_and_frees_it() {
    in_time(|| {
        let signal = Condvar::new();
        let mutex = Mutex::new(0);
        for timed in [false, true] {
            mutex.clear_poison();
            let done = AtomicBool::new(false);
            let mut calls = 0;
            let mut condition = |_: &mut u8| {
                calls += 1;
                assert!(calls < 3, "third call");
                true
            };
            let guard = mutex.lock().unwrap();
            thread::scope(|scope| {
                let notifier = scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        signal.notify_all();
                        thread::yield_now();
                    }
                });
                let text = panic_of(|| match timed {
                    false => drop(signal.wait_while(guard, &mut condition)),
                    true => {
                        let long = Duration::from_secs(60);
                        drop(signal.wait_timeout_while(guard, long, &mut condition));
                    }
                });
                done.store(true, Ordering::Relaxed);
                assert_eq!(text, "third call");
                notifier.join().unwrap();
            });
            assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
        }
    });
}
