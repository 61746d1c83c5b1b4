//! The parts of `cargo sync-trace`.

pub mod level;
pub mod merge;
pub mod read;
