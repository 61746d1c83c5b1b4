//! `LazyLock`: made at the first use; a panic poisons it for good.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use super::blocked::spawn_blocked;
use super::sync::{LazyLock, Mutex};
use super::thread;
use crate::{CountsDrops, in_time, message, panic_of};

const POISONED: &str = "LazyLock instance has previously been poisoned";

/// One that was poisoned by its initialiser.
fn poisoned<T>() -> LazyLock<T> {
    let lazy: LazyLock<T> = LazyLock::new(|| panic!("the initialiser"));
    assert_eq!(panic_of(|| _ = LazyLock::force(&lazy)), "the initialiser");
    lazy
}

#[test]
fn the_initialiser_runs_at_the_first_use_and_never_again() {
    let ran = Cell::new(0);
    let init = || {
        ran.set(ran.get() + 1);
        vec![1, 2]
    };
    let mut lazy = LazyLock::new(init);
    assert_eq!((LazyLock::get(&lazy), ran.get()), (None, 0));
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    assert_eq!((lazy.len(), ran.get()), (2, 1));
    assert_eq!((LazyLock::force(&lazy).len(), LazyLock::get(&lazy)), (2, Some(&vec![1, 2])));
    lazy.push(3);
    LazyLock::force_mut(&mut lazy).push(4);
    LazyLock::get_mut(&mut lazy).unwrap().push(5);
    assert_eq!((*lazy).as_slice(), [1, 2, 3, 4, 5]);
    assert_eq!(ran.get(), 1);
}

#[test]
fn each_way_to_use_it_first_runs_the_initialiser() {
    type Use = fn(&mut LazyLock<u8>) -> u8;
    let ways: [Use; 4] = [
        |lazy| **lazy,
        |lazy| *LazyLock::force(lazy),
        |lazy| {
            let value: &mut u8 = lazy;
            *value
        },
        |lazy| *LazyLock::force_mut(lazy),
    ];
    for way in ways {
        let mut lazy = LazyLock::<u8>::new(|| 7);
        assert_eq!((way(&mut lazy), way(&mut lazy)), (7, 7));
        assert_eq!(LazyLock::get(&lazy), Some(&7));
        let mut poisoned = poisoned();
        assert_eq!(panic_of(|| way(&mut poisoned)), POISONED);
    }
}

#[test]
fn its_value_stays_in_one_place() {
    let lazy = LazyLock::new(|| String::from("here"));
    let place = ptr::from_ref(LazyLock::force(&lazy));
    assert!(ptr::eq(place, &*lazy) && ptr::eq(place, LazyLock::get(&lazy).unwrap()));
}

#[test]
fn there_is_nothing_to_get_while_the_initialiser_runs() {
    in_time(|| {
        let (go, wait) = mpsc::channel::<()>();
        let (entered, running) = mpsc::channel();
        let lazy = LazyLock::new(move || {
            entered.send(()).unwrap();
            wait.recv().unwrap_err();
            String::from("made")
        });
        thread::scope(|scope| {
            let forces = scope.spawn(|| LazyLock::force(&lazy));
            running.recv().unwrap();
            assert_eq!(LazyLock::get(&lazy), None);
            assert_eq!(format!("{lazy:?}"), "LazyLock(<uninit>)");
            let waits = spawn_blocked(scope, || LazyLock::force(&lazy));
            let derefs = spawn_blocked(scope, || -> &String { &lazy });
            drop(go);
            let got = [forces, waits, derefs].map(|thread| thread.join().unwrap());
            assert!(got.iter().all(|got| ptr::eq(*got, LazyLock::get(&lazy).unwrap())));
            assert_eq!(got, ["made"; 3]);
        });
    });
}

#[test]
fn of_many_threads_that_race_one_runs_the_initialiser() {
    in_time(|| {
        for _ in 0..50 {
            let ran = AtomicU32::new(0);
            let lazy = LazyLock::new(|| ran.fetch_add(1, Ordering::Relaxed));
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| assert_eq!(*lazy, 0));
                }
            });
            drop(lazy);
            assert_eq!(ran.into_inner(), 1);
        }
    });
}

#[test]
fn a_panicking_initialiser_poisons_it_for_good() {
    let mut lazy = poisoned::<u8>();
    for _ in 0..2 {
        assert_eq!(panic_of(|| *lazy), POISONED);
        assert_eq!(panic_of(|| *LazyLock::force(&lazy)), POISONED);
        assert_eq!(LazyLock::get(&lazy), None);
        assert_eq!(format!("{lazy:?}"), "LazyLock(<uninit>)");
    }
    assert_eq!(panic_of(|| *LazyLock::force_mut(&mut lazy)), POISONED);
    assert_eq!(panic_of(|| *lazy += 1), POISONED);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    // Whichever way it came to be poisoned.
    let mut lazy: LazyLock<u8> = LazyLock::new(|| panic!("the initialiser"));
    assert_eq!(panic_of(|| *LazyLock::force_mut(&mut lazy)), "the initialiser");
    assert_eq!(panic_of(|| *LazyLock::force_mut(&mut lazy)), POISONED);
    assert_eq!(panic_of(|| *lazy), POISONED);
    assert_eq!(LazyLock::get(&lazy), None);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
}

#[test]
fn those_who_wait_for_an_initialiser_that_panics_find_it_poisoned() {
    in_time(|| {
        let (go, wait) = mpsc::channel::<()>();
        let (entered, running) = mpsc::channel();
        let lazy = LazyLock::new(move || -> u8 {
            entered.send(()).unwrap();
            wait.recv().unwrap_err();
            panic!("while others wait");
        });
        thread::scope(|scope| {
            let force = || *LazyLock::force(&lazy);
            let first = scope.spawn(force);
            running.recv().unwrap();
            let waits = [(); 2].map(|()| spawn_blocked(scope, force));
            drop(go);
            assert_eq!(message(&*first.join().unwrap_err()), "while others wait");
            for waiter in waits {
                assert_eq!(message(&*waiter.join().unwrap_err()), POISONED);
            }
        });
    });
}

#[test]
fn the_initialiser_and_the_value_are_dropped_once_each() {
    // What the initialiser captures, and what it makes.
    let (captured, made) = (CountsDrops::default(), CountsDrops::default());
    let new = || {
        let (captured, made) = (captured.clone(), made.clone());
        LazyLock::new(move || {
            let _consumed = captured;
            made
        })
    };
    let counts = || (captured.count(), made.count());
    // Never used: the initialiser is dropped with all that it owns.
    drop(new());
    assert_eq!(counts(), (1, 1));
    // The initialiser is consumed by its call, the value is dropped with the lock.
    let lazy = new();
    LazyLock::force(&lazy);
    assert_eq!(counts(), (2, 1));
    drop(lazy);
    assert_eq!(counts(), (2, 2));
    let mut lazy = new();
    LazyLock::force_mut(&mut lazy);
    *lazy = made.clone();
    assert_eq!(counts(), (3, 3), "the value that was there before");
    drop(lazy);
    assert_eq!(counts(), (3, 4));
    // Moved before and after.
    let lazy = Box::new(new());
    let moved = *lazy;
    LazyLock::force(&moved);
    let moved = [moved];
    assert_eq!(counts(), (4, 4));
    drop(moved);
    assert_eq!(counts(), (4, 5));
}

#[test]
fn a_poisoned_one_has_nothing_left_to_drop() {
    let drops = CountsDrops::default();
    for by_mut in [false, true] {
        let captured = drops.clone();
        let mut lazy = LazyLock::new(move || -> CountsDrops {
            let _consumed = captured;
            panic!("the initialiser");
        });
        let before = drops.count();
        panic_of(|| match by_mut {
            false => _ = LazyLock::force(&lazy),
            true => _ = LazyLock::force_mut(&mut lazy),
        });
        assert_eq!(drops.count(), before + 1);
        panic_of(|| _ = LazyLock::force(&lazy));
        drop(lazy);
        assert_eq!(drops.count(), before + 1);
    }
}

#[test]
fn the_default_is_the_default_of_the_payload() {
    let lazy = LazyLock::<Vec<u8>>::default();
    assert_eq!(LazyLock::get(&lazy), None);
    assert!(lazy.is_empty());
}

#[test]
fn its_debug_text_shows_the_value_or_that_there_is_none_and_makes_none() {
    let lazy = LazyLock::new(|| Some(5));
    assert_eq!(format!("{lazy:?}"), "LazyLock(<uninit>)");
    assert_eq!(LazyLock::get(&lazy), None);
    LazyLock::force(&lazy);
    assert_eq!(format!("{lazy:?}"), "LazyLock(Some(5))");
    assert_eq!(format!("{lazy:#?}"), "LazyLock(\n    Some(\n        5,\n    ),\n)");
}

#[test]
fn static_ones_may_use_each_other() {
    static RAN: AtomicU32 = AtomicU32::new(0);
    static INNER: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| {
        RAN.fetch_add(1, Ordering::Relaxed);
        Mutex::new(vec![1])
    });
    static OUTER: LazyLock<String> = LazyLock::new(|| format!("{:?}", *INNER.lock().unwrap()));
    in_time(|| {
        let threads = [(); 3].map(|()| thread::spawn(|| OUTER.as_str()));
        let got: [&'static str; 3] = threads.map(|thread| thread.join().unwrap());
        assert_eq!((got, RAN.load(Ordering::Relaxed)), (["[1]"; 3], 1));
    });
}

#[test]
fn an_initialiser_may_start_threads_and_wait_for_them() {
    in_time(|| {
        let inner = LazyLock::new(|| 4);
        let lazy = LazyLock::new(|| {
            let sum: u8 = thread::scope(|scope| {
                let threads = [(); 3].map(|()| scope.spawn(|| *inner));
                threads.map(|thread| thread.join().unwrap()).iter().sum()
            });
            sum + thread::spawn(|| 1).join().unwrap()
        });
        assert_eq!(*lazy, 13);
    });
}

#[test]
fn one_may_be_made_forced_and_dropped_in_different_threads() {
    in_time(|| {
        let drops = CountsDrops::default();
        let captured = drops.clone();
        let lazy = LazyLock::new(move || captured);
        let forced = thread::spawn(move || {
            LazyLock::force(&lazy);
            lazy
        });
        let lazy = forced.join().unwrap();
        assert_eq!(lazy.count(), 0);
        thread::spawn(move || drop(lazy)).join().unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn one_can_be_forced_while_its_thread_unwinds() {
    struct ForcesInDrop<'a>(&'a LazyLock<u8>);
    impl Drop for ForcesInDrop<'_> {
        fn drop(&mut self) {
            assert_eq!(**self.0, 1);
        }
    }
    let lazy = LazyLock::<u8>::new(|| 1);
    panic_of(|| {
        let _forces = ForcesInDrop(&lazy);
        panic!("unwinding");
    });
    assert_eq!(LazyLock::get(&lazy), Some(&1));
}

#[test]
fn payloads_and_initialisers_of_any_size_share_their_place() {
    let unit = LazyLock::new(|| ());
    assert_eq!((LazyLock::get(&unit), *unit), (None, ()));
    let big = [3_u64; 200];
    let small_of_big = LazyLock::new(move || big.len());
    let big_of_small = LazyLock::new(|| [1_u8; 5000]);
    assert_eq!((*small_of_big, big_of_small[4999]), (200, 1));
    let boxed: LazyLock<String, Box<dyn FnOnce() -> String>> =
        LazyLock::new(Box::new(|| String::from("boxed")));
    assert_eq!(boxed.as_str(), "boxed");
}
