//! What is initialised once.
//!
//! To use a value that is there takes a cycle or two: less than the difference between a loop that
//! happens to lie well in memory and the same loop elsewhere. So one time is 16 uses in a row. What
//! comes out is put out of the optimiser's sight each time. As far as it knows, anybody may have
//! changed the cell meanwhile, so it has to look each time too.

use std::hint::black_box;
use std::time::Duration;

use super::sync::{LazyLock, OnceLock};
use crate::work::timed;

/// Does it 16 times, written out.
macro_rules! sixteen {
    ($use:expr) => {
        sixteen!($use, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($use:expr, $($at:literal)*) => {{
        $(
            let _ = $at;
            black_box($use);
        )*
    }};
}

/// Uses a `LazyLock` in a static, which has its value.
#[inline(never)]
pub fn lazy_static(times: u64) -> Duration {
    static LAZY: LazyLock<u64> = LazyLock::new(|| black_box(1));
    timed(times, || sixteen!(&*LAZY))
}

/// Uses a `LazyLock` on the stack, which has its value.
#[inline(never)]
pub fn lazy_local(times: u64) -> Duration {
    let lazy: LazyLock<u64> = LazyLock::new(|| black_box(1));
    let lazy = black_box(&lazy);
    timed(times, || sixteen!(&**lazy))
}

/// `OnceLock::get`, of one that has its value.
#[inline(never)]
pub fn get(times: u64) -> Duration {
    let cell = OnceLock::from(1u64);
    let cell = black_box(&cell);
    timed(times, || sixteen!(cell.get()))
}

/// `OnceLock::get_or_init`, of one that has its value.
#[inline(never)]
pub fn get_or_init(times: u64) -> Duration {
    let cell = OnceLock::from(1u64);
    let cell = black_box(&cell);
    timed(times, || sixteen!(cell.get_or_init(|| black_box(2))))
}

/// Makes a `OnceLock`, initialises it, and drops it.
#[inline(never)]
pub fn first(times: u64) -> Duration {
    timed(times, || {
        let cell = OnceLock::new();
        black_box(black_box(&cell).get_or_init(|| black_box(1u64)));
    })
}
