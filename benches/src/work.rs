//! What one thread does with uncontended locks, over and over.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::family::{Demand, Family, Mutex, RwLock};

/// Work that can be done on the locks of any family.
pub trait Work {
    /// What it asks of a family.
    const DEMAND: Demand = Demand::FewLocks;

    /// Does it `times` times, and says how long that took. What is needed only once, such as making
    /// the locks or starting threads, is not counted.
    fn run<F: Family>(&self, times: u64) -> Duration;
}

/// Calls `op` once to warm up and then `times` times: how long these took.
pub fn timed(times: u64, mut op: impl FnMut()) -> Duration {
    repeat(1, &mut op);
    let start = Instant::now();
    repeat(times, &mut op);
    start.elapsed()
}

/// Out of line, so that `op` is inlined in one place only: the compiler would rather not inline what
/// it finds in two.
#[inline(never)]
fn repeat(times: u64, op: &mut impl FnMut()) {
    for _ in 0..times {
        op();
    }
}

/// Takes a mutex and gives it back.
pub struct LockUnlock;

impl Work for LockUnlock {
    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        let mutex = F::Mutex::new(0);
        let mutex = black_box(&mutex);
        timed(times, || *mutex.lock() += 1)
    }
}

/// Takes two mutexes, one inside the other.
pub struct NestedPair;

impl Work for NestedPair {
    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        let locks = [F::Mutex::new(0), F::Mutex::new(0)];
        let [outer, inner] = black_box(&locks);
        timed(times, || {
            let mut outer = outer.lock();
            *inner.lock() += 1;
            *outer += 1;
        })
    }
}

/// Takes four mutexes, each inside the one before.
pub struct FourDeep;

impl Work for FourDeep {
    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        let locks = [F::Mutex::new(0), F::Mutex::new(0), F::Mutex::new(0), F::Mutex::new(0)];
        let [a, b, c, d] = black_box(&locks);
        timed(times, || {
            let _a = a.lock();
            let _b = b.lock();
            let _c = c.lock();
            *d.lock() += 1;
        })
    }
}

/// Takes a read-write lock for reading.
pub struct Read;

impl Work for Read {
    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        let lock = F::RwLock::new(0);
        let lock = black_box(&lock);
        timed(times, || {
            black_box(*lock.read());
        })
    }
}

/// Takes a mutex, and nested in it a read-write lock for reading.
pub struct NestedRead;

impl Work for NestedRead {
    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        let locks = (F::Mutex::new(0), F::RwLock::new(0));
        let (outer, inner) = black_box(&locks);
        timed(times, || {
            let mut outer = outer.lock();
            *outer += *inner.read();
        })
    }
}

/// Takes a read-write lock for writing.
pub struct Write;

impl Work for Write {
    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        let lock = F::RwLock::new(0);
        let lock = black_box(&lock);
        timed(times, || *lock.write() += 1)
    }
}

/// Makes a mutex, takes it once, and drops it.
pub struct CreateLockDrop;

impl Work for CreateLockDrop {
    const DEMAND: Demand = Demand::ManyLocks;

    #[inline(never)]
    fn run<F: Family>(&self, times: u64) -> Duration {
        timed(times, || {
            let mutex = F::Mutex::new(0);
            *black_box(&mutex).lock() += 1;
        })
    }
}
