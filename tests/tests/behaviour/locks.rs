//! `Mutex` and `RwLock`: texts, conversions, attempts, contention.

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Barrier, TryLockError};

use super::sync::{Condvar, Mutex, RwLock, RwLockWriteGuard};
use super::thread;
use crate::in_time;

fn would_block<G>(result: Result<G, TryLockError<G>>) -> bool {
    matches!(result, Err(TryLockError::WouldBlock))
}

#[test]
fn the_debug_text_of_a_mutex_shows_its_data_unless_it_is_locked() {
    let mutex = Mutex::new(5);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 5, poisoned: false, .. }");
    let pretty = "Mutex {\n    data: 0x5,\n    poisoned: false,\n    ..\n}";
    assert_eq!(format!("{mutex:#x?}"), pretty);
    let _guard = mutex.lock().unwrap();
    // `std` shows a string here, and for a `RwLock` bare words.
    assert_eq!(format!("{mutex:?}"), r#"Mutex { data: "<locked>", poisoned: false, .. }"#);
}

#[test]
fn the_debug_text_of_a_rwlock_shows_its_data_unless_it_is_written() {
    let rwlock = RwLock::new("text");
    let open = "RwLock { data: \"text\", poisoned: false, .. }";
    assert_eq!(format!("{rwlock:?}"), open);
    let guard = rwlock.read().unwrap();
    assert_eq!(format!("{rwlock:?}"), open);
    drop(guard);
    let _guard = rwlock.write().unwrap();
    assert_eq!(format!("{rwlock:?}"), "RwLock { data: <locked>, poisoned: false, .. }");
}

#[test]
fn the_debug_text_of_an_unsized_lock_shows_its_data() {
    let mutex: &Mutex<[u8]> = &Mutex::new([1, 2]);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: [1, 2], poisoned: false, .. }");
    let rwlock: &RwLock<dyn Debug> = &RwLock::new(Some(1));
    assert_eq!(format!("{rwlock:?}"), "RwLock { data: Some(1), poisoned: false, .. }");
    assert_eq!(format!("{:?}", Condvar::new()), "Condvar { .. }");
}

/// The lock is taken while the payload is shown, and free again afterwards.
#[test]
fn the_debug_text_of_a_payload_is_made_with_the_lock_held() {
    struct Looks<'a>(&'a Cell<Option<bool>>, Rc<Mutex<Option<Looks<'a>>>>);
    impl Debug for Looks<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.set(Some(would_block(self.1.try_lock())));
            f.write_str("seen")
        }
    }
    let locked = Cell::new(None);
    let mutex = Rc::new(Mutex::new(None));
    *mutex.lock().unwrap() = Some(Looks(&locked, Rc::clone(&mutex)));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: Some(seen), poisoned: false, .. }");
    assert_eq!(locked.get(), Some(true));
    assert!(mutex.try_lock().is_ok());
    *mutex.lock().unwrap() = None;
}

#[test]
fn guards_show_what_they_guard() {
    fn texts<G: Debug + Display>(guard: G) -> String {
        format!("{guard:?} {guard} {guard:>4} {guard:04.1}")
    }
    let (mutex, rwlock) = (Mutex::new(1.5), RwLock::new(1.5));
    let expected = "1.5 1.5  1.5 01.5";
    assert_eq!(texts(mutex.lock().unwrap()), expected);
    assert_eq!(texts(rwlock.read().unwrap()), expected);
    assert_eq!(texts(rwlock.write().unwrap()), expected);
}

#[test]
fn default_and_from_make_a_lock_around_the_value() {
    assert_eq!(Mutex::<Vec<u8>>::default().into_inner().unwrap(), []);
    assert_eq!(RwLock::<String>::default().into_inner().unwrap(), "");
    assert_eq!(Mutex::from("a").into_inner().unwrap(), "a");
    let rwlock: RwLock<char> = 'b'.into();
    assert_eq!(rwlock.into_inner().unwrap(), 'b');
    #[derive(Debug, Default)]
    struct Derived {
        mutex: Mutex<u8>,
        rwlock: RwLock<Option<u8>>,
        signal: Condvar,
    }
    let derived = Derived::default();
    derived.signal.notify_all();
    assert_eq!((*derived.mutex.lock().unwrap(), *derived.rwlock.read().unwrap()), (0, None));
}

#[test]
fn get_mut_and_into_inner_need_no_lock() {
    let mut mutex = Mutex::new(1);
    // The guard is gone for good, the lock is locked for ever, and still nobody can be in it.
    std::mem::forget(mutex.lock().unwrap());
    *mutex.get_mut().unwrap() += 1;
    assert!(would_block(mutex.try_lock()));
    assert_eq!(mutex.into_inner().unwrap(), 2);
    let mut rwlock = RwLock::new(1);
    std::mem::forget(rwlock.write().unwrap());
    *rwlock.get_mut().unwrap() += 2;
    assert!(would_block(rwlock.try_read()));
    assert_eq!(rwlock.into_inner().unwrap(), 3);
}

#[test]
fn the_payload_is_dropped_once_with_its_lock_or_moved_out() {
    let counted = Rc::new(());
    drop(Mutex::new(Rc::clone(&counted)));
    drop(RwLock::new(Rc::clone(&counted)));
    assert_eq!(Rc::strong_count(&counted), 1);
    let out = Mutex::new(Rc::clone(&counted)).into_inner().unwrap();
    let also = RwLock::new(Rc::clone(&counted)).into_inner().unwrap();
    assert_eq!(Rc::strong_count(&counted), 3);
    drop((out, also));
    let held = Mutex::new(Some(Rc::clone(&counted)));
    *held.lock().unwrap() = None;
    assert_eq!(Rc::strong_count(&counted), 1);
}

#[test]
fn an_attempt_on_a_mutex_fails_while_anybody_holds_it() {
    in_time(|| {
        let mutex = Mutex::new(1);
        let guard = mutex.try_lock().unwrap();
        assert!(would_block(mutex.try_lock()), "also for the thread itself");
        thread::scope(|scope| {
            let other = scope.spawn(|| would_block(mutex.try_lock()));
            assert!(other.join().unwrap());
        });
        drop(guard);
        *mutex.try_lock().unwrap() += 1;
        assert_eq!(*mutex.lock().unwrap(), 2);
    });
}

#[test]
fn attempts_on_a_rwlock_succeed_beside_readers_and_fail_beside_writers() {
    in_time(|| {
        let rwlock = RwLock::new(1);
        let reads = (rwlock.try_read().unwrap(), rwlock.try_read().unwrap());
        assert!(would_block(rwlock.try_write()));
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                rwlock.try_read().is_ok_and(|guard| *guard == 1) && would_block(rwlock.try_write())
            });
            assert!(other.join().unwrap());
        });
        drop(reads);
        let write = rwlock.try_write().unwrap();
        assert!(would_block(rwlock.try_write()) && would_block(rwlock.try_read()));
        drop(write);
        assert!(rwlock.try_read().is_ok() && rwlock.try_write().is_ok());
    });
}

#[test]
fn the_errors_of_attempts_have_stds_texts() {
    let mutex = Mutex::new(0);
    let _guard = mutex.lock().unwrap();
    let error = mutex.try_lock().map(drop).map_err(|error| format!("{error:?}: {error}"));
    let text = "\"WouldBlock\": try_lock failed because the operation would block";
    assert_eq!(error, Err(text.to_owned()));
}

#[test]
fn a_queued_writer_keeps_new_readers_out_until_it_has_written() {
    in_time(|| {
        let rwlock = RwLock::new(1);
        thread::scope(|scope| {
            let read = rwlock.read().unwrap();
            let writer = scope.spawn(|| *rwlock.write().unwrap() += 1);
            // While this thread reads, an attempt can only fail because the writer queues.
            while rwlock.try_read().is_ok() {
                thread::yield_now();
            }
            let reader = scope.spawn(|| *rwlock.read().unwrap());
            assert_eq!(*read, 1);
            drop(read);
            writer.join().unwrap();
            let value = reader.join().unwrap();
            assert!(value == 1 || value == 2);
            assert_eq!(*rwlock.read().unwrap(), 2);
        });
    });
}

#[test]
fn a_downgraded_guard_lets_readers_in_and_keeps_writers_out() {
    in_time(|| {
        let rwlock = RwLock::new(1);
        thread::scope(|scope| {
            let mut write = rwlock.write().unwrap();
            let waiting = scope.spawn(|| *rwlock.read().unwrap());
            *write = 2;
            let read = RwLockWriteGuard::downgrade(write);
            assert_eq!(*read, 2);
            // It ends although the guard is still there.
            assert_eq!(waiting.join().unwrap(), 2);
            assert!(rwlock.try_read().is_ok() && would_block(rwlock.try_write()));
            drop(read);
            assert!(rwlock.try_write().is_ok());
        });
    });
}

#[test]
fn a_writer_that_waits_beside_a_downgraded_guard_comes_next() {
    in_time(|| {
        let rwlock = RwLock::new(1);
        thread::scope(|scope| {
            let write = rwlock.write().unwrap();
            let writer = scope.spawn(|| *rwlock.write().unwrap() += 1);
            let read = RwLockWriteGuard::downgrade(write);
            assert_eq!(*read, 1);
            drop(read);
            writer.join().unwrap();
        });
        assert_eq!(rwlock.into_inner().unwrap(), 2);
    });
}

#[test]
fn no_increment_is_lost_among_threads_that_fight_for_the_locks() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 500;
    in_time(|| {
        // Not atomic, so that only the locks keep the counts right.
        let counts = (Mutex::new(0), RwLock::new(0));
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    for round in 0..ROUNDS {
                        *counts.0.lock().unwrap() += 1;
                        let seen = *counts.1.read().unwrap();
                        let mut count = counts.1.write().unwrap();
                        assert!(*count >= seen);
                        *count += 1;
                        if round % 2 == 0 {
                            drop(RwLockWriteGuard::downgrade(count));
                        }
                    }
                });
            }
        });
        assert_eq!(counts.0.into_inner().unwrap(), THREADS * ROUNDS);
        assert_eq!(counts.1.into_inner().unwrap(), THREADS * ROUNDS);
    });
}

#[test]
fn a_lock_that_many_threads_use_first_at_one_time_is_still_one_lock() {
    in_time(|| {
        for _ in 0..50 {
            let mutex = Arc::new(Mutex::new(0));
            let start = Arc::new(Barrier::new(3));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (mutex, start) = (Arc::clone(&mutex), Arc::clone(&start));
                    thread::spawn(move || {
                        start.wait();
                        *mutex.lock().unwrap() += 1;
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(Arc::try_unwrap(mutex).unwrap().into_inner().unwrap(), 3);
        }
    });
}

#[test]
fn a_lock_that_was_moved_while_it_was_unlocked_goes_on_working() {
    in_time(|| {
        let mutex = Mutex::new(vec![1]);
        mutex.lock().unwrap().push(2);
        let moved = Box::new(mutex);
        moved.lock().unwrap().push(3);
        let mut all = vec![*moved];
        // The vector moves them again when it grows.
        for n in 0..100 {
            all.push(Mutex::new(vec![n]));
            all[0].lock().unwrap().push(n);
        }
        let (first, rest) = all.split_at_mut(1);
        std::mem::swap(&mut first[0], &mut rest[0]);
        assert_eq!(*first[0].lock().unwrap(), [0]);
        assert_eq!(rest[0].lock().unwrap().len(), 103);
        let elsewhere = thread::spawn(move || all.swap_remove(1).into_inner().unwrap().len());
        assert_eq!(elsewhere.join().unwrap(), 103);
    });
}

/// Each lock takes the place of the one before, which is gone.
#[test]
fn a_lock_at_the_address_of_an_earlier_one_is_another_lock() {
    in_time(|| {
        for n in 0..10 {
            let rwlock = RwLock::new(n);
            let read = rwlock.read().unwrap();
            assert_eq!(*read, n);
            // Whoever took them for one lock would see it read already.
            if n % 2 == 0 {
                std::mem::forget(read);
            } else {
                drop(read);
                assert!(rwlock.try_write().is_ok());
            }
        }
    });
}

#[test]
fn a_panic_in_the_debug_text_of_the_payload_is_the_programs_own() {
    struct Explodes;
    impl Debug for Explodes {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no text");
        }
    }
    let (mutex, rwlock) = (Mutex::new(Explodes), RwLock::new(Explodes));
    for shown in [&mutex as &dyn Debug, &rwlock] {
        catch_unwind(AssertUnwindSafe(|| format!("{shown:?}"))).unwrap_err();
    }
    // It was shown under the lock, and only a reader's panic does not poison.
    assert!(mutex.is_poisoned() && !rwlock.is_poisoned());
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    assert!(rwlock.try_write().is_ok());
}
