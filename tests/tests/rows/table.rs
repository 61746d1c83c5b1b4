//! Rows that are nothing but locks taken in some order, as a table.
//!
//! A row is played by one thread and by a thread for each segment, with its segments in every order,
//! with mutexes and with read-write locks, and with the names of its locks changed round. A segment
//! releases at its end what it still holds, newest first.
//!
//! | step | what is done |
//! |---|---|
//! | `X(a)`, `r(a)` | takes `a` alone; reads it |
//! | `try(a)`, `tryr(a)` | the same if that can be done at once |
//! | `D(a)` | turns a write into a read |
//! | `U(a)` | releases it |
//!
//! A lock is a letter, and a digit if there are several of one class. What is stated of it comes last:
//! `X(a)/1` takes it at level 1, `X(a)#7` with key 7, and `X(a)^g` under `g`, which is held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use sync_trace::finding::{Condition, Finding, Level, LockId};
use sync_trace::sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult,
};
use sync_trace::{Policy, named, order};

use super::known;
use super::scene::{MODES, Mode, Scene, Segment, locks_of, on_scene, turn};
use crate::POLICY;

/// What is to come of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// One finding.
    Report,
    /// No finding, but a note: only a writer is missing.
    Latent,
    /// No finding. Something else than a writer may be noted.
    Silent,
    /// More than one finding.
    Several,
    /// Nothing is said of it.
    Open,
}
use Verdict::{Latent, Open, Report, Several, Silent};

struct Row {
    id: &'static str,
    segments: &'static [&'static str],
    /// Segments that only write, and so commute.
    writers: &'static [&'static str],
    /// What is expected if all orders that contradict each other count.
    order: Verdict,
    /// If only those count that can become a deadlock, and there is a thread for each segment.
    deadlock: Verdict,
    /// The same, and one thread plays all segments.
    alone: Verdict,
}

const fn row(
    id: &'static str,
    segments: &'static [&'static str],
    order: Verdict,
    deadlock: Verdict,
) -> Row {
    Row { id, segments, writers: &[], order, deadlock, alone: Silent }
}

impl Row {
    /// The deadlock happens at once, whoever does it.
    const fn at_once(self) -> Self {
        Self { alone: Report, ..self }
    }

    const fn with(self, writers: &'static [&'static str]) -> Self {
        Self { writers, ..self }
    }

    fn expected(&self, mode: Mode) -> Verdict {
        match (POLICY, mode) {
            (Policy::Order, _) => self.order,
            (Policy::Deadlock, Mode::Parallel) => self.deadlock,
            (Policy::Deadlock, Mode::Single) => self.alone,
        }
    }
}

#[rustfmt::skip]
const LOCKDEP_ORDERS: &[Row] = &[
    row("LD01 X", &["X(a) X(a)"], Report, Report).at_once(),
    row("LD01 r", &["r(a) r(a)"], Report, Latent),
    row("LD01 r, writer", &["r(a) r(a)"], Report, Report).with(&["X(a)"]),
    row("LD02 X", &["X(a) X(b)", "X(b) X(a)"], Report, Report),
    row("LD02 r", &["r(a) r(b)", "r(b) r(a)"], Report, Latent),
    row("LD03 X", &["X(a) X(b)", "X(b) X(c)", "X(c) X(a)"], Report, Report),
    row("LD03 r", &["r(a) r(b)", "r(b) r(c)", "r(c) r(a)"], Report, Latent),
    row("LD04 X", &["X(a) X(b)", "X(c) X(a)", "X(b) X(c)"], Report, Report),
    row("LD04 r", &["r(a) r(b)", "r(c) r(a)", "r(b) r(c)"], Report, Latent),
    row("LD05 X", &["X(a) X(b)", "X(b) X(c)", "X(c) X(d)", "X(d) X(a)"], Report, Report),
    row("LD05 r", &["r(a) r(b)", "r(b) r(c)", "r(c) r(d)", "r(d) r(a)"], Report, Latent),
    row("LD06 X", &["X(a) X(b)", "X(c) X(d)", "X(b) X(d)", "X(d) X(a)"], Report, Report),
    row("LD06 r", &["r(a) r(b)", "r(c) r(d)", "r(b) r(d)", "r(d) r(a)"], Report, Latent),
    row("LD07 X", &["X(a) X(b)", "X(c) X(d)", "X(b) X(c)", "X(d) X(a)"], Report, Report),
    row("LD07 r", &["r(a) r(b)", "r(c) r(d)", "r(b) r(c)", "r(d) r(a)"], Report, Latent),
    row("LD02w", &["r(a) r(b)", "r(b) r(a)"], Report, Report).with(&["X(a)", "X(b)"]),
    row("LD02w, one writer lacks", &["r(a) r(b)", "r(b) r(a)"], Report, Latent).with(&["X(a)"]),
    row("LD02w, one thread writes", &["r(a) r(b)", "r(b) r(a)", "X(a) U(a) X(b)"], Report, Latent),
    row("LD02w, gated writers", &["r(a) r(b)", "r(b) r(a)"], Report, Latent)
        .with(&["X(g) X(a)", "X(g) X(b)"]),
    row("LD03w", &["r(a) r(b)", "r(b) r(c)", "r(c) r(a)"], Report, Report)
        .with(&["X(a)", "X(b)", "X(c)"]),
    row("LD04w", &["r(a) r(b)", "r(c) r(a)", "r(b) r(c)"], Report, Report)
        .with(&["X(a)", "X(b)", "X(c)"]),
    row("LD05w", &["r(a) r(b)", "r(b) r(c)", "r(c) r(d)", "r(d) r(a)"], Report, Report)
        .with(&["X(a)", "X(b)", "X(c)", "X(d)"]),
    row("LD06w", &["r(a) r(b)", "r(c) r(d)", "r(b) r(d)", "r(d) r(a)"], Report, Report)
        .with(&["X(a)", "X(b)", "X(d)"]),
    row("LD07w", &["r(a) r(b)", "r(c) r(d)", "r(b) r(c)", "r(d) r(a)"], Report, Report)
        .with(&["X(a)", "X(b)", "X(c)", "X(d)"]),
];

#[rustfmt::skip]
const LOCKDEP_READERS: &[Row] = &[
    row("LD20", &["r(a) r(a)"], Report, Latent),
    row("LD20, writer", &["r(a) r(a)"], Report, Report).with(&["X(a)"]),
    row("LD22, same lock", &["r(a) X(a)"], Report, Report).at_once(),
    row("LD23, same lock", &["X(a) r(a)"], Report, Report).at_once(),
    row("LD24", &["r(a) X(b)", "X(b) X(a)"], Report, Report),
    row("LD25", &["r(a) X(b)", "X(b) r(a)"], Report, Latent),
    row("LD25, writer", &["r(a) X(b)", "X(b) r(a)"], Report, Report).with(&["X(a)"]),
    row("LD26", &["X(a) X(b)", "X(b) X(a)"], Report, Report),
    row("LD27", &["r(a) X(b)", "X(b) r(a)", "X(b) X(a)"], Report, Report),
    row("LD32", &["X(a) r(b) X(c)", "X(c) X(a)"], Report, Report),
    row("LD34", &["r(a) X(b)", "X(g) X(b) r(a)", "X(g) X(a)"], Open, Silent),
    row("LD37", &["r(a) U(a) X(a)", "r(a) U(a) X(a)"], Silent, Silent),
];

#[rustfmt::skip]
const THREAD_SANITIZER: &[Row] = &[
    row("TS01", &["X(a) X(b)", "X(b) X(a)"], Report, Report),
    row("TS02", &["X(a) X(b)", "X(b) X(c)", "X(c) X(a)"], Report, Report),
    row("TS06", &["X(a) U(a) X(a) U(a) X(a)", "X(b) U(b) X(b)", "X(c) U(c) X(c)"], Silent, Silent),
    row("TS07a", &["X(a) try(b)", "try(b) X(a)"], Silent, Silent),
    row("TS07b", &["try(c) X(d)", "X(d) try(c)"], Silent, Silent),
    row("TS07c", &["try(e) X(f)", "X(f) X(e)"], Report, Report),
    row("TS07d", &["X(h) X(g)", "try(g) X(h)"], Report, Report),
    row("TS08a", &["r(a) X(b)", "X(b) r(a)"], Report, Latent),
    row("TS08b", &["r(c) r(d)", "r(d) r(c)"], Report, Latent),
    row("TS10", &["X(a) X(b)", "X(c) X(d)", "X(e) X(f)", "X(g) X(h)"], Silent, Silent),
    row("TS12", &["r(a) r(b) r(c) r(d)", "r(a) r(b) r(c) r(d)", "r(a) r(b) r(c) r(d)"],
        Silent, Silent),
    row("TS15, two deep", &["r(a) r(a)"], Report, Latent),
    row("TS15, three deep", &["r(a) r(a) r(a)"], Report, Latent),
    row("TS23", &["X(a) X(a)"], Report, Report).at_once(),
];

#[rustfmt::skip]
const HELGRIND: &[Row] = &[
    row("HG1", &["X(a) X(b)", "X(b) X(a)"], Report, Report),
    row("HG6", &["X(a) r(a)"], Report, Report).at_once(),
];

#[rustfmt::skip]
const ABSEIL: &[Row] = &[
    row("AB1", &["X(a) X(b) X(c) U(a) U(b)", "X(b) X(c) X(d) U(b) U(c)"], Silent, Silent),
    row("AB2, up to the last try", &["try(a) X(b) U(a) try(a)"], Silent, Silent),
    row("AB2", &["try(a) X(b) U(a) try(a) U(a) X(a)"], Report, Silent),
];

#[rustfmt::skip]
const OTHERS: &[Row] = &[
    row("WI8, shared, then alone", &["r(a) X(a)"], Report, Report).at_once(),
    row("WI8, downgrade", &["X(a) D(a)"], Silent, Silent),
    row("WI8, downgrade and nest", &["X(a) D(a) X(b)", "X(b) r(a)"], Report, Latent),
    row("GD1", &["X(a) X(b) X(c)", "X(a) X(c)", "X(b) X(c)", "X(a) X(b)"], Silent, Silent),
    row("GD2", &["X(a) X(b)", "X(b) X(a)"], Report, Report),
    row("GD3", &["X(a) X(a)"], Report, Report).at_once(),
    row("GD4, no writer", &["r(a) r(a)"], Report, Latent),
    row("GD6", &["r(a) r(b)", "r(a) r(b)", "r(a)", "X(a)", "X(b)"], Silent, Silent),
    row("GD10, of GD2", &["X(a) try(b)", "X(b) try(a)"], Silent, Silent),
    row("GD10, of GD3", &["X(a) try(a)"], Silent, Silent),
    row("GD10, of GD4", &["r(a) tryr(a)", "X(a)"], Silent, Silent),
    row("GD11", &["X(a) X(b)", "X(b) X(c)", "X(c) X(a)"], Report, Report),
];

#[rustfmt::skip]
const WRONG_VERDICTS: &[Row] = &[
    row("PR01", &["X(a) X(b)", "X(b) X(a)"], Report, Report),
    row("PR02", &["X(g) X(a) X(b)", "X(g) X(b) X(a)"], Report, Silent),
    row("PR03", &["X(g) X(a) X(b)", "X(b) X(a)"], Report, Report),
    row("PR04", &["X(g) X(a) U(g) X(b)", "X(g) X(b) U(g) X(a)"], Report, Report),
    row("PR05", &["X(a) X(g) X(b)", "X(b) X(g) X(a)"], Report, Report),
    row("PR06", &["r(g) X(a) X(b)", "r(g) X(b) X(a)"], Report, Report),
    row("PR07", &["X(g) X(a) X(b)", "r(g) X(b) X(a)"], Report, Silent),
    row("PR08", &["X(a) X(b) U(b) U(a) X(b) X(a)"], Report, Silent),
    row("PR09", &["X(a) X(b) U(b) U(a) X(b) X(c)", "X(c) X(a)"], Report, Silent),
    row("PR09, nested", &["X(a) X(b) X(c)", "X(c) X(a)"], Report, Report),
    row("PR13", &["X(a) X(b) U(b) U(a) X(g)", "X(g) U(g) X(b) X(a)"], Report, Report),
    row("PR14", &["X(g) X(b) X(a)", "X(g) U(g) X(a) X(b)"], Report, Report),
    row("PR25", &["X(a) X(b)", "X(b) X(a)"], Report, Report),
];

/// Rows about different locks of one class.
#[rustfmt::skip]
const CLASSES: &[Row] = &[
    row("LD01 X, same class", &["X(a1) X(a2)"], Report, Silent),
    row("LD01 r, same class", &["r(a1) r(a2)"], Report, Silent),
    row("LD21", &["r(a1) r(a2)"], Report, Silent),
    row("LD22", &["r(a1) X(a2)"], Report, Silent),
    row("LD23", &["X(a1) r(a2)"], Report, Silent),
    row("PR20", &["X(a1) X(b1)", "X(b2) X(a2)"], Report, Silent),
];

/// Rows about what can be stated of locks of one class.
#[rustfmt::skip]
const STATED: &[Row] = &[
    row("level inside another one", &["X(a1) X(a2)/1"], Silent, Silent),
    row("three levels", &["X(a1) X(a2)/1 X(a3)/2", "X(a1) X(a4)/2"], Silent, Silent),
    row("readers on levels", &["r(a1) r(a2)/1", "r(a3) X(a4)/1"], Silent, Silent),
    row("level inside itself", &["X(a1)/1 X(a2)/1"], Report, Silent),
    row("levels both ways", &["X(a1) X(a2)/1", "X(a3)/1 X(a4)"], Report, Silent),
    row("levels both ways, same locks", &["X(a1) X(a2)/1", "X(a2) X(a1)/1"], Report, Report),
    row("levels in a circle", &["X(a1) X(a2)/1", "X(a3)/1 X(a4)/2", "X(a5)/2 X(a6)"],
        Report, Silent),
    row("level and another class", &["X(a1)/1 X(b1)", "X(b2) X(a2)"], Silent, Silent),
    row("level and another class both ways", &["X(a1)/1 X(b1)", "X(b2) X(a2)/1"], Report, Silent),
    row("level, then plain", &["X(a1) X(a2)/1 U(a2) X(a2)"], Report, Silent),
    row("plain hold of what had a level", &["X(a1)/1 X(a2) U(a2) U(a1) X(a1) X(a2)"],
        Report, Silent),
    row("level, released between", &["X(a1)/1 U(a1) X(a2)", "X(a2)/1 X(a1)"], Silent, Silent),
    row("level of a downgraded lock", &["X(a1)/1 D(a1) X(a2)"], Silent, Silent),
    row("level of a downgraded lock, again", &["X(a1)/1 D(a1) r(a2)/1"], Report, Silent),
    row("released in another order", &["X(a1) X(a2)/1 U(a1) X(a3)/2 U(a2) X(a4)/3"], Silent, Silent),
    row("released in another order, again", &["X(a1) X(a2)/1 U(a1) X(a3)/2 U(a2) X(a4)/2"],
        Report, Silent),
    row("tried on a level", &["try(a1)/1 X(a2)", "X(a3) try(a4)"], Silent, Silent),
    row("tried on a level, the same", &["try(a1)/1 X(a2)/1"], Report, Silent),
    row("ascending keys", &["X(a1)#1 X(a2)#2 X(a3)#3", "X(a1)#1 X(a3)#3"], Silent, Silent),
    row("ascending from below zero", &["X(a1)#-2 X(a2)#-1 X(a3)#0"], Silent, Silent),
    row("descending keys", &["X(a1)#2 X(a2)#1"], Report, Silent),
    row("equal keys", &["X(a1)#1 X(a2)#1"], Report, Silent),
    row("not above all keys", &["X(a1)#1 X(a2)#3 X(a3)#2"], Report, Silent),
    row("not above all keys, released", &["X(a1)#1 X(a2)#3 U(a2) X(a3)#2"], Silent, Silent),
    row("keys of readers", &["r(a1)#2 r(a2)#1"], Report, Silent),
    row("keys on levels", &["X(a1)#2 X(a2)#1/1 X(a3)#2/1"], Silent, Silent),
    row("one key lacks", &["X(a1)#1 X(a2)"], Report, Silent),
    row("keys that are different each time", &["X(a1)#1 X(a2)#2", "X(a2)#1 X(a1)#2"],
        Report, Report),
    row("tried against its key", &["X(a1)#2 try(a2)#1"], Silent, Silent),
    row("against the key of a tried one", &["try(a1)#2 X(a2)#1"], Report, Silent),
    row("keys, then others", &["X(a1)#1 X(a2)#2 U(a2) X(a2)#0"], Report, Silent),
    row("WW24", &["X(g) X(a1)^g X(b) X(a2)^g"], Silent, Silent),
    row("under, both ways", &["X(g) X(a1)^g X(a2)^g", "X(g) X(a2)^g X(a1)^g"], Silent, Silent),
    row("under, the first one before", &["X(g) X(a1) X(a2)^g"], Silent, Silent),
    row("under a lock taken too late", &["X(a1) X(g) X(a2)^g"], Several, Silent),
    row("under, then not", &["X(g) X(a1)^g X(a2)"], Report, Silent),
    row("under, then not, the same", &["X(g) X(a1)^g X(a2)^g U(a2) X(a2)"], Report, Silent),
    row("under, outlived", &["X(g) X(a1)^g U(g) X(a2)"], Report, Silent),
    row("under, others go without", &["X(g) X(a1)^g X(a2)^g", "X(a2) X(a1)"], Open, Report),
    row("under, then read", &["X(g) r(a1)^g X(a2)^g r(a3)^g"], Silent, Silent),
    row("under, another class", &["X(g) X(a1)^g X(b1)^g", "X(b2) X(a2)"], Report, Silent),
];

#[test]
fn rows_about_what_is_stated() {
    check("stated", STATED);
}

#[test]
fn lockdeps_rows_about_orders() {
    check("3.1", LOCKDEP_ORDERS);
}

#[test]
fn lockdeps_rows_about_readers() {
    check("3.2", LOCKDEP_READERS);
}

#[test]
fn thread_sanitizers_rows() {
    check("3.7", THREAD_SANITIZER);
}

#[test]
fn helgrinds_rows() {
    check("3.8", HELGRIND);
}

#[test]
fn abseils_rows() {
    check("3.9", ABSEIL);
}

#[test]
fn rows_of_witness_and_go_deadlock() {
    check("3.10", OTHERS);
}

#[test]
fn rows_that_other_tools_get_wrong() {
    check("3.11", WRONG_VERDICTS);
}

#[test]
fn rows_about_classes() {
    check("classes", CLASSES);
}

/// Plays all rows in every variety, and prints how many came out as expected.
///
/// # Panics
///
/// If one did not, and was not known for it.
fn check(table: &str, rows: &[Row]) {
    let _turn = turn();
    let (mut expected, mut wrong, mut excused) = (0, Vec::new(), Vec::new());
    for row in rows {
        let mut is_right = true;
        for play in plays(row) {
            let got = play.verdict();
            if play.is_expected(got) {
                expected += 1;
                continue;
            }
            is_right = false;
            let line = format!("{play:?}: expected {:?}, got {got:?}", row.expected(play.mode));
            match known(row.id) {
                Some(why) => excused.push(format!("{line}; known: {why}")),
                None => wrong.push(line),
            }
        }
        if is_right && known(row.id).is_some() {
            println!("{} is right now: it is to be deleted from KNOWN", row.id);
        }
    }
    println!("{table}: {expected} expected, {} unexpected, {} known", wrong.len(), excused.len());
    excused.iter().for_each(|line| println!("  {line}"));
    assert!(wrong.is_empty(), "{table}: {} unexpected\n  {}", wrong.len(), wrong.join("\n  "));
}

/// A kind of lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Mutex,
    RwLock,
}

/// One way to play a row.
struct Play<'r> {
    row: &'r Row,
    family: Family,
    mode: Mode,
    order: Vec<usize>,
    /// How far the names of the locks are changed round.
    rotation: usize,
}

impl std::fmt::Debug for Play<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { row, family, mode, order, rotation } = self;
        write!(f, "{} {family:?} {mode:?} {order:?} rotated by {rotation}", row.id)
    }
}

fn plays(row: &Row) -> Vec<Play<'_>> {
    let reads = row.segments.iter().any(|segment| segment.contains("r(") || segment.contains("D("));
    let families: &[Family] =
        if reads { &[Family::RwLock] } else { &[Family::Mutex, Family::RwLock] };
    let rotations = if row.id.starts_with("LD") { names(row).len() } else { 1 };
    let mut plays = Vec::new();
    for &family in families {
        for mode in MODES {
            for rotation in 0..rotations {
                for order in orders(row.segments.len(), row.writers.len()) {
                    plays.push(Play { row, family, mode, order, rotation });
                }
            }
        }
    }
    plays
}

/// All orders of so many segments; the writers come last in the numbering. If there are many, they
/// are kept together.
fn orders(segments: usize, writers: usize) -> Vec<Vec<usize>> {
    const ALL_UP_TO: usize = 5;
    if segments + writers <= ALL_UP_TO {
        return permutations(segments + writers);
    }
    let with_writers_at = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.splice(at..at, segments..segments + writers);
        order
    };
    let all = permutations(segments);
    all.iter().flat_map(|order| (0..=segments).map(|at| with_writers_at(order, at))).collect()
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let with_last_at = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, last);
        order
    };
    let shorter = permutations(last);
    shorter.iter().flat_map(|order| (0..count).map(|at| with_last_at(order, at))).collect()
}

/// The classes of a row's locks.
fn names(row: &Row) -> Vec<char> {
    let steps = row.segments.iter().chain(row.writers).flat_map(|text| steps(text));
    let names: BTreeSet<char> = steps.map(|step| class(&step.lock)).collect();
    names.into_iter().collect()
}

fn class(lock: &str) -> char {
    lock.chars().next().expect("a lock has a letter")
}

/// What is done to a lock, and what is stated of it.
struct Step<'t> {
    verb: &'t str,
    lock: String,
    stated: &'t str,
}

fn steps(segment: &str) -> impl Iterator<Item = Step<'_>> {
    segment.split_whitespace().map(|step| {
        let (verb, rest) = step.split_once('(').expect("verb(lock)");
        let (lock, stated) = rest.split_once(')').expect("verb(lock)");
        Step { verb, lock: lock.to_owned(), stated }
    })
}

impl Play<'_> {
    fn is_expected(&self, got: Verdict) -> bool {
        let is_alone = (POLICY, self.mode) == (Policy::Deadlock, Mode::Single);
        match self.row.expected(self.mode) {
            Open => true,
            // Notes are to be expected of one thread.
            Silent if is_alone => matches!(got, Silent | Latent),
            expected => got == expected,
        }
    }

    fn verdict(&self) -> Verdict {
        on_scene(|scene| {
            let locks = Arc::new(self.locks());
            let segments = self.order.iter().map(|&at| self.segment(at, &locks)).collect();
            scene.play(self.mode, segments);
            verdict(scene)
        })
    }

    fn locks(&self) -> BTreeMap<String, Lock> {
        let text = self.row.segments.iter().chain(self.row.writers);
        let used = text.flat_map(|text| steps(text)).map(|step| self.renamed(&step.lock));
        let locks: BTreeMap<String, Lock> =
            used.map(|name| (name.clone(), Lock::new(self.family, class(&name)))).collect();
        if self.rotation > 0 {
            // A lock gets its number when it is first used: now, in the order of the names.
            locks.values().for_each(|lock| drop(lock.touch()));
        }
        locks
    }

    /// The lock that is called so in the row.
    fn renamed(&self, lock: &str) -> String {
        let names = names(self.row);
        let at = names.iter().position(|&name| name == class(lock)).expect("one of them");
        let renamed = names[(at + self.rotation) % names.len()];
        format!("{renamed}{}", &lock[1..])
    }

    fn segment(&self, at: usize, locks: &Arc<BTreeMap<String, Lock>>) -> Segment {
        let text = self.row.segments.iter().chain(self.row.writers).nth(at).expect("so many");
        let renamed = |step: Step<'static>| Step { lock: self.renamed(&step.lock), ..step };
        let steps: Vec<Step<'static>> = steps(text).map(renamed).collect();
        let locks = Arc::clone(locks);
        Box::new(move || perform(&locks, &steps))
    }
}

fn perform(locks: &BTreeMap<String, Lock>, steps: &[Step<'_>]) {
    let mut guards: Vec<(&str, Guard<'_>)> = Vec::new();
    let take = |guards: &mut Vec<(&str, Guard<'_>)>, name: &str| {
        let at = guards.iter().rposition(|&(held, _)| held == name);
        at.expect("it is held")
    };
    for Step { verb, lock: name, stated } in steps {
        let lock = &locks[name];
        let acquire =
            |take: fn(&Lock) -> Option<Guard<'_>>| state(stated, &guards, &mut || take(lock));
        let guard = match *verb {
            "X" => acquire(|lock| Some(lock.exclusive())),
            "r" => acquire(|lock| Some(lock.read())),
            "try" => acquire(Lock::try_exclusive),
            "tryr" => acquire(Lock::try_read),
            "D" => {
                let at = take(&mut guards, name);
                Some(guards.remove(at).1.downgraded())
            }
            "U" => {
                let at = take(&mut guards, name);
                drop(guards.remove(at));
                None
            }
            other => panic!("no step `{other}`"),
        };
        guards.extend(guard.map(|guard| (name.as_str(), guard)));
    }
    while guards.pop().is_some() {}
}

/// Acquires a lock, with all that is `stated`.
fn state<'l>(
    stated: &str,
    guards: &[(&str, Guard<'l>)],
    acquire: &mut dyn FnMut() -> Option<Guard<'l>>,
) -> Option<Guard<'l>> {
    let Some(kind) = stated.chars().next() else { return acquire() };
    let end = stated[1..].find(['/', '#', '^']).map_or(stated.len(), |end| end + 1);
    let (what, rest) = (&stated[1..end], &stated[end..]);
    let inner = || state(rest, guards, acquire);
    match kind {
        '/' => order::nested(what.parse().expect("a level"), inner),
        '#' => order::keyed(what.parse::<i32>().expect("a key"), inner),
        '^' => {
            let outer = guards.iter().rfind(|(name, _)| *name == what);
            match &outer.expect("it is held").1 {
                Guard::Mutex(guard) => order::under(guard, inner),
                Guard::Write(guard) => order::under(guard, inner),
                Guard::Read(_) => panic!("`{what}` is only read"),
            }
        }
        other => panic!("nothing is stated by `{other}`"),
    }
}

/// What has come of a row.
fn verdict(scene: &Scene) -> Verdict {
    let findings = scene.take_findings();
    let circles: BTreeSet<BTreeSet<LockId>> = findings.iter().map(|one| locks_of(one)).collect();
    let told: BTreeSet<(Level, BTreeSet<LockId>)> =
        findings.iter().map(|one| (one.level, locks_of(one))).collect();
    let lacks_writer = |note: &Finding| matches!(note.condition, Some(Condition::NoWriter(_)));
    match circles.len() {
        // The same may be told twice if it has turned out to be worse.
        1 if told.len() == findings.len() => Report,
        0 if scene.notes().iter().any(lacks_writer) => Latent,
        0 => Silent,
        _ => Several,
    }
}

enum Lock {
    Mutex(Mutex<()>),
    RwLock(RwLock<()>),
}

#[expect(dead_code, reason = "guards are kept for what dropping them does")]
enum Guard<'l> {
    Mutex(MutexGuard<'l, ()>),
    Read(RwLockReadGuard<'l, ()>),
    Write(RwLockWriteGuard<'l, ()>),
}

impl Lock {
    /// A lock of a class, which is also a line of its own.
    #[rustfmt::skip]
    fn new(family: Family, class: char) -> Self {
        match (family, class) {
            (Family::Mutex, 'a') => Self::Mutex(named!("a", Mutex::new(()))),
            (Family::Mutex, 'b') => Self::Mutex(named!("b", Mutex::new(()))),
            (Family::Mutex, 'c') => Self::Mutex(named!("c", Mutex::new(()))),
            (Family::Mutex, 'd') => Self::Mutex(named!("d", Mutex::new(()))),
            (Family::Mutex, 'e') => Self::Mutex(named!("e", Mutex::new(()))),
            (Family::Mutex, 'f') => Self::Mutex(named!("f", Mutex::new(()))),
            (Family::Mutex, 'g') => Self::Mutex(named!("g", Mutex::new(()))),
            (Family::Mutex, 'h') => Self::Mutex(named!("h", Mutex::new(()))),
            (Family::RwLock, 'a') => Self::RwLock(named!("a", RwLock::new(()))),
            (Family::RwLock, 'b') => Self::RwLock(named!("b", RwLock::new(()))),
            (Family::RwLock, 'c') => Self::RwLock(named!("c", RwLock::new(()))),
            (Family::RwLock, 'd') => Self::RwLock(named!("d", RwLock::new(()))),
            (Family::RwLock, 'e') => Self::RwLock(named!("e", RwLock::new(()))),
            (Family::RwLock, 'f') => Self::RwLock(named!("f", RwLock::new(()))),
            (Family::RwLock, 'g') => Self::RwLock(named!("g", RwLock::new(()))),
            (Family::RwLock, 'h') => Self::RwLock(named!("h", RwLock::new(()))),
            _ => panic!("no lock `{class}`"),
        }
    }

    /// Takes it without writing.
    fn touch(&self) -> Guard<'_> {
        match self {
            Self::Mutex(_) => self.exclusive(),
            Self::RwLock(_) => self.read(),
        }
    }

    fn exclusive(&self) -> Guard<'_> {
        match self {
            Self::Mutex(lock) => Guard::Mutex(lock.lock().unwrap_or_else(PoisonError::into_inner)),
            Self::RwLock(lock) => {
                Guard::Write(lock.write().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    fn read(&self) -> Guard<'_> {
        Guard::Read(self.rwlock().read().unwrap_or_else(PoisonError::into_inner))
    }

    fn try_exclusive(&self) -> Option<Guard<'_>> {
        match self {
            Self::Mutex(lock) => unless_blocked(lock.try_lock()).map(Guard::Mutex),
            Self::RwLock(lock) => unless_blocked(lock.try_write()).map(Guard::Write),
        }
    }

    fn try_read(&self) -> Option<Guard<'_>> {
        unless_blocked(self.rwlock().try_read()).map(Guard::Read)
    }

    fn rwlock(&self) -> &RwLock<()> {
        match self {
            Self::RwLock(lock) => lock,
            Self::Mutex(_) => panic!("only read-write locks are read"),
        }
    }
}

fn unless_blocked<G>(result: TryLockResult<G>) -> Option<G> {
    match result {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<'l> Guard<'l> {
    fn downgraded(self) -> Self {
        match self {
            Self::Write(guard) => Self::Read(RwLockWriteGuard::downgrade(guard)),
            _ => panic!("only a writer can be downgraded"),
        }
    }
}
