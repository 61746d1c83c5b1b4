//! What a permit costs, beside a semaphore as one writes it with what `std` has: a count behind a mutex,
//! and a condition variable.

use std::hint::black_box;
use std::sync::{Barrier, Condvar, Mutex};
use std::time::Duration;

use crate::drop_in::Twins;
use crate::work::timed;

/// Acquires a permit that is free and gives it back.
pub const ALONE: Twins =
    Twins { plain: alone::<ByHand>, traced: alone::<sync_trace::sync::Semaphore> };
/// The same by two threads, with a permit for each.
pub const SHARED: Twins =
    Twins { plain: together::<ByHand, 2>, traced: together::<sync_trace::sync::Semaphore, 2> };
/// The same by two threads, with one permit for both.
pub const CONTENDED: Twins =
    Twins { plain: together::<ByHand, 1>, traced: together::<sync_trace::sync::Semaphore, 1> };

trait Semaphore: Sync {
    fn new(permits: usize) -> Self;
    /// Acquires a permit, calls `inside`, and gives it back.
    fn with_permit(&self, inside: impl FnOnce());
}

impl Semaphore for sync_trace::sync::Semaphore {
    fn new(permits: usize) -> Self {
        Self::new(permits)
    }

    #[inline]
    fn with_permit(&self, inside: impl FnOnce()) {
        let _permit = self.acquire().unwrap();
        inside();
    }
}

struct ByHand {
    permits: Mutex<usize>,
    given_back: Condvar,
}

impl Semaphore for ByHand {
    fn new(permits: usize) -> Self {
        Self { permits: Mutex::new(permits), given_back: Condvar::new() }
    }

    #[inline]
    fn with_permit(&self, inside: impl FnOnce()) {
        let permits = self.permits.lock().unwrap();
        let mut permits = self.given_back.wait_while(permits, |permits| *permits == 0).unwrap();
        *permits -= 1;
        drop(permits);
        inside();
        *self.permits.lock().unwrap() += 1;
        self.given_back.notify_one();
    }
}

#[inline(never)]
fn alone<S: Semaphore>(times: u64) -> Duration {
    let semaphore = S::new(1);
    let semaphore = black_box(&semaphore);
    timed(times, || semaphore.with_permit(|| ()))
}

#[inline(never)]
fn together<S: Semaphore, const PERMITS: usize>(times: u64) -> Duration {
    let (semaphore, both) = (S::new(PERMITS), Barrier::new(2));
    let work = || {
        both.wait();
        timed(times, || black_box(&semaphore).with_permit(|| _ = black_box(1)))
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work().max(other.join().unwrap())
    })
}
