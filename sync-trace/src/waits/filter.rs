//! A counting filter over everything that is waited for.
//!
//! An agent can close a cycle only if somebody waits for something that it holds. That is rare even
//! where locks are contended, and this filter tells it from the usual case with one load for each
//! lock held. Two resources may share a counter: then a look at the waits themselves decides.

use crate::atomics::{AtomicU32, Ordering};
use crate::registry::Resource;

#[cfg(not(loom))]
const BITS: u32 = 10;
#[cfg(loom)]
const BITS: u32 = 2;

/// Counts the published waits for each resource, modulo collisions.
pub(crate) struct Filter {
    counts: Box<[AtomicU32]>,
}

impl Filter {
    pub(crate) fn new() -> Self {
        Self { counts: (0..1 << BITS).map(|_| AtomicU32::new(0)).collect() }
    }

    fn count(&self, resource: Resource) -> &AtomicU32 {
        // Fibonacci hashing: the multiplier is 2^64 divided by the golden ratio.
        let hash = resource.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.counts[(hash >> (64 - BITS)) as usize]
    }

    /// One more agent waits for `resource`. The caller orders it by a fence.
    pub(crate) fn add(&self, resource: Resource) {
        self.count(resource).fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub(crate) fn remove(&self, resource: Resource) {
        self.count(resource).fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether somebody may wait for `resource`. The caller orders it by a fence.
    pub(crate) fn may_be_wanted(&self, resource: Resource) -> bool {
        self.count(resource).load(Ordering::Relaxed) != 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::LockId;

    #[test]
    fn it_never_denies_a_wait_and_forgets_those_that_ended() {
        let filter = Filter::new();
        let resources: Vec<_> = (1..5000).map(|id| Resource::Lock(LockId(id))).collect();
        resources.iter().for_each(|&resource| filter.add(resource));
        assert!(resources.iter().all(|&resource| filter.may_be_wanted(resource)));
        resources.iter().for_each(|&resource| filter.remove(resource));
        assert!(!resources.iter().any(|&resource| filter.may_be_wanted(resource)));
    }

    #[test]
    fn neighbouring_locks_rarely_share_a_counter() {
        let filter = Filter::new();
        (1..=64).for_each(|id| filter.add(Resource::Lock(LockId(id))));
        let hits = (65..1065).filter(|&id| filter.may_be_wanted(Resource::Lock(LockId(id))));
        assert!(hits.count() < 150, "64 of 1024 counters are in use");
    }
}
