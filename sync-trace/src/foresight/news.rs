//! What everybody has to take notice of: two counts that only go up.
//!
//! An agent that has looked at the counts may go on with what it knows until they have gone up.

use std::sync::atomic::{AtomicU64, Ordering};

/// Events after which what agents do may be judged differently.
static NEWS: AtomicU64 = AtomicU64::new(1);
/// How often all that was known was given up.
static GENERATION: AtomicU64 = AtomicU64::new(0);

// Relaxed: who has not seen the latest count yet acts as if it had acted a moment earlier.

/// How many news there are.
#[inline]
pub(crate) fn count() -> u64 {
    NEWS.load(Ordering::Relaxed)
}

/// There is one more. Returns how many there are now.
pub(crate) fn spread() -> u64 {
    NEWS.fetch_add(1, Ordering::Relaxed) + 1
}

/// The generation of what is known.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// All that was known is given up: nobody may rely on it.
pub(crate) fn begin_generation() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    spread();
}
