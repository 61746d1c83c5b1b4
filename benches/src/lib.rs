//! What tracing costs: the same work on the plain lock and on the traced one, side by side.
//!
//! `cargo bench -p sync-trace-benches` prints one table, a row for each kind of work, with the
//! budget beside what was measured, and the [peers](family::peers) that can do the same work below it. It is a
//! report, not a test: it always ends with status 0.
//!
//! ```text
//! cargo bench -p sync-trace-benches                        everything, some 5 minutes
//! cargo bench -p sync-trace-benches -- --quick             fewer rounds
//! cargo bench -p sync-trace-benches -- --no-peers          only std and sync-trace
//! cargo bench -p sync-trace-benches -- --markdown          a table to be pasted, with the machine named
//! cargo bench -p sync-trace-benches -- mutex               rows whose name contains `mutex`
//! cargo bench -p sync-trace-benches -- order nested deep   rows about nested locks
//! cargo bench -p sync-trace-benches --bench counts -- all    instructions, counted by valgrind
//! cargo bench -p sync-trace-benches --bench counts -- check  fails if a work takes more than its bound
//! cargo bench -p sync-trace-benches --bench debug -- all     debug builds, with and without an override
//! ```
//!
//! # How time is measured
//!
//! On a shared machine the speed changes from one moment to the next, often by more than tracing
//! costs. So every work is done in many short [`rounds`], in which all contestants take turns,
//! and the table shows two ratios: that of the medians, and that of the quietest tenths. Those that take
//! very much longer than `std` do less in a turn and come in [one round of ten](family::Share). Orders of
//! locks are new only once, so each sample of [`many`] locks has a process of its own.
//!
//! # Reading the source
//!
//! In this order: [`family`] (the locks that are compared), [`work`] (what is done with one thread),
//! [`crowd`] and [`spin`] (with many), [`many`] (with many locks), [`drop_in`] (what is not a lock),
//! [`semaphore`] (permits), [`declared`] (what attributes cost), [`abba`] and [`quiet`] (the time to a finding),
//! [`merging`] (runs of many processes), [`rounds`] (measuring), [`budget`], [`table`] and [`options`] (showing).

pub mod abba;
pub mod budget;
pub mod crowd;
pub mod declared;
pub mod drop_in;
pub mod family;
#[cfg(feature = "table")]
pub mod many;
#[cfg(feature = "table")]
pub mod merging;
#[cfg(feature = "table")]
pub mod options;
pub mod quiet;
#[cfg(feature = "table")]
pub mod rounds;
pub mod semaphore;
pub mod spin;
#[cfg(feature = "table")]
pub mod table;
pub mod work;
