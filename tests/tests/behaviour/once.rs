//! `Once`: who runs, who waits, and what a panic does.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use super::blocked::spawn_blocked;
use super::sync::Once;
use super::thread;
use crate::{CountsDrops, in_time, panic_of};

const POISONED: &str = "Once instance has previously been poisoned";

/// Every way to wait for a closure that runs elsewhere.
const WAYS: [fn(&Once); 4] = [
    |once| once.call_once(|| panic!("a second one runs")),
    |once| once.call_once_force(|_| panic!("a second one runs")),
    Once::wait,
    Once::wait_force,
];

fn poisoned() -> Once {
    let once = Once::new();
    assert_eq!(panic_of(|| once.call_once(|| panic!("the first"))), "the first");
    once
}

#[test]
fn the_first_closure_runs_and_no_other() {
    let (once, ran) = (Once::new(), Cell::new(0));
    assert!(!once.is_completed());
    once.call_once(|| {
        assert!(!once.is_completed(), "it runs still");
        ran.set(ran.get() + 1);
    });
    assert!(once.is_completed());
    for way in WAYS {
        way(&once);
    }
    once.call_once(|| ran.set(7));
    assert_eq!(ran.get(), 1);
}

#[test]
fn a_closure_that_is_not_run_is_dropped() {
    let once = Once::new();
    let drops = CountsDrops::default();
    let [first, second, third] = [(); 3].map(|()| drops.clone());
    once.call_once(move || drop(first));
    assert_eq!(drops.count(), 1);
    once.call_once(move || drop(second));
    once.call_once_force(move |_| drop(third));
    assert_eq!(drops.count(), 3);
}

#[test]
fn whoever_comes_while_the_closure_runs_waits_for_its_end_and_sees_its_effects() {
    in_time(|| {
        let once = Once::new();
        let effect = AtomicU32::new(0);
        let (go, wait) = mpsc::channel::<()>();
        let (entered, running) = mpsc::channel();
        thread::scope(|scope| {
            let (once, effect) = (&once, &effect);
            scope.spawn(move || {
                once.call_once(|| {
                    entered.send(()).unwrap();
                    wait.recv().unwrap_err();
                    effect.store(1, Ordering::Relaxed);
                });
            });
            running.recv().unwrap();
            let waiters = WAYS.map(|way| {
                spawn_blocked(scope, move || {
                    way(once);
                    effect.load(Ordering::Relaxed)
                })
            });
            assert!(!once.is_completed());
            drop(go);
            assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [1; 4]);
        });
        assert!(once.is_completed());
    });
}

#[test]
fn of_many_threads_that_race_one_runs_the_closure() {
    in_time(|| {
        for _ in 0..50 {
            let (once, ran) = (Once::new(), AtomicU32::new(0));
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        once.call_once(|| _ = ran.fetch_add(1, Ordering::Relaxed));
                        assert_eq!(ran.load(Ordering::Relaxed), 1);
                    });
                }
            });
            assert_eq!(ran.into_inner(), 1);
        }
    });
}

#[test]
fn wait_waits_for_a_closure_that_nobody_has_begun_yet() {
    in_time(|| {
        let once = Once::new();
        thread::scope(|scope| {
            let waiters = [Once::wait, Once::wait_force].map(|wait| {
                let once = &once;
                spawn_blocked(scope, move || {
                    wait(once);
                    once.is_completed()
                })
            });
            once.call_once(|| ());
            assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [true; 2]);
        });
    });
}

#[test]
fn a_panic_poisons_it_for_all_but_those_who_force() {
    let once = poisoned();
    assert!(!once.is_completed());
    let drops = CountsDrops::default();
    let clone = drops.clone();
    assert_eq!(panic_of(|| once.call_once(move || drop(clone))), POISONED);
    assert_eq!(drops.count(), 1, "dropped, though it did not run");
    assert_eq!(panic_of(|| once.call_once(|| unreachable!())), POISONED);
    assert_eq!(panic_of(|| once.wait()), POISONED);
    assert!(!once.is_completed());
}

#[test]
fn call_once_force_tells_whether_it_was_poisoned_and_heals_it() {
    let fresh = Once::new();
    fresh.call_once_force(|state| {
        assert!(!state.is_poisoned());
        assert!(format!("{state:?}").contains("poisoned: false"));
    });
    assert!(fresh.is_completed());

    let once = poisoned();
    let text = panic_of(|| {
        once.call_once_force(|state| {
            assert!(state.is_poisoned());
            panic!("the second");
        })
    });
    assert_eq!(text, "the second");
    assert_eq!(panic_of(|| once.call_once(|| ())), POISONED);
    once.call_once_force(|state| assert!(state.is_poisoned()));
    assert!(once.is_completed());
    for way in WAYS {
        way(&once);
    }
}

#[test]
fn those_who_wait_for_a_closure_that_panics_find_it_poisoned_unless_they_force() {
    in_time(|| {
        let once = Once::new();
        let (go, wait) = mpsc::channel::<()>();
        let (entered, running) = mpsc::channel();
        thread::scope(|scope| {
            let once = &once;
            let panicking = scope.spawn(move || {
                panic_of(|| {
                    once.call_once(|| {
                        entered.send(()).unwrap();
                        wait.recv().unwrap_err();
                        panic!("while others wait");
                    })
                })
            });
            running.recv().unwrap();
            let calls = spawn_blocked(scope, || panic_of(|| once.call_once(|| unreachable!())));
            let waits = spawn_blocked(scope, || panic_of(|| once.wait()));
            let waits_forced = spawn_blocked(scope, || once.wait_force());
            drop(go);
            assert_eq!(panicking.join().unwrap(), "while others wait");
            assert_eq!(calls.join().unwrap(), POISONED);
            assert_eq!(waits.join().unwrap(), POISONED);
            once.call_once_force(|state| assert!(state.is_poisoned()));
            waits_forced.join().unwrap();
        });
        assert!(once.is_completed());
    });
}

#[test]
fn a_forced_call_that_waits_runs_its_closure_when_the_one_before_panics() {
    in_time(|| {
        let once = Once::new();
        let (go, wait) = mpsc::channel::<()>();
        let (entered, running) = mpsc::channel();
        thread::scope(|scope| {
            let once = &once;
            let panicking = scope.spawn(move || {
                once.call_once_force(|_| {
                    entered.send(()).unwrap();
                    wait.recv().unwrap_err();
                    panic!("not the last");
                });
            });
            running.recv().unwrap();
            let forces = spawn_blocked(scope, move || {
                let mut found_poisoned = None;
                once.call_once_force(|state| found_poisoned = Some(state.is_poisoned()));
                found_poisoned
            });
            drop(go);
            panicking.join().unwrap_err();
            assert_eq!(forces.join().unwrap(), Some(true));
        });
        assert!(once.is_completed());
    });
}

#[test]
fn wait_force_waits_for_the_healing_of_a_poisoned_one() {
    in_time(|| {
        let once = poisoned();
        thread::scope(|scope| {
            let waiter = spawn_blocked(scope, || once.wait_force());
            once.call_once_force(|_| ());
            waiter.join().unwrap();
        });
    });
}

#[test]
fn the_panic_of_a_poisoned_one_names_its_callers_line() {
    thread_local! {
        static LINES: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
    }
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let here = info.location().filter(|at| at.file() == file!());
            let mut lines = LINES.take();
            lines.extend(here.map(|at| at.line()));
            LINES.set(lines);
            before(info);
        }));
    });
    in_time(|| {
        let once = poisoned();
        LINES.take();
        let line = line!() + 1;
        panic_of(|| once.call_once(|| ()));
        assert_eq!(LINES.take(), [line]);
    });
}

#[test]
fn a_closure_may_wait_for_another_once() {
    let (outer, inner) = (Once::new(), Once::new());
    outer.call_once(|| {
        inner.call_once(|| assert!(!outer.is_completed()));
        inner.wait();
    });
    assert!(outer.is_completed() && inner.is_completed());
}

#[test]
fn a_panic_in_a_nested_closure_poisons_those_that_it_leaves() {
    let (outer, inner) = (Once::new(), Once::new());
    outer.call_once(|| {
        catch_unwind(AssertUnwindSafe(|| inner.call_once(|| panic!("caught")))).unwrap_err();
    });
    assert!(outer.is_completed());
    let outer = Once::new();
    assert_eq!(panic_of(|| outer.call_once(|| inner.call_once(|| ()))), POISONED);
    assert_eq!(panic_of(|| outer.call_once(|| ())), POISONED);
}

#[test]
fn a_closure_that_ends_well_while_its_thread_unwinds_completes_it() {
    struct CallsInDrop<'a>(&'a Once);
    impl Drop for CallsInDrop<'_> {
        fn drop(&mut self) {
            self.0.call_once(|| assert!(thread::panicking()));
            self.0.wait();
        }
    }
    let once = Once::new();
    panic_of(|| {
        let _calls = CallsInDrop(&once);
        panic!("unwinding");
    });
    assert!(once.is_completed());
}

#[test]
fn a_static_one_is_of_its_own() {
    static ONE: Once = Once::new();
    #[expect(deprecated, reason = "it is there, so it is tested")]
    static TWO: Once = super::sync::ONCE_INIT;
    ONE.call_once(|| ());
    assert!(ONE.is_completed() && !TWO.is_completed());
    TWO.call_once(|| ());
    assert!(TWO.is_completed());
}

#[test]
fn its_debug_text_says_nothing_about_its_state() {
    let once = Once::new();
    assert_eq!(format!("{once:?}"), "Once { .. }");
    once.call_once(|| assert_eq!(format!("{once:?}"), "Once { .. }"));
    assert_eq!(format!("{:?} {:#?}", once, poisoned()), "Once { .. } Once { .. }");
}
