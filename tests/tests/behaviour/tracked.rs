//! What only the traced types do: they show what is held, and can be told not to.

use std::mem::forget;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use sync_trace::finding::{AgentState, Hold, LockKind, Mode, Op};
use sync_trace::{OnViolation, on_violation, snapshot, untracked};

use super::sync::{Condvar, Mutex, RwLock, RwLockWriteGuard};
use super::thread::{self, Builder};
use crate::{Smuggled, in_time, panic_of};

/// What the snapshot has on the agent `name`: every test uses names of its own.
fn agent(name: &str) -> Option<AgentState> {
    let named = |state: &AgentState| state.agent.name.as_deref() == Some(name);
    snapshot().agents.into_iter().find(named)
}

/// The calling thread's name, which `in_time` made unique.
fn here() -> String {
    thread::current().name().expect("`in_time` named it").to_owned()
}

/// What the calling thread holds.
fn holds() -> Vec<Hold> {
    agent(&here()).map(|state| state.holds).unwrap_or_default()
}

/// The same, by the calls that took it, oldest first.
fn ops() -> Vec<Op> {
    holds().iter().map(|hold| hold.op).collect()
}

/// How many agents hold the lock that was created in `line` of this file.
fn holders(line: u32) -> usize {
    let is_it =
        |hold: &Hold| hold.lock.created.file() == file!() && hold.lock.created.line() == line;
    snapshot().agents.iter().filter(|agent| agent.holds.iter().any(is_it)).count()
}

/// Starts a scoped thread with a name.
fn named<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &str,
    body: impl FnOnce() -> T + Send + 'scope,
) -> thread::ScopedJoinHandle<'scope, T> {
    Builder::new().name(name.to_owned()).spawn_scoped(scope, body).unwrap()
}

/// Returns when the agent `name` is on record as waiting by the call `op`.
fn until_waiting(name: &str, op: Op) -> AgentState {
    loop {
        let state = agent(name);
        let waits = |state: &AgentState| state.wait.as_ref().is_some_and(|(wait, _)| wait.op == op);
        match state.filter(waits) {
            Some(state) => return state,
            None => thread::yield_now(),
        }
    }
}

#[test]
fn the_snapshot_shows_who_holds_what_and_since_which_line() {
    in_time(|| {
        assert_eq!(ops(), []);
        let made = line!() + 1;
        let (mutex, rwlock) = (Mutex::new(1_u8), RwLock::new(String::new()));
        let taken = line!() + 1;
        let _guards = (mutex.lock().unwrap(), rwlock.read().unwrap());
        let [first, second] = &holds()[..] else { panic!("two are held: {:?}", holds()) };
        assert_eq!(
            (first.lock.kind, first.mode, first.op),
            (LockKind::Mutex, Mode::Exclusive, Op::Lock)
        );
        assert_eq!(
            (second.lock.kind, second.mode, second.op),
            (LockKind::RwLock, Mode::Read, Op::Read)
        );
        assert_eq!(first.lock.type_name, "u8");
        assert!(second.lock.type_name.ends_with("String"));
        assert!(first.lock.id != second.lock.id);
        for hold in [first, second] {
            assert_eq!((hold.lock.created.file(), hold.lock.created.line()), (file!(), made));
            assert_eq!((hold.site.file(), hold.site.line()), (file!(), taken));
        }
    });
}

#[test]
fn every_call_that_takes_a_lock_is_on_record_under_its_name_until_the_guard_is_dropped() {
    in_time(|| {
        let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
        let guard = mutex.lock().unwrap();
        assert_eq!(ops(), [Op::Lock]);
        drop(guard);
        let guard = mutex.try_lock().unwrap();
        assert_eq!(ops(), [Op::TryLock]);
        assert!(mutex.try_lock().is_err());
        assert_eq!(ops(), [Op::TryLock], "what failed is not on record");
        drop(guard);
        let guards = (rwlock.read().unwrap(), rwlock.try_read().unwrap());
        assert_eq!(ops(), [Op::Read, Op::TryRead]);
        assert!(rwlock.try_write().is_err());
        drop(guards);
        let guard = rwlock.write().unwrap();
        assert_eq!(ops(), [Op::Write]);
        let guard = RwLockWriteGuard::downgrade(guard);
        assert_eq!(ops(), [Op::Downgrade]);
        assert_eq!(holds()[0].mode, Mode::Read);
        drop(guard);
        drop(rwlock.try_write().map(|_guard| assert_eq!(ops(), [Op::TryWrite])));
        assert_eq!(ops(), []);
    });
}

#[test]
fn a_debug_text_is_no_acquisition() {
    in_time(|| {
        struct Looks;
        impl std::fmt::Debug for Looks {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", ops())
            }
        }
        let other = Mutex::new(0);
        let _guard = other.lock().unwrap();
        assert_eq!(
            format!("{:?}", Mutex::new(Looks)),
            "Mutex { data: [Lock], poisoned: false, .. }"
        );
        assert_eq!(
            format!("{:?}", RwLock::new(Looks)),
            "RwLock { data: [Lock], poisoned: false, .. }"
        );
    });
}

#[test]
fn forty_holds_are_all_on_record_in_the_order_they_were_taken_whatever_is_released() {
    in_time(|| {
        let locks: Vec<Mutex<usize>> = (0..40).map(Mutex::new).collect();
        let mut guards: Vec<_> = locks.iter().map(|lock| lock.lock().unwrap()).collect();
        let mut expected: Vec<_> = holds().iter().map(|hold| hold.lock.id).collect();
        assert_eq!(expected.len(), 40);
        let mut at = 0;
        while !guards.is_empty() {
            at = (at + 17) % guards.len();
            drop(guards.remove(at));
            expected.remove(at);
            assert_eq!(holds().iter().map(|hold| hold.lock.id).collect::<Vec<_>>(), expected);
        }
    });
}

#[test]
fn a_thread_that_waits_is_shown_with_what_it_holds_wants_and_for_whom_it_waits() {
    in_time(|| {
        let (wanted, own) = (Mutex::new(0), Mutex::new(0));
        thread::scope(|scope| {
            let guard = wanted.lock().unwrap();
            let started = line!() + 1;
            let waiter = named(scope, "snapshot-waiter", || {
                let _own = own.lock().unwrap();
                drop(wanted.lock().unwrap());
            });
            let state = until_waiting("snapshot-waiter", Op::Lock);
            let (wait, blockers) = state.wait.unwrap();
            assert_eq!(blockers.len(), 1);
            assert_eq!(blockers[0].name.as_deref(), Some(here().as_str()));
            assert_eq!(wait.site.line(), started + 2);
            assert!(wait.age.is_some());
            assert_eq!(state.holds.len(), 1);
            assert_eq!(state.holds[0].site.line(), started + 1);
            let started_by = state.agent.started_by.unwrap();
            assert_eq!(started_by.name.as_deref(), Some(here().as_str()));
            drop(guard);
            waiter.join().unwrap();
        });
        assert!(agent("snapshot-waiter").is_none(), "it has ended and holds nothing");
    });
}

#[test]
fn a_condvar_wait_gives_its_mutex_up_on_record_and_takes_it_again() {
    in_time(|| {
        let (mutex, other, signal) = (Mutex::new(0), Mutex::new(0), Condvar::new());
        for op in [Op::Wait, Op::WaitWhile, Op::WaitTimeout, Op::WaitTimeoutWhile] {
            *mutex.lock().unwrap() = 0;
            thread::scope(|scope| {
                let waiter = named(scope, "condvar-waiter", || {
                    let mut guard = mutex.lock().unwrap();
                    let _other = other.lock().unwrap();
                    let long = Duration::from_secs(60);
                    while *guard == 0 {
                        guard = match op {
                            Op::Wait => signal.wait(guard).unwrap(),
                            Op::WaitWhile => signal.wait_while(guard, |n| *n == 0).unwrap(),
                            Op::WaitTimeout => signal.wait_timeout(guard, long).unwrap().0,
                            _ => signal.wait_timeout_while(guard, long, |n| *n == 0).unwrap().0,
                        };
                    }
                    drop(guard);
                    agent("condvar-waiter").unwrap().holds.len()
                });
                let state = until_waiting("condvar-waiter", op);
                assert_eq!(state.holds.iter().map(|hold| hold.op).collect::<Vec<_>>(), [Op::Lock]);
                *mutex.lock().unwrap() = 1;
                signal.notify_one();
                assert_eq!(waiter.join().unwrap(), 1, "the other mutex only");
            });
        }
        // Under which name the mutex is held afterwards.
        let guard = mutex.lock().unwrap();
        let guard = signal.wait_timeout(guard, Duration::ZERO).unwrap().0;
        assert_eq!(ops(), [Op::WaitTimeout]);
        let guard = signal.wait_timeout_while(guard, Duration::ZERO, |_| true).unwrap().0;
        assert_eq!(ops(), [Op::WaitTimeoutWhile]);
        let guard = signal
            .wait_timeout_while(guard, Duration::ZERO, |_| {
                assert_eq!(ops().len(), 1, "the condition runs with the mutex held");
                false
            })
            .unwrap()
            .0;
        drop(guard);
        assert_eq!(ops(), []);
    });
}

#[test]
fn a_condition_that_panics_leaves_nothing_on_record() {
    in_time(|| {
        let (mutex, outer, signal) = (Mutex::new(0), Mutex::new(0), Condvar::new());
        let _outer = outer.lock().unwrap();
        panic_of(|| signal.wait_while(mutex.lock().unwrap(), |_| panic!("condition")));
        assert_eq!(ops(), [Op::Lock]);
        mutex.clear_poison();
        panic_of(|| {
            let guard = mutex.lock().unwrap();
            signal.wait_timeout_while(guard, Duration::ZERO, |_| panic!("condition"))
        });
        assert_eq!(ops(), [Op::Lock]);
    });
}

#[test]
fn a_panic_takes_the_guards_that_it_drops_off_the_record() {
    in_time(|| {
        let locks: Vec<RwLock<u8>> = (0..20).map(RwLock::new).collect();
        let _kept = locks[0].read().unwrap();
        panic_of(|| {
            let _writes: Vec<_> = locks[1..].iter().map(|lock| lock.write().unwrap()).collect();
            let _read = locks[0].read().unwrap();
            assert_eq!(ops().len(), 21);
            panic!("unwinding");
        });
        assert_eq!(ops(), [Op::Read]);
        // Poisoned guards are on record like any other.
        let _poisoned = locks[1].write().unwrap_err();
        assert_eq!(ops(), [Op::Read, Op::Write]);
    });
}

#[test]
fn a_thread_that_ended_with_a_forgotten_guard_stays_on_record() {
    in_time(|| {
        let (kept, lost) = (Mutex::new(0), RwLock::new(0));
        thread::scope(|scope| {
            let forgetful = named(scope, "forgetful", || {
                drop(kept.lock().unwrap());
                forget(lost.write().unwrap());
            });
            forgetful.join().unwrap();
        });
        let state = agent("forgetful").unwrap();
        assert!(state.ended);
        assert_eq!(state.holds.iter().map(|hold| hold.op).collect::<Vec<_>>(), [Op::Write]);
    });
}

#[test]
fn a_thread_that_could_not_be_started_is_not_on_record() {
    in_time(|| {
        let builder = Builder::new().name("never started".to_owned()).stack_size(1 << 60);
        builder.spawn(|| ()).unwrap_err();
        assert!(agent("never started").is_none());
        thread::scope(|scope| {
            let builder = Builder::new().name("nor this one".to_owned()).stack_size(1 << 60);
            builder.spawn_scoped(scope, || ()).unwrap_err();
            assert!(agent("nor this one").is_none());
        });
        let builder = Builder::new().name("nor\0that".to_owned());
        panic_of(|| builder.spawn(|| ()));
        assert!(agent("nor\0that").is_none());
    });
}

#[test]
fn a_moved_lock_stays_itself_and_one_at_its_old_address_is_another() {
    in_time(|| {
        let id_of = |lock: &Mutex<u8>| {
            let _guard = lock.lock().unwrap();
            holds()[0].lock.id
        };
        let (mut one, mut two) = (Mutex::new(1), Mutex::new(2));
        let ids = (id_of(&one), id_of(&two));
        std::mem::swap(&mut one, &mut two);
        assert_eq!((id_of(&two), id_of(&one)), ids);
        let boxed = Box::new(one);
        assert_eq!(id_of(&boxed), ids.1);
        two = Mutex::new(3);
        assert!(id_of(&two) != ids.0 && id_of(&two) != ids.1);
    });
}

#[test]
fn a_lock_remembers_the_line_that_made_it_however_that_was_written() {
    in_time(|| {
        let lines = [line!() + 1, line!() + 2, line!() + 3];
        let new = Mutex::new(0);
        let from: Mutex<u8> = 0.into();
        let default = Mutex::<u8>::default();
        let _guards = (new.lock().unwrap(), from.lock().unwrap(), default.lock().unwrap());
        let created: Vec<_> = holds().iter().map(|hold| hold.lock.created).collect();
        assert_eq!(created[0].line(), lines[0]);
        assert_eq!(created[2].line(), lines[2]);
        // `into` is a function of the standard library, which does not pass its caller on.
        assert!(created[1].line() == lines[1] || created[1].is_unknown(), "{}", created[1].file());
    });
}

#[test]
fn guards_that_other_threads_drop_leave_nothing_on_record() {
    in_time(|| {
        let made = line!() + 1;
        let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
        for write in [false, true] {
            thread::scope(|scope| {
                let guard = Smuggled(mutex.lock().unwrap());
                let reads = (!write).then(|| (rwlock.read().unwrap(), rwlock.read().unwrap()));
                let reads = Smuggled(reads);
                let write = Smuggled(write.then(|| rwlock.write().unwrap()));
                assert_eq!(holders(made), 1);
                scope.spawn(move || drop((guard.unpack(), reads.unpack(), write.unpack())));
            });
            assert_eq!(holders(made), 0);
            assert_eq!(ops(), []);
        }
    });
}

/// What is on record is the new acquisition, not a left-over of the one that went away.
#[test]
fn a_lock_taken_again_after_its_guard_went_away_is_on_record_with_the_new_line() {
    in_time(|| {
        let (mutex, between) = (Mutex::new(0), Mutex::new(0));
        // From now on both take the short way.
        drop((mutex.lock().unwrap(), between.lock().unwrap()));
        let guard = Smuggled(mutex.lock().unwrap());
        thread::scope(|scope| {
            scope.spawn(move || drop(guard.unpack()));
        });
        let _between = between.lock().unwrap();
        let line = line!() + 1;
        let again = mutex.try_lock().unwrap();
        let seen: Vec<_> = holds().iter().map(|hold| (hold.op, hold.site.line())).collect();
        assert_eq!(seen, [(Op::Lock, line - 2), (Op::TryLock, line)]);
        drop(again);
        assert_eq!(ops(), [Op::Lock]);
    });
}

#[test]
fn a_guard_that_outlives_its_thread_leaves_nothing_on_record_in_the_end() {
    in_time(|| {
        let made = line!() + 1;
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            let taken = named(scope, "gone before its guard", || Smuggled(mutex.lock().unwrap()));
            let guard = taken.join().map(Smuggled::unpack).unwrap();
            assert!(agent("gone before its guard").is_some_and(|state| state.ended));
            drop(guard);
        });
        assert_eq!(holders(made), 0);
        drop(mutex.lock().unwrap());
        assert_eq!(holders(made), 0);
    });
}

#[test]
fn what_is_taken_while_muted_is_not_on_record_and_may_be_released_later() {
    in_time(|| {
        let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
        let quiet = sync_trace::mute();
        let guard = mutex.lock().unwrap();
        let read = rwlock.read().unwrap();
        assert_eq!(ops(), []);
        drop(quiet);
        assert_eq!(ops(), []);
        assert!(rwlock.try_write().is_err());
        drop(guard);
        drop(read);
        assert_eq!(ops(), []);
        let _guard = mutex.lock().unwrap();
        assert_eq!(ops(), [Op::Lock], "and from then on the lock is on record");
    });
}

#[test]
fn what_was_taken_before_a_mute_leaves_the_record_when_it_is_released_under_it() {
    in_time(|| {
        let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
        let guards = (mutex.lock().unwrap(), rwlock.write().unwrap());
        let (outer, inner) = (sync_trace::mute(), sync_trace::mute());
        drop(outer);
        assert_eq!(ops(), [Op::Lock, Op::Write]);
        let (guard, write) = guards;
        let read = RwLockWriteGuard::downgrade(write);
        assert_eq!(ops(), [Op::Lock, Op::Downgrade]);
        drop((guard, read));
        assert_eq!(ops(), [], "still muted by the inner one");
        drop(mutex.lock().unwrap());
        drop(inner);
        let _guard = mutex.lock().unwrap();
        assert_eq!(ops(), [Op::Lock]);
    });
}

#[test]
fn a_mute_is_for_the_calling_thread_only() {
    in_time(|| {
        let mutex = Mutex::new(0);
        let _quiet = sync_trace::mute();
        let builder = Builder::new().name(here() + "-loud");
        thread::scope(|scope| {
            let thread = builder.spawn_scoped(scope, || {
                let _guard = mutex.lock().unwrap();
                holds().len()
            });
            assert_eq!(thread.unwrap().join().unwrap(), 1);
        });
    });
}

/// A muted reader is not on record, so its end must not be taken for that of another reader.
#[test]
fn the_end_of_a_muted_read_leaves_the_reads_of_other_threads_on_record() {
    in_time(|| {
        let rwlock = RwLock::new(0);
        thread::scope(|scope| {
            let (go, wait) = mpsc::channel::<()>();
            let (send, ready) = mpsc::channel();
            let lock = &rwlock;
            let reader = named(scope, "reads beside a muted one", move || {
                let _read = lock.read().unwrap();
                send.send(()).unwrap();
                wait.recv().unwrap_err();
            });
            ready.recv().unwrap();
            let quiet = sync_trace::mute();
            let read = rwlock.read().unwrap();
            drop(quiet);
            drop(read);
            assert_eq!(agent("reads beside a muted one").unwrap().holds.len(), 1);
            drop(go);
            reader.join().unwrap();
        });
    });
}

static UNTRACKED: Mutex<Vec<u8>> = untracked!(Mutex::new(Vec::new()));
static LOGGING: RwLock<u8> = on_violation!(OnViolation::Log, RwLock::new(1));
static BOTH: Mutex<u8> = untracked!(on_violation!(OnViolation::Log, Mutex::new(1)));
static BOTH_REVERSED: Mutex<u8> = on_violation!(OnViolation::Log, untracked!(Mutex::new(1)));

#[test]
fn an_untracked_lock_works_and_is_never_on_record() {
    in_time(|| {
        UNTRACKED.lock().unwrap().push(1);
        let local = untracked!(RwLock::new(String::from("local")));
        let shared = Arc::new(untracked!(Mutex::new(0)));
        let signal = Condvar::new();
        let guards = (UNTRACKED.lock().unwrap(), local.read().unwrap(), BOTH.lock().unwrap());
        let guard = shared.lock().unwrap();
        let (guard, result) = signal.wait_timeout(guard, Duration::ZERO).unwrap();
        assert!(result.timed_out());
        assert_eq!(ops(), []);
        assert_eq!(*guards.0, [1]);
        drop((guards, guard));
        let written = RwLockWriteGuard::downgrade(local.write().unwrap());
        assert_eq!(ops(), []);
        drop(written);
        thread::scope(|scope| {
            let guard = shared.lock().unwrap();
            let waiter = scope.spawn(|| *shared.lock().unwrap() += 1);
            drop(guard);
            waiter.join().unwrap();
        });
        assert_eq!(shared.lock().map(|guard| *guard).unwrap(), 1);
        // Poisoning is `std`'s all the same.
        panic_of(|| {
            let _guard = shared.lock().unwrap();
            panic!("poison");
        });
        assert!(shared.is_poisoned());
        assert_eq!(ops(), []);
    });
}

#[test]
fn untracked_wins_whichever_macro_is_inside_the_other() {
    in_time(|| {
        let _guards = (BOTH.lock().unwrap(), BOTH_REVERSED.lock().unwrap());
        assert_eq!(ops(), []);
    });
}

#[test]
fn a_lock_with_a_reaction_of_its_own_is_on_record_like_any_other() {
    in_time(|| {
        let made = line!() + 1;
        let local = on_violation!(OnViolation::Abort, Mutex::new(vec![0]));
        let _guards = (LOGGING.write().unwrap(), local.lock().unwrap());
        assert_eq!(ops(), [Op::Write, Op::Lock]);
        assert_eq!(holds()[1].lock.created.line(), made);
    });
}

#[test]
fn the_dump_names_threads_locks_and_lines() {
    in_time(|| {
        let mutex = Mutex::new(0_u64);
        let site = format!("{}:{}", file!(), line!() + 1);
        let _guard = mutex.lock().unwrap();
        let text = snapshot().to_string();
        assert!(text.contains(&here()) && text.contains(&site), "{text}");
    });
}

#[test]
fn thread_local_destructors_leave_nothing_on_record() {
    thread_local! {
        static LOCKS: std::cell::RefCell<Vec<AtEnd>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    struct AtEnd(&'static Mutex<u8>, Option<super::sync::MutexGuard<'static, u8>>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            drop(self.1.take());
            *self.0.lock().unwrap() += 1;
        }
    }
    in_time(|| {
        let made = line!() + 1;
        let locks: Vec<Mutex<u8>> = (0..3).map(|n| Mutex::new(n)).collect();
        let locks: &'static [Mutex<u8>] = locks.leak();
        let builder = Builder::new().name("locks at its end".to_owned());
        let thread = builder.spawn(move || {
            LOCKS.with_borrow_mut(Vec::clear);
            for lock in locks {
                let at_end = AtEnd(lock, Some(lock.lock().unwrap()));
                LOCKS.with_borrow_mut(|all| all.push(at_end));
            }
            agent("locks at its end").unwrap().holds.len()
        });
        assert_eq!(thread.unwrap().join().unwrap(), 3);
        assert_eq!(holders(made), 0);
        assert!(agent("locks at its end").is_none());
        for (n, lock) in (0..).zip(locks) {
            assert_eq!(*lock.lock().unwrap(), n + 1);
        }
    });
}
