//! What is stated of locks of one class, where that takes more than a row: guards that outlive a scope,
//! scopes that end by a panic, waits, other threads, locks that are not recorded.
//!
//! All locks of a scene are of one class.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::time::Duration;

use sync_trace::finding::Code;
use sync_trace::sync::{Condvar, Mutex, RwLock};
use sync_trace::{Policy, order, thread};

use super::scene::{Lock, Scene, lock, locks, nest, scenario};
use crate::POLICY;

/// So many nests of one class are told of, if orders count.
#[track_caller]
fn expect_same_class(scene: &Scene, count: usize) {
    let findings = scene.take_findings();
    let expected = if POLICY == Policy::Order { count } else { 0 };
    assert_eq!(findings.len(), expected, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.code == Code::SameClass), "{findings:#?}");
}

/// Takes a lock of this level for a moment.
fn take_at(level: u32) {
    order::nested(level, || nest(&[lock()]));
}

/// A lock that is held is of level 1: one of level 0 may be taken, and none of level 1.
#[track_caller]
fn expect_level_1(scene: &Scene) {
    take_at(0);
    expect_same_class(scene, 0);
    take_at(1);
    expect_same_class(scene, 1);
}

#[test]
fn a_guard_that_leaves_its_scope_keeps_its_level() {
    scenario("outlived", |scene| {
        let a = lock();
        let _guard = order::nested(1, || a.lock()).unwrap();
        expect_level_1(scene);
    });
}

#[test]
fn so_does_one_of_a_poisoned_lock() {
    scenario("poisoned", |scene| {
        let a = lock();
        let poison = || {
            let _guard = a.lock().unwrap();
            panic!("on purpose");
        };
        assert!(catch_unwind(AssertUnwindSafe(poison)).is_err());
        let poisoned = order::nested(1, || a.lock()).unwrap_err();
        let _guard = PoisonError::into_inner(poisoned);
        expect_level_1(scene);
    });
}

#[test]
fn a_scope_ends_with_a_panic() {
    scenario("panic", |scene| {
        let [a, b] = locks();
        let panic = || order::nested(1, || order::keyed(5, || panic!("on purpose")));
        assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
        let _outer = a.lock().unwrap();
        drop(order::nested(1, || b.lock()).unwrap());
        expect_same_class(scene, 0);
        drop(b.lock().unwrap());
        expect_same_class(scene, 1);
    });
}

#[test]
fn what_is_taken_before_a_scope_is_not_meant_by_it() {
    scenario("before", |scene| {
        let [a, b, c] = locks();
        let first = a.lock().unwrap();
        let _second = order::nested(1, || {
            drop(first);
            b.lock().unwrap()
        });
        drop(c.lock().unwrap());
        expect_same_class(scene, 0);
        order::nested(1, || drop(c.lock().unwrap()));
        expect_same_class(scene, 1);
    });
}

#[test]
fn scopes_inside_scopes_add_to_each_other() {
    scenario("scopes", |scene| {
        let take = |level, key: u32, lock: &Lock| {
            order::nested(level, || order::keyed(key, || drop(lock.lock().unwrap())));
        };
        let [a, b, c] = locks();
        let _first = order::keyed(5, || order::nested(1, || a.lock())).unwrap();
        take(1, 6, &b);
        take(2, 4, &b);
        expect_same_class(scene, 0);
        take(1, 4, &c);
        expect_same_class(scene, 1);
        order::nested(1, || order::nested(0, || drop(c.lock().unwrap())));
        expect_same_class(scene, 0);
    });
}

/// A scope around several acquisitions is true of each.
#[test]
fn two_locks_in_one_scope_are_of_one_level() {
    scenario("one scope", |scene| {
        let [a, b] = locks();
        // First what looks the same to a cache that knows of no levels.
        let outer = a.lock().unwrap();
        drop(order::nested(1, || b.lock()).unwrap());
        drop(outer);
        expect_same_class(scene, 0);
        order::nested(1, || nest([&a, &b]));
        expect_same_class(scene, 1);
    });
}

#[test]
fn a_mutex_that_a_condvar_takes_back_is_what_it_was() {
    type Wait = fn(&Condvar, sync_trace::sync::MutexGuard<'_, ()>, &dyn Fn());
    let waits: [Wait; 3] = [
        |condvar, guard, check| {
            let _guard = condvar.wait_timeout(guard, Duration::from_millis(1)).unwrap();
            check();
        },
        |condvar, guard, check| {
            let patience = Duration::from_millis(1);
            let _guard = condvar.wait_timeout_while(guard, patience, |()| true).unwrap();
            check();
        },
        |condvar, guard, check| {
            // The wait is in a scope, and the hold was not.
            let patience = Duration::from_millis(1);
            let _guard = order::nested(7, || condvar.wait_timeout(guard, patience)).unwrap();
            check();
        },
    ];
    for wait in waits {
        for is_nested_in_another in [false, true] {
            scenario("condvar", |scene| {
                let [a, b] = locks();
                let other = Mutex::new(());
                let _other = is_nested_in_another.then(|| other.lock().unwrap());
                let guard = order::nested(1, || a.lock()).unwrap();
                wait(&Condvar::new(), guard, &|| expect_level_1(scene));
                let guard = b.lock().unwrap();
                wait(&Condvar::new(), guard, &|| {
                    take_at(2);
                    expect_same_class(scene, 0);
                    take_at(0);
                    expect_same_class(scene, 1);
                });
            });
        }
    }
}

/// The thread has done nothing before that has a place in time.
#[test]
fn so_is_the_first_mutex_of_a_thread_if_the_wait_is_in_the_scope_too() {
    scenario("condvar_first", |scene| {
        let a = lock();
        let patience = Duration::from_millis(1);
        let wait = || Condvar::new().wait_timeout(a.lock().unwrap(), patience).unwrap();
        let _guard = order::nested(1, wait);
        expect_level_1(scene);
    });
}

#[test]
fn threads_that_are_started_in_a_scope_are_not_meant() {
    scenario("thread", |scene| {
        let [a, b] = locks();
        let body = move || {
            let _outer = a.lock().unwrap();
            drop(order::nested(1, || b.lock()).unwrap());
        };
        order::nested(1, || thread::spawn(body).join()).unwrap();
        expect_same_class(scene, 0);
    });
}

#[test]
fn a_thread_that_is_muted_may_state_what_it_likes() {
    scenario("mute", |scene| {
        let [a, b, c] = locks();
        let quiet = sync_trace::mute();
        let unrecorded = order::nested(1, || a.lock()).unwrap();
        drop(quiet);
        drop(b.lock().unwrap());
        drop(unrecorded);
        expect_same_class(scene, 0);
        let quiet = sync_trace::mute();
        let _guard = order::nested(1, || {
            drop(quiet);
            c.lock().unwrap()
        });
        expect_level_1(scene);
    });
}

#[test]
fn levels_reach_as_deep_as_locks_are_nested() {
    scenario("deep", |scene| {
        let locks: Vec<Lock> = (0..40).map(|_| lock()).collect();
        let mut guards: Vec<_> = (0..)
            .zip(&locks)
            .map(|(level, lock)| order::nested(level, || lock.lock()).unwrap())
            .collect();
        expect_same_class(scene, 0);
        // Beyond the sixteen holds that need no memory.
        take_at(39);
        expect_same_class(scene, 1);
        while guards.pop().is_some() {}
    });
}

#[test]
fn repeats_are_counted() {
    scenario("repeats", |scene| {
        let [a, b] = locks();
        for _ in 0..1000 {
            let _outer = a.lock().unwrap();
            drop(order::nested(1, || b.lock()).unwrap());
        }
        expect_same_class(scene, 0);
        let [c, d] = locks();
        let _outer = order::nested(1, || c.lock()).unwrap();
        drop(d.lock().unwrap());
        let told = scene.take_findings();
        let told = told.first().map_or_else(|| scene.notes().remove(0), |one| (**one).clone());
        assert_eq!(told.code, Code::Inversion);
        let times = told.links.iter().map(|link| link.seen.map_or(0, |seen| seen.times));
        assert_eq!(times.max(), Some(1000), "{told}");
        let levels = told.links.iter().filter_map(|link| link.stated);
        let mut levels: Vec<_> = levels.map(|both| (both.held.level, both.wanted.level)).collect();
        levels.sort_unstable();
        assert_eq!(levels, [(0, 1), (1, 0)], "{told}");
    });
}

#[test]
fn a_statement_that_is_broken_is_noted_with_both_keys() {
    scenario("keys", |scene| {
        let [a, b] = locks();
        let _outer = order::keyed(7u8, || a.lock()).unwrap();
        drop(order::keyed(-3i64, || b.lock()).unwrap());
        let notes = scene.notes();
        let [note] = &notes[..] else { panic!("one note, not {notes:#?}") };
        let text = note.to_string();
        for said in ["with key -3 is taken", "with key 7 is held", "the lowest key first"] {
            assert!(text.contains(said), "no `{said}` in {text}");
        }
        expect_same_class(scene, 1);
    });
}

#[test]
fn the_cure_is_named() {
    scenario("cure", |scene| {
        nest(&locks::<2>());
        if POLICY == Policy::Order {
            let text = scene.take_findings()[0].to_string();
            for said in ["`sync_trace::order`", "`keyed`", "`nested`", "`under`"] {
                assert!(text.contains(said), "no `{said}` in {text}");
            }
        }
    });
}

#[test]
fn ww23_an_outer_lock_that_this_thread_does_not_hold() {
    scenario("WW23", |scene| {
        let outer = Mutex::new(());
        let guard = outer.lock().unwrap();
        let borrow = || {
            thread::scope(|scope| {
                let thread = scope.spawn(|| order::under(&guard, || nest(&locks::<2>())));
                thread.join().map_err(|panic| *panic.downcast::<String>().expect("a message"))
            })
        };
        let message = borrow().expect_err("it is another thread's");
        for said in ["`order::under` at ", "rows/stated.rs:", "which this thread does not hold"] {
            assert!(message.contains(said), "no `{said}` in {message}");
        }
        let taken_at = format!("rows/stated.rs:{}:", line!() - 11);
        assert!(message.contains(&taken_at), "no `{taken_at}` in {message}");
        expect_same_class(scene, 0);
        // The thread that has it may say so.
        order::under(&guard, || nest(&locks::<2>()));
        expect_same_class(scene, 0);
        drop(guard);
        let outer = RwLock::new(());
        order::under(&outer.write().unwrap(), || nest(&locks::<3>()));
        expect_same_class(scene, 0);
        nest(&locks::<2>());
        expect_same_class(scene, 1);
    });
}

#[test]
fn an_outer_lock_that_is_not_recorded_is_believed_in() {
    scenario("unrecorded", |scene| {
        let outer = sync_trace::untracked!(Mutex::new(()));
        order::under(&outer.lock().unwrap(), || nest(&locks::<2>()));
        let outer = Mutex::new(());
        let quiet = sync_trace::mute();
        let guard = outer.lock().unwrap();
        drop(quiet);
        order::under(&guard, || nest(&locks::<2>()));
        expect_same_class(scene, 0);
        nest(&locks::<2>());
        expect_same_class(scene, 1);
    });
}

/// What one thread states has nothing to do with what another one does.
#[test]
fn a_deadlock_that_could_happen_is_told_of_whatever_is_stated() {
    scenario("stated inversion", |scene| {
        let [a, b] = locks();
        let both_ways = [[&a, &b], [&b, &a]].map(|[first, second]| {
            let (first, second) = (first.clone(), second.clone());
            let take = move || {
                let _outer = order::keyed(1, || first.lock()).unwrap();
                let _inner = order::keyed(2, || second.lock()).unwrap();
            };
            Box::new(take) as super::scene::Segment
        });
        scene.play(super::scene::Mode::Parallel, both_ways.into());
        drop(scene.take_predicted());
    });
}
