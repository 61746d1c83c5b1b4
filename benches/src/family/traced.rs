//! The locks of sync-trace.

use sync_trace::sync::{Condvar, Mutex, RwLock};

use super::{Family, Waits};

/// The locks of sync-trace.
pub struct Traced;

impl Family for Traced {
    const NAME: &'static str = "traced";
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;
}

impl Waits for Traced {
    type Condvar = Condvar;
}

std_shaped!(sync_trace::sync);
condvar_by_value!(Condvar, Mutex<u64>);
