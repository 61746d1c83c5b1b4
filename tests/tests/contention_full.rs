//! What is counted when every hold and every wait is measured: with many threads at once, nothing is missing and
//! nothing counts twice.
#![cfg(any(debug_assertions, feature = "always"))]

use std::time::{Duration, Instant};

use sync_trace::contention::{ClassStats, Stats};
use sync_trace::finding::Site;
use sync_trace::sync::{Mutex, RwLock};
use sync_trace::{Config, Contention, named, thread};

const THREADS: u64 = 8;
const TURNS: u64 = 3_000;

fn counted(name: &str) -> Option<ClassStats> {
    let classes = sync_trace::contention().classes;
    classes.into_iter().find(|class| class.name == Some(name))
}

fn total(sites: Vec<(Option<Site>, u64, Duration)>) -> Duration {
    sites.iter().map(|site| site.2).sum()
}

/// What of a class is there twice.
fn is_consistent(stats: &Stats) {
    assert_eq!(stats.pairs.iter().map(|pair| pair.waits).sum::<u64>(), stats.waits.count());
    assert_eq!([total(stats.holders()), total(stats.waiters())], [stats.waits.total(); 2]);
    assert_eq!(
        stats.sections.iter().map(|section| section.holds).sum::<u64>(),
        stats.holds.count()
    );
}

/// One test, because the setting is the process's.
#[test]
fn of_eight_threads_every_hold_is_counted_once_and_every_wait_is_charged_in_full() {
    Config::new().contention(Contention::Full).install();
    let lock = named!("random", Mutex::new(0_u64));
    let take_turns = || {
        let waits = (0..TURNS).map(|_| {
            let begun = Instant::now();
            let mut held = lock.lock().unwrap();
            *held += 1;
            (0..20).for_each(|_| std::hint::spin_loop());
            // A thread that loses the processor here still holds the lock.
            drop(held);
            begun.elapsed()
        });
        waits.sum::<Duration>()
    };
    let measured_in_all: Duration = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(take_turns)).collect();
        // Somebody who looks on meanwhile sees numbers that fit each other, and never more than there can be.
        let mut last = 0;
        while threads.iter().any(|thread| !thread.is_finished()) {
            if let Some(class) = counted("random") {
                is_consistent(&class.stats);
                assert!((last..=THREADS * TURNS).contains(&class.stats.acquisitions), "{class:?}");
                last = class.stats.acquisitions;
            }
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let class = counted("random").unwrap();
    let stats = &class.stats;
    is_consistent(stats);
    assert_eq!([stats.acquisitions, stats.holds.count(), stats.samples()], [THREADS * TURNS; 3]);
    assert!(stats.waits.count() < THREADS * TURNS);
    assert!(stats.waits.total() + stats.holds.total() <= measured_in_all);
    assert!(stats.owner_changes < THREADS * TURNS && stats.threads <= THREADS);
    let [lock] = &class.locks[..] else { panic!("one lock") };
    assert_eq!((lock.stats.acquisitions, &lock.stats.waits), (stats.acquisitions, &stats.waits));

    many_locks();
    some_that_come_and_go();
    reset();
}

/// Each thread goes from lock to lock, more than are at hand, also nested, and in both modes.
fn many_locks() {
    let locks: Vec<_> = (0..100_u64).map(|_| named!("many", RwLock::new(0_u64))).collect();
    let outer = named!("outer", Mutex::new(()));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (locks, outer) = (&locks, &outer);
            scope.spawn(move || {
                for turn in 0..TURNS {
                    let lock = &locks[((turn * 37 + thread * 11) % 100) as usize];
                    match turn % 3 {
                        0 => *lock.write().unwrap() += 1,
                        1 => _ = *lock.read().unwrap(),
                        _ => {
                            let _outer = outer.lock().unwrap();
                            _ = lock.try_read();
                        }
                    }
                }
            });
        }
    });
    let written: u64 = locks.iter().map(|lock| *lock.read().unwrap()).sum();
    let classes = sync_trace::contention().classes;
    let many = || classes.iter().filter(|class| class.name == Some("many"));
    let all: u64 = many().map(|class| class.stats.acquisitions).sum();
    let failures: u64 = many().map(|class| class.stats.try_failures).sum();
    assert_eq!(written, THREADS * TURNS / 3);
    assert_eq!(all + failures, THREADS * TURNS + 100);
    assert_eq!(counted("outer").unwrap().stats.acquisitions, THREADS * TURNS / 3);
    for class in many() {
        let own: u64 = class.locks.iter().map(|lock| lock.stats.acquisitions).sum();
        assert!(own <= class.stats.acquisitions);
    }
}

/// Locks that are used a few times each count as their class.
fn some_that_come_and_go() {
    for turn in 1..=10_000_u64 {
        let lock = named!("comes and goes", Mutex::new(turn));
        (0..turn % 4).for_each(|_| *lock.lock().unwrap() += 1);
    }
    assert_eq!(counted("comes and goes").unwrap().stats.acquisitions, 15_000);
}

/// What was counted is forgotten, wherever it was kept, and what comes then counts from the start.
fn reset() {
    let locks: Vec<_> = (0..50_u64).map(|_| named!("forgotten", Mutex::new(0))).collect();
    let use_all = || locks.iter().for_each(|lock| *lock.lock().unwrap() += 1);
    let outer = named!("across", Mutex::new(()));
    (0..3).for_each(|_| use_all());
    let held = outer.lock().unwrap();
    sync_trace::reset_contention();
    let contention = sync_trace::contention();
    assert!(contention.classes.is_empty(), "{contention}");
    drop(held);
    use_all();
    assert_eq!(counted("forgotten").unwrap().stats.acquisitions, 50);
    let across = counted("across").unwrap().stats;
    assert_eq!(across.acquisitions, 1);
    assert!(across.holds.total() <= sync_trace::contention().elapsed);
}
