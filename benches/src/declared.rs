//! What declared orders cost: the same function on `std`'s locks without an attribute, and on
//! sync-trace's with one.

use std::hint::black_box;
use std::sync::PoisonError;
use std::time::Duration;

use crate::drop_in::Twins;
use crate::work::timed;

/// Two locks, and functions that take none of them, one, or both. `self` comes from outside, where the
/// attribute that speaks of it does.
macro_rules! pair {
    ($name:ident, $mutex:ty, $self:ident $(, #[$attribute:meta])?) => {
        #[derive(Default)]
        struct $name {
            first: $mutex,
            then: $mutex,
        }

        impl $name {
            $(#[$attribute])?
            #[inline(never)]
            fn nothing(&$self) {
                black_box($self);
            }

            $(#[$attribute])?
            #[inline(never)]
            fn one(&$self) {
                *$self.first.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            }

            $(#[$attribute])?
            #[inline(never)]
            fn both(&$self) {
                let mut first = $self.first.lock().unwrap_or_else(PoisonError::into_inner);
                *$self.then.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                *first += 1;
            }
        }
    };
}

pair!(Plain, std::sync::Mutex<u64>, self);
pair!(Declared, sync_trace::sync::Mutex<u64>, self, #[sync_trace::lock_order(self.first < self.then)]);

macro_rules! twins {
    ($(#[$doc:meta] $name:ident = $work:ident;)*) => {$(
        #[$doc]
        pub const $name: Twins = Twins {
            plain: |times| run(times, Plain::default(), Plain::$work),
            traced: |times| run(times, Declared::default(), Declared::$work),
        };
    )*};
}

twins! {
    /// Enters and leaves.
    EMPTY = nothing;
    /// Takes one lock inside.
    ONE = one;
    /// Takes two, in order.
    BOTH = both;
}

fn run<T>(times: u64, on: T, work: fn(&T)) -> Duration {
    let on = black_box(&on);
    timed(times, || work(on))
}
