//! Locks, as one uses them: no trait and no other shell is between the loop and them, so that code that is
//! not optimised does what a user's would do.

use std::hint::black_box;
use std::time::Duration;

use super::sync::{Mutex, RwLock};
use crate::work::timed;

/// Takes a mutex and gives it back.
#[inline(never)]
pub fn mutex(times: u64) -> Duration {
    let mutex = Mutex::new(0u64);
    let mutex = black_box(&mutex);
    timed(times, || *mutex.lock().unwrap() += 1)
}

/// Takes two mutexes, one inside the other.
#[inline(never)]
pub fn nested(times: u64) -> Duration {
    let locks = [Mutex::new(0u64), Mutex::new(0u64)];
    let [outer, inner] = black_box(&locks);
    timed(times, || {
        let mut outer = outer.lock().unwrap();
        *inner.lock().unwrap() += 1;
        *outer += 1;
    })
}

/// Takes four mutexes, each inside the one before.
#[inline(never)]
pub fn four_deep(times: u64) -> Duration {
    let locks = [Mutex::new(0u64), Mutex::new(0u64), Mutex::new(0u64), Mutex::new(0u64)];
    let [a, b, c, d] = black_box(&locks);
    timed(times, || {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
        let _c = c.lock().unwrap();
        *d.lock().unwrap() += 1;
    })
}

/// Takes a read-write lock for reading.
#[inline(never)]
pub fn read(times: u64) -> Duration {
    let lock = RwLock::new(0u64);
    let lock = black_box(&lock);
    timed(times, || _ = black_box(*lock.read().unwrap()))
}

/// Takes a read-write lock for writing.
#[inline(never)]
pub fn write(times: u64) -> Duration {
    let lock = RwLock::new(0u64);
    let lock = black_box(&lock);
    timed(times, || *lock.write().unwrap() += 1)
}

/// Makes a mutex, takes it once, and drops it.
#[inline(never)]
pub fn create(times: u64) -> Duration {
    timed(times, || {
        let mutex = Mutex::new(0u64);
        *black_box(&mutex).lock().unwrap() += 1;
    })
}
