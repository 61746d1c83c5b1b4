//! Threads that queue for a lock although nothing hangs, and how to see at which line the time goes.
//!
//! Run it with `cargo run --bin queueing`, and the slow variant with `cargo run --bin queueing wrong`.
//!
//! Four threads render pages and put what they have rendered into one list. In the slow variant each renders while
//! it holds the list, so that only one of them works at a time. The table says how long they have waited, and
//! behind which line:
//!
//! ```text
//! waited for locks in 46.7 ms: 117 ms by all threads together
//!
//! lock   kind       waits   total      p50      p99      max
//! pages  std Mutex     23  117 ms  4.98 ms  9.70 ms  9.80 ms  <- 100 % of all waiting
//!
//! who keeps `pages`, held since      others wait  |  who waits for it                  waits
//!   examples/src/bin/queueing.rs:64       117 ms  |  examples/src/bin/queueing.rs:64  117 ms
//!
//! help: 100 % of the waiting for `pages` (117 ms in 23 waits) is behind what is held since examples/src/bin/queueing.rs:64: shorten that section, or give what it does a lock of its own
//! note: tracing costs about 6 ns for each lock and unlock, estimated on this machine
//! ```
//!
//! The cure is to render first, and to take the list only for the push.

use std::time::Duration;

use sync_trace::sync::Mutex;
use sync_trace::{named, thread};
use sync_trace_examples::tell;

const THREADS: usize = 4;
const PAGES: usize = 40;

/// Four threads each render their share of the pages.
fn on_all_threads(work: impl Fn(usize) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || (first..PAGES).step_by(THREADS).for_each(work));
        }
    });
}

/// Stands for work that takes a millisecond.
fn render(page: usize) -> String {
    thread::sleep(Duration::from_millis(1));
    format!("page {page}")
}

fn cure() {
    let before = sync_trace::contention();
    let pages = named!("pages", Mutex::new(Vec::new()));
    on_all_threads(|page| {
        let rendered = render(page);
        pages.lock().unwrap().push(rendered);
    });
    assert_eq!(pages.lock().unwrap().len(), PAGES);
    // The difference, as a test or a request would look at its own share.
    print!("{}", sync_trace::contention().since(&before));
}

fn wrong() {
    let before = sync_trace::contention();
    let pages = named!("pages", Mutex::new(Vec::new()));
    on_all_threads(|page| {
        let mut pages = pages.lock().unwrap();
        pages.push(render(page));
    });
    assert_eq!(pages.lock().unwrap().len(), PAGES);
    print!("{}", sync_trace::contention().since(&before));
}

fn main() {
    tell(cure, &[("wrong", wrong)]);
}
