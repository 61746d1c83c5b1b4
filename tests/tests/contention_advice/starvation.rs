//! Who waits for very much longer than others.

use std::time::Duration;

use sync_trace::contention::Evidence;
use sync_trace::named;
use sync_trace::sync::{Mutex, RwLock};

use crate::scene::{
    MS, advised, assert_advised, assert_not_advised, counted, one_waits_behind, pass, wait_behind,
};

/// What half of the waits for locks with this name did not exceed.
fn median(name: &str) -> Duration {
    let contention = sync_trace::contention();
    let class = contention.classes.iter().find(|class| class.name == Some(name)).unwrap();
    class.stats.waits.quantile(0.5).unwrap()
}

fn longest_of(evidence: &[Evidence]) -> Option<(Duration, u32)> {
    evidence.iter().find_map(|evidence| match evidence {
        Evidence::Starvation { longest, holder, .. } => Some((*longest, holder.unwrap().line())),
        _ => None,
    })
}

#[test]
fn a_wait_a_hundred_times_as_long_as_others_is_told() {
    let before = sync_trace::contention();
    let lock = named!("starved", Mutex::new(()));
    for _ in 0..110 {
        wait_behind("starved", &lock, lock.lock().unwrap(), 1, Duration::ZERO);
    }
    let longest = counted("starved", &before).waits.max().unwrap();
    let long = (median("starved") * 150).max(2 * longest).max(10 * MS);
    let (held, line) = (lock.lock().unwrap(), line!());
    wait_behind("starved", &lock, held, 1, long);
    let advised = advised("starved", &before);
    let Some((longest, holder)) = longest_of(&advised) else { panic!("{advised:?}") };
    assert!(longest >= long && holder == line);
}

#[test]
fn a_wait_that_is_only_some_times_as_long_is_not() {
    let before = sync_trace::contention();
    let lock = named!("fed", Mutex::new(()));
    for _ in 0..30 {
        wait_behind("fed", &lock, lock.lock().unwrap(), 4, 8 * MS);
    }
    wait_behind("fed", &lock, lock.lock().unwrap(), 1, 100 * MS);
    let advised = advised("fed", &before);
    assert_eq!(longest_of(&advised), None, "{advised:?}");
}

/// Twenty times a write waits behind a hold of `hold`, for 10 ms or longer; nobody waits to read, which is done as often.
fn writes_wait<G>(name: &str, lock: &RwLock<()>, hold: impl Fn() -> G) {
    for _ in 0..20 {
        one_waits_behind(name, hold(), || drop(lock.write().unwrap()), || pass(10 * MS));
        drop(lock.read().unwrap());
    }
}

#[test]
fn writers_who_wait_for_readers_are_told() {
    let before = sync_trace::contention();
    let lock = named!("waiting writers", RwLock::new(()));
    writes_wait("waiting writers", &lock, || lock.read().unwrap());
    assert_advised("waiting writers", &before, "WritersWait");
}

#[test]
fn writers_who_wait_for_writers_or_make_readers_wait_are_not() {
    let before = sync_trace::contention();
    let lock = named!("patient writers", RwLock::new(()));
    writes_wait("patient writers", &lock, || lock.write().unwrap());
    assert_not_advised("patient writers", &before, "WritersWait");

    let lock = named!("fair writers", RwLock::new(()));
    for _ in 0..20 {
        let reads = lock.read().unwrap();
        let write = || drop(lock.write().unwrap());
        one_waits_behind("fair writers", reads, write, || pass(10 * MS));
        let writes = lock.write().unwrap();
        let read = || drop(lock.read().unwrap());
        one_waits_behind("fair writers", writes, read, || pass(10 * MS));
    }
    assert_not_advised("fair writers", &before, "WritersWait");
}
