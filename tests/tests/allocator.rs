//! A global allocator that takes a traced lock: the tracker, which allocates itself, must neither
//! recurse into it nor wait for it.
#![cfg(any(debug_assertions, feature = "always"))]

use std::alloc::{GlobalAlloc, Layout, System};

use sync_trace::finding::Code;
use sync_trace::sync::{Arc, Barrier, Mutex};
use sync_trace::thread;

struct Counting {
    calls: Mutex<u64>,
}

// SAFETY: every call goes to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        *self.calls.lock().unwrap() += 1;
        // SAFETY: our caller keeps the promises that this asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        *self.calls.lock().unwrap() += 1;
        // SAFETY: our caller keeps the promises that this asks for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting { calls: Mutex::new(0) };

fn calls() -> u64 {
    *ALLOCATOR.calls.lock().unwrap()
}

#[test]
fn threads_that_allocate_under_traced_locks_go_on() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
    let before = calls();
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (a, b) = (Arc::clone(&a), Arc::clone(&b));
            thread::spawn(move || {
                for round in 0..1000 {
                    let held = a.lock().unwrap();
                    let text = format!("{number} {round}");
                    b.lock().unwrap().push(text);
                    drop(held);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(b.lock().unwrap().len(), 4000);
    assert!(calls() > before + 4000);
    // Nothing is left on record, whatever was passed through.
    let held = |state: &sync_trace::finding::AgentState| !state.holds.is_empty();
    let name = std::thread::current().name().map(str::to_owned);
    let agents = sync_trace::snapshot().agents;
    assert!(
        !agents.iter().any(|state| state.agent.name.as_deref() == name.as_deref() && held(state))
    );
}

#[test]
fn a_deadlock_between_other_locks_is_found_as_always() {
    let locks = [Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0))];
    let meet = Arc::new(Barrier::new(2));
    let threads = [[0, 1], [1, 0]].map(|order| {
        let [first, second] = order.map(|which| Arc::clone(&locks[which]));
        let meet = Arc::clone(&meet);
        thread::spawn(move || {
            let _first = first.lock().unwrap();
            meet.wait();
            let _second = second.lock().unwrap();
        })
    });
    let failed = threads.map(|thread| thread.join().is_err());
    assert_eq!(failed.iter().filter(|failed| **failed).count(), 1);
    let me = std::thread::current().name().unwrap().to_owned();
    let found = sync_trace::take_findings_where(|finding| finding.roots.contains(&me));
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::Deadlock]);
}
