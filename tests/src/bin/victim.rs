//! Programs that come to a bad end; `tests/process.rs` runs them and looks at how they end.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;

use sync_trace::finding::{AgentState, Op};
use sync_trace::sync::{Arc, Barrier, Mutex, Once, OnceLock};
use sync_trace::{OnViolation, named, thread};
use sync_trace_tests::{end_after, is_asleep};

fn main() {
    end_after(60);
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match scenario.as_str() {
        "child_ignored" => child_ignored(),
        "child_ignored_then_taken" => {
            child_ignored();
            assert_eq!(sync_trace::take_findings().len(), 1);
        }
        "child_ignored_then_failed" => {
            child_ignored();
            std::process::exit(3);
        }
        "child_unwrapped" => {
            child_relocks().join().unwrap();
        }
        "caught_in_main" => {
            assert!(catch_unwind(relock).is_err());
        }
        "uncaught_in_main" => relock(),
        "scope_end" => scope_end(),
        "scope_end_while_unwinding" => {
            let _ = catch_unwind(scope_end_while_unwinding);
        }
        "awaited_initialiser" => {
            static VALUE: OnceLock<()> = OnceLock::new();
            initialiser_needs_a_waiters_lock(
                |made| {
                    VALUE.get_or_init(made);
                },
                || {
                    VALUE.wait();
                },
            );
        }
        "forced_wait_for_initialiser" => {
            static START: Once = Once::new();
            initialiser_needs_a_waiters_lock(|made| START.call_once(made), || START.wait_force());
        }
        "called_initialiser" => {
            static START: Once = Once::new();
            initialiser_needs_a_waiters_lock(
                |made| START.call_once(made),
                || START.call_once(|| ()),
            );
            assert_eq!(sync_trace::take_findings().len(), 1);
        }
        "recovered_once" => {
            recovered_once(|once| once.call_once(|| ()));
            recovered_once(Once::wait);
        }
        "initialiser_relocks" => initialiser_relocks(),
        "drop_while_unwinding" => drop_while_unwinding(),
        "logged" => logged(),
        "own_reaction" => own_reaction(),
        "nothing" => nothing(),
        "until_eof" => until_eof(),
        "waits_again_and_again" => waits_again_and_again(),
        #[cfg(target_os = "linux")]
        "forked" => forked(),
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        "forked_while_others_count" => forked_while_others_count(),
        other => panic!("no scenario `{other}`"),
    }
}

fn relock() {
    let lock = Mutex::new(0);
    let _guard = lock.lock().unwrap();
    let _again = lock.lock().unwrap();
}

fn child_relocks() -> thread::JoinHandle<()> {
    thread::Builder::new().name("child".to_owned()).spawn(relock).unwrap()
}

fn child_ignored() {
    assert!(child_relocks().join().is_err());
}

/// A parent that comes last, at the end of its scope, with its child already waiting for what it
/// holds.
fn scope_end() {
    let held = Mutex::new(0);
    let _guard = held.lock().unwrap();
    thread::scope(|scope| {
        thread::Builder::new()
            .name("child".to_owned())
            .spawn_scoped(scope, || drop(held.lock()))
            .unwrap();
        wait_until_somebody_waits();
    });
}

/// The main thread initialises something and needs a lock, whose holder waits for the initialisation.
fn initialiser_needs_a_waiters_lock(
    initialise: impl Fn(&dyn Fn()),
    wait: impl Fn() + Send + Sync + 'static,
) {
    let lock = Arc::new(Mutex::new(0));
    let (began, begin) = channel();
    let waiter = {
        let lock = Arc::clone(&lock);
        let waits = move || {
            let _held = lock.lock().unwrap();
            begin.recv().unwrap();
            wait();
        };
        thread::Builder::new().name("waiter".to_owned()).spawn(waits).unwrap()
    };
    let initialised = catch_unwind(AssertUnwindSafe(|| {
        initialise(&|| {
            began.send(()).unwrap();
            wait_until_somebody_waits();
            drop(lock.lock());
        });
    }));
    assert!(initialised.is_err());
    assert!(waiter.join().is_err());
}

/// A thread holds a lock and panics because a `Once` is poisoned. While its panic hook runs, the main
/// thread recovers the `Once`, and needs the lock.
fn recovered_once(fails: fn(&Once)) {
    let (once, lock) = (Arc::new(Once::new()), Arc::new(Mutex::new(0)));
    assert!(catch_unwind(|| once.call_once(|| panic!("the first initialiser"))).is_err());
    let in_hook = Arc::new(std::sync::Barrier::new(2));
    let (recover, go_on) = channel();
    let go_on = std::sync::Mutex::new(go_on);
    let default = std::panic::take_hook();
    let hook = {
        let in_hook = Arc::clone(&in_hook);
        move |info: &std::panic::PanicHookInfo<'_>| {
            default(info);
            if thread::current().name() == Some("fails") {
                in_hook.wait();
                go_on.lock().unwrap().recv().unwrap();
            }
        }
    };
    std::panic::set_hook(Box::new(hook));
    let failing = {
        let (once, lock) = (Arc::clone(&once), Arc::clone(&lock));
        let held_and_failed = move || {
            let _held = lock.lock().unwrap();
            fails(&once);
        };
        thread::Builder::new().name("fails".to_owned()).spawn(held_and_failed).unwrap()
    };
    in_hook.wait();
    once.call_once_force(|state| {
        assert!(state.is_poisoned());
        // The other thread goes on once this one waits for its lock.
        thread::scope(|scope| {
            scope.spawn(|| {
                wait_until_asleep_in(|op| op == Op::Lock);
                recover.send(()).unwrap();
            });
            drop(lock.lock());
        });
    });
    assert!(failing.join().is_err() && once.is_completed());
    drop(std::panic::take_hook());
}

/// The main thread deadlocks with itself in an initialiser, for whose value another thread waits.
fn initialiser_relocks() {
    static VALUE: OnceLock<()> = OnceLock::new();
    let waiter = thread::spawn(|| {
        VALUE.wait();
    });
    let initialised = catch_unwind(|| {
        VALUE.get_or_init(|| {
            wait_until_somebody_waits();
            relock();
        });
    });
    assert!(initialised.is_err());
    waiter.join().unwrap();
}

/// The same, by a panic in the scope's closure.
fn scope_end_while_unwinding() {
    let held = Mutex::new(0);
    let _guard = held.lock().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| drop(held.lock()));
        wait_until_somebody_waits();
        panic!("the closure fails");
    });
}

/// A `Drop` that locks, in a thread that unwinds, closes the cycle.
fn drop_while_unwinding() {
    struct LocksInDrop(Arc<Mutex<u32>>);
    impl Drop for LocksInDrop {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let meet = Arc::new(Barrier::new(2));
    let other = {
        let (a, b, meet) = (Arc::clone(&a), Arc::clone(&b), Arc::clone(&meet));
        thread::spawn(move || {
            let _b = b.lock().unwrap();
            meet.wait();
            let _a = a.lock().unwrap();
        })
    };
    let _held = a.lock().unwrap();
    meet.wait();
    wait_until_somebody_waits();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _late = LocksInDrop(b);
        panic!("the program's own panic");
    }));
    drop(result);
    drop(other);
}

/// Two threads that deadlock for good; the main thread goes on.
fn logged() {
    let (found, finding) = channel();
    let found = std::sync::Mutex::new(found);
    sync_trace::set_handler(move |finding| {
        let _ = found.lock().unwrap().send(finding.code);
    });
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let meet = Arc::new(Barrier::new(2));
    for (first, second) in [(&a, &b), (&b, &a)] {
        let (first, second) = (Arc::clone(first), Arc::clone(second));
        let meet = Arc::clone(&meet);
        thread::spawn(move || {
            let _first = first.lock().unwrap();
            meet.wait();
            let _second = second.lock().unwrap();
        });
    }
    println!("found {}", finding.recv().unwrap());
}

static GENTLE: Mutex<u32> = sync_trace::on_violation!(OnViolation::Panic, Mutex::new(0));

/// A lock that panics although the configuration says abort.
fn own_reaction() {
    let guard = GENTLE.lock().unwrap();
    assert!(catch_unwind(|| drop(GENTLE.lock())).is_err());
    drop(guard);
    sync_trace::reset();
    println!("went on");
}

fn nothing() {
    let lock = Mutex::new(1);
    println!("the lock holds {}", *lock.lock().unwrap());
}

/// Holds a lock, with a thread that waits for it, until standard input ends.
fn until_eof() {
    let accounts = Mutex::new(0);
    let guard = accounts.lock().unwrap();
    thread::scope(|scope| {
        let waiter = thread::Builder::new()
            .name("waiter".to_owned())
            .spawn_scoped(scope, || drop(accounts.lock()));
        wait_until_somebody_waits();
        println!("ready");
        let mut rest = Vec::new();
        std::io::stdin().read_to_end(&mut rest).unwrap();
        drop(guard);
        waiter.unwrap().join().unwrap();
    });
}

/// Has a thread wait for a lock twenty times, and once more when standard input has ended.
fn waits_again_and_again() {
    let accounts = named!("accounts", Mutex::new(0));
    let wait_once = || {
        thread::scope(|scope| {
            let guard = accounts.lock();
            scope.spawn(|| drop(accounts.lock()));
            wait_until_somebody_waits();
            drop(guard);
        });
    };
    (0..20).for_each(|_| wait_once());
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    wait_once();
}

/// A wait that is on record may not have been judged yet, and then its thread may still be the one that
/// finds the deadlock. One that sleeps has been: seen three times in a row, lest it be a moment's sleep
/// over a look like this one.
fn wait_until_somebody_waits() {
    wait_until_asleep_in(|_| true);
}

fn wait_until_asleep_in(is_meant: fn(Op) -> bool) {
    let sleeps = || {
        let agents = sync_trace::snapshot().agents;
        let waits =
            |state: &AgentState| state.wait.as_ref().is_some_and(|(wait, _)| is_meant(wait.op));
        agents.iter().any(|state| waits(state) && is_asleep(&state.agent))
    };
    let mut seen = 0;
    while seen < 3 {
        seen = if sleeps() { seen + 1 } else { 0 };
        thread::yield_now();
    }
}

/// Forks while other threads wait, and hold things. Prints how each child ended.
#[cfg(target_os = "linux")]
fn forked() {
    let busy = Arc::new(Mutex::new(0));
    let (sender, receiver) = sync_trace::sync::mpsc::channel::<()>();
    let (holds, held_by_it) = channel();
    let waiting = {
        let busy = Arc::clone(&busy);
        thread::spawn(move || {
            let held = busy.lock().unwrap();
            holds.send(()).unwrap();
            _ = receiver.recv();
            drop(held);
        })
    };
    held_by_it.recv().unwrap();
    let wanting = {
        let busy = Arc::clone(&busy);
        thread::spawn(move || drop(busy.lock().unwrap()))
    };
    until_asleep(&[Op::Recv, Op::Lock]);
    // The parent's finding is not the child's.
    assert!(child_relocks().join().is_err());
    let alone = || {
        let dump = sync_trace::snapshot();
        let is_alive = |state: &&AgentState| !state.ended;
        let alive: Vec<_> = dump.agents.iter().filter(is_alive).collect();
        assert_eq!(alive.len(), 1, "{dump}");
        assert_eq!(alive[0].agent.os_id, Some(u64::from(std::process::id())));
        assert!(alive[0].wait.is_none());
        let own = Mutex::new(1);
        let (sender, receiver) = sync_trace::sync::mpsc::channel();
        let guard = own.lock().unwrap();
        let other = thread::spawn(move || sender.send(1).unwrap());
        assert_eq!(receiver.recv(), Ok(*guard));
        other.join().unwrap();
    };
    let waits_for_itself = || {
        let (_sender, receiver) = sync_trace::sync::mpsc::channel::<()>();
        _ = receiver.recv();
    };
    let wants_what_nobody_will_release = || drop(busy.lock().unwrap());
    println!("alone: {:?}", in_a_child(&alone));
    println!("waits for itself: {:?}", in_a_child(&waits_for_itself));
    println!("wants what is lost: {:?}", in_a_child(&wants_what_nobody_will_release));
    assert_eq!(sync_trace::take_findings().len(), 1);
    drop(sender);
    waiting.join().unwrap();
    wanting.join().unwrap();
}

/// Forks again and again while other threads count and look at what was counted. No child may have to wait for them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn forked_while_others_count() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let (busy, is_over) = (Mutex::new(0), AtomicBool::new(false));
    let held = busy.lock().unwrap();
    // What that costs is measured once, which is nothing to be forked in.
    sync_trace::contention();
    // The main thread has an account that others look into, too.
    assert!(busy.try_lock().is_err());
    let counts = || {
        while !is_over.load(Ordering::Relaxed) {
            assert!(busy.try_lock().is_err());
        }
    };
    let looks = || {
        while !is_over.load(Ordering::Relaxed) {
            assert!(!sync_trace::contention().classes.is_empty());
        }
    };
    let looks_and_counts = || {
        sync_trace::contention();
        assert!(busy.try_lock().is_err());
        thread::scope(|scope| assert!(scope.spawn(|| busy.try_lock().is_err()).join().unwrap()));
        assert!(!sync_trace::contention().classes.is_empty());
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(counts);
            scope.spawn(looks);
        }
        let ended: Vec<_> = (0..100).map(|_| in_a_child(&looks_and_counts)).collect();
        is_over.store(true, Ordering::Relaxed);
        let well = ended.iter().filter(|status| **status == Some(0)).count();
        println!("ended well: {well} of {}", ended.len());
    });
    drop(held);
}

#[cfg(target_os = "linux")]
fn until_asleep(ops: &[Op]) {
    let is_one = |state: &AgentState, op: Op| {
        state.wait.as_ref().is_some_and(|(wait, _)| wait.op == op) && is_asleep(&state.agent)
    };
    let is_there = |op: &Op| sync_trace::snapshot().agents.iter().any(|state| is_one(state, *op));
    while !ops.iter().all(is_there) {
        std::thread::yield_now();
    }
}

/// Plays it in a child, which ends well if it returns. Returns the child's status.
#[cfg(target_os = "linux")]
fn in_a_child(play: &dyn Fn()) -> Option<i32> {
    // SAFETY: no other thread of this process holds a lock that the child takes, but for those that it is
    // about. One may be in the memory allocator only where that is glibc's, which is whole in every child.
    match unsafe { libc::fork() } {
        0 => {
            // The alarms of a parent are not its children's.
            end_after(20);
            let ended = catch_unwind(AssertUnwindSafe(play));
            std::process::exit(if ended.is_ok() { 0 } else { 101 })
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` is ours to write.
            let ended = unsafe { libc::waitpid(child, &mut status, 0) };
            (ended == child && libc::WIFEXITED(status)).then(|| libc::WEXITSTATUS(status))
        }
    }
}
