//! The peer locktick.

use std::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use locktick::LockGuard;
use locktick::std::{Mutex, RwLock};

use crate::family::{Family, Share};

/// The peer locktick: it counts and times the acquisitions of each line of source, and checks
/// nothing.
///
/// It is not one that [`Waits`](crate::family::Waits): it has no condition variable.
pub struct Locktick;

impl Family for Locktick {
    const NAME: &'static str = "locktick";
    const SHARE: Share = Share::OneInTen;
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;
}

locks! {
    Mutex<u64> = Mutex::new => LockGuard<MutexGuard<'a, u64>>;
    RwLock<u64> = RwLock::new
        => LockGuard<RwLockReadGuard<'a, u64>>, LockGuard<RwLockWriteGuard<'a, u64>>;
    .unwrap()
}
