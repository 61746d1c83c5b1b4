//! The peer deloxide, with its feature `lock-order-graph`.

use std::sync::Once;

use deloxide::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::family::{Family, Waits};
use crate::quiet::Quiet;

/// The peer deloxide, with its feature `lock-order-graph`: it finds deadlocks and checks the order
/// of locks.
pub struct Deloxide;

impl Family for Deloxide {
    const NAME: &'static str = "deloxide";
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;

    fn start() {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            // It prints a banner, and this is a program with a table to print.
            let _quiet = Quiet::stdout();
            let finding = |info| eprintln!("deloxide has found a deadlock: {info:?}");
            deloxide::Deloxide::new()
                .with_lock_order_checking()
                .callback(finding)
                .start()
                .expect("without a log there is nothing to fail");
        });
    }
}

impl Waits for Deloxide {
    type Condvar = Condvar;
}

locks! {
    Mutex<u64> = Mutex::new => MutexGuard<'a, u64>;
    RwLock<u64> = RwLock::new
        => RwLockReadGuard<'a, u64>, RwLockWriteGuard<'a, u64>;
}
condvar_by_reference!(Condvar, Mutex<u64>);
