//! The peer parking_lot, with its feature `deadlock_detection`.

use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::family::{Family, Waits};

/// The peer parking_lot, with its feature `deadlock_detection`. It finds deadlocks when it is asked,
/// and checks no order.
pub struct ParkingLot;

impl Family for ParkingLot {
    const NAME: &'static str = "parking_lot dd";
    const SHORT: &'static str = "pl dd";
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;
}

impl Waits for ParkingLot {
    type Condvar = Condvar;
}

locks! {
    Mutex<u64> = Mutex::new => MutexGuard<'a, u64>;
    RwLock<u64> = RwLock::new
        => RwLockReadGuard<'a, u64>, RwLockWriteGuard<'a, u64>;
}
condvar_by_reference!(Condvar, Mutex<u64>);
