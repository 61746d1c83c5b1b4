//! The peer hotpath, with its feature `hotpath`.

use hotpath::wrap::std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::family::{Demand, Family, Share};

/// The peer hotpath, with its feature `hotpath`: it times all waits and holds of each lock, in
/// histograms, and checks nothing.
///
/// It is not one that [`Waits`](crate::family::Waits): it has no condition variable.
pub struct Hotpath;

impl Family for Hotpath {
    const NAME: &'static str = "hotpath";
    // Another thread puts what was timed into the histograms, twenty times a second.
    const SHARE: Share = Share::OneInTen;
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;

    fn bears(demand: Demand) -> bool {
        match demand {
            // Each lock that ever was has two histograms of 250 kB, of which some pages are used.
            Demand::ManyLocks | Demand::ManyLocksOften => false,
            Demand::FewLocks | Demand::Contention => true,
        }
    }
}

/// Keeps it from serving what it counts on a port of this machine.
///
/// # Safety
///
/// The process has no other thread yet.
pub unsafe fn keep_off_the_network() {
    // SAFETY: our caller says that nobody reads the environment meanwhile.
    unsafe { std::env::set_var("HOTPATH_METRICS_SERVER_OFF", "1") };
}

locks! {
    Mutex<u64> = new_mutex => MutexGuard<'a, u64>;
    RwLock<u64> = new_rwlock
        => RwLockReadGuard<'a, u64>, RwLockWriteGuard<'a, u64>;
    .unwrap()
}

#[inline(always)]
fn new_mutex(value: u64) -> Mutex<u64> {
    hotpath::mutex!(std::sync::Mutex::new(value))
}

#[inline(always)]
fn new_rwlock(value: u64) -> RwLock<u64> {
    hotpath::rw_lock!(std::sync::RwLock::new(value))
}
