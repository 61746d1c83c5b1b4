//! What a program that goes on after a finding can rely on.
#![cfg(any(debug_assertions, feature = "always"))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use sync_trace::finding::{AgentState, Code, Finding, LockKind, Op, Target, Wait};
use sync_trace::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock, mpsc};
use sync_trace::thread;
use sync_trace_tests::is_asleep;

/// The findings whose threads descend from the calling test, taken.
fn own_findings() -> Vec<Arc<Finding>> {
    let me = std::thread::current().name().expect("libtest names its threads").to_owned();
    sync_trace::take_findings_where(|finding| finding.roots.contains(&me))
}

fn codes() -> Vec<Code> {
    own_findings().iter().map(|finding| finding.code).collect()
}

/// Two threads that take `a` and `b` crosswise; returns their results, of which one is a panic.
fn cross<T: Send + Sync + 'static>(
    a: &Arc<Mutex<T>>,
    b: &Arc<Mutex<T>>,
) -> Vec<thread::Result<()>> {
    let meet = Arc::new(Barrier::new(2));
    let threads = [(a, b), (b, a)].map(|(first, second)| {
        let (first, second) = (Arc::clone(first), Arc::clone(second));
        let meet = Arc::clone(&meet);
        thread::spawn(move || {
            let _first = first.lock().unwrap();
            meet.wait();
            let _second = second.lock().unwrap();
        })
    });
    threads.map(thread::JoinHandle::join).into()
}

#[test]
fn a_deadlock_is_found_while_a_third_thread_runs_for_ever() {
    let stop = Arc::new(AtomicBool::new(false));
    let busy = {
        let (stop, own) = (Arc::clone(&stop), Mutex::new(0u64));
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                *own.lock().unwrap() += 1;
            }
        })
    };
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let results = cross(&a, &b);
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert_eq!(codes(), [Code::Deadlock]);
    stop.store(true, Ordering::Relaxed);
    busy.join().unwrap();
}

#[test]
fn the_panic_is_at_the_callers_line_and_carries_the_whole_report() {
    let lock = Mutex::new(0);
    let guard = lock.lock().unwrap();
    let line = line!() + 1;
    let panic = catch_unwind(AssertUnwindSafe(|| drop(lock.lock()))).unwrap_err();
    drop(guard);
    let message = panic.downcast_ref::<String>().expect("a report is a String");
    assert!(message.starts_with("error[ST0002]"), "{message}");
    assert!(message.contains(&format!("live.rs:{line}:")), "{message}");
    let finding = own_findings().remove(0);
    assert_eq!(finding.links[0].wait.site.line(), line);
    assert_eq!(message, &finding.to_string());
}

#[test]
fn the_panic_of_a_finding_poisons_nothing() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let results = cross(&a, &b);
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert!(!a.is_poisoned() && !b.is_poisoned());
    assert!(a.lock().is_ok() && b.lock().is_ok() && a.try_lock().is_ok());
    assert_eq!(codes(), [Code::Deadlock]);

    let lock = Arc::new(RwLock::new(0));
    let writer = {
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            let _held = lock.write().unwrap();
            drop(lock.write());
        })
    };
    assert!(writer.join().is_err());
    assert!(!lock.is_poisoned());
    assert!(lock.read().is_ok() && lock.try_read().is_ok());
    assert!(lock.write().is_ok() && lock.read().is_ok());
    assert!(Arc::into_inner(lock).unwrap().into_inner().is_ok());
    assert_eq!(codes(), [Code::SelfDeadlock]);
}

#[test]
fn poison_from_before_survives_the_panic_of_a_finding() {
    let lock = Mutex::new(0);
    let poisoned = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap();
        panic!("the program's own panic");
    }));
    assert!(poisoned.is_err() && lock.is_poisoned());
    let found = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap_err().into_inner();
        drop(lock.lock());
    }));
    assert!(found.is_err());
    assert!(lock.is_poisoned() && lock.lock().is_err());
    assert_eq!(codes(), [Code::SelfDeadlock]);
}

#[test]
fn after_a_finding_was_caught_the_programs_own_panics_poison_again() {
    let (held, lock) = (Mutex::new(0), Mutex::new(0));
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _held = held.lock().unwrap();
        let found = catch_unwind(AssertUnwindSafe(|| {
            let _guard = lock.lock().unwrap();
            drop(lock.lock());
        }));
        assert!(found.is_err());
        // The thread has gone on; any traced operation shows it.
        drop(lock.lock().unwrap());
        panic!("the program's own panic");
    }));
    assert!(result.is_err());
    assert!(held.is_poisoned() && !lock.is_poisoned());
    assert_eq!(codes(), [Code::SelfDeadlock]);
}

#[test]
fn a_lock_spared_once_is_poisoned_by_a_later_panic() {
    let lock = Mutex::new(0);
    let relock = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap();
        drop(lock.lock());
    }));
    assert!(relock.is_err() && !lock.is_poisoned());
    let own = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap();
        panic!("the program's own panic");
    }));
    assert!(own.is_err() && lock.is_poisoned());
    assert_eq!(codes(), [Code::SelfDeadlock]);
}

#[test]
fn a_lock_that_is_taken_again_while_a_finding_unwinds_is_poisoned_by_a_later_panic() {
    struct TakesAgain<'a>(&'a Mutex<u32>);
    impl Drop for TakesAgain<'_> {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    let lock = Mutex::new(0);
    let relock = catch_unwind(AssertUnwindSafe(|| {
        let _again = TakesAgain(&lock);
        let _guard = lock.lock().unwrap();
        drop(lock.lock());
    }));
    assert!(relock.is_err() && !lock.is_poisoned());
    let own = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap();
        panic!("the program's own panic");
    }));
    assert!(own.is_err() && lock.is_poisoned());
    assert_eq!(codes(), [Code::SelfDeadlock]);
}

/// The parent waits at the end of its scope with a lock held that the child wants: the child comes
/// last, so its panic is enough to end both.
#[test]
fn a_child_that_needs_what_its_parent_holds_at_the_end_of_the_scope_panics() {
    let me = std::thread::current().name().unwrap().to_owned();
    let lock = Mutex::new(0);
    let guard = lock.lock().unwrap();
    let result = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                let at_the_end = |state: &sync_trace::finding::AgentState| {
                    let name = state.agent.name.as_deref();
                    let wait = state.wait.as_ref();
                    name == Some(&me)
                        && wait.is_some_and(|(wait, _)| wait.op == Op::Scope)
                        && sync_trace_tests::is_asleep(&state.agent)
                };
                // Asleep, so past its own judgement: else the parent might be the one to find it.
                let mut seen = 0;
                while seen < 3 {
                    let now = sync_trace::snapshot().agents.iter().any(at_the_end);
                    seen = if now { seen + 1 } else { 0 };
                    thread::yield_now();
                }
                drop(lock.lock());
            });
        });
    }));
    assert!(result.is_err(), "std reports that a scoped thread panicked");
    drop(guard);
    let findings = own_findings();
    assert_eq!(findings.len(), 1);
    let ops: Vec<_> = findings[0].links.iter().map(|link| link.wait.op).collect();
    assert_eq!(ops, [Op::Lock, Op::Scope]);
}

#[test]
fn a_scope_does_not_wait_for_its_threads_destructors() {
    static LOG: Mutex<u32> = Mutex::new(0);
    struct Flush;
    impl Drop for Flush {
        fn drop(&mut self) {
            *LOG.lock().unwrap() += 1;
        }
    }
    thread_local! {
        static FLUSH: Flush = const { Flush };
    }
    let me = std::thread::current().name().unwrap().to_owned();
    let guard = LOG.lock().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| FLUSH.with(|_| ()));
        // Keeps the scope open until the other thread's destructor waits for what we hold.
        scope.spawn(|| {
            let waits = |state: &sync_trace::finding::AgentState| {
                let parent = state.agent.started_by.as_ref().and_then(|by| by.name.as_deref());
                parent == Some(&me) && state.wait.is_some()
            };
            while !sync_trace::snapshot().agents.iter().any(waits) {
                thread::yield_now();
            }
        });
    });
    drop(guard);
    assert_eq!(codes(), []);
}

#[test]
fn a_spared_mutex_that_a_condvar_wait_takes_again_is_poisoned_by_a_later_panic() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let waiter = {
        let pair = Arc::clone(&pair);
        thread::spawn(move || {
            let (lock, signal) = &*pair;
            let guard = signal.wait_while(lock.lock().unwrap(), |ready| !*ready).unwrap();
            assert!(*guard);
            panic!("the program's own panic");
        })
    };
    let (lock, signal) = &*pair;
    let waits = || {
        sync_trace::snapshot().agents.iter().any(|state| {
            state.agent.id.get() != 0
                && state.wait.as_ref().is_some_and(|(wait, _)| wait.op.is_condvar_wait())
        })
    };
    while !waits() {
        thread::yield_now();
    }
    let found = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = lock.lock().unwrap();
        *guard = true;
        signal.notify_all();
        drop(lock.lock());
    }));
    assert!(found.is_err());
    assert!(waiter.join().is_err());
    assert!(lock.is_poisoned(), "the waiter's own panic counts");
    assert_eq!(codes(), [Code::SelfDeadlock]);
}

#[test]
fn a_muted_thread_and_an_untracked_lock_take_part_in_no_finding() {
    let held = Arc::new(sync_trace::untracked!(Mutex::new(0)));
    let guard = held.lock().unwrap();
    assert!(held.try_lock().is_err());
    let me = std::thread::current().name().unwrap().to_owned();
    let holds = || {
        let agents = sync_trace::snapshot().agents;
        let mine = agents.iter().find(|state| state.agent.name.as_deref() == Some(&me));
        mine.map_or(0, |state| state.holds.len())
    };
    assert_eq!(holds(), 0);
    drop(guard);
    let traced = Mutex::new(0);
    let quiet = sync_trace::mute();
    let guard = traced.lock().unwrap();
    drop(quiet);
    assert_eq!(holds(), 0);
    let second = Mutex::new(0);
    let second = second.lock().unwrap();
    assert_eq!(holds(), 1);
    drop(guard);
    assert_eq!(holds(), 1);
    drop(second);
    assert_eq!(holds(), 0);
}

#[test]
fn findings_name_the_test_that_their_threads_descend_from() {
    let grandchild = thread::spawn(|| {
        thread::spawn(|| {
            let lock = Mutex::new(0);
            let _guard = lock.lock().unwrap();
            drop(lock.lock());
        })
        .join()
    });
    assert!(grandchild.join().unwrap().is_err());
    let findings = own_findings();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].roots, [std::thread::current().name().unwrap()]);
    let started_by = findings[0].links[0].agent.started_by.as_ref().unwrap();
    assert!(started_by.site.file().ends_with("live.rs"));
}

#[test]
fn the_same_program_makes_the_same_fingerprint() {
    let find = || {
        let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        cross(&a, &b);
        own_findings().remove(0).fingerprint
    };
    assert_eq!(find(), find());
}

#[test]
fn a_new_lock_at_an_old_address_is_another_lock() {
    // Forgotten guards leave holds on record for locks that are gone.
    for round in 0..200 {
        let mut place = Box::new(Mutex::new(round));
        std::mem::forget(place.lock().unwrap());
        *place = Mutex::new(round);
        assert_eq!(*place.lock().unwrap(), round);
        assert!(place.try_lock().is_ok());
    }
    assert_eq!(codes(), []);
}

#[test]
fn a_lock_may_move_while_it_is_free() {
    let lock = Mutex::new(1);
    drop(lock.lock().unwrap());
    let moved = Box::new(lock);
    let guard = moved.lock().unwrap();
    assert!(moved.try_lock().is_err());
    drop(guard);
    let moved = *moved;
    assert_eq!(*moved.lock().unwrap(), 1);
    assert_eq!(codes(), []);
}

/// Many threads, few locks, one order, and every kind of wait; a yield inside each section makes
/// the others wait.
#[test]
fn short_waits_by_the_hundred_thousand_are_no_deadlock() {
    const THREADS: usize = 16;
    // A debug build takes its time; what is optimised comes by more often.
    const WAITS: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let waits = AtomicUsize::new(0);
    let locks: Vec<Mutex<u64>> = (0..4).map(|_| Mutex::new(0)).collect();
    let tables: Vec<RwLock<u64>> = (0..3).map(|_| RwLock::new(0)).collect();
    let (turn, signal) = (Mutex::new(0u64), Condvar::new());
    let (waits, locks, tables, turn, signal) = (&waits, &locks, &tables, &turn, &signal);
    let before = own_findings().len();
    thread::scope(|scope| {
        for thread_number in 0..THREADS {
            scope.spawn(move || {
                let mut seed = thread_number as u64 + 1;
                let mut random = move |bound: usize| {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (seed >> 33) as usize % bound
                };
                while waits.load(Ordering::Relaxed) < WAITS {
                    // In the order of the vectors: tables, then locks, then the turn.
                    let table = &tables[random(tables.len())];
                    let (mut reader, mut writer) = (None, None);
                    if random(4) == 0 {
                        waits.fetch_add(usize::from(table.try_write().is_err()), Ordering::Relaxed);
                        writer = Some(table.write().unwrap());
                    } else {
                        waits.fetch_add(usize::from(table.try_read().is_err()), Ordering::Relaxed);
                        reader = Some(table.read().unwrap());
                    }
                    let first = random(locks.len());
                    let mut guards = Vec::new();
                    for lock in &locks[first..(first + 2).min(locks.len())] {
                        waits.fetch_add(usize::from(lock.try_lock().is_err()), Ordering::Relaxed);
                        let mut guard = lock.lock().unwrap();
                        *guard += 1;
                        guards.push(guard);
                        thread::yield_now();
                    }
                    drop((reader, writer));
                    match random(16) {
                        0 => {
                            let wait = std::time::Duration::from_micros(random(50) as u64);
                            drop(guards);
                            drop(signal.wait_timeout(turn.lock().unwrap(), wait).unwrap());
                        }
                        1 => {
                            *turn.lock().unwrap() += 1;
                            signal.notify_one();
                        }
                        _ => {}
                    }
                }
            });
        }
    });
    assert!(waits.load(Ordering::Relaxed) >= WAITS);
    assert_eq!(own_findings().len(), before);
}

#[test]
fn a_handler_sees_each_finding_and_may_use_traced_locks() {
    let (seen, findings) = channel();
    let seen = Mutex::new(seen);
    sync_trace::set_handler(move |finding: &Finding| {
        // Not recorded, and no recursion: the tracker is at work.
        let _ = seen.lock().unwrap().send(finding.fingerprint);
    });
    let lock = Mutex::new(0);
    let found = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap();
        drop(lock.lock());
    }));
    assert!(found.is_err());
    let finding = own_findings().remove(0);
    let told: Vec<_> = findings.try_iter().collect();
    assert!(told.contains(&finding.fingerprint));
}

#[test]
fn a_finding_tells_who_else_waits_but_not_who_joins_those_in_the_circle() {
    let [a, b] = [(); 2].map(|()| Arc::new(Mutex::new(0)));
    let (sender, receiver) = sync_trace::named!("jobs", mpsc::channel::<()>());
    let worker = thread::Builder::new().name("worker".to_owned());
    let worker = worker.spawn(move || receiver.recv().is_err()).unwrap();
    until_asleep("worker", Op::Recv);
    let results = cross(&a, &b);
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    let finding = own_findings().remove(0);
    let [(who, wait)] = &finding.also_waiting[..] else { panic!("{:?}", finding.also_waiting) };
    assert_eq!((who.name.as_deref(), wait.op), (Some("worker"), Op::Recv));
    let Target::Lock(channel, _) = &wait.target else { panic!("{wait:?}") };
    assert_eq!((channel.name, channel.kind), (Some("jobs"), LockKind::Channel));
    assert!(wait.age.is_some() && finding.to_string().contains("for a message from `jobs` at "));
    drop(sender);
    assert!(worker.join().unwrap());
}

/// Every wait that has no holder is shown, with its age and its kind, and gone when it is over.
#[test]
fn waits_for_messages_barriers_unparks_and_the_time_are_on_record() {
    let gate = Arc::new(sync_trace::named!("gate", Barrier::new(2)));
    let (full, inbox) = sync_trace::named!("full", mpsc::sync_channel(1));
    full.send(()).unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
        thread::Builder::new().name(name.to_owned()).spawn(body).unwrap()
    };
    let passing = Arc::clone(&gate);
    let threads = [
        spawn(
            "at the gate",
            Box::new(move || {
                passing.wait();
            }),
        ),
        spawn("sends", Box::new(move || full.send(()).unwrap())),
        spawn("parks", Box::new(thread::park)),
        spawn("parks for a time", Box::new(move || thread::park_timeout(hour))),
    ];
    let gate_wait = until_asleep("at the gate", Op::WaitBarrier);
    let send = until_asleep("sends", Op::Send);
    let park = until_asleep("parks", Op::Park);
    until_asleep("parks for a time", Op::ParkTimeout);
    let name = |wait: &Wait| match &wait.target {
        Target::Lock(lock, _) => lock.name,
        _ => None,
    };
    assert_eq!([name(&gate_wait), name(&send)], [Some("gate"), Some("full")]);
    assert!(matches!(park.target, Target::Unpark));
    let dump = sync_trace::snapshot().to_string();
    for text in ["for the others at gate (", "to send to full (", "to be unparked at "] {
        assert!(dump.contains(text), "no `{text}` in:\n{dump}");
    }
    gate.wait();
    assert_eq!([inbox.recv(), inbox.recv()], [Ok(()), Ok(())]);
    threads[2..].iter().for_each(|thread| thread.thread().unpark());
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let still = sync_trace::snapshot().agents;
    assert!(!still.iter().any(|state| state.agent.name.as_deref() == Some("parks")));
    assert!(own_findings().is_empty());
}

#[test]
fn a_sleep_is_on_record_while_it_lasts() {
    let (lock, seen) = (Mutex::new(0), AtomicBool::new(false));
    let asleep = Barrier::new(2);
    thread::scope(|scope| {
        let sleeper = thread::Builder::new().name("sleeper".to_owned());
        let sleeper = sleeper.spawn_scoped(scope, || {
            let _held = lock.lock().unwrap();
            asleep.wait();
            while !seen.load(Ordering::Relaxed) {
                thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        asleep.wait();
        let wait = until_asleep("sleeper", Op::Sleep);
        seen.store(true, Ordering::Relaxed);
        assert!(matches!(wait.target, Target::Time) && wait.site.file().ends_with("live.rs"));
        sleeper.unwrap().join().unwrap();
    });
}

/// What the predicate and an old handler do with locks is the caller's business, and these are traced
/// as ever afterwards.
#[test]
fn locks_that_a_callback_of_the_users_has_taken_are_traced_all_the_same() {
    let [a, b] = [(); 2].map(|()| Arc::new(Mutex::new(0)));
    let taken = sync_trace::take_findings_where(|_| {
        *a.lock().unwrap() += 1;
        false
    });
    assert!(taken.is_empty());
    let relock = Mutex::new(0);
    let _held = relock.lock().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(relock.lock()))).is_err());
    let count = sync_trace::take_findings_where(|finding| {
        *a.lock().unwrap() += 1;
        finding.roots.iter().any(|root| Some(root.as_str()) == std::thread::current().name())
    });
    assert_eq!(count.len(), 1);
    let results = cross(&a, &b);
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert_eq!(codes(), [Code::Deadlock]);
}

/// As a memoised recursion does it. Each looks at no more than the last one did.
#[test]
fn initialisers_may_nest_by_the_thousand() {
    fn depth(cells: &[OnceLock<usize>]) -> usize {
        match cells.split_first() {
            Some((cell, rest)) => *cell.get_or_init(|| depth(rest) + 1),
            None => 0,
        }
    }
    let cells: Vec<OnceLock<usize>> = (0..2000).map(|_| OnceLock::new()).collect();
    let deep = std::thread::Builder::new().stack_size(256 << 20);
    let nested = deep.spawn(move || depth(&cells)).unwrap();
    assert_eq!(nested.join().unwrap(), 2000);
}

/// Waits until the thread of that name sleeps in a wait by `op`, which it returns.
fn until_asleep(name: &str, op: Op) -> Wait {
    loop {
        let agents = sync_trace::snapshot().agents;
        let mine = agents.iter().find(|state| state.agent.name.as_deref() == Some(name));
        if let Some(AgentState { wait: Some((wait, _)), agent, .. }) = mine
            && wait.op == op
            && is_asleep(agent)
        {
            return wait.clone();
        }
        thread::yield_now();
    }
}
