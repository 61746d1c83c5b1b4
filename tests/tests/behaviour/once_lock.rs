//! `OnceLock`: filled once, by whoever comes first; a panic leaves it empty.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use super::blocked::spawn_blocked;
use super::sync::{Mutex, OnceLock};
use super::thread::{self, Scope, ScopedJoinHandle};
use crate::{CountsDrops, in_time, panic_of};

/// Starts an initialiser in another thread. It goes on when the sender is dropped, and gives
/// `value`, or panics if there is none; the thread says whether it did.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    lock: &'scope OnceLock<String>,
    value: Option<&'scope str>,
) -> (mpsc::Sender<()>, ScopedJoinHandle<'scope, ()>) {
    let (go, wait) = mpsc::channel::<()>();
    let (entered, running) = mpsc::channel();
    let thread = scope.spawn(move || {
        lock.get_or_init(|| {
            entered.send(()).unwrap();
            wait.recv().unwrap_err();
            value.expect("no value").to_owned()
        });
    });
    running.recv().unwrap();
    (go, thread)
}

#[test]
fn the_first_value_stays() {
    let lock = OnceLock::new();
    assert_eq!(lock.get(), None);
    lock.set(String::from("first")).unwrap();
    assert_eq!(lock.get().unwrap(), "first");
    assert_eq!(lock.set(String::from("second")).unwrap_err(), "second");
    let got = lock.get_or_init(|| unreachable!());
    assert_eq!(got, "first");
    assert!(ptr::eq(got, lock.get().unwrap()) && ptr::eq(got, lock.wait()));
}

#[test]
fn the_first_initialiser_runs_and_no_other() {
    let (lock, ran) = (OnceLock::new(), Cell::new(0));
    let init = || {
        ran.set(ran.get() + 1);
        ran.get()
    };
    assert_eq!((*lock.get_or_init(init), *lock.get_or_init(init), ran.get()), (1, 1, 1));
}

#[test]
fn it_is_empty_while_its_initialiser_runs() {
    in_time(|| {
        let lock = OnceLock::new();
        let drops = CountsDrops::default();
        lock.get_or_init(|| {
            assert!(lock.get().is_none());
            assert_eq!(format!("{lock:?}"), "OnceLock(<uninit>)");
            assert!(lock.clone().get().is_none() && lock == OnceLock::new());
            let _dropped_within = drops.clone();
            5
        });
        assert_eq!((lock.get(), drops.count()), (Some(&5), 1));
        let lock = OnceLock::new();
        thread::scope(|scope| {
            let (go, _) = start(scope, &lock, Some("slow"));
            assert_eq!(lock.get(), None);
            drop(go);
            assert_eq!(lock.wait(), "slow");
        });
    });
}

#[test]
fn whoever_comes_while_the_initialiser_runs_waits_and_gets_its_value() {
    in_time(|| {
        let lock = OnceLock::new();
        thread::scope(|scope| {
            let (go, _) = start(scope, &lock, Some("theirs"));
            let init = spawn_blocked(scope, || lock.get_or_init(|| unreachable!()));
            let wait = spawn_blocked(scope, || lock.wait());
            let set = spawn_blocked(scope, || lock.set(String::from("mine")));
            drop(go);
            assert_eq!(set.join().unwrap().unwrap_err(), "mine");
            let got = [init, wait].map(|thread| thread.join().unwrap());
            assert!(got.iter().all(|got| ptr::eq(*got, lock.get().unwrap())));
            assert_eq!(got, ["theirs"; 2]);
        });
    });
}

#[test]
fn of_many_threads_that_race_one_fills_it() {
    in_time(|| {
        for round in 0..50 {
            let (lock, ran) = (OnceLock::new(), AtomicU32::new(0));
            thread::scope(|scope| {
                let threads = [0, 1, 2, 3].map(|n| {
                    let (lock, ran) = (&lock, &ran);
                    scope.spawn(move || {
                        // In every second round half of them set it.
                        if round % 2 == 0 && n % 2 == 0 {
                            lock.set(n).map(|()| _ = ran.fetch_add(1, Ordering::Relaxed)).ok();
                        }
                        *lock.get_or_init(|| {
                            ran.fetch_add(1, Ordering::Relaxed);
                            n
                        })
                    })
                });
                let got = threads.map(|thread| thread.join().unwrap());
                assert_eq!(got, [got[0]; 4]);
            });
            assert_eq!(ran.into_inner(), 1);
        }
    });
}

#[test]
fn a_panicking_initialiser_leaves_it_empty_and_not_poisoned() {
    let mut lock = OnceLock::new();
    for _ in 0..2 {
        assert_eq!(panic_of(|| lock.get_or_init(|| panic!("no value"))), "no value");
        assert_eq!((lock.get().copied(), lock.get_mut().copied(), lock.take()), (None, None, None));
    }
    assert_eq!(*lock.get_or_init(|| 1), 1);
    let lock = OnceLock::new();
    panic_of(|| lock.get_or_init(|| panic!("no value")));
    lock.set(2).unwrap();
    assert_eq!(lock.into_inner(), Some(2));
}

#[test]
fn who_waits_for_an_initialiser_that_panics_fills_it_instead() {
    type Fill = fn(&OnceLock<String>) -> String;
    let ways: [Fill; 2] = [
        |lock| lock.get_or_init(|| String::from("instead")).clone(),
        |lock| {
            lock.set(String::from("instead")).unwrap();
            lock.get().unwrap().clone()
        },
    ];
    for way in ways {
        in_time(move || {
            let lock = OnceLock::new();
            thread::scope(|scope| {
                let (go, panicking) = start(scope, &lock, None);
                let waits = spawn_blocked(scope, || lock.wait());
                let fills = spawn_blocked(scope, || way(&lock));
                drop(go);
                panicking.join().unwrap_err();
                assert_eq!(fills.join().unwrap(), "instead");
                assert_eq!(waits.join().unwrap(), "instead");
            });
        });
    }
}

#[test]
fn wait_waits_for_a_value_that_nobody_makes_yet_and_through_a_panic() {
    in_time(|| {
        let lock = OnceLock::new();
        thread::scope(|scope| {
            let waiters = [(); 3].map(|()| spawn_blocked(scope, || *lock.wait()));
            panic_of(|| lock.get_or_init(|| panic!("no value")));
            assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
            lock.set(7).unwrap();
            assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [7; 3]);
        });
    });
}

#[test]
fn what_is_taken_out_can_be_put_in_again() {
    let mut lock = OnceLock::new();
    assert_eq!((lock.take(), lock.get_mut()), (None, None::<&mut String>));
    lock.set(String::from("one")).unwrap();
    lock.get_mut().unwrap().push('!');
    assert_eq!(lock.take().unwrap(), "one!");
    assert_eq!((lock.take(), lock.get()), (None, None));
    assert_eq!(lock.get_mut(), None);
    assert_eq!(lock.get_or_init(|| String::from("two")), "two");
    lock.take();
    lock.set(String::from("three")).unwrap();
    assert_eq!(lock.into_inner().unwrap(), "three");
    assert_eq!(OnceLock::<u8>::new().into_inner(), None);
}

#[test]
fn clones_hold_clones() {
    let lock = OnceLock::new();
    let empty = lock.clone();
    lock.set(vec![1]).unwrap();
    assert_eq!(empty.get(), None);
    let mut full = lock.clone();
    full.get_mut().unwrap().push(2);
    assert_eq!((lock.get().unwrap().len(), full.get().unwrap().len()), (1, 2));
    assert_eq!(full.set(vec![]).unwrap_err(), []);
    empty.set(vec![3]).unwrap();
    let shared = Arc::new(());
    let first = OnceLock::from(Arc::clone(&shared));
    let second = first.clone();
    assert_eq!(Arc::strong_count(&shared), 3);
    drop((first, second));
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn equality_default_and_from_are_those_of_an_option() {
    let (empty, one) = (OnceLock::<u8>::default(), OnceLock::from(1));
    assert_eq!((empty.get(), one.get()), (None, Some(&1)));
    assert!(empty == OnceLock::new() && one == OnceLock::from(1));
    assert!(empty != one && one != OnceLock::from(2));
    let nan = OnceLock::from(f64::NAN);
    assert!(nan != nan.clone());
    assert_eq!(one.set(2), Err(2));
}

#[test]
fn its_debug_text_shows_the_value_or_that_there_is_none() {
    let lock = OnceLock::new();
    assert_eq!(format!("{lock:?}"), "OnceLock(<uninit>)");
    lock.set(Some(5)).unwrap();
    assert_eq!(format!("{lock:?}"), "OnceLock(Some(5))");
    assert_eq!(format!("{:#?}", OnceLock::from("x")), "OnceLock(\n    \"x\",\n)");
}

#[test]
fn a_value_is_dropped_once_whatever_becomes_of_it() {
    let drops = CountsDrops::default();
    drop(OnceLock::<CountsDrops>::new());
    drop(OnceLock::from(drops.clone()));
    assert_eq!(drops.count(), 1);

    let mut lock = OnceLock::new();
    lock.set(drops.clone()).unwrap();
    let rejected = lock.set(drops.clone()).unwrap_err();
    assert_eq!(drops.count(), 1, "neither the value nor the one that came too late");
    drop(rejected);
    drop(lock.take());
    assert_eq!(drops.count(), 3);
    drop(lock);
    assert_eq!(drops.count(), 3);

    let inner = OnceLock::from(drops.clone()).into_inner();
    assert_eq!(drops.count(), 3);
    drop(inner);
    assert_eq!(drops.count(), 4);

    let mut replaced = OnceLock::from(drops.clone());
    assert!(replaced.get().is_some());
    replaced = OnceLock::from(drops.clone());
    assert_eq!(drops.count(), 5);
    drop(replaced);
    assert_eq!(drops.count(), 6);

    let panicking = OnceLock::new();
    panic_of(|| {
        panicking.get_or_init(|| -> CountsDrops {
            let _half_made = drops.clone();
            panic!("no value");
        });
    });
    drop(panicking);
    assert_eq!(drops.count(), 7);
}

#[test]
fn an_initialiser_that_is_not_run_is_dropped() {
    let drops = CountsDrops::default();
    let [first, second] = [(); 2].map(|()| drops.clone());
    let lock = OnceLock::from(1);
    lock.get_or_init(move || first.count());
    assert_eq!(drops.count(), 1);
    let lock = OnceLock::new();
    lock.get_or_init(move || second.count());
    assert_eq!((lock.into_inner(), drops.count()), (Some(1), 2));
}

#[test]
fn a_value_may_be_made_in_one_thread_and_dropped_in_another() {
    in_time(|| {
        let drops = CountsDrops::default();
        let lock = OnceLock::new();
        let clone = drops.clone();
        let made = thread::spawn(move || {
            lock.get_or_init(|| Mutex::new(clone));
            lock
        });
        let lock = made.join().unwrap();
        assert!(lock.get().is_some());
        thread::spawn(move || drop(lock)).join().unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn an_initialiser_may_use_other_locks_and_threads() {
    in_time(|| {
        let (outer, inner, mutex) = (OnceLock::new(), OnceLock::new(), Mutex::new(1));
        let sum = outer.get_or_init(|| {
            let guard = mutex.lock().unwrap();
            let in_thread = thread::scope(|scope| {
                scope.spawn(|| *inner.get_or_init(|| outer.get().is_none())).join().unwrap()
            });
            *guard + u32::from(in_thread)
        });
        assert_eq!((*sum, inner.get()), (2, Some(&true)));
    });
}

#[test]
fn payloads_of_no_size_and_of_great_alignment_are_where_they_should_be() {
    #[derive(Clone, Debug, PartialEq)]
    #[repr(align(128))]
    struct Aligned(u8);
    let unit = OnceLock::new();
    unit.set(()).unwrap();
    assert_eq!((unit.get(), unit.set(())), (Some(&()), Err(())));
    let lock = OnceLock::new();
    let value = lock.get_or_init(|| Aligned(3));
    assert!(ptr::from_ref(value).is_aligned() && *value == Aligned(3));
    let large = OnceLock::from([7_u8; 5000]);
    assert_eq!(large.into_inner().unwrap()[4999], 7);
}

#[test]
fn a_static_one_can_be_filled_from_anywhere() {
    static LOCK: OnceLock<Vec<u8>> = OnceLock::new();
    in_time(|| {
        let threads = [1, 2, 3].map(|n| thread::spawn(move || LOCK.get_or_init(|| vec![n])));
        let got: [&'static Vec<u8>; 3] = threads.map(|thread| thread.join().unwrap());
        assert!(got.iter().all(|got| ptr::eq(*got, got_static())));
    });
    fn got_static() -> &'static Vec<u8> {
        LOCK.wait()
    }
}

#[test]
fn it_can_be_filled_and_read_while_its_thread_unwinds() {
    struct FillsInDrop<'a>(&'a OnceLock<u8>);
    impl Drop for FillsInDrop<'_> {
        fn drop(&mut self) {
            assert_eq!(*self.0.get_or_init(|| 1) + *self.0.wait(), 2);
        }
    }
    let lock = OnceLock::new();
    panic_of(|| {
        let _fills = FillsInDrop(&lock);
        panic!("unwinding");
    });
    assert_eq!(lock.get(), Some(&1));
}
