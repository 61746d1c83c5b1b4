//! Threads: their start and end, and how they wait for each other without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::sync::{Barrier, Mutex};
use super::thread;
use crate::work::timed;

/// Starts a thread and waits for its end.
#[inline(never)]
pub fn spawn_join(times: u64) -> Duration {
    timed(times, || thread::spawn(|| ()).join().expect("it does nothing"))
}

/// Starts 1000 threads, each of which takes the same mutex once, and waits for the end of all. One
/// time is one thread.
#[inline(never)]
pub fn crowd(times: u64) -> Duration {
    let counter = Mutex::new(0);
    let start = Instant::now();
    for first in (0..times).step_by(1000) {
        thread::scope(|scope| {
            for _ in first..times.min(first + 1000) {
                scope.spawn(|| *counter.lock().unwrap() += 1);
            }
        });
    }
    start.elapsed()
}

/// Two threads park and unpark each other. One time is there and back.
#[inline(never)]
pub fn park(times: u64) -> Duration {
    // The turn counts up; its parity says whose it is.
    let turn = AtomicU64::new(0);
    let wait_for_turn = |mine| {
        while turn.load(Ordering::Acquire) % 2 != mine {
            thread::park();
        }
    };
    let end_turn = |next: &thread::Thread| {
        turn.fetch_add(1, Ordering::Release);
        next.unpark();
    };
    let first = thread::current();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            // One time more, for the warm-up of `timed`.
            for _ in 0..=times {
                wait_for_turn(1);
                end_turn(&first);
            }
        });
        timed(times, || {
            end_turn(second.thread());
            wait_for_turn(0);
        })
    })
}

/// Two threads meet at a barrier.
#[inline(never)]
pub fn barrier(times: u64) -> Duration {
    let both = Barrier::new(2);
    let meet = || {
        timed(times, || {
            both.wait();
        })
    };
    std::thread::scope(|scope| {
        scope.spawn(meet);
        meet()
    })
}
