//! What was counted since somebody looked last.

use super::snapshot::Snapshot;
use crate::{api, tracker};

/// Where one who looks again and again has come to.
pub(crate) struct Differences {
    last: Option<Last>,
}

struct Last {
    snapshot: Snapshot,
    /// Since when it was counted: another time after a reset.
    since_ns: u64,
}

impl Differences {
    /// The first difference is all that was counted.
    pub(crate) const fn new() -> Self {
        Self { last: None }
    }

    /// What was counted since the last call, or since a [reset](crate::reset_contention) after it.
    pub(crate) fn next(&mut self) -> Snapshot {
        let since_ns = tracker::global().contention.since_ns();
        let snapshot = api::counted();
        let difference = match &self.last {
            Some(last) if last.since_ns == since_ns => snapshot.since(&last.snapshot),
            _ => snapshot.clone(),
        };
        self.last = Some(Last { snapshot, since_ns });
        difference
    }
}
