//! A crate that hands sync-trace on under its own name; how it is used is in `tests`.

/// Also as a whole.
pub use tracer;
pub use tracer::*;
