//! Order that passes through what `std` offers without a thread that waits: something that is
//! initialised already, a condition that is true already. What comes after it in every schedule is no
//! deadlock; what does not has to be found.
#![cfg(any(debug_assertions, feature = "always"))]

mod programs;

mod initialised {
    use sync_trace::sync::{Arc, LazyLock, Mutex, Once, OnceLock};

    use crate::programs::{Part, locks, nest, one_after_another, predicted};

    type Lazy = LazyLock<u32, Box<dyn FnOnce() -> u32 + Send>>;

    /// Something that is initialised once, whatever its type.
    trait Cell: Send + Sync {
        /// Uses it, and initialises it for that if nobody has.
        fn use_it(&self);
        /// Looks whether it is initialised.
        fn has_it(&self) -> bool;
    }

    /// An initialiser that a user of the cell brings along.
    type Init = std::sync::Mutex<Option<Part>>;

    fn run(init: &Init) {
        let init = init.lock().expect("not poisoned").take();
        init.expect("an initialiser runs once")();
    }

    struct WithOnce(Once, Init);
    impl Cell for WithOnce {
        fn use_it(&self) {
            self.0.call_once(|| run(&self.1));
        }
        fn has_it(&self) -> bool {
            self.0.is_completed()
        }
    }

    struct WithForce(Once, Init);
    impl Cell for WithForce {
        fn use_it(&self) {
            self.0.call_once_force(|_| run(&self.1));
        }
        fn has_it(&self) -> bool {
            self.0.is_completed()
        }
    }

    struct WithOnceLock(OnceLock<u32>, Init);
    impl Cell for WithOnceLock {
        fn use_it(&self) {
            self.0.get_or_init(|| {
                run(&self.1);
                1
            });
        }
        fn has_it(&self) -> bool {
            self.0.get().is_some()
        }
    }

    struct WithLazyLock(Lazy);
    impl Cell for WithLazyLock {
        fn use_it(&self) {
            assert_eq!(*self.0, 1);
        }
        fn has_it(&self) -> bool {
            LazyLock::get(&self.0).is_some()
        }
    }

    const KINDS: usize = 4;

    /// A new cell of each kind with this initialiser.
    fn cell(kind: usize, init: impl FnOnce() + Send + 'static) -> Arc<dyn Cell> {
        let boxed = |init: Part| Init::new(Some(init));
        match kind {
            0 => Arc::new(WithOnce(Once::new(), boxed(Box::new(init)))),
            1 => Arc::new(WithForce(Once::new(), boxed(Box::new(init)))),
            2 => Arc::new(WithOnceLock(OnceLock::new(), boxed(Box::new(init)))),
            _ => Arc::new(WithLazyLock(LazyLock::new(Box::new(|| {
                init();
                1
            })))),
        }
    }

    /// How many deadlocks are predicted with each kind of cell, of which one program is as good as
    /// the other.
    #[track_caller]
    fn check(expected: usize, program: impl Fn(usize) + Send + Clone + 'static) {
        let counts = [0, 1, 2, 3].map(|kind| {
            let program = program.clone();
            predicted(move || program(kind))
        });
        assert_eq!(counts, [expected; KINDS], "once, once with force, cell, lazy");
    }

    #[test]
    fn whoever_uses_what_is_initialised_comes_after_its_initialiser() {
        check(0, |kind| {
            let [a, b] = locks();
            let inside = [a.clone(), b.clone()];
            let first = cell(kind, move || nest([&inside[0], &inside[1]]));
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || first.use_it()),
                Box::new(move || {
                    then.use_it();
                    nest([&b, &a]);
                }),
            ]);
        });
    }

    #[test]
    fn whoever_has_seen_that_it_is_initialised_comes_after_its_initialiser() {
        check(0, |kind| {
            let [a, b] = locks();
            let inside = [a.clone(), b.clone()];
            let first = cell(kind, move || nest([&inside[0], &inside[1]]));
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || first.use_it()),
                Box::new(move || {
                    assert!(then.has_it());
                    nest([&b, &a]);
                }),
            ]);
        });
    }

    #[test]
    fn what_comes_before_a_use_does_not_come_after_the_initialiser() {
        check(1, |kind| {
            let [a, b] = locks();
            let inside = [a.clone(), b.clone()];
            let first = cell(kind, move || nest([&inside[0], &inside[1]]));
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || first.use_it()),
                Box::new(move || {
                    nest([&b, &a]);
                    then.use_it();
                }),
            ]);
        });
    }

    #[test]
    fn what_a_thread_did_before_it_ran_an_initialiser_could_be_done_after_another_one_has() {
        check(1, |kind| {
            let [a, b, c] = locks();
            let outside = [a.clone(), b.clone()];
            let first = cell(kind, move || nest([&c]));
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || {
                    nest([&outside[0], &outside[1]]);
                    first.use_it();
                }),
                Box::new(move || {
                    then.use_it();
                    nest([&b, &a]);
                }),
            ]);
        });
    }

    #[test]
    fn what_a_thread_did_after_its_initialiser_is_not_inside_it() {
        check(1, |kind| {
            let [a, b, c] = locks();
            let outside = [a.clone(), b.clone()];
            let first = cell(kind, move || nest([&c]));
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || {
                    first.use_it();
                    nest([&outside[0], &outside[1]]);
                }),
                Box::new(move || {
                    then.use_it();
                    assert!(then.has_it());
                    nest([&b, &a]);
                }),
            ]);
        });
    }

    #[test]
    fn whoever_cannot_initialise_it_comes_after_all_that_its_initialisers_thread_did() {
        check(0, |kind| {
            let [a, b] = locks();
            let outside = [a.clone(), b.clone()];
            let first = cell(kind, || ());
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || {
                    assert!(!first.has_it());
                    nest([&outside[0], &outside[1]]);
                    first.use_it();
                }),
                Box::new(move || {
                    assert!(then.has_it());
                    nest([&b, &a]);
                }),
            ]);
        });
    }

    #[test]
    fn an_initialiser_that_uses_another_cell_passes_on_what_came_before() {
        check(0, |kind| {
            let [a, b] = locks();
            let inside = [a.clone(), b.clone()];
            let inner = cell(kind, move || nest([&inside[0], &inside[1]]));
            let used = inner.clone();
            let outer = cell(kind, move || used.use_it());
            let user = outer.clone();
            one_after_another(vec![
                Box::new(move || inner.use_it()),
                Box::new(move || outer.use_it()),
                Box::new(move || {
                    user.use_it();
                    nest([&b, &a]);
                }),
            ]);
        });
    }

    #[test]
    fn an_initialiser_inside_another_one_is_part_of_that() {
        check(0, |kind| {
            let [a, b] = locks();
            let inside = [a.clone(), b.clone()];
            let inner = cell(kind, move || nest([&inside[0], &inside[1]]));
            let outer = cell(kind, move || inner.use_it());
            let user = outer.clone();
            one_after_another(vec![
                Box::new(move || outer.use_it()),
                Box::new(move || {
                    user.use_it();
                    nest([&b, &a]);
                }),
            ]);
        });
    }

    #[test]
    fn an_initialiser_wants_what_its_users_hold() {
        check(1, |kind| {
            let [m] = locks();
            let inside = m.clone();
            let first = cell(kind, move || nest([&inside]));
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || first.use_it()),
                Box::new(move || {
                    let _m = m.lock().expect("not poisoned");
                    then.use_it();
                }),
            ]);
        });
    }

    #[test]
    fn an_initialiser_wants_what_its_users_hold_only_after_they_have_used_it() {
        check(0, |kind| {
            let [m] = locks();
            let inside = m.clone();
            let first = cell(kind, move || nest([&inside]));
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || first.use_it()),
                Box::new(move || {
                    then.use_it();
                    let _m = m.lock().expect("not poisoned");
                    (0..3).for_each(|_| then.use_it());
                }),
            ]);
        });
    }

    #[test]
    fn an_initialiser_that_wants_nothing_may_be_used_whatever_is_held() {
        check(0, |kind| {
            let [m, n] = locks();
            let outside = m.clone();
            let first = cell(kind, || ());
            let then = first.clone();
            one_after_another(vec![
                Box::new(move || {
                    first.use_it();
                    nest([&outside, &n]);
                }),
                Box::new(move || {
                    let _m = m.lock().expect("not poisoned");
                    then.use_it();
                }),
            ]);
        });
    }

    #[test]
    fn a_second_user_asks_for_the_cell_as_the_first_one_did() {
        check(1, |kind| {
            let [m] = locks();
            let inside = m.clone();
            let first = cell(kind, move || nest([&inside]));
            let [second, third] = [first.clone(), first.clone()];
            one_after_another(vec![
                Box::new(move || first.use_it()),
                Box::new(move || second.use_it()),
                Box::new(move || {
                    let _m = m.lock().expect("not poisoned");
                    third.use_it();
                }),
            ]);
        });
    }

    /// What a thread does with a cell that another one has set.
    type Look = fn(&OnceLock<u32>);

    const LOOKS: [Look; 4] = [
        |cell| assert!(cell.get().is_some()),
        |cell| assert_eq!(*cell.wait(), 1),
        |cell| assert!(cell.set(2).is_err()),
        // Checked twice, as it is done where the initialiser may fail.
        |cell| match cell.get() {
            Some(value) => assert_eq!(*value, 1),
            None => drop(cell.set(2)),
        },
    ];

    #[test]
    fn whoever_sees_that_a_cell_was_set_comes_after_who_has_set_it() {
        for look in LOOKS {
            let count = predicted(move || {
                let [a, b] = locks();
                let first = [a.clone(), b.clone()];
                let cell = Arc::new(OnceLock::new());
                let set = cell.clone();
                one_after_another(vec![
                    Box::new(move || {
                        nest([&first[0], &first[1]]);
                        set.set(1).expect("nobody else does");
                    }),
                    Box::new(move || {
                        (0..2).for_each(|_| look(&cell));
                        nest([&b, &a]);
                    }),
                ]);
            });
            assert_eq!(count, 0);
        }
    }

    #[test]
    fn whoever_waited_for_a_cell_comes_after_who_has_set_it() {
        let count = predicted(|| {
            let [a, b] = locks();
            let first = [a.clone(), b.clone()];
            let cell = Arc::new(OnceLock::new());
            let set = cell.clone();
            let waits = sync_trace::thread::spawn(move || {
                assert_eq!(*cell.wait(), 1);
                nest([&b, &a]);
            });
            let sets = sync_trace::thread::spawn(move || {
                nest([&first[0], &first[1]]);
                set.set(1).expect("nobody else does");
            });
            let _ = (waits.join(), sets.join());
        });
        assert_eq!(count, 0);
    }

    #[test]
    fn what_was_done_after_a_cell_was_set_may_be_done_at_any_time() {
        for look in LOOKS {
            let count = predicted(move || {
                let [a, b] = locks();
                let first = [a.clone(), b.clone()];
                let cell = Arc::new(OnceLock::new());
                let set = cell.clone();
                one_after_another(vec![
                    Box::new(move || {
                        set.set(1).expect("nobody else does");
                        nest([&first[0], &first[1]]);
                    }),
                    Box::new(move || {
                        look(&cell);
                        nest([&b, &a]);
                    }),
                ]);
            });
            assert_eq!(count, 1);
        }
    }

    #[test]
    fn whoever_saw_an_empty_cell_comes_after_nothing() {
        let count = predicted(move || {
            let [a, b] = locks();
            let first = [a.clone(), b.clone()];
            let cell = Arc::new(OnceLock::<u32>::new());
            let other = cell.clone();
            one_after_another(vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    assert!(other.get().is_none());
                }),
                Box::new(move || {
                    assert!(cell.get().is_none());
                    nest([&b, &a]);
                }),
            ]);
        });
        assert_eq!(count, 1);
    }

    #[test]
    fn whoever_could_have_set_the_cell_itself_comes_after_nothing() {
        let count = predicted(|| {
            let [a, b] = locks();
            let first = [a.clone(), b.clone()];
            let cell = Arc::new(OnceLock::new());
            let set = cell.clone();
            one_after_another(vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    set.set(1).expect("nobody else does");
                }),
                Box::new(move || {
                    assert_eq!(*cell.get_or_init(|| 2), 1);
                    nest([&b, &a]);
                }),
            ]);
        });
        assert_eq!(count, 1);
    }

    #[test]
    fn a_value_of_any_shape_is_found_again_however_often_it_is_looked_at() {
        #[repr(align(32))]
        #[derive(Clone, Debug, PartialEq)]
        struct Wide(u8);
        fn check<T: Clone + std::fmt::Debug + PartialEq>(values: [T; 2]) {
            let mut cell = OnceLock::new();
            for value in values {
                assert_eq!(cell.get(), None);
                assert_eq!(cell.set(value.clone()), Ok(()));
                for _ in 0..3 {
                    assert_eq!(cell.get(), Some(&value));
                    assert_eq!(cell.get_or_init(|| panic!("it is there")), &value);
                    assert_eq!(
                        (cell.wait(), cell.set(value.clone())),
                        (&value, Err(value.clone()))
                    );
                }
                let moved = cell;
                assert_eq!(moved.get(), Some(&value));
                cell = moved;
                assert_eq!((cell.take(), cell.get()), (Some(value), None));
            }
        }
        check([(), ()]);
        check([1_u8, 2]);
        check([1_u16, 2]);
        check([[1_u8, 2, 3], [4, 5, 6]]);
        check([1_u32, 2]);
        check([Some('a'), None]);
        check([1_u64, 2]);
        check([1_u128, 2]);
        check(["one".to_owned(), String::new()]);
        check([Wide(1), Wide(2)]);
    }

    #[test]
    fn a_cell_that_was_emptied_is_another_one() {
        for again in [false, true] {
            let count = predicted(move || {
                let [a, b] = locks();
                let second = [a.clone(), b.clone()];
                let cell = Arc::new(Mutex::new(OnceLock::from(1)));
                let other = cell.clone();
                let looks = |cell: &Mutex<OnceLock<u32>>| {
                    let cell = cell.lock().expect("not poisoned");
                    assert!(cell.get().is_some());
                };
                looks(&cell);
                let [go, may_go] = [(); 2].map(|()| Arc::new(std::sync::Barrier::new(2)));
                let [began, begun] = [go.clone(), may_go.clone()];
                let user = sync_trace::thread::spawn(move || {
                    // It knows the cell with its first value.
                    looks(&cell);
                    began.wait();
                    begun.wait();
                    if again {
                        looks(&cell);
                    }
                    nest([&b, &a]);
                });
                go.wait();
                let setter = std::panic::AssertUnwindSafe(|| {
                    let mut cell = other.lock().expect("not poisoned");
                    cell.take();
                    drop(cell);
                    nest([&second[0], &second[1]]);
                    other.lock().expect("not poisoned").set(2).expect("it is empty");
                });
                let _ = std::panic::catch_unwind(setter);
                may_go.wait();
                let _ = user.join();
            });
            assert_eq!(count, usize::from(!again));
        }
    }
}

mod conditions {
    use std::time::Duration;

    use sync_trace::sync::{Arc, Condvar, Mutex, mpsc};

    use crate::programs::{Lock, Part, locks, nest, one_after_another, predicted};

    /// A number that is waited for by hand, and a lock beside it.
    #[derive(Default)]
    struct Count {
        count: Mutex<u32>,
        risen: Condvar,
        fallen: Condvar,
        beside: Lock,
    }

    /// What a thread does to a count.
    type Deed = fn(&Count);

    /// Lets others go on, and tells them in all the ways that programs have.
    const RISES: [Deed; 3] = [
        |state| {
            let mut count = state.count.lock().expect("not poisoned");
            *count += 1;
            state.risen.notify_one();
        },
        |state| {
            *state.count.lock().expect("not poisoned") += 1;
            state.risen.notify_all();
        },
        |state| {
            let mut count = state.count.lock().expect("not poisoned");
            drop(state.beside.lock());
            *count += 1;
            state.risen.notify_one();
            drop(count);
            state.risen.notify_one();
        },
    ];

    /// The same, while something else is held than the mutex: which one that is has to be known.
    const RISES_BESIDE: Deed = |state| {
        let _beside = state.beside.lock().expect("not poisoned");
        *state.count.lock().expect("not poisoned") += 1;
        state.risen.notify_all();
    };

    /// Goes on when others have let it.
    const FALLS: [Deed; 5] = [
        |state| {
            let mut count = state.count.lock().expect("not poisoned");
            while *count == 0 {
                count = state.risen.wait(count).expect("not poisoned");
            }
            *count -= 1;
        },
        |state| {
            let mut count = state.count.lock().expect("not poisoned");
            while *count == 0 {
                let timeout = Duration::from_secs(60);
                count = state.risen.wait_timeout(count, timeout).expect("not poisoned").0;
            }
            *count -= 1;
            // Whoever waits for room comes after this one, which comes after nobody for that.
            state.fallen.notify_one();
        },
        |state| {
            let count = state.count.lock().expect("not poisoned");
            *state.risen.wait_while(count, |count| *count == 0).expect("not poisoned") -= 1;
        },
        |state| {
            let count = state.count.lock().expect("not poisoned");
            let timeout = Duration::from_secs(60);
            let while_zero = |count: &mut u32| *count == 0;
            let waited = state.risen.wait_timeout_while(count, timeout, while_zero);
            *waited.expect("not poisoned").0 -= 1;
        },
        |state| {
            // As who only polls does.
            while state.count.try_lock().is_ok_and(|count| *count == 0) {}
        },
    ];

    /// How many deadlocks are predicted of what is made of a new count and two locks.
    #[track_caller]
    fn check(
        expected: usize,
        rises: &[Deed],
        falls: &[Deed],
        parts: fn(Arc<Count>, [Lock; 2], Deed, Deed) -> Vec<Part>,
    ) {
        for (at, &rise) in rises.iter().enumerate() {
            for (then, &fall) in falls.iter().enumerate() {
                let count = predicted(move || {
                    one_after_another(parts(Arc::default(), locks(), rise, fall));
                });
                assert_eq!(count, expected, "let go on in way {at}, gone on in way {then}");
            }
        }
    }

    #[test]
    fn whoever_finds_the_condition_true_by_hand_comes_after_who_made_it_so() {
        check(0, &RISES, &FALLS, |state, [a, b], rise, fall| {
            let (first, theirs) = ([a.clone(), b.clone()], state.clone());
            vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || {
                    fall(&state);
                    nest([&b, &a]);
                }),
            ]
        });
    }

    #[test]
    fn what_follows_under_the_mutex_comes_after_it_too() {
        check(0, &RISES, &FALLS[..1], |state, [a, b], rise, _| {
            let (first, theirs) = ([a.clone(), b.clone()], state.clone());
            vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || {
                    let mut count = state.count.lock().expect("not poisoned");
                    while *count == 0 {
                        count = state.risen.wait(count).expect("not poisoned");
                    }
                    nest([&b, &a]);
                }),
            ]
        });
    }

    #[test]
    fn order_goes_on_from_who_found_the_condition_true() {
        check(0, &RISES, &FALLS, |state, [a, b], rise, fall| {
            let (first, theirs) = ([a.clone(), b.clone()], state.clone());
            let (send, receive) = mpsc::channel();
            vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || {
                    fall(&state);
                    send.send(()).expect("somebody receives");
                }),
                Box::new(move || {
                    receive.recv().expect("it was sent");
                    nest([&b, &a]);
                }),
            ]
        });
    }

    #[test]
    fn a_mutex_that_was_waited_with_is_known_whatever_was_released_last() {
        let rises = [&RISES[..], &[RISES_BESIDE]].concat();
        check(0, &rises, &FALLS, |state, [a, b], rise, fall| {
            let (first, theirs, waits) = ([a.clone(), b.clone()], state.clone(), state.clone());
            vec![
                Box::new(move || {
                    let count = waits.count.lock().expect("not poisoned");
                    drop(waits.risen.wait_timeout(count, Duration::ZERO));
                }),
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || {
                    fall(&state);
                    nest([&b, &a]);
                }),
            ]
        });
    }

    #[test]
    fn what_was_released_last_does_not_matter_once_the_mutex_is_known() {
        for is_known in [false, true] {
            let count = predicted(move || {
                let [a, b] = locks();
                let [state, theirs, waits] = [(); 3].map({
                    let state = Arc::new(Count::default());
                    move |()| state.clone()
                });
                let first = [a.clone(), b.clone()];
                one_after_another(vec![
                    Box::new(move || {
                        if is_known {
                            let count = waits.count.lock().expect("not poisoned");
                            drop(waits.risen.wait_timeout(count, Duration::ZERO));
                        }
                    }),
                    Box::new(move || {
                        nest([&first[0], &first[1]]);
                        *theirs.count.lock().expect("not poisoned") += 1;
                        nest([&theirs.beside]);
                        theirs.risen.notify_all();
                    }),
                    Box::new(move || {
                        // No part of the condition.
                        nest([&state.beside]);
                        nest([&b, &a]);
                    }),
                ]);
            });
            assert_eq!(count, usize::from(is_known), "known: {is_known}");
        }
    }

    #[test]
    fn what_comes_before_the_condition_was_looked_at_comes_after_nothing() {
        check(1, &RISES, &FALLS, |state, [a, b], rise, fall| {
            let (first, theirs) = ([a.clone(), b.clone()], state.clone());
            vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || {
                    nest([&b, &a]);
                    fall(&state);
                }),
            ]
        });
    }

    #[test]
    fn what_was_done_after_others_were_let_go_on_may_be_done_at_any_time() {
        check(1, &RISES, &FALLS, |state, [a, b], rise, fall| {
            let (first, theirs) = ([a.clone(), b.clone()], state.clone());
            vec![
                Box::new(move || {
                    rise(&theirs);
                    nest([&first[0], &first[1]]);
                }),
                Box::new(move || {
                    fall(&state);
                    nest([&b, &a]);
                }),
            ]
        });
    }

    #[test]
    fn two_that_let_others_go_on_do_not_come_after_each_other() {
        // Without the one that makes room, which the second may have needed.
        let falls = [FALLS[0], FALLS[2], FALLS[3], FALLS[4]];
        // And who asks for a lock before it notifies is taken for one that may have waited.
        check(1, &RISES[..2], &falls, |state, [a, b], rise, fall| {
            let (first, theirs, falls) = ([a.clone(), b.clone()], state.clone(), state.clone());
            vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || fall(&falls)),
                Box::new(move || {
                    rise(&state);
                    nest([&b, &a]);
                }),
            ]
        });
    }

    #[test]
    fn a_flag_under_a_mutex_without_a_condvar_orders_nothing() {
        let sets: Deed = |state| *state.count.lock().expect("not poisoned") += 1;
        let looks: Deed = |state| assert_eq!(*state.count.lock().expect("not poisoned"), 1);
        check(1, &[sets], &[looks], |state, [a, b], rise, fall| {
            let (first, theirs) = ([a.clone(), b.clone()], state.clone());
            vec![
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || {
                    fall(&state);
                    nest([&b, &a]);
                }),
            ]
        });
    }

    #[test]
    fn a_condition_that_nobody_looks_at_orders_nothing() {
        check(1, &RISES, &FALLS, |state, [a, b], rise, fall| {
            let (first, theirs) = ([a.clone(), b.clone()], state.clone());
            let (other, none) = (Arc::new(Count::default()), Arc::new(Count::default()));
            let [prepared, prepares] = [none.clone(), none];
            vec![
                Box::new(move || rise(&prepares)),
                Box::new(move || {
                    nest([&first[0], &first[1]]);
                    rise(&theirs);
                }),
                Box::new(move || {
                    fall(&prepared);
                    rise(&other);
                    fall(&other);
                    nest([&b, &a]);
                }),
            ]
        });
    }
}

mod passing {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::time::Duration;

    use sync_trace::sync::mpsc::{channel, sync_channel};
    use sync_trace::sync::{Arc, Barrier};
    use sync_trace::thread;

    use crate::programs::{Lock, Part, locks, nest, one_after_another, predicted};

    /// How many deadlocks are predicted if one thread takes the locks before it hands over, and another
    /// one takes them the other way round after it was handed to; and if it does so before.
    #[track_caller]
    fn check(program: fn(first: Part, then: [Part; 2])) {
        let count = |is_before: bool| {
            predicted(move || {
                let [a, b]: [Lock; 2] = locks();
                let first = [a.clone(), b.clone()];
                // Untraced: what could happen is to be predicted, and not to happen.
                let turn = Arc::new(std::sync::Mutex::new(()));
                let theirs = turn.clone();
                let back = move |now: bool| -> Part {
                    let ([a, b], turn) = ([a.clone(), b.clone()], turn.clone());
                    Box::new(move || {
                        if now {
                            let _turn = turn.lock();
                            nest([&b, &a]);
                        }
                    })
                };
                let first = Box::new(move || {
                    let _turn = theirs.lock();
                    nest([&first[0], &first[1]]);
                });
                program(first, [back(is_before), back(!is_before)]);
            })
        };
        assert_eq!([count(false), count(true)], [0, 1], "after the handover, and before it");
    }

    #[test]
    fn a_message_that_is_polled_for() {
        check(|first, [before, after]| {
            let (send, receive) = channel();
            one_after_another(vec![
                Box::new(move || {
                    first();
                    send.send(()).expect("somebody receives");
                }),
                Box::new(move || {
                    before();
                    while receive.try_recv().is_err() {}
                    after();
                }),
            ]);
        });
    }

    #[test]
    fn a_message_that_is_waited_for_with_a_timeout_and_the_rest_by_iteration() {
        check(|first, [before, after]| {
            let (send, receive) = channel();
            one_after_another(vec![
                Box::new(move || {
                    send.send(1).expect("somebody receives");
                    first();
                    send.send(2).expect("somebody receives");
                }),
                Box::new(move || {
                    before();
                    assert_eq!(receive.recv_timeout(Duration::from_secs(60)), Ok(1));
                    assert_eq!(receive.iter().collect::<Vec<_>>(), [2]);
                    after();
                }),
            ]);
        });
    }

    #[test]
    fn a_rendezvous_for_who_sends() {
        check(|first, [before, after]| {
            let (send, receive) = sync_channel(0);
            let receiver = thread::spawn(move || {
                first();
                receive.recv().expect("somebody sends");
            });
            let sender = thread::spawn(move || {
                before();
                send.send(()).expect("somebody receives");
                after();
            });
            let _ = (receiver.join(), sender.join());
        });
    }

    #[test]
    fn a_rendezvous_for_who_receives() {
        check(|first, [before, after]| {
            let (send, receive) = sync_channel(0);
            let sender = thread::spawn(move || {
                first();
                send.send(()).expect("somebody receives");
            });
            let receiver = thread::spawn(move || {
                before();
                receive.recv().expect("somebody sends");
                after();
            });
            let _ = (receiver.join(), sender.join());
        });
    }

    #[test]
    fn a_later_round_of_a_barrier() {
        check(|first, [before, after]| {
            let both = Arc::new(Barrier::new(2));
            let other = both.clone();
            let (woken, is_awake) = std::sync::mpsc::channel();
            let (done, is_done) = std::sync::mpsc::channel();
            let one = thread::spawn(move || {
                other.wait();
                // Who comes late from a round hears of the next one too.
                is_awake.recv().expect("it is sent");
                first();
                done.send(()).expect("somebody receives");
                other.wait();
            });
            let two = thread::spawn(move || {
                both.wait();
                woken.send(()).expect("somebody receives");
                is_done.recv().expect("it is sent");
                let before = catch_unwind(AssertUnwindSafe(before));
                both.wait();
                before.unwrap_or_else(|panic| resume_unwind(panic));
                after();
            });
            let _ = (one.join(), two.join());
        });
    }

    #[test]
    fn a_thread_that_is_seen_to_have_finished() {
        check(|first, [before, after]| {
            let one = thread::spawn(first);
            let two = thread::spawn(move || {
                before();
                while !one.is_finished() {
                    thread::yield_now();
                }
                after();
            });
            let _ = two.join();
        });
    }

    #[test]
    fn a_scope_in_a_scope() {
        check(|first, [before, after]| {
            thread::scope(|outer| {
                let other = outer.spawn(before);
                thread::scope(|inner| {
                    inner.spawn(first);
                });
                let _ = other.join();
                outer.spawn(after);
            });
        });
    }

    #[test]
    fn an_unpark() {
        check(|first, [before, after]| {
            let (send, receive) = std::sync::mpsc::channel();
            let parked = thread::spawn(move || {
                before();
                send.send(()).expect("somebody receives");
                thread::park();
                after();
            });
            receive.recv().expect("it is about to park");
            let one = thread::spawn(first);
            let _ = one.join();
            parked.thread().unpark();
            let _ = parked.join();
        });
    }
}

mod permits {
    use sync_trace::sync::{Arc, Semaphore};

    use crate::programs::{Part, locks, nest, one_after_another, predicted};

    /// Runs the two, one after the other, with the same locks and a semaphore.
    fn check(
        expected: usize,
        permits: usize,
        first: fn(&Semaphore, &dyn Fn()),
        second: fn(&Semaphore, &dyn Fn()),
    ) {
        let found = predicted(move || {
            let semaphore = Arc::new(Semaphore::new(permits));
            let [a, b] = locks();
            let (theirs_a, theirs_b) = (a.clone(), b.clone());
            let other = Arc::clone(&semaphore);
            let one: Part = Box::new(move || first(&semaphore, &|| nest([&a, &b])));
            let two: Part = Box::new(move || second(&other, &|| nest([&theirs_b, &theirs_a])));
            one_after_another(vec![one, two]);
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn who_acquires_comes_after_what_was_done_before_permits_were_added() {
        let adds = |semaphore: &Semaphore, nests: &dyn Fn()| {
            nests();
            semaphore.add_permits(1);
        };
        let adds_early = |semaphore: &Semaphore, nests: &dyn Fn()| {
            semaphore.add_permits(1);
            nests();
        };
        let acquires = |semaphore: &Semaphore, nests: &dyn Fn()| {
            semaphore.acquire().unwrap().forget();
            nests();
        };
        let tries = |semaphore: &Semaphore, nests: &dyn Fn()| {
            semaphore.try_acquire().unwrap().forget();
            nests();
        };
        let fails = |semaphore: &Semaphore, nests: &dyn Fn()| {
            assert!(semaphore.try_acquire_many(2).is_err());
            nests();
        };
        check(0, 0, adds, acquires);
        check(0, 0, adds, tries);
        check(1, 0, adds, fails);
        check(1, 0, adds_early, acquires);
    }

    #[test]
    fn who_is_told_that_it_is_closed_comes_after_what_was_done_before() {
        let closes = |semaphore: &Semaphore, nests: &dyn Fn()| {
            nests();
            semaphore.close();
        };
        let closes_early = |semaphore: &Semaphore, nests: &dyn Fn()| {
            semaphore.close();
            nests();
        };
        let is_told = |semaphore: &Semaphore, nests: &dyn Fn()| {
            assert!(semaphore.acquire().is_err());
            nests();
        };
        check(0, 1, closes, is_told);
        check(1, 1, closes_early, is_told);
    }

    /// As long as permits are held, nobody comes after anything.
    #[test]
    fn permits_are_no_gate() {
        let inside = |semaphore: &Semaphore, nests: &dyn Fn()| {
            let _permit = semaphore.acquire().unwrap();
            nests();
        };
        let keeps = |semaphore: &Semaphore, nests: &dyn Fn()| {
            let permit = semaphore.acquire().unwrap();
            nests();
            permit.forget();
        };
        check(1, 2, keeps, inside);
        check(0, 2, inside, inside);
    }

    #[test]
    fn an_untracked_one_orders_nothing() {
        let found = predicted(|| {
            let semaphore = Arc::new(sync_trace::untracked!(Semaphore::new(0)));
            let [a, b] = locks();
            let (mine_a, mine_b) = (a.clone(), b.clone());
            let theirs = Arc::clone(&semaphore);
            one_after_another(vec![
                Box::new(move || {
                    nest([&a, &b]);
                    semaphore.add_permits(1);
                }),
                Box::new(move || {
                    theirs.acquire().unwrap().forget();
                    nest([&mine_b, &mine_a]);
                }),
            ]);
        });
        assert_eq!(found, 1);
    }
}
