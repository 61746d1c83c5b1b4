//! The first task: a table of counters, of which readers look at one and writers add to one.

use std::sync::atomic::{AtomicU64, Ordering};

use sync_trace::named;
use sync_trace::sync::{Mutex, RwLock};

use crate::load::Load;
use crate::measure::{Entrant, Kind};

const TASK: &str = "counters";
pub(crate) const COUNTERS: usize = 64;
pub(crate) const STRIPES: usize = 16;

pub(crate) fn all() -> Vec<Entrant> {
    vec![
        Entrant::new(TASK, "Mutex", OneMutex(named!("Mutex", Mutex::new([0; COUNTERS])))),
        Entrant::new(TASK, "RwLock", OneRwLock(named!("RwLock", RwLock::new([0; COUNTERS])))),
        Entrant::new(TASK, "striped", Striped(std::array::from_fn(|_| Stripe::new()))),
        Entrant::new(TASK, "atomic", Atomics(std::array::from_fn(|_| AtomicU64::new(0)))),
    ]
}

/// Adds to a counter, with work between the look at it and the change: what has to be under a lock.
fn add(counter: &mut u64, load: &Load) {
    let seen = *counter;
    load.section(seen);
    *counter = seen + 1;
}

/// All of them behind one lock.
struct OneMutex(Mutex<[u64; COUNTERS]>);

impl Kind for OneMutex {
    fn read(&self, key: usize, load: &Load) -> bool {
        let counters = self.0.lock().unwrap();
        load.section(counters[key % COUNTERS]);
        true
    }

    fn write(&self, key: usize, load: &Load) -> bool {
        let mut counters = self.0.lock().unwrap();
        add(&mut counters[key % COUNTERS], load);
        true
    }

    fn left(&self, writes: u64, _: u64) -> u64 {
        writes
    }

    fn found(&self) -> u64 {
        self.0.lock().unwrap().iter().sum()
    }
}

/// The same, where readers share it.
struct OneRwLock(RwLock<[u64; COUNTERS]>);

impl Kind for OneRwLock {
    fn read(&self, key: usize, load: &Load) -> bool {
        let counters = self.0.read().unwrap();
        load.section(counters[key % COUNTERS]);
        true
    }

    fn write(&self, key: usize, load: &Load) -> bool {
        let mut counters = self.0.write().unwrap();
        add(&mut counters[key % COUNTERS], load);
        true
    }

    fn left(&self, writes: u64, _: u64) -> u64 {
        writes
    }

    fn found(&self) -> u64 {
        self.0.read().unwrap().iter().sum()
    }
}

/// A mutex for every few of them, in cache lines of its own: else neighbours would wait for each other's line.
#[repr(align(128))]
struct Stripe(Mutex<[u64; COUNTERS / STRIPES]>);

impl Stripe {
    fn new() -> Self {
        Self(named!("striped", Mutex::new([0; COUNTERS / STRIPES])))
    }
}

struct Striped([Stripe; STRIPES]);

impl Kind for Striped {
    fn read(&self, key: usize, load: &Load) -> bool {
        let counters = self.0[key % STRIPES].0.lock().unwrap();
        load.section(counters[key / STRIPES % counters.len()]);
        true
    }

    fn write(&self, key: usize, load: &Load) -> bool {
        let mut counters = self.0[key % STRIPES].0.lock().unwrap();
        let at = key / STRIPES % counters.len();
        add(&mut counters[at], load);
        true
    }

    fn left(&self, writes: u64, _: u64) -> u64 {
        writes
    }

    fn found(&self) -> u64 {
        let sum = |stripe: &Stripe| stripe.0.lock().unwrap().iter().sum::<u64>();
        self.0.iter().map(sum).sum()
    }
}

/// No lock at all.
struct Atomics([AtomicU64; COUNTERS]);

impl Kind for Atomics {
    fn read(&self, key: usize, load: &Load) -> bool {
        load.section(self.0[key % COUNTERS].load(Ordering::Relaxed));
        true
    }

    fn write(&self, key: usize, load: &Load) -> bool {
        load.section(self.0[key % COUNTERS].fetch_add(1, Ordering::Relaxed));
        true
    }

    fn left(&self, writes: u64, _: u64) -> u64 {
        writes
    }

    fn found(&self) -> u64 {
        self.0.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }
}
