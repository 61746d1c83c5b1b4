//! What several threads do at once.
//!
//! The threads are `std`'s for every family, so that only the locks differ.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::family::{Condvar, Demand, Family, Mutex, Waits};
use crate::spin::Spin;
use crate::work::Work;

/// Lets `threads` threads do `work` at once, each warmed up by one `work(1)`: the time from the
/// first one's start to the last one's end.
fn together(threads: u64, times: u64, work: impl Fn(u64) + Sync) -> Duration {
    let start = Barrier::new(threads as usize);
    let member = || {
        work(1);
        start.wait();
        let begun = Instant::now();
        work(times);
        (begun, Instant::now())
    };
    thread::scope(|scope| {
        let members: Vec<_> = (0..threads).map(|_| scope.spawn(member)).collect();
        let (begun, ended): (Vec<_>, Vec<_>) = members
            .into_iter()
            .map(|member| member.join().expect("the work does not panic"))
            .unzip();
        let (first, last) = (begun.into_iter().min(), ended.into_iter().max());
        last.zip(first).map(|(last, first)| last - first).unwrap_or_default()
    })
}

/// Each thread takes a nested pair of mutexes that no other thread uses. `times` is for all
/// together.
pub struct OwnPairs {
    /// How many threads.
    pub threads: u64,
}

impl Work for OwnPairs {
    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        // Each pair is on its thread's stack, so that two threads never share a cache line.
        let own_pair = |times| {
            let locks = [F::Mutex::new(0), F::Mutex::new(0)];
            let [outer, inner] = black_box(&locks);
            for _ in 0..times {
                let mut outer = outer.lock();
                *inner.lock() += 1;
                *outer += 1;
            }
        };
        together(self.threads, times / self.threads, own_pair)
    }
}

/// All threads take one mutex, with 100 ns of work inside and 200 ns outside. `times` is for all
/// together.
pub struct Contended {
    /// How many threads.
    pub threads: u64,
}

impl Work for Contended {
    const DEMAND: Demand = Demand::Contention;

    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        let (inside, outside) = (Spin::of_ns(100), Spin::of_ns(200));
        let mutex = F::Mutex::new(0);
        let take_turns = |times| {
            for _ in 0..times {
                let mut guard = mutex.lock();
                inside.run();
                *guard += 1;
                drop(guard);
                outside.run();
            }
        };
        together(self.threads, times / self.threads, take_turns)
    }
}

/// Two threads wake each other by a condition variable. One time is there and back.
#[inline(never)]
pub fn ping_pong<F: Waits>(times: u64) -> Duration {
    let (turn, moved) = (F::Mutex::new(0), F::Condvar::new());
    // The turn counts up; its parity says whose it is.
    let play = |mine: u64, times: u64| {
        for _ in 0..times {
            let mut turn = turn.lock();
            while *turn % 2 != mine {
                turn = moved.wait(turn);
            }
            *turn += 1;
            moved.notify_one();
        }
    };
    thread::scope(|scope| {
        // One time more, for the warm-up of `timed`.
        scope.spawn(|| play(1, times + 1));
        play(0, 1);
        let start = Instant::now();
        play(0, times);
        start.elapsed()
    })
}
