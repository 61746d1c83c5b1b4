//! A global allocator that takes traced locks: the tracker, which allocates itself, must neither
//! recurse into it nor wait for it.
#![cfg(any(debug_assertions, feature = "always"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use sync_trace::finding::Code;
use sync_trace::sync::{Arc, Barrier, Mutex, RwLock};
use sync_trace::thread;

/// Counts calls under a lock for each class of sizes, as allocators have them, and large ones under a
/// second lock inside that.
struct Counting {
    calls: [Mutex<u64>; 4],
    large: RwLock<u64>,
}

/// From this size on an allocation is large.
const LARGE: usize = 8192;

impl Counting {
    fn count(&self, layout: Layout) {
        let class = layout.size().ilog2() as usize;
        let mut calls = self.calls[class % self.calls.len()].lock().unwrap();
        *calls += 1;
        if layout.size() >= LARGE {
            *self.large.write().unwrap() += 1;
        }
    }
}

// SAFETY: every call goes to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout);
        // SAFETY: our caller keeps the promises that this asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.count(layout);
        // SAFETY: our caller keeps the promises that this asks for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting =
    Counting { calls: [const { Mutex::new(0) }; 4], large: RwLock::new(0) };

fn calls() -> u64 {
    ALLOCATOR.calls.iter().map(|calls| *calls.lock().unwrap()).sum()
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

/// Whoever waits for the inner lock holds an outer one, and others wait for that: the very case in
/// which a wait is judged at length, which takes memory.
#[test]
fn threads_that_wait_inside_the_allocator_go_on() {
    let done = AtomicBool::new(false);
    let ready = Barrier::new(5);
    let allocate = &|size: usize| {
        ready.wait();
        (0..2000).for_each(|_| drop(std::hint::black_box(vec![1_u8; size])));
    };
    thread::scope(|scope| {
        let allocating =
            [LARGE, LARGE, 2 * LARGE, 16].map(|size| scope.spawn(move || allocate(size)));
        scope.spawn(|| {
            ready.wait();
            while !done.load(Ordering::Relaxed) {
                let reading = ALLOCATOR.large.read().unwrap();
                (0..200).for_each(|_| std::hint::spin_loop());
                drop(reading);
            }
        });
        allocating.into_iter().for_each(|thread| thread.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    let limits = sync_trace::snapshot().limits;
    let counted = |what: &str| limits.iter().any(|(text, _)| text.contains(what));
    assert!(counted("locks of the memory allocator"), "{limits:?}");
}

#[test]
fn threads_that_were_not_started_here_may_allocate_first_of_all() {
    let threads = [(); 4].map(|()| std::thread::spawn(|| vec![1_u8; LARGE].len()));
    assert_eq!(threads.map(|thread| thread.join().unwrap()), [LARGE; 4]);
}
