//! The jobs.
//!
//! Nothing but the one thread and its mutexes is at work. All times include taking and giving back
//! the locks, and `std`'s are beside them; where an order is seen, the locks are used for the first time within
//! the first sight of it, except for one nested pair of other locks, which wakes the family up.
//!
//! | job | locks | what is done |
//! |---|---|---|
//! | [`Pairs`](Job::Pairs) | 10 000 | 100 000 random pairs, nested in one random order of all locks; then the same again. A pair in a thousand is drawn twice. |
//! | [`Chain`](Job::Chain) | 10 000 | the last lock in the last but one, that in the one before, …; then the same again |
//! | [`Windows`](Job::Windows) | 131 072 | each lock and its four successors are taken in their order and given back in the same order |
//! | [`Root`](Job::Root) | 100 000 | all are made, each is taken once inside one root, all are dropped |
//! | [`Alive`](Job::Alive) | 100 000 | all are made, each is taken once, all are dropped |
//! | [`OneByOne`](Job::OneByOne) | 100 000 | each is made, taken once and dropped before the next one |
//!
//! Memory is the growth of the process's resident set from before the locks are made until each was
//! used; so it contains the locks themselves, where they are still there.

use std::hint::black_box;
use std::time::Instant;

use super::resident_bytes;
use crate::family::{Demand, Family, Mutex};
use crate::options::Effort;

/// What is done with many locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Random pairs in a consistent order.
    Pairs,
    /// A chain, built from its inner end.
    Chain,
    /// Each lock with its four successors.
    Windows,
    /// Each lock inside the same one.
    Root,
    /// All at a time, none inside another.
    Alive,
    /// One after another.
    OneByOne,
}

/// What one process measured; what a job does not have is not a number.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Nanoseconds for each order when it is new, in [`Job::Pairs`] and [`Job::Chain`]; for all of
    /// [`Job::Windows`]; for each lock otherwise.
    pub first: f64,
    /// Nanoseconds for each order when it is known.
    pub again: f64,
    /// Bytes of memory for each lock.
    pub bytes: f64,
}

impl Job {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pairs, Self::Chain, Self::Windows, Self::Root, Self::Alive, Self::OneByOne];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Chain => "chain",
            Self::Windows => "windows",
            Self::Root => "root",
            Self::Alive => "alive",
            Self::OneByOne => "one by one",
        }
    }

    /// What it asks of a family.
    pub(super) fn demand(self) -> Demand {
        match self {
            Self::Windows => Demand::ManyLocksOften,
            Self::Pairs | Self::Chain | Self::Root | Self::Alive | Self::OneByOne => {
                Demand::ManyLocks
            }
        }
    }

    pub(super) fn locks(self, effort: Effort) -> usize {
        let locks = match self {
            Self::Pairs | Self::Chain => 10_000,
            Self::Windows => 131_072,
            Self::Root | Self::Alive | Self::OneByOne => 100_000,
        };
        match effort {
            Effort::Full | Effort::Quick => locks,
            Effort::Smoke => locks / 100,
        }
    }

    pub(super) fn run<F: Family>(self, locks: usize) -> Sample {
        F::start();
        let strangers = [F::Mutex::new(0), F::Mutex::new(0)];
        nest(&strangers[0], &strangers[1]);
        match self {
            Self::Pairs => pairs::<F>(locks),
            Self::Chain => chain::<F>(locks),
            Self::Windows => windows::<F>(locks),
            Self::Root => root::<F>(locks),
            Self::Alive => alive::<F>(locks),
            Self::OneByOne => one_by_one::<F>(locks),
        }
    }
}

fn pairs<F: Family>(locks: usize) -> Sample {
    let mut random = Random(1);
    let mut order: Vec<usize> = (0..locks).collect();
    for end in (1..locks).rev() {
        order.swap(end, random.below(end + 1));
    }
    let drawn = |_| {
        let (one, step) = (random.below(locks), 1 + random.below(locks - 1));
        let other = (one + step) % locks;
        (order[one.min(other)], order[one.max(other)])
    };
    known_and_new::<F>(locks, &(0..10 * locks).map(drawn).collect::<Vec<_>>())
}

fn chain<F: Family>(locks: usize) -> Sample {
    known_and_new::<F>(locks, &(1..locks).rev().map(|inner| (inner - 1, inner)).collect::<Vec<_>>())
}

/// Nests `pairs` of `locks` locks, and nests them again.
fn known_and_new<F: Family>(locks: usize, pairs: &[(usize, usize)]) -> Sample {
    let mutexes = mutexes::<F>(locks);
    let nest_all = || {
        let start = Instant::now();
        for &(outer, inner) in pairs {
            nest(&mutexes[outer], &mutexes[inner]);
        }
        start.elapsed().as_secs_f64() * 1e9 / pairs.len() as f64
    };
    Sample { first: nest_all(), again: nest_all(), bytes: f64::NAN }
}

fn windows<F: Family>(locks: usize) -> Sample {
    let before = resident_bytes();
    let mutexes = mutexes::<F>(locks);
    let start = Instant::now();
    for from in 0..locks {
        // In an array, unlike in a `Vec`, they cost `std` nothing but their places.
        let mut window = [const { None }; 5];
        for (place, mutex) in window.iter_mut().zip(&mutexes[from..]) {
            *place = Some(mutex.lock());
        }
        for place in &mut window {
            *place = None;
        }
    }
    let first = start.elapsed().as_secs_f64() * 1e9;
    Sample { first, again: f64::NAN, bytes: (resident_bytes() - before) / locks as f64 }
}

fn root<F: Family>(locks: usize) -> Sample {
    let before = resident_bytes();
    let root = F::Mutex::new(0);
    let start = Instant::now();
    let mutexes = mutexes::<F>(locks);
    for mutex in &mutexes {
        nest(&root, mutex);
    }
    let used = start.elapsed();
    let after = resident_bytes();
    let start = Instant::now();
    drop(mutexes);
    let took = used + start.elapsed();
    Sample {
        first: took.as_secs_f64() * 1e9 / locks as f64,
        again: f64::NAN,
        bytes: (after - before) / locks as f64,
    }
}

fn alive<F: Family>(locks: usize) -> Sample {
    let before = resident_bytes();
    let start = Instant::now();
    let mutexes = mutexes::<F>(locks);
    for mutex in &mutexes {
        *mutex.lock() += 1;
    }
    let used = start.elapsed();
    let bytes = (resident_bytes() - before) / locks as f64;
    let start = Instant::now();
    drop(mutexes);
    let first = (used + start.elapsed()).as_secs_f64() * 1e9 / locks as f64;
    Sample { first, again: f64::NAN, bytes }
}

fn one_by_one<F: Family>(locks: usize) -> Sample {
    let before = resident_bytes();
    let start = Instant::now();
    for _ in 0..locks {
        let mutex = F::Mutex::new(0);
        *black_box(&mutex).lock() += 1;
    }
    let first = start.elapsed().as_secs_f64() * 1e9 / locks as f64;
    Sample { first, again: f64::NAN, bytes: (resident_bytes() - before) / locks as f64 }
}

fn mutexes<F: Family>(locks: usize) -> Vec<F::Mutex> {
    black_box((0..locks).map(|_| F::Mutex::new(0)).collect())
}

#[inline]
fn nest<M: Mutex>(outer: &M, inner: &M) {
    let mut outer = outer.lock();
    *inner.lock() += 1;
    *outer += 1;
}

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
