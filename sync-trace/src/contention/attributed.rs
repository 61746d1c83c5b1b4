//! What the threads of one piece of code have counted, apart from those of all others.
//!
//! Counts belong to the records of agents, and one agent uses a record after another. So a record is looked at when an
//! agent of such code begins to use it, and again when another agent does, or in the end: what lies between is that
//! code's. Where no code is looked at in this way, that costs one load for each thread that starts.

use std::collections::HashMap;
use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::overhead;
use super::snapshot::Snapshot;
use crate::agent::Agent;
use crate::atomics::{Mutex, lock};
use crate::current::Working;
use crate::finding::TestId;
use crate::tracker;

/// A piece of code that is looked at.
struct Observed {
    test: TestId,
    /// The records that its agents use, and what was counted there before: by address.
    records: HashMap<usize, (&'static Agent, Snapshot)>,
    /// What was counted in records that are used by others now.
    ended: Snapshot,
}

/// Memory is allocated under it, and accounts are looked at.
static OBSERVED: Mutex<Vec<Observed>> = Mutex::new(Vec::new());

/// How many there are. Relaxed, because who could miss one has nothing to do with it: its agents are started after it
/// has begun, and a record comes from one of them to another agent through the list of free ones.
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Observed {
    /// Another agent uses the record from here on, or nobody looks any more.
    fn leave(&mut self, agent: &Agent, now: &Snapshot) {
        if let Some((_, before)) = self.records.remove(&std::ptr::from_ref(agent).addr()) {
            self.ended.merge(&now.since(&before));
        }
    }

    fn enter(&mut self, agent: &'static Agent, now: &Snapshot) {
        self.records.insert(std::ptr::from_ref(agent).addr(), (agent, now.clone()));
    }
}

/// What is on one record now.
fn counted(agent: &Agent) -> Snapshot {
    Snapshot::of(iter::once(agent), Duration::ZERO, tracker::global().contention.is_on())
}

/// An agent, of this test or of none, begins to use its record.
#[inline]
pub(crate) fn begins(agent: &'static Agent, test: Option<TestId>) {
    if COUNT.load(Ordering::Relaxed) > 0 {
        begins_slow(agent, test);
    }
}

#[cold]
fn begins_slow(agent: &'static Agent, test: Option<TestId>) {
    let now = counted(agent);
    for observed in &mut *lock(&OBSERVED) {
        observed.leave(agent, &now);
        if test == Some(observed.test) {
            observed.enter(agent, &now);
        }
    }
}

/// From here on it is told apart what the agents of `test` count, and `agent` is one of them.
pub(crate) fn observe(agent: &'static Agent, test: TestId) -> Observation {
    let _working = Working::begin();
    let mut observed = Observed { test, records: HashMap::new(), ended: Snapshot::default() };
    observed.enter(agent, &counted(agent));
    lock(&OBSERVED).push(observed);
    COUNT.fetch_add(1, Ordering::Relaxed);
    Observation { test, begun: Instant::now() }
}

/// While this lives.
pub(crate) struct Observation {
    test: TestId,
    begun: Instant,
}

impl Observation {
    /// What was counted. What threads that still run will count is not known any more.
    pub(crate) fn end(self) -> Snapshot {
        let _working = Working::begin();
        let elapsed = self.begun.elapsed();
        if COUNT.load(Ordering::Relaxed) == 0 {
            // This is the child of a fork.
            return Snapshot { elapsed, ..Snapshot::default() };
        }
        let mut all = lock(&OBSERVED);
        let at = all.iter().position(|observed| observed.test == self.test);
        let Some(mut observed) = at.map(|at| all.swap_remove(at)) else {
            return Snapshot::default();
        };
        // While the mutex is held, so that no record comes to another agent meanwhile.
        let records: Vec<&Agent> = observed.records.values().map(|record| record.0).collect();
        records.into_iter().for_each(|agent| observed.leave(agent, &counted(agent)));
        COUNT.fetch_sub(1, Ordering::Relaxed);
        drop(all);
        Snapshot { elapsed, overhead_ns: overhead::known(), ..observed.ended }
    }
}

/// This is the child of a fork, in which somebody may be in there for ever: nothing is told apart any more.
pub(crate) fn remain_alone() {
    COUNT.store(0, Ordering::Relaxed);
}
