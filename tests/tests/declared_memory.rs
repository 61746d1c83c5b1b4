//! A function with a declaration that has run before allocates nothing for it.
#![cfg(any(debug_assertions, feature = "always"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sync_trace::lock_order;
use sync_trace::sync::Mutex;

struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
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

#[derive(Default)]
struct Bank {
    accounts: Mutex<i64>,
    audit: Mutex<i64>,
    shards: [Mutex<i64>; 8],
}

impl Bank {
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
    let bank = Bank::default();
    let calls = |times: u32| {
        let before = CALLS.get();
        (0..times).for_each(|_| bank.transfer());
        CALLS.get() - before
    };
    assert_ne!(calls(1), 0, "the first time it does, or nothing is counted");
    assert_eq!(calls(100), 0);
}
