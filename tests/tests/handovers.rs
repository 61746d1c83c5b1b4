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
                    assert_eq!((cell.wait(), cell.set(value.clone())), (&value, Err(value.clone())));
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
