//! The peers, and the list of all families.

mod deloxide;
mod hotpath;
mod locktick;
mod no_deadlocks;
mod parking_lot;
mod tracing_mutex;

pub use deloxide::Deloxide;
pub use hotpath::{Hotpath, keep_off_the_network};
pub use locktick::Locktick;
pub use no_deadlocks::NoDeadlocks;
pub use parking_lot::ParkingLot;
pub use tracing_mutex::TracingMutex;

use super::Family;
// For the list.
#[doc(hidden)]
pub use super::{Std, Traced};

/// An array of what the expression says of each family: `each_family!(F => F::NAME)`.
/// `std` comes first, then sync-trace, then the peers. `each_family!(F: Waits => …)` has those that
/// can [wait](crate::family::Waits).
#[macro_export]
macro_rules! each_family {
    ($family:ident => $what:expr) => {
        $crate::each_family!(
            [Std Traced ParkingLot TracingMutex Deloxide NoDeadlocks Locktick Hotpath]
            $family => $what
        )
    };
    ($family:ident: Waits => $what:expr) => {
        $crate::each_family!([Std Traced ParkingLot TracingMutex Deloxide] $family => $what)
    };
    ([$($name:ident)*] $family:ident => $what:expr) => {
        [$({
            type $family = $crate::family::peers::$name;
            $what
        }),*]
    };
}

/// The names of all families.
pub fn names() -> [&'static str; 8] {
    each_family!(F => F::NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::{Mutex, RwLock};

    /// Not hotpath, which would open a port: that is what a smoke run of the table is for.
    #[test]
    fn readers_see_what_writers_wrote() {
        fn check<F: Family>() {
            F::start();
            let (mutex, lock) = (F::Mutex::new(1), F::RwLock::new(1));
            *mutex.lock() += 1;
            assert_eq!(*mutex.lock(), 2, "{}", F::NAME);
            *lock.write() += 1;
            assert_eq!(*lock.read(), 2, "{}", F::NAME);
        }
        each_family!(
            [Std Traced ParkingLot TracingMutex Deloxide NoDeadlocks Locktick] F => check::<F>()
        );
    }

    #[test]
    fn whoever_keeps_more_than_the_lock_is_larger_than_it() {
        let [std, traced, .., hotpath] = each_family!(F => size_of::<<F as Family>::Mutex>());
        assert!(traced > std, "tracing is compiled out");
        assert!(hotpath > std, "hotpath is switched off");
    }
}
