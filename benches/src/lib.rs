//! What tracing costs: the same work on the plain lock and on the traced one, side by side.
//!
//! `cargo bench -p sync-trace-benches` prints one table, a row for each kind of work, with the
//! budget beside what was measured. It is a report, not a test: it always ends with status 0.
//!
//! ```text
//! cargo bench -p sync-trace-benches                        everything, some 4 minutes
//! cargo bench -p sync-trace-benches -- --quick             fewer rounds
//! cargo bench -p sync-trace-benches -- mutex               rows whose name contains `mutex`
//! cargo bench -p sync-trace-benches -- order nested deep   rows about nested locks
//! cargo bench -p sync-trace-benches --bench counts -- all  instructions, counted by valgrind
//! ```
//!
//! # How time is measured
//!
//! On a shared machine the speed changes from one moment to the next, often by more than tracing
//! costs. So every work is done in many short [`rounds`], in which all contestants take turns,
//! and the table shows two ratios: that of the medians, and that of the quietest tenths. Orders of
//! locks are new only once, so each sample of [`order`] has a process of its own.
//!
//! # Reading the source
//!
//! In this order: [`family`] (the locks that are compared), [`work`] (what is done with one thread),
//! [`crowd`] and [`spin`] (with many), [`order`] (with many locks), [`drop_in`] (what is not a lock),
//! [`semaphore`] (permits), [`declared`] (what attributes cost), [`abba`] and [`quiet`] (the time to a finding), [`merging`] (runs of many processes), [`rounds`] (measuring), [`budget`], [`table`] and
//! [`options`] (showing).

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
