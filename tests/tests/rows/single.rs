//! Rows that look closely at one report, or at locks that come, go and move.

use std::collections::BTreeSet;
use std::sync::Arc;

use sync_trace::finding::{Blocker, Code, Finding, LockId, Target};
use sync_trace::sync::Mutex;
use sync_trace::{Allow, OnViolation, Policy, named, on_violation};
use sync_trace_tests::check;

use super::scene::{Lock, MODES, Mode, Segment, lock, locks, locks_of, nest, nesting, scenario};
use crate::POLICY;

#[test]
fn ts03_locks_that_are_never_used() {
    for mode in MODES {
        scenario("TS03", |scene| {
            let [a, b] = locks();
            let create: Segment = Box::new(|| drop((0..4096).map(|_| lock()).collect::<Vec<_>>()));
            scene.play(mode, vec![nesting([&a, &b]), create, nesting([&b, &a])]);
            scene.expect_by_mode(mode);
        });
    }
}

#[test]
fn ts04_locks_that_are_used_and_dropped() {
    for mode in MODES {
        scenario("TS04", |scene| {
            let [a, b] = locks();
            let use_up: Segment = Box::new(|| (0..4096).for_each(|_| nest(&[lock(), lock()])));
            scene.play(mode, vec![nesting([&a, &b]), use_up, nesting([&b, &a])]);
            scene.expect_by_mode(mode);
        });
    }
}

#[test]
fn ts05_threads_have_their_names() {
    scenario("TS05", |scene| {
        let [a, b] = locks();
        scene.play(Mode::Parallel, vec![nesting([&a, &b]), nesting([&b, &a])]);
        let finding = scene.take_predicted();
        let names = finding.links.iter().map(|link| link.agent.name.as_deref());
        assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from([Some("t0"), Some("t1")]));
    });
}

#[test]
fn ts14_locks_that_come_and_go() {
    for mode in MODES {
        scenario("TS14", |scene| {
            let nests = || (0..100).for_each(|_| nest(&locks::<10>()));
            scene.play(mode, (0..4).map(|_| Box::new(nests) as Segment).collect());
            scene.expect_silence();
        });
    }
}

#[test]
fn ts16_two_locks_have_four_sites() {
    scenario("TS16", |scene| {
        let [a, b] = locks();
        let (first, second) = ([a.clone(), b.clone()], [b, a]);
        let begin = line!();
        let segments: Vec<Segment> = vec![
            Box::new(move || {
                let _outer = first[0].lock().unwrap();
                let _inner = first[1].lock().unwrap();
            }),
            Box::new(move || {
                let _outer = second[0].lock().unwrap();
                let _inner = second[1].lock().unwrap();
            }),
        ];
        scene.play(Mode::Parallel, segments);
        expect_sites(&scene.take_predicted(), &[begin + 3, begin + 4, begin + 7, begin + 8]);
    });
}

#[test]
fn ts17_three_locks_have_six_sites() {
    scenario("TS17", |scene| {
        let [a, b, c] = locks();
        let (first, second, third) = ([a.clone(), b.clone()], [b, c.clone()], [c, a]);
        let begin = line!();
        let segments: Vec<Segment> = vec![
            Box::new(move || {
                let _outer = first[0].lock().unwrap();
                let _inner = first[1].lock().unwrap();
            }),
            Box::new(move || {
                let _outer = second[0].lock().unwrap();
                let _inner = second[1].lock().unwrap();
            }),
            Box::new(move || {
                let _outer = third[0].lock().unwrap();
                let _inner = third[1].lock().unwrap();
            }),
        ];
        scene.play(Mode::Parallel, segments);
        let lines = [3, 4, 7, 8, 11, 12].map(|line| begin + line);
        expect_sites(&scene.take_predicted(), &lines);
    });
}

/// The lines at which locks are wanted, and at which those are held that keep others waiting.
#[track_caller]
fn expect_sites(finding: &Finding, lines: &[u32]) {
    let holds = finding.links.iter().map(|link| match &link.blocker {
        Blocker::Holds(hold) => hold.site,
        other => panic!("a hold, not {other:?}"),
    });
    let sites: Vec<_> = finding.links.iter().map(|link| link.wait.site).chain(holds).collect();
    assert!(sites.iter().all(|site| site.file() == file!()));
    assert_eq!(
        sites.iter().map(|site| site.line()).collect::<BTreeSet<_>>(),
        lines.iter().copied().collect()
    );
}

#[test]
fn ts18_new_locks_where_old_ones_were() {
    for mode in MODES {
        scenario("TS18", |scene| {
            let rounds: Vec<Segment> = (0..10)
                .map(|round| {
                    Box::new(move || {
                        // At the same address each time, most likely.
                        let locks = Box::new(locks::<4>());
                        if round % 2 == 0 { nest(&*locks) } else { nest(locks.iter().rev()) }
                    }) as Segment
                })
                .collect();
            scene.play(mode, rounds);
            scene.expect_silence();
        });
    }
}

#[test]
fn ts22_and_wi3_what_is_allowed_is_silent() {
    sync_trace::allow(
        Allow::new(Code::Inversion, "both are blessed").locks(["blessed a", "blessed b"]),
    );
    for mode in MODES {
        for (id, other_is_blessed) in [("TS22", true), ("WI3", false)] {
            scenario(id, |scene| {
                let a = on_violation!(OnViolation::Log, named!("blessed a", Mutex::new(())));
                let b = on_violation!(OnViolation::Log, named!("blessed b", Mutex::new(())));
                let (a, b) = (Arc::new(a), Arc::new(b));
                let b = if other_is_blessed { b } else { lock() };
                scene.play(mode, vec![nesting([&a, &b]), nesting([&b, &a])]);
                if other_is_blessed {
                    scene.expect_silence();
                } else {
                    scene.expect_by_mode(mode);
                }
            });
        }
    }
}

#[test]
fn ld09_and_hg5_a_lock_that_is_dropped_while_it_is_held() {
    scenario("LD09", |scene| {
        let lock = Box::new(Mutex::new(()));
        std::mem::forget(lock.lock().unwrap());
        drop(lock);
        assert_eq!(scene.take_findings().len(), 1);
    });
}

#[test]
fn hg2_five_philosophers() {
    scenario("HG2", |scene| {
        let forks: [Lock; 5] = locks();
        let sitting = (0..5).map(|at| nesting([&forks[at], &forks[(at + 1) % 5]]));
        scene.play(Mode::Parallel, sitting.collect());
        let finding = scene.take_predicted();
        assert_eq!(locks_of(&finding).len(), 5);
        let threads: BTreeSet<_> = finding.links.iter().map(|link| link.agent.id).collect();
        assert_eq!(threads.len(), 5);
        assert!(finding.links.iter().all(|link| matches!(link.blocker, Blocker::Holds(_))));
    });
}

/// Nests two locks which are new each time.
fn hg3_nests() -> Vec<Segment> {
    let make = || (named!("hg3 a", Mutex::new(())), named!("hg3 b", Mutex::new(())));
    let forward: Segment = Box::new(move || {
        let (a, b) = make();
        let _nest = (a.lock().unwrap(), b.lock().unwrap());
    });
    let backward: Segment = Box::new(move || {
        let (a, b) = make();
        let _nest = (b.lock().unwrap(), a.lock().unwrap());
    });
    vec![forward, backward]
}

#[test]
fn hg3_locks_that_are_dropped_and_made_again() {
    for mode in MODES {
        scenario("HG3", |scene| {
            scene.play(mode, hg3_nests());
            scene.expect_silence();
            drop(scene.take_findings());
        });
    }
}

#[test]
fn hg3_locks_that_are_made_again_are_of_the_same_classes() {
    for mode in MODES {
        scenario("HG3, classes", |scene| {
            scene.play(mode, hg3_nests());
            let expected = usize::from(POLICY == Policy::Order);
            assert_eq!(scene.take_findings().len(), expected);
        });
    }
}

#[test]
fn hg4_an_order_through_a_lock_that_is_gone() {
    for mode in MODES {
        scenario("HG4", |scene| {
            let (a, c) = (lock(), lock());
            let b = Arc::new(on_violation!(OnViolation::Log, named!("gone", Mutex::new(()))));
            let first = vec![nesting([&a, &b]), nesting([&b, &c])];
            let last = nesting([&c, &a]);
            let gone = Arc::downgrade(&b);
            let check: Segment = Box::new(move || {
                assert_eq!(gone.strong_count(), 0);
                last();
            });
            drop(b);
            scene.play(mode, first.into_iter().chain([check]).collect());
            let mut told = scene.notes();
            told.extend(scene.take_instances().iter().map(|finding| Finding::clone(finding)));
            let finding = told.pop().expect("a finding, or at least a note");
            let names = finding.links.iter().filter_map(|link| match &link.wait.target {
                Target::Lock(lock, _) => lock.name,
                _ => None,
            });
            assert_eq!(names.collect::<Vec<_>>(), ["gone"]);
        });
    }
}

#[test]
fn ab5_a_lock_that_is_gone_though_held() {
    for mode in MODES {
        scenario("AB5", |scene| {
            let segment: Segment = Box::new(|| {
                let held = Box::new(Mutex::new(()));
                std::mem::forget(held.lock().unwrap());
                drop(held);
                let (b, c) = (Box::new(Mutex::new(())), Mutex::new(()));
                let _nest = (b.lock().unwrap(), c.lock().unwrap());
            });
            scene.play(mode, vec![segment]);
            scene.expect_silence();
        });
    }
}

#[test]
fn gd9_a_lock_that_moves() {
    scenario("GD9", |scene| {
        let (a, b) = (Mutex::new(()), Mutex::new(()));
        let before = {
            let _nest = (a.lock().unwrap(), b.lock().unwrap());
            newest_hold()
        };
        let moved = (Box::new(b), Box::new(a));
        let _nest = (moved.1.lock().unwrap(), moved.0.lock().unwrap());
        assert_eq!(newest_hold(), before);
        scene.expect_silence();
    });
}

/// The number of the lock that the calling thread took last.
fn newest_hold() -> LockId {
    let me = std::thread::current();
    let mut agents = sync_trace::snapshot().agents.into_iter();
    let own = agents.find(|state| state.agent.name.as_deref() == me.name()).expect("on record");
    own.holds.last().expect("a lock is held").lock.id
}

/// Deadlocks that do happen are found the same under any policy.
#[test]
fn deadlocks_that_happen() {
    if POLICY == Policy::Order {
        // The player makes all its locks in one place, so each nest of them would count.
        return;
    }
    for (id, script, expected) in [
        (
            "TS21",
            "t1: lock a; t2: lock b; t1: lock b; t2: lock a",
            &["ST0001 t1 -> b -> t2 -> a -> t1"][..],
        ),
        ("HG7", "t1: lock a; t1: end_holding; t2: lock a", &["ST0003 t2 -> a of t1"]),
        ("GD4", "r: read l; w: write l; r: read l", &["ST0002 r -> l behind w -> r"]),
        (
            "JV1",
            "t1: lock a; t2: lock b; t3: lock c; t1: lock b; t2: lock c; t3: lock a",
            &["ST0001 t1 -> b -> t2 -> c -> t3 -> a -> t1"],
        ),
        ("JV2", "r: read l; w: lock a; w: write l; r: lock a", &["ST0001 r -> a -> w -> l -> r"]),
        (
            "JV3",
            "t1: lock a; t2: lock b; t3: lock c; t4: lock d; t1: lock b; t3: lock d; \
             t5: lock a; t2: lock a; t4: lock c",
            &["ST0001 t1 -> b -> t2 -> a -> t1", "ST0001 t3 -> d -> t4 -> c -> t3"],
        ),
        ("GO1", "t1: lock a; t1: lock a", &["ST0002 t1 -> a -> t1"]),
        (
            "GO2",
            "t1: lock a; t2: lock b; t3: lock c; t1: lock b; t3: release c; t2: lock a; t3: lock c",
            &["ST0001 t1 -> b -> t2 -> a -> t1"],
        ),
    ] {
        scenario(id, |_| check(script, expected));
    }
}

#[test]
fn ts11_a_deep_private_nest() {
    for mode in MODES {
        let segments = |_| {
            Box::new(|| {
                let own = locks::<4>();
                (0..100).for_each(|_| nest(&own));
            }) as Segment
        };
        scenario("TS11", |scene| {
            scene.play(mode, (0..4).map(segments).collect());
            scene.expect_silence();
        });
    }
}
