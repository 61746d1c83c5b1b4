//! A function with a declaration that has run before allocates nothing for it, and no function does while a
//! lock is its own that may be the memory allocator's.
#![cfg(any(debug_assertions, feature = "always"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sync_trace::sync::Mutex;
use sync_trace::{AsStd, Config, Contention, lock_budget, lock_order, locks};

struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    /// Whether the thread looks, too, whether `PROBED` is held: two that do could meet each other there.
    static PROBES: Cell<bool> = const { Cell::new(false) };
    /// The calls while it was.
    static LATE: Cell<u64> = const { Cell::new(0) };
}

static PROBED: Mutex<i64> = Mutex::new(0);

// SAFETY: every call goes to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        if PROBES.get() && PROBED.as_std().try_lock().is_err() {
            LATE.set(LATE.get() + 1);
        }
        // SAFETY: our caller keeps the promises that this asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: our caller keeps the promises that this asks for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Until the result is dropped no other test runs: what one does for the first time may have the other one's
/// requests looked at again. What is counted of a hold that is measured takes memory now and then, so none is.
fn turn() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    Config::new().contention(Contention::Off).install();
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[derive(Default)]
struct Bank {
    accounts: Mutex<i64>,
    audit: Mutex<i64>,
    shards: [Mutex<i64>; 8],
}

impl Bank {
    #[locks(requires(self.accounts), order(local, self.accounts < self.audit))]
    fn note(&self) {
        *self.audit.lock().unwrap() += 1;
    }

    #[lock_order(self.accounts < self.audit < each(self.shards[_] by addr))]
    fn transfer(&self) {
        let mut accounts = self.accounts.lock().unwrap();
        let mut audit = self.audit.lock().unwrap();
        for shard in &self.shards {
            *shard.lock().unwrap() += 1;
        }
        *audit += 1;
        *accounts += 1;
    }
}

#[test]
fn what_has_run_before_allocates_nothing() {
    let _turn = turn();
    let bank = Bank::default();
    let calls = |times: u32| {
        let before = CALLS.get();
        (0..times).for_each(|_| bank.transfer());
        CALLS.get() - before
    };
    assert_ne!(calls(1), 0, "the first time it does, or nothing is counted");
    // What was held is counted when the next one comes to its place, beside what an earlier thread has left there.
    calls(2);
    assert_eq!(calls(100), 0);
}

#[test]
fn what_has_looked_before_at_what_is_held_allocates_nothing() {
    let _turn = turn();
    let bank = Bank::default();
    let _held = bank.accounts.lock().unwrap();
    let calls = |times: u32| {
        let before = CALLS.get();
        (0..times).for_each(|_| bank.note());
        CALLS.get() - before
    };
    assert_ne!(calls(1), 0, "the first time it does, or nothing is counted");
    // What was held is counted when the next one comes to its place, beside what an earlier thread has left there.
    calls(2);
    assert_eq!(calls(100), 0);
}

#[test]
fn what_is_noted_of_a_lock_that_was_taken_has_its_room_before() {
    #[lock_budget(hold = "1h")]
    fn within(before: usize) -> [u64; 3] {
        let others: Vec<Mutex<u8>> = (0..before).map(|_| Mutex::new(0)).collect();
        let held: Vec<_> = others.iter().map(|lock| lock.lock().unwrap()).collect();
        let start = LATE.get();
        let guard = PROBED.lock().unwrap();
        let taken = LATE.get();
        let seen = Box::new(*guard);
        let probed = LATE.get();
        drop(guard);
        drop((seen, held));
        [start, taken, probed]
    }
    let _turn = turn();
    PROBES.set(true);
    // At each number of locks at which a vector may have to grow.
    for before in 0..10 {
        let [start, taken, probed] = within(before);
        assert_eq!(taken, start, "with {before} others held");
        assert_eq!(probed, taken + 1, "it is seen when something is allocated");
    }
}
