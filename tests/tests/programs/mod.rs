//! Programs of real threads, and how many deadlocks each could have.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;

use sync_trace::finding::Level;
use sync_trace::sync::{Arc, Mutex, MutexGuard};
use sync_trace::thread;

/// Runs `program` below a root thread of its own, and returns what that is called.
pub(crate) fn below_a_root(program: impl FnOnce() + Send + 'static) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let root = format!("program {}", NEXT.fetch_add(1, Ordering::Relaxed));
    let named = std::thread::Builder::new().name(root.clone());
    let running = named.spawn(move || {
        // The root's own first operation comes before those of its threads.
        drop(Mutex::new(0).lock());
        program();
    });
    // A finding may have panicked in it.
    let _ = running.expect("a thread").join();
    root
}

/// Runs `program` below a root thread of its own, and counts the deadlocks that it could have had.
pub(crate) fn predicted(program: impl FnOnce() + Send + 'static) -> usize {
    let root = below_a_root(program);
    let of_it = sync_trace::take_findings_where(|finding| finding.roots.contains(&root));
    of_it.iter().filter(|finding| finding.level == Level::Predicted).count()
}

/// What the programs lock.
pub(crate) type Lock = Arc<Mutex<u32>>;

/// New locks.
pub(crate) fn locks<const N: usize>() -> [Lock; N] {
    std::array::from_fn(|_| Arc::new(Mutex::new(0)))
}

/// Takes the locks, each inside the one before, and gives them up.
pub(crate) fn nest<const N: usize>(locks: [&Lock; N]) {
    let _guards: Vec<MutexGuard<'_, u32>> =
        locks.iter().map(|lock| lock.lock().expect("not poisoned")).collect();
}

/// What one thread does.
pub(crate) type Part = Box<dyn FnOnce() + Send>;

/// Runs one after another, each in a thread of its own, in an order that nothing states.
pub(crate) fn one_after_another(parts: Vec<Part>) {
    let threads: Vec<_> = parts
        .into_iter()
        .map(|part| {
            let (go, wait) = channel::<()>();
            let (end, ended) = channel::<()>();
            let thread = thread::spawn(move || {
                wait.recv().expect("it is told to go");
                let _ = catch_unwind(AssertUnwindSafe(part));
                end.send(()).expect("somebody waits");
            });
            (go, ended, thread)
        })
        .collect();
    for (go, ended, _) in &threads {
        go.send(()).expect("it waits");
        ended.recv().expect("it ends");
    }
    threads.into_iter().for_each(|(.., thread)| thread.join().expect("it catches panics"));
}
