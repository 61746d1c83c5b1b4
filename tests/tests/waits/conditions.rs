//! Waits for signals of condition variables, while something else is held than their mutex.

use std::time::Duration;

use sync_trace::finding::Op;
use sync_trace::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock, mpsc};
use sync_trace::thread;

use crate::programs::{locks, nest};
use crate::scene::{Count, Expected, Pass, Watched, check, gate, parts, says};

/// One thread waits for `count` under the first lock; another one does `before`, and then its part.
/// Neither knows of the other but by `count`.
fn waits_under_a_lock(
    before: impl FnOnce(&Mutex<u32>) + Send + 'static,
    gives: impl FnOnce(&Count, &Mutex<u32>) + Send + 'static,
) {
    let [held] = locks();
    let count = Count::default();
    let (ready, is_ready) = gate();
    let (waits, is_waiting) = gate();
    let waiter = {
        let (held, count) = (held.clone(), count.clone());
        thread::spawn(move || {
            is_ready.wait();
            let _held = held.lock().expect("not poisoned");
            count.wait_for(1, &waits);
        })
    };
    let giver = thread::spawn(move || {
        before(&held);
        ready.open();
        is_waiting.wait();
        gives(&count, &held);
    });
    giver.join().expect("it gives");
    waiter.join().expect("it is given");
}

fn take(lock: &Mutex<u32>) {
    *lock.lock().expect("not poisoned") += 1;
}

#[test]
fn who_signals_needed_what_the_waiting_thread_holds() {
    // CV1, apache 42031.
    let found = check(Expected::Predicted, || {
        waits_under_a_lock(take, |count, _| count.add_one_inside());
    });
    assert_eq!(
        parts(&found[0]),
        ["wait_while std Condvar, given by notify_one", "lock std Mutex, held"]
    );
    says(
        &found[0],
        &[
            "possible deadlock: ",
            "needs that before it signals",
            "here while it held",
            "signalled it here",
            "had been given nothing when",
            "fails with this report at its end, unless somebody",
            "before this wait, or let",
        ],
    );
}

#[test]
fn the_signal_may_come_when_the_mutex_is_released() {
    check(Expected::Predicted, || waits_under_a_lock(take, |count, _| count.add_one()));
}

#[test]
fn a_wait_in_a_loop_of_its_own_is_one() {
    // CV3, mysql 50038: the flusher waits until nothing is prepared any more.
    check(Expected::Predicted, || {
        let [log] = locks();
        let prepared = Arc::new((Mutex::new(1), Condvar::new()));
        let (past, is_past) = gate();
        let (waits, is_waiting) = gate();
        let committer = {
            let (log, prepared) = (log.clone(), prepared.clone());
            thread::spawn(move || {
                take(&log);
                past.open();
                is_waiting.wait();
                *prepared.0.lock().expect("not poisoned") -= 1;
                prepared.1.notify_one();
            })
        };
        is_past.wait();
        let flusher = thread::spawn(move || {
            let _log = log.lock().expect("not poisoned");
            let mut left = prepared.0.lock().expect("not poisoned");
            waits.open();
            while *left > 0 {
                left = prepared.1.wait(left).expect("not poisoned");
            }
        });
        flusher.join().expect("nothing is left");
        committer.join().expect("it commits");
    });
}

/// Workers count in `rounds` rounds, and each takes the big lock after each round; somebody waits for the
/// last round under the big lock.
fn rounds(workers: u32, rounds: u32) {
    let [big] = locks();
    let count = Count::default();
    let (waits, is_waiting) = gate();
    let mut goes = Vec::new();
    let (done, is_done) = gate();
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let (big, count, done) = (big.clone(), count.clone(), done.clone());
            let (go, may_go) = gate();
            goes.push(go);
            thread::spawn(move || {
                for _ in 0..rounds {
                    may_go.wait();
                    count.add_one();
                    take(&big);
                    done.open();
                }
            })
        })
        .collect();
    let in_turn = |goes: &[Pass]| {
        for go in goes {
            go.open();
            is_done.wait();
        }
    };
    (1..rounds).for_each(|_| in_turn(&goes));
    let maintenance = {
        let (big, count) = (big.clone(), count.clone());
        thread::spawn(move || {
            let _big = big.lock().expect("not poisoned");
            count.wait_for(rounds * workers, &waits);
        })
    };
    is_waiting.wait();
    goes.iter().for_each(Pass::open);
    maintenance.join().expect("all have counted");
    threads.into_iter().for_each(|worker| worker.join().expect("it works"));
}

#[test]
fn a_worker_counts_and_then_takes_the_big_lock_in_each_round() {
    // CV2, memcached 567.
    check(Expected::Predicted, || rounds(1, 2));
    // In its only round it had not needed the lock yet.
    check(Expected::Silent, || rounds(1, 1));
}

#[test]
fn three_threads_take_part_one_of_which_only_nests_locks() {
    // CV4, mysql 68251; the thread that nests comes first, or last.
    for is_first in [true, false] {
        let found = check(Expected::Predicted, move || {
            let [l1, l2] = locks();
            let nested = [l2.clone(), l1.clone()];
            let (go, may_go) = gate();
            let (nests, has_nested) = gate();
            let nesting = thread::spawn(move || {
                may_go.wait();
                nest([&nested[0], &nested[1]]);
                nests.open();
            });
            let its_turn = || {
                go.open();
                has_nested.wait();
            };
            if is_first {
                its_turn();
            }
            let count = Count::default();
            let (past, is_past) = gate();
            let (waits, is_waiting) = gate();
            let (given, is_given) = gate();
            let giver = {
                let count = count.clone();
                thread::spawn(move || {
                    take(&l2);
                    past.open();
                    is_waiting.wait();
                    count.add_one();
                })
            };
            let waiter = thread::spawn(move || {
                is_past.wait();
                {
                    let _l1 = l1.lock().expect("not poisoned");
                    count.wait_for(1, &waits);
                }
                given.open();
            });
            is_given.wait();
            if !is_first {
                its_turn();
            }
            for thread in [nesting, waiter, giver] {
                thread.join().expect("it ends");
            }
        });
        if is_first {
            assert_eq!(
                parts(&found[0]),
                [
                    "wait_while std Condvar, given by notify_all",
                    "lock std Mutex, held",
                    "lock std Mutex, held"
                ]
            );
        }
    }
}

#[test]
fn what_was_needed_inside_another_lock_was_needed() {
    check(Expected::Predicted, || {
        let [outer] = locks();
        waits_under_a_lock(move |held| nest_in(&outer, held), |count, _| count.add_one());
    });
}

fn nest_in(outer: &Mutex<u32>, inner: &Mutex<u32>) {
    let _outer = outer.lock().expect("not poisoned");
    take(inner);
}

#[test]
fn a_lock_that_was_taken_again_and_again_was_needed() {
    check(Expected::Predicted, || {
        waits_under_a_lock(|held| (0..5).for_each(|_| take(held)), |count, _| count.add_one());
    });
}

#[test]
fn a_lock_that_was_taken_before_new_ones_was_needed() {
    for new in [1, 3] {
        check(Expected::Predicted, move || {
            let before = move |held: &Mutex<u32>| {
                take(held);
                (0..new).for_each(|_| take(&Mutex::new(0)));
            };
            waits_under_a_lock(before, |count, _| count.add_one());
        });
    }
}

#[test]
fn so_was_one_that_was_new_itself_when_it_was_taken_among_others_of_its_class() {
    for held in 0..3 {
        check(Expected::Predicted, move || {
            let locks: Arc<Vec<Mutex<u32>>> = Arc::new((0..3).map(Mutex::new).collect());
            let count = Count::default();
            let (ready, is_ready) = gate();
            let (waits, is_waiting) = gate();
            let waiter = {
                let (locks, count) = (locks.clone(), count.clone());
                thread::spawn(move || {
                    is_ready.wait();
                    let _held = locks[held].lock().expect("not poisoned");
                    count.wait_for(1, &waits);
                })
            };
            locks.iter().for_each(take);
            ready.open();
            is_waiting.wait();
            count.add_one();
            waiter.join().expect("it is given");
        });
    }
}

#[test]
fn a_writer_cannot_signal_while_the_waiting_thread_reads() {
    let program = |writes: bool| {
        move || {
            let table = Arc::new(RwLock::new(0));
            let count = Count::default();
            let (past, is_past) = gate();
            let (waits, is_waiting) = gate();
            let giver = {
                let (table, count) = (table.clone(), count.clone());
                thread::spawn(move || {
                    match writes {
                        true => *table.write().expect("not poisoned") += 1,
                        false => assert_eq!(*table.read().expect("not poisoned"), 0),
                    }
                    past.open();
                    is_waiting.wait();
                    count.add_one();
                })
            };
            let waiter = thread::spawn(move || {
                is_past.wait();
                let _table = table.read().expect("not poisoned");
                count.wait_for(1, &waits);
            });
            waiter.join().expect("it is given");
            giver.join().expect("it gives");
        }
    };
    check(Expected::Predicted, program(true));
    // Readers do not keep each other out.
    check(Expected::Silent, program(false));
}

#[test]
fn what_is_needed_for_the_next_signal_was_not_needed_for_this_one() {
    check(Expected::Silent, || {
        waits_under_a_lock(
            |_| (),
            |count, held| {
                count.add_one();
                take(held);
            },
        );
    });
}

#[test]
fn a_lock_that_was_only_tried_was_not_needed() {
    check(Expected::Silent, || {
        waits_under_a_lock(
            |held| drop(held.try_lock().expect("it is free")),
            |count, _| count.add_one(),
        );
    });
}

#[test]
fn what_was_taken_before_an_event_that_others_may_follow_is_no_part_of_it() {
    // Whatever the event is, the waiting thread might have come after it.
    fn after(event: impl FnOnce() + Send + 'static) {
        waits_under_a_lock(
            |held| {
                take(held);
                event();
            },
            |count, _| count.add_one(),
        );
    }
    check(Expected::Silent, || {
        let (sender, receiver) = mpsc::channel();
        after(move || sender.send(()).expect("there is a receiver"));
        drop(receiver);
    });
    check(Expected::Silent, || {
        let (sender, receiver) = mpsc::channel::<()>();
        after(move || drop(sender));
        drop(receiver);
    });
    check(Expected::Silent, || after(|| _ = Barrier::new(1).wait()));
    check(Expected::Silent, || after(|| sync_trace::order::publish(&0)));
    check(Expected::Silent, || after(|| drop(thread::spawn(|| ()))));
    check(Expected::Silent, || after(|| Condvar::new().notify_one()));
    check(Expected::Silent, || {
        let cell = OnceLock::new();
        after(move || assert_eq!(cell.set(1), Ok(())));
    });
    // Nothing at all.
    check(Expected::Predicted, || after(|| ()));
}

#[test]
fn who_was_unparked_may_have_waited_for_what_the_other_one_did() {
    check(Expected::Silent, || {
        let [held] = locks();
        let count = Count::default();
        let (waits, is_waiting) = gate();
        let waiter = {
            let (held, count) = (held.clone(), count.clone());
            let named = thread::Builder::new().name("parked".to_owned());
            let waiting = named.spawn(move || {
                thread::park();
                let _held = held.lock().expect("not poisoned");
                count.wait_for(1, &waits);
            });
            waiting.expect("a thread")
        };
        let parked = waiter.thread().clone();
        let giver = thread::spawn(move || {
            Watched::named("parked").until_it_waits_in(Op::Park);
            take(&held);
            parked.unpark();
            is_waiting.wait();
            count.add_one();
        });
        giver.join().expect("it gives");
        waiter.join().expect("it is given");
    });
}

#[test]
fn a_signal_that_comes_before_the_next_thread_starts_keeps_them_apart() {
    // CV5: the idiomatic use.
    check(Expected::Ordered, || {
        let [l1, l2] = locks();
        let count = Count::default();
        let (waits, is_waiting) = gate();
        let waiter = {
            let count = count.clone();
            thread::spawn(move || count.wait_for(1, &waits))
        };
        is_waiting.wait();
        {
            let _l1 = l1.lock().expect("not poisoned");
            take(&l2);
            count.add_one();
        }
        waiter.join().expect("it is given");
        thread::spawn(move || nest([&l2, &l1])).join().expect("it nests");
    });
}

#[test]
fn a_flag_that_is_stated_orders_the_two() {
    // CV6.
    check(Expected::Ordered, || {
        let [l1, l2] = locks();
        let flag = Arc::new(0);
        let (set, is_set) = gate();
        let first = {
            let (flag, l1, l2) = (flag.clone(), l1.clone(), l2.clone());
            thread::spawn(move || {
                nest([&l1, &l2]);
                sync_trace::order::publish(&*flag);
                set.open();
            })
        };
        is_set.wait();
        sync_trace::order::observe(&*flag);
        nest([&l2, &l1]);
        first.join().expect("it nests");
    });
}

/// One of two threads that signal needs the lock.
fn two_givers(needs_it: [bool; 2], by: [usize; 2]) {
    let [held] = locks();
    let count = Count::default();
    let (waits, is_waiting) = gate();
    let (past, is_past) = gate();
    let (given, is_given) = gate();
    let mut goes = Vec::new();
    let givers: Vec<_> = needs_it
        .into_iter()
        .map(|needs_it| {
            let (held, count, past) = (held.clone(), count.clone(), past.clone());
            let given = given.clone();
            let (go, may_go) = gate();
            goes.push(go);
            thread::spawn(move || {
                if needs_it {
                    take(&held);
                }
                past.open();
                may_go.wait();
                count.add_one();
                given.open();
            })
        })
        .collect();
    needs_it.iter().for_each(|_| is_past.wait());
    let waiter = thread::spawn(move || {
        let _held = held.lock().expect("not poisoned");
        count.wait_for(1, &waits);
    });
    is_waiting.wait();
    for giver in by {
        goes[giver].open();
        is_given.wait();
    }
    waiter.join().expect("it is given");
    givers.into_iter().for_each(|giver| giver.join().expect("it gives"));
}

#[test]
fn one_of_two_who_signal_can_always_do_so() {
    // CV7: what was predicted is taken back when the other one comes.
    let listed = check(Expected::OthersGive, || two_givers([true, false], [0, 1]));
    says(
        &listed[0],
        &["wait under a lock: ", "was also given by a thread that nothing kept from that"],
    );
    // And if that one comes first, nobody waits any more.
    check(Expected::Silent, || two_givers([true, false], [1, 0]));
    check(Expected::Silent, || two_givers([false, false], [0, 1]));
}

#[test]
fn all_who_signal_need_the_lock() {
    // The waiting thread has to be there for both of them.
    check(Expected::Predicted, || {
        let [held] = locks();
        let count = Count::default();
        for _ in 0..2 {
            let (waits, is_waiting) = gate();
            let (past, is_past) = gate();
            let giver = {
                let (held, count) = (held.clone(), count.clone());
                thread::spawn(move || {
                    take(&held);
                    past.open();
                    is_waiting.wait();
                    count.add_one();
                })
            };
            is_past.wait();
            let wanted = *count.parts().0.lock().expect("not poisoned") + 1;
            {
                let _held = held.lock().expect("not poisoned");
                count.wait_for(wanted, &waits);
            }
            giver.join().expect("it gives");
        }
    });
}

#[test]
fn a_wait_with_a_time_limit_ends_by_itself() {
    // CV9.
    check(Expected::Silent, || {
        let [held] = locks();
        let shared = Count::default();
        let (past, is_past) = gate();
        let (waits, is_waiting) = gate();
        let giver = {
            let (held, count) = (held.clone(), shared.clone());
            thread::spawn(move || {
                take(&held);
                past.open();
                is_waiting.wait();
                count.add_one();
            })
        };
        is_past.wait();
        let _held = held.lock().expect("not poisoned");
        let (mutex, condvar) = shared.parts();
        let mut count = mutex.lock().expect("not poisoned");
        waits.open();
        while *count == 0 {
            count = condvar.wait_timeout(count, Duration::from_secs(60)).expect("not poisoned").0;
        }
        drop(count);
        giver.join().expect("it gives");
    });
}

#[test]
fn who_holds_nothing_else_keeps_nobody_from_signalling() {
    check(Expected::Silent, || {
        let [held] = locks();
        let count = Count::default();
        let (past, is_past) = gate();
        let (waits, is_waiting) = gate();
        let giver = {
            let (held, count) = (held.clone(), count.clone());
            thread::spawn(move || {
                take(&held);
                past.open();
                is_waiting.wait();
                count.add_one();
            })
        };
        is_past.wait();
        take(&held);
        count.wait_for(1, &waits);
        giver.join().expect("it gives");
    });
}

#[test]
fn who_signals_needed_another_lock() {
    check(Expected::Silent, || {
        let [other] = locks();
        waits_under_a_lock(move |_| take(&other), |count, _| count.add_one());
    });
}

#[test]
fn what_a_muted_thread_takes_is_not_known() {
    check(Expected::Silent, || {
        waits_under_a_lock(
            |held| {
                let _quiet = sync_trace::mute();
                take(held);
            },
            |count, _| count.add_one(),
        );
    });
}

#[test]
fn a_gate_around_two_of_three_keeps_them_apart() {
    check(Expected::Silent, || {
        let [gate_lock, l1, l2] = locks();
        let nested = [gate_lock.clone(), l2.clone(), l1.clone()];
        thread::spawn(move || nest([&nested[0], &nested[1], &nested[2]])).join().expect("it nests");
        let count = Count::default();
        let (past, is_past) = gate();
        let (waits, is_waiting) = gate();
        let giver = {
            let count = count.clone();
            thread::spawn(move || {
                take(&l2);
                past.open();
                is_waiting.wait();
                count.add_one();
            })
        };
        let waiter = thread::spawn(move || {
            is_past.wait();
            let _gate = gate_lock.lock().expect("not poisoned");
            let _l1 = l1.lock().expect("not poisoned");
            count.wait_for(1, &waits);
        });
        waiter.join().expect("it is given");
        giver.join().expect("it gives");
    });
}

/// Who takes something out of a full store, and who waits under a lock until there is something again. The
/// first one is through with the lock before that, and takes it out as told.
fn takes_out_and_puts_back(
    takes_out: impl Fn(&Mutex<u32>, &Mutex<u32>) + Send + 'static,
    puts_back: impl Fn(&Count) + Send + 'static,
    rounds: u32,
) {
    let [outer] = locks();
    let store = Count::default();
    store.add_one();
    let (past, is_past) = gate();
    let (waits, is_waiting) = gate();
    let (back, is_back) = gate();
    let worker = {
        let (outer, store) = (outer.clone(), store.clone());
        thread::spawn(move || {
            for _ in 0..rounds {
                takes_out(&outer, store.parts().0);
                past.open();
                is_waiting.wait();
                puts_back(&store);
                is_back.wait();
            }
        })
    };
    for _ in 0..rounds {
        is_past.wait();
        {
            let _outer = outer.lock().expect("not poisoned");
            store.wait_for(1, &waits);
        }
        back.open();
    }
    worker.join().expect("it works");
}

#[test]
fn who_took_out_what_is_waited_for_would_have_left_it_there() {
    let nested = |outer: &Mutex<u32>, store: &Mutex<u32>| {
        let _outer = outer.lock().expect("not poisoned");
        *store.lock().expect("not poisoned") -= 1;
    };
    let in_turn = |outer: &Mutex<u32>, store: &Mutex<u32>| {
        take(outer);
        *store.lock().expect("not poisoned") -= 1;
    };
    for rounds in [1, 3] {
        check(Expected::Silent, move || takes_out_and_puts_back(nested, Count::add_one, rounds));
        check(Expected::Silent, move || takes_out_and_puts_back(in_turn, Count::add_one, rounds));
        check(Expected::Silent, move || {
            takes_out_and_puts_back(in_turn, Count::add_one_inside, rounds);
        });
    }
    // Where it was nothing but the lock that was taken before, there is no more to it.
    check(Expected::Predicted, || {
        let empty = |outer: &Mutex<u32>, store: &Mutex<u32>| {
            *store.lock().expect("not poisoned") -= 1;
            Condvar::new().notify_one();
            take(outer);
        };
        takes_out_and_puts_back(empty, Count::add_one, 1);
    });
}

#[test]
fn a_late_signal_is_none_for_who_came_meanwhile() {
    check(Expected::Silent, || {
        let [held] = locks();
        let count = Count::default();
        let (past, is_past) = gate();
        let (waits, is_waiting) = gate();
        let (late, is_late) = gate();
        let early = {
            let (held, count) = (held.clone(), count.clone());
            thread::spawn(move || {
                take(&held);
                take(count.parts().0);
                past.open();
                is_waiting.wait();
                // For somebody else: this one still waits.
                count.parts().1.notify_all();
                late.open();
            })
        };
        let other = {
            let count = count.clone();
            thread::spawn(move || {
                is_late.wait();
                count.add_one();
            })
        };
        is_past.wait();
        let _held = held.lock().expect("not poisoned");
        count.wait_for(2, &waits);
        early.join().expect("it ends");
        other.join().expect("it ends");
    });
}

#[test]
fn who_has_helped_once_may_help_again() {
    // Two threads give: the one needs the lock in the first round, the other one in the second.
    check(Expected::OthersGive, || {
        let [held] = locks();
        let count = Count::default();
        let (past, is_past) = gate();
        let (given, is_given) = gate();
        let mut goes = Vec::new();
        let givers: Vec<_> = (0..2)
            .map(|number| {
                let (held, count, past) = (held.clone(), count.clone(), past.clone());
                let given = given.clone();
                let (go, may_go) = gate();
                goes.push(go);
                thread::spawn(move || {
                    for round in 0..2 {
                        if round == number {
                            take(&held);
                        }
                        past.open();
                        may_go.wait();
                        count.add_one();
                        given.open();
                    }
                })
            })
            .collect();
        for round in 1..=2 {
            (0..2).for_each(|_| is_past.wait());
            let (waits, is_waiting) = gate();
            let waiter = {
                let (held, count) = (held.clone(), count.clone());
                thread::spawn(move || {
                    let _held = held.lock().expect("not poisoned");
                    count.wait_for(2 * round - 1, &waits);
                })
            };
            is_waiting.wait();
            // The one that needs it in the second round has helped in the first one.
            for giver in [1, 0] {
                goes[giver].open();
                is_given.wait();
            }
            waiter.join().expect("it is given");
        }
        givers.into_iter().for_each(|giver| giver.join().expect("it gives"));
    });
}
