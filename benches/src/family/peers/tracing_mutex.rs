//! The peer tracing-mutex.

use tracing_mutex::stdsync::tracing::{Condvar, Mutex, RwLock};

use crate::family::{Family, Waits};

/// The peer tracing-mutex: it checks the order of locks.
pub struct TracingMutex;

impl Family for TracingMutex {
    const NAME: &'static str = "tracing-mutex";
    const SHORT: &'static str = "t-mutex";
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;
}

impl Waits for TracingMutex {
    type Condvar = Condvar;
}

std_shaped!(tracing_mutex::stdsync::tracing);
condvar_by_value!(Condvar, Mutex<u64>);
