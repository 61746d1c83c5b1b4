//! What a graph of lock orders has to bear: orders that are new to it, and very many locks.
//!
//! An order is new only once, and graphs grow and never forget an order between locks that live. So
//! each sample is taken in a fresh process: the program starts itself with [`FLAG`], and what it then
//! does is [`serve`]. Within a round the families take turns, one process each.
//!
//! Nothing but the one thread and its mutexes is at work. All times include taking and giving back
//! the locks, and `std`'s are beside them; the locks are used for the first time within the first
//! sight of their orders, except for one nested pair of other locks, which wakes the family up.
//!
//! | job | locks | what is done |
//! |---|---|---|
//! | [`Pairs`](Job::Pairs) | 10 000 | 100 000 random pairs, nested in one random order of all locks; then the same again. A pair in a thousand is drawn twice. |
//! | [`Chain`](Job::Chain) | 10 000 | the last lock in the last but one, that in the one before, …; then the same again |
//! | [`Windows`](Job::Windows) | 131 072 | each lock and its four successors are taken in their order and given back in the same order |
//! | [`Root`](Job::Root) | 100 000 | all are made, each is taken once inside one root, all are dropped |
//!
//! Memory is the growth of the process's resident set from before the locks are made until each was
//! used; so it contains the locks themselves.

use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::family::{Deloxide, Family, Mutex, ParkingLot, Std, Traced, TracingMutex};
use crate::options::Effort;

/// The first argument of a process that is to take one sample.
pub const FLAG: &str = "--one-sample-of-order";

/// Whoever needs longer for a sample is not asked for another one.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How often each family is asked.
const ROUNDS: usize = 5;

/// Does a job with a number of locks of one family.
type Run = fn(Job, usize) -> Sample;

/// The families in the order of the table's columns.
const FAMILIES: [(&str, Run); 5] = [
    (Std::NAME, Job::run::<Std>),
    (Traced::NAME, Job::run::<Traced>),
    (ParkingLot::NAME, Job::run::<ParkingLot>),
    (TracingMutex::NAME, Job::run::<TracingMutex>),
    (Deloxide::NAME, Job::run::<Deloxide>),
];

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
}

/// What one process measured; what a job does not have is not a number.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Nanoseconds for each order when it is new; for each lock of [`Job::Root`]; for all of
    /// [`Job::Windows`].
    pub first: f64,
    /// Nanoseconds for each order when it is known.
    pub again: f64,
    /// Bytes of memory for each lock.
    pub bytes: f64,
}

/// Lets all families do `job` in turn, in processes of their own: the samples of each. A process that
/// fails gives none, and says why on standard error.
pub fn measure(job: Job, effort: Effort) -> Vec<Vec<Sample>> {
    let locks = job.locks(effort);
    let mut samples = FAMILIES.map(|_| Vec::new());
    let mut is_asked = FAMILIES.map(|_| true);
    for round in 0..effort.of(ROUNDS) {
        for turn in 0..FAMILIES.len() {
            let whose = if round % 2 == 0 { turn } else { FAMILIES.len() - 1 - turn };
            if is_asked[whose] {
                let start = Instant::now();
                samples[whose].extend(sample_elsewhere(job, FAMILIES[whose].0, locks));
                is_asked[whose] = start.elapsed() < PATIENCE;
            }
        }
    }
    samples.into()
}

/// Takes a sample and prints it, if this process was started for that: then there is nothing else for
/// it to do.
#[must_use = "it says whether the process has done its work"]
pub fn serve() -> bool {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [flag, job, family, locks] = args.as_slice() else { return false };
    if flag != FLAG {
        return false;
    }
    let job = Job::ALL.into_iter().find(|it| it.name() == job).expect("a job's name");
    let run = FAMILIES.into_iter().find(|(name, _)| name == family).expect("a family's name").1;
    let sample = run(job, locks.parse().expect("a number of locks"));
    assert!(sync_trace::findings().is_empty(), "all orders are consistent");
    println!("{}", sample.to_line());
    true
}

fn sample_elsewhere(job: Job, family: &str, locks: usize) -> Option<Sample> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args([FLAG, job.name(), family, &locks.to_string()])
        // Stacks of new orders are tracing-mutex's only where they are asked for.
        .env_remove("RUST_BACKTRACE")
        .stderr(Stdio::inherit())
        .output()
        .inspect_err(|error| eprintln!("no sample of {family}: {error}"))
        .ok()?;
    if !output.status.success() {
        eprintln!("no sample of {family}: {}", output.status);
        return None;
    }
    Sample::from_line(String::from_utf8_lossy(&output.stdout).lines().last()?)
}

impl Sample {
    fn to_line(self) -> String {
        format!("{} {} {}", self.first, self.again, self.bytes)
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut values = line.split(' ').map(str::parse);
        let mut next = || values.next()?.ok();
        Some(Self { first: next()?, again: next()?, bytes: next()? })
    }
}

impl Job {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pairs, Self::Chain, Self::Windows, Self::Root];

    fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Chain => "chain",
            Self::Windows => "windows",
            Self::Root => "root",
        }
    }

    fn locks(self, effort: Effort) -> usize {
        let locks = match self {
            Self::Pairs | Self::Chain => 10_000,
            Self::Windows => 131_072,
            Self::Root => 100_000,
        };
        match effort {
            Effort::Full | Effort::Quick => locks,
            Effort::Smoke => locks / 100,
        }
    }

    fn run<F: Family>(self, locks: usize) -> Sample {
        F::start();
        let strangers = [F::Mutex::new(0), F::Mutex::new(0)];
        nest(&strangers[0], &strangers[1]);
        match self {
            Self::Pairs => pairs::<F>(locks),
            Self::Chain => chain::<F>(locks),
            Self::Windows => windows::<F>(locks),
            Self::Root => root::<F>(locks),
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

fn mutexes<F: Family>(locks: usize) -> Vec<F::Mutex> {
    black_box((0..locks).map(|_| F::Mutex::new(0)).collect())
}

#[inline]
fn nest<M: Mutex>(outer: &M, inner: &M) {
    let mut outer = outer.lock();
    *inner.lock() += 1;
    *outer += 1;
}

/// How much of the process's memory is in use, where that can be told.
pub(crate) fn resident_bytes() -> f64 {
    let kilobytes = || {
        // Unlike `statm`, it is counted at the moment and not up to a few hundred kilobytes off.
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    kilobytes().map_or(f64::NAN, |kilobytes| kilobytes * 1024.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_does_every_job() {
        for job in Job::ALL {
            for (family, run) in FAMILIES {
                let sample = run(job, 50);
                assert!(sample.first > 0.0, "{family} {job:?} {sample:?}");
            }
        }
    }

    #[test]
    fn a_sample_survives_the_way_between_processes() {
        let sample = Sample { first: 1.5, again: f64::NAN, bytes: -0.25 };
        let again = Sample::from_line(&sample.to_line()).unwrap();
        assert_eq!((again.first, again.bytes), (1.5, -0.25));
        assert!(again.again.is_nan());
        assert!(Sample::from_line("").is_none());
    }
}
