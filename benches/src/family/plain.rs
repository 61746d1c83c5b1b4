//! The plain locks of `std`.

use std::sync::{Condvar, Mutex, RwLock};

use super::{Family, Waits};

/// The plain locks of `std`, with which the others are compared.
pub struct Std;

impl Family for Std {
    const NAME: &'static str = "std";
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;
}

impl Waits for Std {
    type Condvar = Condvar;
}

std_shaped!(std::sync);
condvar_by_value!(Condvar, Mutex<u64>);
