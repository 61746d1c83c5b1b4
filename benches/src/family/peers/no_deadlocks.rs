//! The peer no_deadlocks.

use no_deadlocks::{Mutex, RwLock};

use crate::family::{Demand, Family, Share};

/// The peer no_deadlocks: it finds deadlocks a second after they happened, and takes a backtrace at
/// each acquisition.
///
/// It is not one that [`Waits`](crate::family::Waits): its condition variable gives the mutex back before
/// it listens, so that a notification in between is lost and two threads that wake each other stop.
pub struct NoDeadlocks;

impl Family for NoDeadlocks {
    const NAME: &'static str = "no_deadlocks";
    const SHARE: Share = Share::OneInTen;
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;

    fn bears(demand: Demand) -> bool {
        match demand {
            // Who finds a mutex taken yields its processor while it keeps all others from every mutex: a turn
            // of a millisecond takes half a minute now and then.
            Demand::Contention => false,
            // Each acquisition and release looks for its lock in a list of all that live.
            Demand::ManyLocksOften => false,
            Demand::FewLocks | Demand::ManyLocks => true,
        }
    }
}

std_shaped!(no_deadlocks);
