//! What a program may ask of the tracker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::allow::Allow;
use crate::config::Config;
use crate::contention::{Snapshot, overhead};
use crate::current::{Working, mute};
use crate::finding::{Dump, Finding, Nesting};
use crate::foresight::{news, pairs};
use crate::perturb::SCHEDULE;
use crate::run::RUN;
use crate::tracker::{Handler, global};
use crate::{declared, evidence, os, reaction, report};

/// Whether this run is traced: tracing is compiled in, and neither `SYNC_TRACE` nor a [`Config`] has
/// turned it off.
///
/// # Example
///
/// ```
/// if sync_trace::is_on() {
///     println!("a deadlock would end in a report");
/// }
/// ```
pub fn is_on() -> bool {
    crate::ENABLED && !global().config().off
}

/// The findings made so far that nobody has taken, oldest first.
///
/// Looking at them does not acknowledge them: a process that ends well although a finding's panic
/// was swallowed still ends with status 66. [`take_findings`] and [`reset`] do. Costs one clone of a
/// shared pointer for each.
///
/// # Example
///
/// ```
/// assert!(sync_trace::findings().is_empty());
/// ```
pub fn findings() -> Vec<Arc<Finding>> {
    let _working = Working::begin();
    global().findings()
}

/// Takes the findings made so far, oldest first. They count as noticed: the process does not fail
/// because of them.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// # if !sync_trace::ENABLED { return; }
/// let lock = Mutex::new(0);
/// let _guard = lock.lock().unwrap();
/// let again = std::panic::catch_unwind(|| lock.lock().map(drop).is_ok());
/// assert!(again.is_err());
/// assert_eq!(sync_trace::take_findings().len(), 1);
/// ```
pub fn take_findings() -> Vec<Arc<Finding>> {
    take_findings_where(|_| true)
}

/// Takes the findings that `wanted` holds for, and leaves the others: as [`take_findings`], for a
/// test that runs beside others in one process.
///
/// # Example
///
/// ```
/// let here = std::thread::current().name().unwrap_or_default().to_owned();
/// let mine = sync_trace::take_findings_where(|finding| finding.roots.contains(&here));
/// assert!(mine.is_empty());
/// ```
pub fn take_findings_where(wanted: impl Fn(&Finding) -> bool) -> Vec<Arc<Finding>> {
    let mut taken = findings();
    {
        // The caller's code, whose locks are not the tracker's business here.
        let _quiet = mute();
        taken.retain(|finding| wanted(finding));
    }
    let _working = Working::begin();
    global().forget(&taken);
    taken.iter().for_each(|finding| crate::run::RUN.taken(finding));
    taken
}

/// The orders of locks that contradict each other but could not become a deadlock in what was seen so
/// far, each with the [condition](Finding::condition) that kept it from happening.
///
/// So are condition variables that are used with two mutexes (`ST0501`).
///
/// With [`Policy::Order`](crate::Policy::Order) the orders are findings too. Builds a finding for each.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// # if !sync_trace::ENABLED { return; }
/// let (a, b) = (Mutex::new(1), Mutex::new(2));
/// drop((a.lock().unwrap(), b.lock().unwrap()));
/// drop((b.lock().unwrap(), a.lock().unwrap())); // but by the same thread
/// assert_eq!(sync_trace::notes().len(), 1);
/// # sync_trace::reset();
/// ```
pub fn notes() -> Vec<Finding> {
    let _working = Working::begin();
    let mut notes = global().ledger.notes();
    notes.extend(global().declared.notes());
    notes.extend(pairs::notes());
    notes
}

/// The orders of locks that this run has seen so far, as declarations to paste.
///
/// Displayed, it is text of Rust: `#[lock_order(..)]` for functions that take both locks themselves, and a
/// `lock_hierarchy!` for those that meet over several functions. Where both orders were seen, they stand
/// in a comment. Locks are told apart by their class: their name, or else where they were created and what
/// they protect. Taking a lock by `try_lock` is no order. Displaying it reads the source files.
///
/// Each function is listed in which an order was seen. But where one thread has taken the very same locks in
/// the same order before, it is not looked at again where that is: then only the first function is known.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// fn transfer(accounts: &Mutex<i64>, audit: &Mutex<Vec<i64>>) {
///     let accounts = accounts.lock().unwrap();
///     audit.lock().unwrap().push(*accounts);
/// }
///
/// transfer(&Mutex::new(1), &Mutex::default());
/// let observed = sync_trace::observed_order();
/// # if !sync_trace::ENABLED { return; }
/// assert_eq!(observed.nestings().len(), 1);
/// println!("{observed}"); // #[lock_order(accounts < audit)]
/// ```
pub fn observed_order() -> ObservedOrder {
    let _working = Working::begin();
    ObservedOrder(global().ledger.nestings())
}

/// Orders of locks that were seen; see [`observed_order`].
#[derive(Clone, Debug)]
pub struct ObservedOrder(Vec<Nesting>);

impl ObservedOrder {
    /// Each order of two classes, at each pair of places where it was seen: at most 10 000, by file and line.
    pub fn nestings(&self) -> &[Nesting] {
        &self.0
    }
}

impl fmt::Display for ObservedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&report::observed(&self.0))
    }
}

/// Looks whether all declarations of the program can be kept: that of different functions, types and
/// classes too, as far as is known which locks they are about.
///
/// Names and classes are known at once; a place such as `self.accounts` is known once its function has
/// run. So this belongs at the end of a test that has run them, or into a test of its own for the names.
///
/// # Errors
///
/// The findings (`ST0103`) if some cannot: each names the shortest circle of declarations and where they
/// stand. Where tracing is compiled out, there are none.
///
/// # Example
///
/// ```
/// assert!(sync_trace::verify_declarations().is_ok());
/// ```
pub fn verify_declarations() -> Result<(), Contradictions> {
    let _working = Working::begin();
    let contradictions = declared::contradictions(global());
    if contradictions.is_empty() { Ok(()) } else { Err(Contradictions(contradictions)) }
}

/// Declarations that cannot all be kept; see [`verify_declarations`].
#[derive(Clone)]
pub struct Contradictions(Vec<Finding>);

impl Contradictions {
    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }
}

impl fmt::Display for Contradictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, finding) in self.0.iter().enumerate() {
            let gap = if number == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{finding}")?;
        }
        Ok(())
    }
}

/// As it is displayed, so that `unwrap` shows the reports.
impl fmt::Debug for Contradictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Contradictions {}

/// Accepts the findings that `allow` fits, from now on: they neither fail a test nor end the process.
///
/// The same can be said in a file `sync-trace.toml`, beside the package or in a folder around it. A
/// deadlock that has happened cannot be accepted.
///
/// # Panics
///
/// If `allow` names neither locks nor sites.
///
/// # Example
///
/// ```
/// use sync_trace::{Allow, finding::Code};
///
/// sync_trace::allow(
///     Allow::new(Code::Inversion, "the two never run at one time, see #123")
///         .locks(["Cache.index", "Cache.stats"]),
/// );
/// ```
#[track_caller]
pub fn allow(allow: Allow) {
    let _working = Working::begin();
    global().allow(allow);
}

/// Forgets all findings, and the orders in which locks were taken. What threads hold and wait for stays
/// on record.
///
/// # Example
///
/// ```
/// sync_trace::reset();
/// assert!(sync_trace::findings().is_empty());
/// ```
pub fn reset() {
    drop(take_findings());
    let _working = Working::begin();
    global().ledger.clear();
    global().declared.clear();
    pairs::clear();
    news::begin_generation();
}

/// Calls `handler` with each finding, in the thread that made it, after the report was printed and
/// before the thread panics (or whatever [`Config`](crate::Config) says).
///
/// It replaces the handler that was set before. Nothing of the tracker is locked meanwhile, and the
/// handler's own lock operations are not recorded. Costs nothing until there is a finding.
///
/// # Panics
///
/// A panic in `handler` goes on in the thread that made the finding. If the finding was made by the
/// release of a lock, where nothing may panic, it ends the process.
///
/// # Example
///
/// ```
/// sync_trace::set_handler(|finding| eprintln!("{}: {}", finding.code, finding.fingerprint));
/// ```
pub fn set_handler(handler: impl Fn(&Finding) + Send + Sync + 'static) {
    let handler: Handler = Arc::new(handler);
    let working = Working::begin();
    let old = global().set_handler(Some(handler));
    drop(working);
    drop(old);
}

/// Everything that is held and waited for now.
///
/// Each thread's entry is consistent in itself; different entries may be read moments apart. Costs
/// some microseconds a thread; the threads are not stopped.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// let lock = Mutex::new(0);
/// let _guard = lock.lock().unwrap();
/// # if sync_trace::ENABLED {
/// let me = sync_trace::snapshot().agents.into_iter().find(|state| !state.holds.is_empty());
/// assert_eq!(me.unwrap().holds[0].op.method(), "lock");
/// # }
/// ```
pub fn snapshot() -> Dump {
    let _working = Working::begin();
    evidence::dump(global())
}

/// How long locks were waited for so far, where, and because of whom.
///
/// It is counted from the start of the process, or from the last [`reset_contention`]; the difference of two
/// [snapshots](Snapshot) is what lies between them. Displayed, it is a table. Costs some microseconds a
/// thread; the threads are not stopped. The first call also measures [what tracing costs](Snapshot::overhead_ns), which
/// takes some 300 µs, in a thread of its own.
///
/// # Example
///
/// ```
/// use std::sync::mpsc;
/// use std::thread::yield_now;
/// use sync_trace::sync::Mutex;
/// use sync_trace::{named, thread};
///
/// static TOTAL: Mutex<u64> = named!("total", Mutex::new(0));
///
/// let (ready, is_ready) = mpsc::channel();
/// thread::scope(|scope| {
///     let held = TOTAL.lock().unwrap(); // keeps the other thread waiting
///     scope.spawn(move || {
///         ready.send(()).unwrap();
///         *TOTAL.lock().unwrap() += 1;
///     });
///     is_ready.recv().unwrap();
///     // So that it has begun to wait.
///     # if sync_trace::ENABLED {
///     while !sync_trace::snapshot().agents.iter().any(|agent| agent.wait.is_some()) {
///         yield_now();
///     }
///     # }
///     drop(held);
/// });
/// # if !sync_trace::ENABLED { return; }
/// let contention = sync_trace::contention();
/// let total = contention.classes.iter().find(|class| class.name == Some("total")).unwrap();
/// assert_eq!(total.stats.waits.count(), 1);
/// println!("{contention}");
/// ```
pub fn contention() -> Snapshot {
    _ = overhead::measured();
    counted()
}

/// The same, and nothing is measured.
pub(crate) fn counted() -> Snapshot {
    let _working = Working::begin();
    let tracker = global();
    let elapsed = tracker.now_ns().saturating_sub(tracker.contention.since_ns());
    let is_on = tracker.contention.is_on();
    Snapshot::of(tracker.agents.iter(), Duration::from_nanos(elapsed), is_on)
}

/// Forgets what [`contention`] has counted so far. A wait that goes on will count from now on only.
///
/// # Example
///
/// ```
/// sync_trace::reset_contention();
/// assert!(sync_trace::contention().elapsed.as_secs() < 60);
/// ```
pub fn reset_contention() {
    let _working = Working::begin();
    let tracker = global();
    tracker.contention.restart(tracker.now_ns());
    tracker.agents.iter().for_each(|agent| agent.forget_counts());
}

/// Prints [`snapshot`] to standard error, past any capture by a test harness.
///
/// With `SYNC_TRACE=dump_on=SIGQUIT` this also happens when the process receives that signal.
///
/// # Example
///
/// ```
/// sync_trace::dump();
/// ```
pub fn dump() {
    let _working = Working::begin();
    os::write_stderr(&report::dump(&evidence::dump(global())));
}

impl Config {
    /// Makes this the configuration of the process, from now on and for every thread, except for
    /// what `SYNC_TRACE` says otherwise. Once a dump was asked for at a signal, that stays so.
    pub fn install(self) {
        let _working = Working::begin();
        let tracker = global();
        tracker.install(self);
        SCHEDULE.follow(tracker.config().perturb);
        RUN.follow(tracker.config().run_dir);
        reaction::prepare(tracker.config());
    }
}
