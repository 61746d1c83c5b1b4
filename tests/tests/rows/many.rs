//! Rows with many locks, threads or repetitions. What takes much longer than it has to fails.

use std::collections::VecDeque;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use sync_trace::finding::Finding;
use sync_trace::sync::Mutex;
use sync_trace::{OnViolation, Policy, named, on_violation};

use super::scene::{Lock, MODES, Mode, Segment, lock, locks, locks_of, nest, nesting, scenario};
use crate::POLICY;

/// Nests of two in a ring of `count` locks.
fn ring(id: &str, count: usize) {
    for mode in MODES {
        scenario(id, |scene| {
            let locks: Vec<Lock> = (0..count).map(|_| lock()).collect();
            let nests = (0..count).map(|at| nesting([&locks[at], &locks[(at + 1) % count]]));
            scene.play(mode, nests.collect());
            if mode == Mode::Parallel {
                expect_ring(&scene.take_predicted(), count);
            } else if POLICY == Policy::Order {
                expect_ring(&scene.take_instances()[0], count);
            } else {
                expect_ring(&scene.notes()[0], count);
                scene.expect_silence();
            }
        });
    }
}

/// The whole way round, and each lock once.
#[track_caller]
fn expect_ring(finding: &Finding, count: usize) {
    assert_eq!((finding.links.len(), locks_of(finding).len()), (count, count));
}

/// Does something that may take so long.
#[track_caller]
fn within(limit: Duration, what: impl FnOnce()) {
    let start = Instant::now();
    what();
    let took = start.elapsed();
    println!("{}: {took:?}", std::thread::current().name().unwrap_or_default());
    assert!(took < limit, "{took:?} are more than {limit:?}");
}

#[test]
fn ts19_all_rotations_of_a_deep_nest() {
    rotations("TS19", 45);
}

#[test]
fn ts19_all_rotations_of_a_nest() {
    rotations("TS19, less deep", 10);
}

/// Nests of all locks, beginning with each.
///
/// Nearly every request is part of circles, so many that each search for one is cut off.
fn rotations(id: &str, count: usize) {
    for mode in MODES {
        scenario(id, |scene| {
            let locks: Vec<Lock> = (0..count).map(|_| lock()).collect();
            let rotation = |first: usize| {
                let mut locks = locks.clone();
                locks.rotate_left(first);
                Box::new(move || nest(&locks)) as Segment
            };
            // Half a second if nothing else runs. But the other tests do.
            within(Duration::from_secs(10), || {
                scene.play(mode, (0..count).map(rotation).collect());
            });
            let told = scene.take_instances().len();
            match (mode, POLICY) {
                (Mode::Single, Policy::Deadlock) => assert_eq!(told, 0),
                _ => assert!((1..=count).contains(&told), "{told} findings"),
            }
        });
    }
}

#[test]
fn ts20_long_rings() {
    for count in [5, 10, 15, 20, 30] {
        ring("TS20", count);
    }
}

#[test]
fn ab3_a_ring_of_a_hundred() {
    ring("AB3", 100);
}

#[test]
fn ab4_windows_of_five_in_a_long_row() {
    scenario("AB4", |scene| {
        let locks: Vec<Mutex<()>> =
            (0..1 << 17).map(|_| on_violation!(OnViolation::Log, Mutex::new(()))).collect();
        let mut guards = VecDeque::new();
        within(Duration::from_secs(10), || {
            for lock in &locks {
                guards.push_back(lock.lock().unwrap());
                if guards.len() == 5 {
                    guards.pop_front();
                }
            }
        });
        guards.clear();
        scene.expect_silence();
    });
}

#[test]
fn pr21_philosophers_of_any_number() {
    for count in 2..=50 {
        ring("PR21", count);
    }
}

#[test]
fn pr22_one_deadlock_of_a_hundred_thousand_instances() {
    for mode in MODES {
        scenario("PR22", |scene| {
            let [a, b] = locks();
            let repeat = |nest: [&Lock; 2]| {
                let locks = nest.map(Arc::clone);
                Box::new(move || (0..50_000).for_each(|_| super::scene::nest(&locks))) as Segment
            };
            within(Duration::from_secs(2), || {
                scene.play(mode, vec![repeat([&a, &b]), repeat([&b, &a])]);
            });
            scene.expect_by_mode(mode);
        });
    }
}

#[test]
fn pr23_hundreds_of_deadlocks_of_two_patterns() {
    const THREADS: usize = 800;
    const PRIVATE: usize = 7_100;
    scenario("PR23", |scene| {
        let before = repeated();
        let pairs: Vec<[Lock; 2]> = (0..THREADS / 4)
            .map(|pair| if pair % 2 == 0 { connections() } else { statements() })
            .collect();
        let part = |at: usize| {
            let mut pair = pairs[at / 4].clone();
            if at % 4 == 3 {
                pair.reverse();
            }
            let private = PRIVATE / THREADS + usize::from(at < PRIVATE % THREADS);
            Box::new(move || {
                nest(&pair);
                let [outer, own @ ..] = &(0..private).map(|_| lock()).collect::<Vec<_>>()[..]
                else {
                    return;
                };
                own.iter().for_each(|inner| nest([outer, inner]));
            }) as Segment
        };
        within(Duration::from_secs(10), || {
            scene.play(Mode::Parallel, (0..THREADS).map(part).collect());
        });
        assert_eq!(scene.take_instances().len(), 2);
        if POLICY == Policy::Deadlock {
            assert_eq!(repeated() - before, 198);
        }
    });
}

fn connections() -> [Lock; 2] {
    let pool = on_violation!(OnViolation::Log, named!("pool", Mutex::new(())));
    let connection = on_violation!(OnViolation::Log, named!("connection", Mutex::new(())));
    [Arc::new(pool), Arc::new(connection)]
}

fn statements() -> [Lock; 2] {
    let cache = on_violation!(OnViolation::Log, named!("cache", Mutex::new(())));
    let statement = on_violation!(OnViolation::Log, named!("statement", Mutex::new(())));
    [Arc::new(cache), Arc::new(statement)]
}

/// How many deadlocks were like one that had been reported.
fn repeated() -> u64 {
    let limits = sync_trace::snapshot().limits;
    let line = limits.iter().find(|(text, _)| text.starts_with("possible deadlocks like one"));
    line.map_or(0, |&(_, count)| count)
}

#[test]
fn wi4_a_reversal_that_is_repeated() {
    for mode in MODES {
        scenario("WI4", |scene| {
            let [a, b] = locks();
            let forward = [a.clone(), b.clone()];
            let backward = [b, a];
            let many: Segment = Box::new(move || (0..1000).for_each(|_| nest(&forward)));
            let again: Segment = Box::new(move || (0..1000).for_each(|_| nest(&backward)));
            scene.play(mode, vec![many, again]);
            let findings = match (mode, POLICY) {
                (Mode::Single, Policy::Deadlock) => {
                    scene.notes().into_iter().map(Arc::new).collect()
                }
                _ => scene.take_instances(),
            };
            let [only] = &findings[..] else { panic!("one, not {}", findings.len()) };
            let times = only.links.iter().filter_map(|link| Some(link.seen?.times));
            assert_eq!(times.max(), Some(1000));
            scene.expect_silence();
        });
    }
}

#[test]
fn gd7_a_hundred_threads_at_once() {
    scenario("GD7", |scene| {
        let shared: [Lock; 3] = locks();
        let start = Arc::new(Barrier::new(100));
        std::thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    start.wait();
                    (0..100).for_each(|_| nest(&shared));
                });
            }
        });
        scene.expect_silence();
        scene.play(Mode::Parallel, vec![nesting([&shared[2], &shared[0]])]);
        scene.take_predicted();
    });
}
