//! What a process that was made by `fork` has to forget: of all threads only the calling one is there.
//!
//! The others' waits are no waits any more, and what they held when they vanished nobody will release: so they
//! count as ended. What the parent has found, it tells itself.
//!
//! This runs between the fork and whatever the child does first, where another thread may have left any mutex
//! locked, those of the tracker and the memory allocator too. So it takes none and allocates nothing. What
//! the child does with traced locks later may meet such a mutex of the tracker, as it may meet one of the
//! allocator: POSIX promises no more to the child of a process with several threads.

use crate::contention::{attributed, printer};
use crate::current;
use crate::os;
use crate::stall;
use crate::tracker;

/// Has it done in every child.
pub(crate) fn prepare() {
    os::after_fork(remain_alone);
}

extern "C" fn remain_alone() {
    let Some(tracker) = tracker::existing() else { return };
    tracker.remain_alone(current::home());
    stall::remain_alone();
    printer::remain_alone();
    attributed::remain_alone();
}
