//! How long something may last, and what may be let be.

use super::broken;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use sync_trace::finding::Broken;
use sync_trace::sync::{Barrier, Mutex};
use sync_trace::{lock_budget, lock_exempt, lock_order, thread};

/// Far longer than the budgets below, as measured by the clock that they are measured by.
fn spend_time() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(5) {
        std::hint::spin_loop();
    }
}

#[lock_budget(hold = "1ms")]
fn holds(lock: &Mutex<u8>, inside: bool) {
    let guard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if inside {
        spend_time();
    }
    drop(guard);
    if !inside {
        spend_time();
    }
}

#[lock_budget(hold = "1h", wait = "1h")]
fn holds_long(lock: &Mutex<u8>) {
    let _guard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    spend_time();
}

#[lock_budget(wait = "1ms")]
fn waits(lock: &Mutex<u8>) {
    drop(lock.lock());
}

#[test]
fn a_lock_is_held_too_long() {
    let lock = Mutex::new(0);
    assert_eq!(broken(|| holds(&lock, true)), [Broken::HeldTooLong]);
    assert_eq!(broken(|| holds(&lock, false)), []);
    assert_eq!(broken(|| holds_long(&lock)), []);
}

#[test]
fn what_was_taken_before_is_not_counted() {
    let (outer, inner) = (Mutex::new(0), Mutex::new(0));
    let held = || {
        let _outer = outer.lock().unwrap();
        holds(&inner, false);
    };
    assert_eq!(broken(held), []);
}

/// Is pending once.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[lock_budget(hold = "1ms")]
async fn holds_across(lock: &Mutex<u8>, across: bool) {
    let guard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if across {
        Pause(false).await;
        drop(guard);
    } else {
        drop(guard);
        Pause(false).await;
    }
}

/// Polls the future twice, and spends time in between.
fn poll_slowly(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let context = &mut Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(context).is_pending());
    spend_time();
    assert!(future.as_mut().poll(context).is_ready());
}

#[test]
fn what_a_task_holds_while_it_is_suspended_is_held() {
    let lock = Mutex::new(0);
    assert_eq!(broken(|| poll_slowly(holds_across(&lock, true))), [Broken::HeldTooLong]);
    assert_eq!(broken(|| poll_slowly(holds_across(&lock, false))), []);
    // In a function with the same budget, each measures for itself.
    let within = |across| {
        #[lock_budget(hold = "1ms")]
        fn outer(lock: &Mutex<u8>, across: bool) {
            poll_slowly(holds_across(lock, across));
        }
        broken(|| outer(&lock, across))
    };
    assert_eq!(within(true), [Broken::HeldTooLong]);
    assert_eq!(within(false), []);
}

/// What may be handed to another thread although it may not.
struct Handed<T>(T);

// SAFETY: not sound, but the threads here take turns, and Linux's futexes do not ask who unlocks.
unsafe impl<T> Send for Handed<T> {}

impl<T> Handed<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "a mutex must be released by its thread")]
fn a_guard_that_another_thread_drops_is_held_until_then() {
    #[lock_budget(hold = "100ms")]
    fn hands_on(lock: &Mutex<u8>, before: impl FnOnce() + Send, after: impl FnOnce()) {
        let guard = Handed(lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        std::thread::scope(|scope| {
            let drops = scope.spawn(|| {
                before();
                drop(guard.into_inner());
            });
            drops.join().unwrap();
        });
        after();
    }
    fn spend_more() {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(150) {
            std::hint::spin_loop();
        }
    }
    let lock = Mutex::new(0);
    assert_eq!(broken(|| hands_on(&lock, spend_more, || ())), [Broken::HeldTooLong]);
    // It is not held any more while its thread goes on, although that hears of it only later.
    assert_eq!(broken(|| hands_on(&lock, || (), spend_more)), []);
}

#[test]
fn a_lock_is_waited_for_too_long() {
    let lock = Mutex::new(0);
    let is_held = Barrier::new(2);
    let found = thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            is_held.wait();
            broken(|| waits(&lock))
        });
        let guard = lock.lock().unwrap();
        is_held.wait();
        while !is_waited_for() {
            std::hint::spin_loop();
        }
        spend_time();
        drop(guard);
        waiter.join().unwrap()
    });
    assert_eq!(found, [Broken::WaitedTooLong]);
    assert_eq!(broken(|| waits(&lock)), []);
}

/// Whether some thread of this test is blocked in `waits`.
fn is_waited_for() -> bool {
    let snapshot = sync_trace::snapshot();
    snapshot.agents.iter().any(|agent| {
        agent.wait.as_ref().is_some_and(|(wait, _)| {
            let source = std::fs::read_to_string(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/declared/budgets.rs"
            ));
            let line = source.unwrap().lines().position(|line| line.contains("drop(lock.lock());"));
            wait.site.file().ends_with("budgets.rs")
                && Some(wait.site.line() as usize) == line.map(|at| at + 1)
        })
    })
}

#[test]
fn what_is_exempt_is_let_be() {
    #[lock_order(a < b)]
    fn within(a: &Mutex<u8>, b: &Mutex<u16>, f: impl FnOnce(&Mutex<u8>, &Mutex<u16>)) {
        f(a, b);
    }
    #[lock_exempt(reason = "the old way, see #12", ST0102)]
    fn old(a: &Mutex<u8>, b: &Mutex<u16>) {
        let _b = b.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(a.lock());
    }
    #[lock_exempt(reason = "another code", ST0201)]
    fn other(a: &Mutex<u8>, b: &Mutex<u16>) {
        let _b = b.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        drop(a.lock());
    }
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    assert_eq!(broken(|| within(&a, &b, old)), []);
    assert_eq!(broken(|| within(&a, &b, other)), [Broken::OutOfOrder]);
    assert_eq!(predictions(false), 1);
    assert_eq!(predictions(true), 0, "also of what could happen");
    let lines = sync_trace::snapshot().limits;
    assert!(lines.iter().any(|(text, _)| text.contains("lock_exempt")), "{lines:?}");
}

/// How many deadlocks are found that could happen, of locks that two threads take in both orders.
fn predictions(is_exempt: bool) -> usize {
    #[lock_exempt(reason = "the two never run at one time", ST0101)]
    fn exempt(f: impl FnOnce()) {
        f();
    }
    let caught = sync_trace::catch_findings(|| {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        let first = Barrier::new(2);
        let pair = |outer: &Mutex<i32>, inner: &Mutex<i32>| {
            let _outer = outer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            drop(inner.lock());
        };
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            let (first, a, b) = (&first, &a, &b);
            let other = scope.spawn(move || {
                first.wait();
                receiver.recv().unwrap();
                let backwards = || pair(b, a);
                if is_exempt { exempt(backwards) } else { backwards() }
            });
            first.wait();
            pair(a, b);
            sender.send(()).unwrap();
            drop(other.join());
        });
    });
    caught.findings.len()
}
