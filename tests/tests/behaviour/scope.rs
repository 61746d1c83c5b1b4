//! `scope` and scoped threads.

use std::cell::Cell;
use std::panic::panic_any;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Once, mpsc};

use super::sync::{Mutex, RwLock};
use super::thread::{self, Builder};
use crate::{in_time, message, panic_of};

#[test]
fn scoped_threads_borrow_locals_and_end_with_the_scope() {
    in_time(|| {
        let mut words = vec![String::from("one")];
        let (total, text) = (Mutex::new(0), String::from("text"));
        let returned = thread::scope(|scope| {
            scope.spawn(|| words.push(String::from("two")));
            for n in 1..=3 {
                let (total, text) = (&total, &text);
                scope.spawn(move || *total.lock().unwrap() += n + text.len());
            }
            "returned"
        });
        assert_eq!(words, ["one", "two"]);
        assert_eq!((returned, total.into_inner().unwrap()), ("returned", 18));
    });
}

#[test]
fn a_scoped_thread_starts_others_in_the_same_scope_after_its_closure_has_returned() {
    in_time(|| {
        let count = AtomicU32::new(0);
        let (go, wait) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let count = &count;
            scope.spawn(move || {
                // The scope's closure has returned by then.
                wait.recv().unwrap_err();
                let inner = scope.spawn(move || {
                    scope.spawn(|| count.fetch_add(1, Ordering::Relaxed));
                    count.fetch_add(1, Ordering::Relaxed)
                });
                inner.join().unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            });
            drop(go);
        });
        assert_eq!(count.into_inner(), 3);
    });
}

#[test]
fn scopes_nest() {
    in_time(|| {
        let values = [RwLock::new(1), RwLock::new(2)];
        let sum = thread::scope(|outer| {
            let doubled = outer.spawn(|| {
                thread::scope(|inner| {
                    for value in &values {
                        inner.spawn(move || *value.write().unwrap() *= 2);
                    }
                });
                values.iter().map(|value| *value.read().unwrap()).sum::<u32>()
            });
            doubled.join().unwrap()
        });
        assert_eq!(sum, 6);
    });
}

#[test]
fn joining_a_scoped_thread_gives_its_value_or_its_panic() {
    in_time(|| {
        let scoped = thread::scope(|scope| {
            let value = scope.spawn(|| 1).join().unwrap();
            let panicked = scope.spawn(|| panic_any(2_u8)).join();
            (value, *panicked.unwrap_err().downcast::<u8>().unwrap())
        });
        assert_eq!(scoped, (1, 2), "a panic that was joined does not count");
    });
}

#[test]
fn a_scope_panics_if_a_thread_panicked_that_was_not_joined() {
    in_time(|| {
        let other_ended = AtomicBool::new(false);
        let text = panic_of(|| {
            thread::scope(|scope| {
                scope.spawn(|| panic!("not joined"));
                scope.spawn(|| other_ended.store(true, Ordering::Relaxed));
            })
        });
        assert_eq!(text, "a scoped thread panicked");
        assert!(other_ended.into_inner());
        // The next scope has nothing to do with it.
        assert_eq!(thread::scope(|scope| scope.spawn(|| 1).join().unwrap()), 1);
    });
}

#[test]
fn a_scope_whose_closure_panics_waits_for_its_threads_and_passes_the_panic_on() {
    in_time(|| {
        let ended = AtomicBool::new(false);
        let (go, wait) = mpsc::channel::<()>();
        let text = panic_of(|| {
            thread::scope(|scope| {
                let ended = &ended;
                scope.spawn(move || {
                    wait.recv().unwrap_err();
                    ended.store(true, Ordering::Relaxed);
                });
                scope.spawn(|| panic!("the closure's own panic comes first"));
                // Dropped by the panic.
                let _go = go;
                panic!("the closure");
            })
        });
        assert_eq!(text, "the closure");
        assert!(ended.into_inner());
    });
}

#[test]
fn a_scope_waits_for_its_threads_whether_their_handles_are_kept_or_dropped() {
    in_time(|| {
        let count = AtomicU32::new(0);
        thread::scope(|scope| {
            let _kept = scope.spawn(|| count.fetch_add(1, Ordering::Relaxed));
            drop(scope.spawn(|| count.fetch_add(1, Ordering::Relaxed)));
        });
        assert_eq!(count.into_inner(), 2);
    });
}

#[test]
fn the_value_of_a_thread_that_was_not_joined_is_dropped_before_the_scope_ends() {
    struct SetsOnDrop<'a>(&'a AtomicBool);
    impl Drop for SetsOnDrop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    in_time(|| {
        let dropped = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| SetsOnDrop(&dropped));
        });
        assert!(dropped.into_inner());
    });
}

#[test]
fn a_builder_starts_scoped_threads_with_its_name() {
    in_time(|| {
        let local = Mutex::new(0);
        thread::scope(|scope| {
            let builder = Builder::new().name("scoped".to_owned()).stack_size(1 << 20);
            let handle = builder
                .spawn_scoped(scope, || {
                    *local.lock().unwrap() += 1;
                    thread::current().name().map(str::to_owned)
                })
                .unwrap();
            assert_eq!(handle.thread().name(), Some("scoped"));
            assert_eq!(handle.join().unwrap().as_deref(), Some("scoped"));
            let unnamed = scope.spawn(|| thread::current().name().map(str::to_owned));
            assert_eq!(unnamed.join().unwrap(), None);
            let error = Builder::new().stack_size(1 << 60).spawn_scoped(scope, || ());
            assert!(error.is_err(), "and the scope does not wait for it");
        });
        assert_eq!(local.into_inner().unwrap(), 1);
    });
}

#[test]
fn a_scoped_handle_knows_its_thread_and_whether_it_has_finished() {
    in_time(|| {
        thread::scope(|scope| {
            let (go, wait) = mpsc::channel::<()>();
            let handle = scope.spawn(move || {
                wait.recv().unwrap_err();
                thread::current().id()
            });
            assert!(!handle.is_finished());
            drop(go);
            while !handle.is_finished() {
                thread::yield_now();
            }
            let id = handle.thread().id();
            assert_eq!(handle.join().unwrap(), id);
        });
    });
}

#[test]
fn the_debug_texts_of_scopes_and_their_handles_are_stds() {
    in_time(|| {
        thread::scope(|scope| {
            let text = format!("{scope:?}");
            assert!(text.starts_with("Scope {") && text.ends_with(".. }"), "{text}");
            assert!(text.contains("a_thread_panicked: false"), "{text}");
            let handle = scope.spawn(|| ());
            assert_eq!(format!("{handle:?}"), "ScopedJoinHandle { .. }");
        });
    });
}

#[test]
fn the_panic_of_a_scope_names_its_callers_line() {
    thread_local! {
        static PANICKED_AT: Cell<Option<(&'static str, u32)>> = const { Cell::new(None) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let here = file!();
            let at = info.location().filter(|at| at.file() == here).map(|at| (here, at.line()));
            PANICKED_AT.set(at);
            before(info);
        }));
    });
    in_time(|| {
        let line = line!() + 1;
        panic_of(|| thread::scope(|scope| drop(scope.spawn(|| panic!("not joined")))));
        assert_eq!(PANICKED_AT.get(), Some((file!(), line)));
    });
}

#[test]
fn a_panic_payload_crosses_two_scopes() {
    in_time(|| {
        let text = panic_of(|| {
            thread::scope(|outer| {
                let inner = outer.spawn(|| thread::scope(|_| panic!("inside")));
                let payload = inner.join().unwrap_err();
                panic_any(message(&*payload) + " and out");
            })
        });
        assert_eq!(text, "inside and out");
    });
}
