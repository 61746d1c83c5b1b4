//! Random programs on real threads, judged by brute force.
//!
//! A program is at most three threads that take and release locks, start and join each other and send
//! messages. All its interleavings are explored, so it is known which deadlocks it can come to. Then it
//! is run, once, on real threads with the traced types, and what they find is compared.
//!
//! ```text
//! t1: X(a) spawn(t2) U(a) join(t2); t2: ?X(a){ X(b) U(b) U(a) }
//! ```
//!
//! | step | what the thread does |
//! |---|---|
//! | `X(a)`, `X(l)` | locks the mutex `a` (or `b`, `c`); writes the read-write lock `l` (or `m`, `n`) |
//! | `R(l)` | reads the read-write lock `l` |
//! | `?X(a){ … }`, `?R(l){ … }` | tries; does the steps inside, which release it, only if that succeeds |
//! | `U(a)` | drops its newest guard of `a` |
//! | `spawn(t2)`, `join(t2)` | starts and joins `t2`; who is never spawned runs from the start |
//! | `send(0)`, `recv(0)` | sends and receives message 0 |
//! | `scope{ … }` | does the steps inside in a `thread::scope`, to which the threads spawned there belong |

mod explore;
mod program;
mod run;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sync_trace::finding::Level;

use explore::{Cause, Explored, Panics, explore};
pub use program::{Program, Random, program};
use run::{Found, Run, run};

/// What was wrong with one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A deadlock was found that cannot happen.
    ImpossibleDeadlock,
    /// A deadlock was predicted that cannot happen. Some of these are tolerated.
    ImpossiblePrediction,
    /// A deadlock that can happen was neither found nor predicted.
    Missed,
    /// The run never ended.
    Hung,
}

/// What is known of one program after a run.
#[derive(Debug)]
pub struct Verdict {
    /// The simplest way to a deadlock, of a program without tries.
    cause: Option<Cause>,
    can_get_stuck: bool,
    has_tries: bool,
    /// `None` if it could wait for a message for ever, which nobody would end.
    run: Option<Run>,
    mistakes: Vec<(Mistake, String)>,
}

/// Explores `program`, runs it with the schedule left to `random` and chance, and compares.
pub fn examine(program: &Program, random: &mut Random) -> Verdict {
    let possible = explore(program, Panics::Never);
    let (has_tries, can_get_stuck) = (program.has_tries(), possible.can_get_stuck());
    let cause = if has_tries { None } else { possible.simplest_cause() };
    let mut verdict = Verdict { cause, can_get_stuck, has_tries, run: None, mistakes: Vec::new() };
    let may_miss = |explored: &Explored| program.has_messages() && explored.can_miss_a_message();
    if may_miss(&possible)
        || program.has_messages() && may_miss(&explore(program, Panics::Anywhere))
    {
        return verdict;
    }
    let run = run(program, random);
    if let Some(dump) = &run.hung {
        verdict.mistakes.push((Mistake::Hung, dump.clone()));
    }
    let mut after_a_panic = None;
    for (at, found) in run.findings.iter().enumerate() {
        let possible = match at {
            0 => &possible,
            // The first finding's panic has changed the program.
            _ => after_a_panic.get_or_insert_with(|| explore(program, Panics::Anywhere)),
        };
        if !possible.can_wait(&found.links) {
            let mistake = match found.level {
                Level::Actual => Mistake::ImpossibleDeadlock,
                _ => Mistake::ImpossiblePrediction,
            };
            verdict.mistakes.push((mistake, found.text.clone()));
        }
    }
    if cause == Some(Cause::Locks) && run.findings.is_empty() {
        verdict.mistakes.push((Mistake::Missed, String::new()));
    }
    verdict.run = Some(run);
    verdict
}

impl Verdict {
    /// The mistakes that are never tolerated, and those that are now and then.
    pub fn mistakes(&self) -> impl Iterator<Item = Mistake> + '_ {
        self.mistakes.iter().map(|(mistake, _)| *mistake)
    }

    fn findings(&self) -> &[Found] {
        self.run.as_ref().map_or(&[], |run| &run.findings)
    }

    fn has(&self, level: Level) -> bool {
        self.findings().iter().any(|found| found.level == level)
    }
}

/// The numbers of programs, or of findings where it says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    programs: usize,
    not_run: usize,
    can_deadlock: usize,
    /// Of these, those that need a wait for an end, or for a message.
    by_ends: usize,
    by_messages: usize,
    /// Of those that can deadlock by their locks.
    happened: usize,
    predicted: usize,
    missed: usize,
    /// Findings.
    actual: usize,
    impossible_actual: usize,
    predictions: usize,
    impossible_predictions: usize,
    hung: usize,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        self.programs += 1;
        self.can_deadlock += usize::from(verdict.can_get_stuck);
        self.by_ends += usize::from(verdict.cause == Some(Cause::Joins));
        self.by_messages += usize::from(verdict.cause == Some(Cause::Messages));
        if verdict.run.is_none() {
            self.not_run += 1;
            return;
        }
        if verdict.can_get_stuck && (verdict.has_tries || verdict.cause == Some(Cause::Locks)) {
            if verdict.has(Level::Actual) {
                self.happened += 1;
            } else if verdict.has(Level::Predicted) {
                self.predicted += 1;
            } else {
                self.missed += 1;
            }
        }
        for found in verdict.findings() {
            *(if found.level == Level::Actual {
                &mut self.actual
            } else {
                &mut self.predictions
            }) += 1;
        }
        for mistake in verdict.mistakes() {
            match mistake {
                Mistake::ImpossibleDeadlock => self.impossible_actual += 1,
                Mistake::ImpossiblePrediction => self.impossible_predictions += 1,
                Mistake::Hung => self.hung += 1,
                Mistake::Missed => {}
            }
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        writeln!(
            f,
            "{} programs: {} can deadlock ({} only by a join, {} only by a message), {} not run because \
             they could wait for a message for ever",
            self.programs, self.can_deadlock, self.by_ends, self.by_messages, self.not_run
        )?;
        let found = self.happened + self.predicted;
        writeln!(
            f,
            "  of those that can by their locks and were run: {found} found (V0 {}, V2 only {}), \
             {} missed: recall {:.2} %",
            self.happened,
            self.predicted,
            self.missed,
            percent(found, found + self.missed)
        )?;
        write!(
            f,
            "  findings: {} V0, {} of them unreachable; {} V2, {} of them unreachable ({:.2} %); {} hung",
            self.actual,
            self.impossible_actual,
            self.predictions,
            self.impossible_predictions,
            percent(self.impossible_predictions, self.predictions),
            self.hung
        )
    }
}

/// What came of many programs.
#[derive(Debug, Default)]
pub struct Hunt {
    /// Of programs without and with tries.
    pub counts: [Counts; 2],
    /// What must not happen, or not as often as it did.
    pub failures: Vec<String>,
    /// Predictions of what cannot happen, as many as are tolerated.
    pub tolerated: Vec<String>,
}

/// As many programs as this are run at the same time.
const WORKERS: usize = 4;

/// One program in so many has tries.
const TRIES_ONE_IN: usize = 4;

/// Examines so many random programs, from a seed on.
pub fn hunt(seed: u64, programs: usize) -> Hunt {
    let next = AtomicUsize::new(0);
    let hunt = Mutex::new(Hunt::default());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(number) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < programs)
                {
                    examine_one(seed, number, &hunt);
                }
            });
        }
    });
    let mut hunt = hunt.into_inner().unwrap_or_else(PoisonError::into_inner);
    let straight = hunt.counts[0];
    if straight.impossible_predictions * 100 > straight.predictions {
        hunt.failures.push("more than 1 % of the predictions cannot happen".to_owned());
    }
    hunt
}

fn examine_one(seed: u64, number: usize, hunt: &Mutex<Hunt>) {
    let mut random = Random(seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    random.below(1);
    let tries = random.one_in(TRIES_ONE_IN);
    let program = program::random_program(&mut random, tries);
    let verdict = examine(&program, &mut random);
    let mut texts = Vec::new();
    for (mistake, text) in &verdict.mistakes {
        let small = shrunk(&program, *mistake);
        let text =
            format!("{mistake:?} in program {number}: {program}\n  {text}\n  smaller: {small}");
        texts.push((*mistake, text));
    }
    let mut hunt = hunt.lock().unwrap_or_else(PoisonError::into_inner);
    hunt.counts[usize::from(program.has_tries())].add(&verdict);
    for (mistake, text) in texts {
        match mistake {
            Mistake::ImpossiblePrediction => hunt.tolerated.push(text),
            _ => hunt.failures.push(text),
        }
    }
}

/// Leaves out steps while one of several runs shows the mistake.
fn shrunk(program: &Program, mistake: Mistake) -> Program {
    const RUNS: u64 = 8;
    const CANDIDATES: usize = 400;
    let mut left = CANDIDATES;
    let mut shows = |program: &Program| {
        left = left.saturating_sub(1);
        left != 0
            && (0..RUNS).any(|seed| {
                examine(program, &mut Random(seed)).mistakes().any(|other| other == mistake)
            })
    };
    let mut small = program.clone();
    // A program that hangs leaves its threads behind.
    while mistake != Mistake::Hung
        && let Some(smaller) = candidates(&small).into_iter().find(|program| shows(program))
    {
        small = smaller;
    }
    small
}

/// The program with a word or two less, where that is a program.
fn candidates(program: &Program) -> Vec<Program> {
    let threads = program::tokens(program);
    let places: Vec<(usize, usize)> = (0..threads.len())
        .flat_map(|thread| (0..threads[thread].len()).map(move |at| (thread, at)))
        .collect();
    let without = |places: &[(usize, usize)]| {
        let mut threads = threads.clone();
        for &(thread, at) in places.iter().rev() {
            threads[thread].remove(at);
        }
        program::from_tokens(&threads)
    };
    let pairs = places
        .iter()
        .enumerate()
        .flat_map(|(at, &one)| places[at + 1..].iter().map(move |&other| vec![one, other]));
    let last = threads.len() - 1;
    let fewer = (last > 0).then(|| program::from_tokens(&threads[..last])).flatten();
    let singles = places.iter().map(|&one| vec![one]);
    fewer.into_iter().chain(singles.chain(pairs).filter_map(|places| without(&places))).collect()
}
