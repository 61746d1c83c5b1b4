//! How many use a lock.

use std::cell::RefCell;

use sync_trace::contention::{Evidence, Snapshot};
use sync_trace::sync::Mutex;
use sync_trace::{named, thread};

use crate::scene::{MS, US, advised, again_and_again, assert_not_advised, counted, names, work};

/// So many threads take the lock again and again, at two lines, and work for a moment, until it is enough.
fn use_together(lock: &Mutex<u64>, threads: usize, is_enough: impl Fn() -> bool) {
    let take_twice = || {
        let mut held = lock.lock().unwrap();
        work(20 * US);
        *held += 1;
        drop(held);
        let mut held = lock.lock().unwrap();
        work(20 * US);
        *held += 1;
    };
    let works = vec![&take_twice as &(dyn Fn() + Sync); threads];
    again_and_again(&works, is_enough);
}

#[test]
fn a_lock_that_four_threads_use_all_the_time_is_to_be_split() {
    let before = sync_trace::contention();
    let lock = named!("four", Mutex::new(0));
    let told = RefCell::new(Vec::new());
    use_together(&lock, 4, || {
        *told.borrow_mut() = names(&advised("four", &before));
        told.borrow().iter().any(|told| told == "BusyLock")
    });
    // No line is to blame.
    let told = told.take();
    assert!(!told.iter().any(|told| told == "OneHolder" || told == "OneSection"), "{told:?}");
}

#[test]
fn a_lock_that_three_threads_use_all_the_time_is_not() {
    let before = sync_trace::contention();
    let lock = named!("three", Mutex::new(0));
    use_together(&lock, 3, || {
        let waits = counted("three", &before).waits;
        waits.count() >= 2 * Evidence::BUSY_WAITS_MIN && waits.total() >= 100 * MS
    });
    assert_not_advised("three", &before, "BusyLock");
}

/// Runs a program, with new locks, until those with these names have each been taken so often that it is more than a
/// hundredth of the time: it depends on whether the machine has time for that. Returns what was counted.
fn often(names: &[&str], program: impl Fn()) -> Snapshot {
    for _ in 0..50 {
        let before = sync_trace::contention();
        program();
        let since = sync_trace::contention().since(&before);
        let enough = since.elapsed.mul_f64(Evidence::SHARE_OF_TIME_MIN);
        let is_often = |name: &&str| {
            let times = u32::try_from(counted(name, &before).acquisitions).unwrap();
            Evidence::ACQUISITION * times >= enough
        };
        if names.iter().all(is_often) {
            return since;
        }
    }
    panic!("{names:?} are never taken often enough");
}

/// What is advised about locks with this name.
fn told(name: &str, since: &Snapshot) -> Vec<Evidence> {
    let about = since.advice().into_iter().filter(|advice| advice.class.name == Some(name));
    about.map(|advice| advice.evidence).collect()
}

fn count(lock: &Mutex<u64>) {
    (0..600_000).for_each(|_| *lock.lock().unwrap() += 1);
}

/// Two threads take a lock each.
fn count_both(locks: [&Mutex<u64>; 2]) {
    thread::scope(|scope| locks.map(|lock| _ = scope.spawn(|| count(lock))));
}

#[test]
fn a_lock_that_one_thread_takes_very_often_may_not_be_needed() {
    let since = often(&["mine"], || count(&named!("mine", Mutex::new(0))));
    let told = told("mine", &since);
    let [Evidence::OneThread { locks: 1, acquisitions: 600_000 }] = told[..] else {
        panic!("{since:#?}")
    };
}

#[test]
fn a_lock_that_another_thread_has_taken_once_is() {
    let since = often(&["ours"], || {
        let lock = named!("ours", Mutex::new(0));
        thread::scope(|scope| {
            scope.spawn(|| *lock.lock().unwrap() += 1).join().unwrap();
            count(&lock);
        });
    });
    assert!(told("ours", &since).is_empty(), "{since:#?}");
}

/// What fields are like that nobody has thought about.
#[repr(align(64))]
struct Beside {
    one: Mutex<u64>,
    other: Mutex<u64>,
}

#[test]
fn locks_beside_each_other_that_different_threads_take_very_often_get_in_the_way() {
    let names = ["beside", "beside too"];
    let since = often(&names, || {
        let one = named!("beside", Mutex::new(0));
        let beside = Beside { one, other: named!("beside too", Mutex::new(0)) };
        count_both([&beside.one, &beside.other]);
    });
    let told: Vec<Evidence> = names.iter().flat_map(|name| told(name, &since)).collect();
    let is_it = |told: &&Evidence| matches!(told, Evidence::Neighbours { pairs: 1, .. });
    assert_eq!(told.iter().filter(is_it).count(), 1, "{since:#?}");
}

/// A line of its own.
#[repr(align(64))]
struct Apart(Mutex<u64>);

#[test]
fn locks_in_lines_of_their_own_do_not() {
    let names = ["apart", "apart too"];
    let since = often(&names, || {
        let one = Apart(named!("apart", Mutex::new(0)));
        let other = Apart(named!("apart too", Mutex::new(0)));
        count_both([&one.0, &other.0]);
    });
    for name in names {
        let told = told(name, &since);
        assert!(matches!(told[..], [Evidence::OneThread { .. }]), "{since:#?}");
    }
}
