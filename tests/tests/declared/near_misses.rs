//! Correct programs that look as if they broke something.

use super::broken;
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use sync_trace::finding::Broken;
use sync_trace::sync::{Condvar, LazyLock, Mutex, MutexGuard, RwLock, Semaphore, mpsc};
use sync_trace::{
    assert_no_locks_held, lock_acquires, lock_budget, lock_class, lock_exempt, lock_only,
    lock_order, lock_requires, locks, named, no_block, thread, untracked,
};

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn what_is_not_there_yet_may_be_taken() {
    static POOL: LazyLock<Mutex<u8>> = LazyLock::new(|| Mutex::new(0));
    static OTHER: LazyLock<u8> = LazyLock::new(|| 7);
    static SCRATCH: Mutex<u8> = untracked!(Mutex::new(0));

    #[lock_only(POOL, SCRATCH)]
    fn only() {
        drop(take(&POOL));
        drop(take(&SCRATCH));
        assert_eq!(*OTHER, 7);
    }
    #[lock_order(strict, SCRATCH < then)]
    fn strict(then: &Mutex<u8>) {
        let _scratch = take(&SCRATCH);
        drop(take(then));
    }
    assert_eq!(broken(only), []);
    assert_eq!(broken(only), [], "nor the second time");
    assert_eq!(broken(|| strict(&Mutex::new(0))), []);
}

#[test]
fn to_initialise_is_not_to_wait() {
    static VALUE: LazyLock<u8> = LazyLock::new(|| 7);

    #[no_block]
    fn uses() {
        assert_eq!(*VALUE, 7);
    }
    assert_eq!(broken(uses), []);
}

#[test]
fn the_scope_of_threads_that_have_ended_may_end() {
    #[no_block]
    fn runs() {
        thread::scope(|scope| {
            let done = scope.spawn(|| ());
            while !done.is_finished() {
                std::hint::spin_loop();
            }
        });
    }
    assert_eq!(broken(runs), []);
}

#[test]
fn a_global_order_says_nothing_of_other_modes_and_of_what_is_taken_again() {
    #[lock_order(global, write("near.map") < "near.log")]
    fn modes() {}
    #[lock_order(global, "near.first" < "near.then")]
    fn again() {}
    modes();
    again();
    let map = named!("near.map", RwLock::new(0));
    let log = named!("near.log", Mutex::new(0));
    let reads_late = || {
        let _log = take(&log);
        drop(map.read());
    };
    assert_eq!(broken(reads_late), []);
    let first = named!("near.first", RwLock::new(0));
    let then = named!("near.then", Mutex::new(0));
    let reads_again = || {
        let _first = first.read();
        let _then = take(&then);
        drop(first.read());
    };
    assert_eq!(broken(reads_again), []);
    let reads_late = || {
        let _then = take(&then);
        drop(first.read());
    };
    assert_eq!(broken(reads_late), [Broken::OutOfOrder]);
}

lock_class!(LOW, "near.low", rank = 1);
lock_class!(HIGH, "near.high", rank = 2);

#[test]
fn ranks_say_nothing_of_what_is_taken_again() {
    let (low, high) = (named!(class(LOW), RwLock::new(0)), named!(class(HIGH), Mutex::new(0)));
    let reads_again = || {
        let _low = low.read();
        let _high = take(&high);
        drop(low.read());
    };
    assert_eq!(broken(reads_again), []);
}

#[test]
fn a_budget_is_for_what_was_taken_inside() {
    #[lock_order(lock < other)]
    fn taken_elsewhere<'a>(lock: &'a Mutex<u8>, other: &Mutex<u8>) -> MutexGuard<'a, u8> {
        let _ = other;
        take(lock)
    }
    #[lock_budget(hold = "1ms")]
    fn finishes(guard: MutexGuard<'_, u8>) {
        drop(guard);
    }
    #[lock_budget(hold = "1h")]
    fn all(lock: &Mutex<u8>, other: &Mutex<u8>) {
        let guard = taken_elsewhere(lock, other);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        finishes(guard);
    }
    assert_eq!(broken(|| all(&Mutex::new(0), &Mutex::new(0))), []);
}

#[test]
fn a_budget_for_locks_is_none_for_signals() {
    #[lock_budget(wait = "1ms")]
    fn waits(lock: &Mutex<u8>, signal: &Condvar) {
        drop(signal.wait_timeout(take(lock), Duration::from_millis(10)));
    }
    assert_eq!(broken(|| waits(&Mutex::new(0), &Condvar::new())), []);
}

#[test]
fn only_the_order_is_inherited() {
    #[locks(order(inherit, first < then), no_block)]
    fn starts(first: &Mutex<u8>, then: &Mutex<u8>, receiver: mpsc::Receiver<()>) {
        let _ = (first, then);
        let child = thread::spawn(move || receiver.recv());
        while !child.is_finished() {
            std::hint::spin_loop();
        }
    }
    let (sender, receiver) = mpsc::channel();
    let is_waiting = || {
        sync_trace::snapshot().agents.iter().any(|agent| {
            let site = agent.wait.as_ref().map(|(wait, _)| wait.site);
            site.is_some_and(|site| site.file().ends_with("near_misses.rs"))
        })
    };
    // It has to wait, or there would be nothing to forbid.
    thread::spawn(move || {
        while !is_waiting() {
            std::hint::spin_loop();
        }
        sender.send(()).is_ok()
    });
    assert_eq!(broken(|| starts(&Mutex::new(0), &Mutex::new(0), receiver)), []);
}

#[test]
fn an_exemption_covers_the_entry_and_the_exit() {
    #[lock_requires(lock)]
    #[lock_exempt(reason = "the caller is alone here", ST0201)]
    fn alone(lock: &Mutex<u8>) {
        let _ = lock;
    }
    #[lock_requires(lock)]
    #[lock_exempt(reason = "another code", ST0202)]
    fn not_covered(lock: &Mutex<u8>) {
        let _ = lock;
    }
    assert_eq!(broken(|| alone(&Mutex::new(0))), []);
    assert_eq!(broken(|| not_covered(&Mutex::new(0))), [Broken::NotHeld]);
}

#[test]
fn a_permit_is_no_lock() {
    static POOL: Semaphore = named!("near_misses::pool", Semaphore::new(20));

    #[lock_only()]
    fn only_nothing() {
        assert!(POOL.acquire().is_ok());
        assert!(POOL.try_acquire().is_ok());
    }
    #[lock_requires("near_misses::pool")]
    fn requires() {}
    #[lock_acquires("near_misses::pool")]
    fn acquires() {
        POOL.acquire().unwrap().forget();
    }
    #[no_block]
    fn quick(permits: u32) {
        drop(POOL.acquire_many(permits));
    }
    assert_eq!(broken(only_nothing), []);
    let permits = POOL.acquire_many(18).unwrap();
    let more: Vec<_> = (0..2).map(|_| POOL.acquire().unwrap()).collect();
    assert_eq!(broken(|| assert_no_locks_held!()), []);
    assert_eq!(broken(requires), [Broken::NotHeld]);
    drop(more);
    assert_eq!(broken(acquires), [Broken::NotAcquired]);
    // Only to wait for one is to wait.
    assert_eq!(broken(|| quick(1)), []);
    assert_eq!(broken(|| quick(2)), [Broken::Blocks]);
    drop(permits);
}
