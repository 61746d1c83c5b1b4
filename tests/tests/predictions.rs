//! Programs that were once misjudged: what could happen has to be found, and nothing else.
#![cfg(any(debug_assertions, feature = "always"))]

mod programs;

use std::panic::{AssertUnwindSafe, catch_unwind};

use programs::{locks, nest, one_after_another, predicted};
use sync_trace::sync::{Arc, Condvar, Mutex, Once, mpsc};
use sync_trace::{order, thread};

#[test]
fn a_nest_in_another_one_is_new_though_its_upper_part_was_met_a_moment_ago() {
    for tries in [false, true] {
        let count = predicted(move || {
            let [w, x, y, z] = locks();
            let back = { [w.clone(), z.clone()] };
            one_after_another(vec![
                Box::new(move || {
                    (0..4).for_each(|_| nest([&x, &y, &z]));
                    if tries {
                        let _w = w.try_lock().expect("it is free");
                        nest([&y, &z]);
                    } else {
                        nest([&w, &y, &z]);
                    }
                }),
                Box::new(move || nest([&back[1], &back[0]])),
            ]);
        });
        assert_eq!(count, 1, "with try_lock: {tries}");
    }
}

#[test]
fn what_was_once_done_inside_a_parents_section_may_be_done_outside_of_it() {
    let count = predicted(|| {
        let [g, a, b] = locks();
        let other = [g.clone(), a.clone(), b.clone()];
        let held = g.lock().expect("not poisoned");
        let (done, is_done) = mpsc::channel();
        let (go, may_go) = mpsc::channel();
        // That one comes after the other is seen by nobody.
        let (other_is_done, is_free) = std::sync::mpsc::channel();
        let child = {
            let [g, a, b] = other.clone();
            thread::spawn(move || {
                nest([&a, &b]);
                done.send(()).expect("the parent waits");
                may_go.recv().expect("the parent sends");
                is_free.recv().expect("the parent says so");
                nest([&g]);
                (0..3).for_each(|_| nest([&a, &b]));
            })
        };
        is_done.recv().expect("the child sends");
        drop(held);
        let [g, a, b] = other;
        let gated = thread::spawn(move || nest([&g, &b, &a]));
        go.send(()).expect("the child waits");
        let _ = gated.join();
        other_is_done.send(()).expect("the child waits");
        let _ = child.join();
    });
    assert_eq!(count, 1);
}

#[test]
fn a_lock_changes_hands_even_if_the_next_thread_has_the_last_ones_record() {
    for _ in 0..20 {
        let count = predicted(|| {
            let [g, a, b] = locks();
            let (send, receive) = mpsc::channel();
            let first = {
                let [g, a, b] = [g.clone(), a.clone(), b.clone()];
                thread::spawn(move || {
                    let _g = g.lock().expect("not poisoned");
                    send.send(()).expect("the root waits");
                    nest([&a, &b]);
                })
            };
            receive.recv().expect("the first one sends");
            // It has ended, without that the root is told so.
            while !has_ended(&first) {
                std::thread::yield_now();
            }
            let second = thread::spawn(move || {
                nest([&g]);
                nest([&b, &a]);
            });
            let _ = second.join();
        });
        assert_eq!(count, 0);
    }
}

/// Whether the thread has ended, by a look that is no ordering event.
fn has_ended<T>(thread: &thread::JoinHandle<T>) -> bool {
    use sync_trace::AsStd;
    thread.as_std().is_finished()
}

#[test]
fn a_scope_that_panics_has_joined_its_threads_all_the_same() {
    let count = predicted(|| {
        let [a, b] = locks();
        let scope = || {
            thread::scope(|scope| {
                scope.spawn(|| {
                    nest([&a, &b]);
                    panic!("the scope will panic too");
                });
            });
        };
        assert!(catch_unwind(AssertUnwindSafe(scope)).is_err());
        nest([&b, &a]);
    });
    assert_eq!(count, 0);
}

#[test]
fn whoever_cannot_send_any_more_comes_after_the_receivers_end() {
    let count = predicted(|| {
        let [a, b] = locks();
        let (sender, receiver) = mpsc::channel();
        let (bounded, bounded_receiver) = mpsc::sync_channel(1);
        let first = [a.clone(), b.clone()];
        one_after_another(vec![
            Box::new(move || {
                nest([&first[0], &first[1]]);
                drop((receiver, bounded_receiver));
            }),
            Box::new(move || {
                assert!(sender.send(()).is_err() && bounded.send(()).is_err());
                nest([&b, &a]);
            }),
        ]);
    });
    assert_eq!(count, 0);
}

#[test]
fn whoever_finds_the_condition_true_comes_after_who_made_it_so() {
    let count = predicted(|| {
        let [a, b] = locks();
        let ready = Arc::new((Mutex::new(false), Condvar::new()));
        let first = ([a.clone(), b.clone()], Arc::clone(&ready));
        one_after_another(vec![
            Box::new(move || {
                let ([a, b], ready) = first;
                nest([&a, &b]);
                *ready.0.lock().expect("not poisoned") = true;
                ready.1.notify_one();
            }),
            Box::new(move || {
                let state = ready.0.lock().expect("not poisoned");
                drop(ready.1.wait_while(state, |ready| !*ready));
                nest([&b, &a]);
            }),
        ]);
    });
    assert_eq!(count, 0);
}

#[test]
fn two_pairs_of_locks_at_different_lines_are_two_findings() {
    let count = predicted(|| {
        let [a, b, c, d] = locks();
        let ([e, f], [g, h]) = ([a.clone(), b.clone()], [c.clone(), d.clone()]);
        one_after_another(vec![
            Box::new(move || {
                let _a = a.lock().expect("not poisoned");
                drop(b.lock());
            }),
            Box::new(move || {
                let _f = f.lock().expect("not poisoned");
                drop(e.lock());
            }),
            Box::new(move || {
                let _c = c.lock().expect("not poisoned");
                drop(d.lock());
            }),
            Box::new(move || {
                let _h = h.lock().expect("not poisoned");
                drop(g.lock());
            }),
        ]);
    });
    assert_eq!(count, 2);
}

#[test]
fn the_first_message_of_a_thread_that_std_started_comes_after_everything_before() {
    let count = predicted(|| {
        let [a, b] = locks();
        let second = [b.clone(), a.clone()];
        let (sender, receiver) = mpsc::channel();
        let waits = thread::spawn(move || {
            receiver.recv().expect("it is sent");
            nest([&second[0], &second[1]]);
        });
        nest([&a, &b]);
        // It starts when all of that is over, which nobody sees.
        let sends = std::thread::spawn(move || {
            sender.send(()).expect("somebody receives");
        });
        sends.join().expect("no panic");
        waits.join().expect("no panic");
    });
    assert_eq!(count, 0);
}

#[test]
fn an_initialiser_hears_for_itself_what_its_thread_has_heard_before() {
    for hears_before in [false, true] {
        let count = predicted(move || {
            let [a, b] = locks();
            let second = [b.clone(), a.clone()];
            let (token, once) = (Arc::new(0_u8), Arc::new(Once::new()));
            let [published, initialised] = [token.clone(), token];
            let uses = once.clone();
            one_after_another(vec![
                Box::new(move || {
                    nest([&a, &b]);
                    order::publish(&*published);
                }),
                Box::new(move || {
                    if hears_before {
                        order::observe(&*initialised);
                    }
                    once.call_once(|| order::observe(&*initialised));
                }),
                Box::new(move || {
                    uses.call_once(|| unreachable!("it is done"));
                    nest([&second[0], &second[1]]);
                }),
            ]);
        });
        assert_eq!(count, 0, "before: {hears_before}");
    }
}
