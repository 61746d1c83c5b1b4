//! Who makes whom wait: how often and how long locks were waited for, at which lines, and because of which.
//!
//! [`contention`](fn@crate::contention) gives it as data, a [`Snapshot`]; displayed, that is a table. Two of them
//! have a [difference](Snapshot::since). What is counted is described at [`Stats`].
//!
//! Only waiting is counted, so it costs nothing where nobody waits: the clock is read when a lock could not be had
//! at once, and when it was had. Who holds a lock is asked when the wait begins, and its whole time is charged to
//! the line where that one took it; if the lock then goes to somebody else first, that is not known.
//! `SYNC_TRACE=contention=off` turns it off.

pub(crate) mod account;
#[cfg(not(loom))]
mod advice;
#[cfg(not(loom))]
pub(crate) mod attributed;
#[cfg(not(loom))]
mod differences;
mod histogram;
pub(crate) mod measured;
#[cfg(all(feature = "metrics", not(loom)))]
mod metrics;
#[cfg(not(loom))]
pub(crate) mod overhead;
#[cfg(not(loom))]
pub(crate) mod parks;
#[cfg(not(loom))]
pub(crate) mod printer;
pub(crate) mod section;
#[cfg(not(loom))]
mod snapshot;
mod stats;
pub(crate) mod table;
pub(crate) mod tally;
#[cfg(not(loom))]
pub(crate) mod timed;
#[cfg(not(loom))]
mod uses;
#[cfg(not(loom))]
mod view;

#[cfg(all(test, not(loom)))]
pub(crate) use advice::made as advice_tests;
#[cfg(not(loom))]
pub use advice::{Advice, Evidence};
pub use histogram::Histogram;
#[cfg(all(feature = "metrics", not(loom)))]
pub use metrics::record_metrics;
pub use section::Section;
#[cfg(not(loom))]
pub use snapshot::{ClassStats, LockStats, Snapshot};
pub use stats::{Pair, Stats};
#[cfg(not(loom))]
pub use view::{Column, Table};
