//! Plays segments: stretches of code that take locks, each as good as a thread of its own.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use sync_trace::finding::{Code, Condition, Finding, Level, LockId, Target};
use sync_trace::sync::Mutex as TracedMutex;
use sync_trace::{Config, OnViolation, Policy, on_violation, thread};

use super::known;
use crate::POLICY;

/// Part of a scenario.
pub(crate) type Segment = Box<dyn FnOnce() + Send>;

/// A segment that takes this long hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Who plays the segments, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One thread plays them all.
    Single,
    /// A thread each. All have been started before the first segment begins, and what keeps the others
    /// waiting is not traced: nothing orders them.
    Parallel,
}

pub(crate) const MODES: [Mode; 2] = [Mode::Single, Mode::Parallel];

/// Where one scenario is played: a thread with a name of its own, by which its findings are known.
pub(crate) struct Scene {
    root: String,
}

/// Plays a scenario as row `id` of the tables.
///
/// # Panics
///
/// If it does, and that was not to be expected.
#[track_caller]
pub(crate) fn scenario(id: &str, body: impl Fn(&Scene) + Send + Sync) {
    let _turn = turn();
    let result = catch_unwind(AssertUnwindSafe(|| on_scene(&body)));
    match (result, known(id)) {
        (Ok(()), None) => {}
        (Ok(()), Some(_)) => println!("{id} is right now: it is to be deleted from KNOWN"),
        (Err(_), Some(why)) => println!("{id} is known to be wrong: {why}"),
        (Err(panic), None) => {
            // Standard error, where the hook has told of it, leads nowhere.
            let text = panic.downcast_ref::<String>().map(String::as_str);
            println!("{id}: {}", text.or(panic.downcast_ref().copied()).unwrap_or_default());
            resume_unwind(panic)
        }
    }
}

/// Until the result is dropped no other test plays: lock orders, and the counts of what was seen, belong
/// to the whole process.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    static BEGIN: Once = Once::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    BEGIN.call_once(|| {
        Config::new().policy(POLICY).install();
        be_quiet_about_findings();
    });
    turn
}

/// Thousands of reports are expected, and nobody reads them.
fn be_quiet_about_findings() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_finding(info.payload()) {
            hook(info);
        }
    }));
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd;
        let nowhere = std::fs::File::create("/dev/null").expect("it is always there");
        // SAFETY: both descriptors are open. The tests' own messages go to standard output.
        assert_ne!(unsafe { libc::dup2(nowhere.as_raw_fd(), libc::STDERR_FILENO) }, -1);
    }
}

fn is_finding(panic: &dyn std::any::Any) -> bool {
    panic.downcast_ref::<String>().is_some_and(|message| message.contains("[ST0"))
}

/// Calls `body` in a thread of its own that knows of no orders.
pub(crate) fn on_scene<R: Send>(body: impl FnOnce(&Scene) -> R + Send) -> R {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    sync_trace::reset();
    let root = format!("scene {}", NEXT.fetch_add(1, Ordering::Relaxed));
    let scene = Scene { root: root.clone() };
    std::thread::scope(|scope| {
        let play = || {
            // Who is met late might have been started late, after all that was done before.
            nest(&[lock()]);
            let result = body(&scene);
            assert!(scene.take_findings().is_empty(), "a finding that nobody looked at");
            result
        };
        let thread = std::thread::Builder::new().name(root).spawn_scoped(scope, play);
        thread.expect("a thread").join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

impl Scene {
    /// Plays the segments in order.
    pub(crate) fn play(&self, mode: Mode, segments: Vec<Segment>) {
        match mode {
            Mode::Single => segments.into_iter().for_each(run),
            Mode::Parallel => play_in_threads(segments),
        }
    }

    /// The scenario's findings, which count as looked at.
    pub(crate) fn take_findings(&self) -> Vec<Arc<Finding>> {
        sync_trace::take_findings_where(|finding| finding.roots.contains(&self.root))
    }

    /// The same without those about classes of locks: for scenarios whose many locks are created in one
    /// place.
    pub(crate) fn take_instances(&self) -> Vec<Arc<Finding>> {
        let mut findings = self.take_findings();
        findings.retain(|finding| {
            finding.code != Code::SameClass
                && !matches!(finding.condition, Some(Condition::OtherInstances))
        });
        findings
    }

    /// The scenario's orders that contradict each other without being findings.
    pub(crate) fn notes(&self) -> Vec<Finding> {
        let mut notes = sync_trace::notes();
        notes.retain(|note| note.roots.contains(&self.root));
        notes
    }

    /// The one finding, which has to be a deadlock that can happen.
    #[track_caller]
    pub(crate) fn take_predicted(&self) -> Arc<Finding> {
        let findings = self.take_instances();
        let [only] = &findings[..] else { panic!("one finding, not {findings:#?}") };
        assert_eq!(only.level, Level::Predicted, "{only}");
        Arc::clone(only)
    }

    /// No finding is expected.
    #[track_caller]
    pub(crate) fn expect_silence(&self) {
        let findings = self.take_instances();
        assert!(findings.is_empty(), "{findings:#?}");
    }

    /// No deadlock can happen, but the order contradicts itself: one finding, if orders count.
    #[track_caller]
    pub(crate) fn expect_order_only(&self) {
        let findings = self.take_instances();
        let levels: Vec<Level> = findings.iter().map(|finding| finding.level).collect();
        let expected: &[Level] = if POLICY == Policy::Order { &[Level::Order] } else { &[] };
        assert_eq!(levels, expected, "{findings:#?}");
        assert_ne!(self.notes().len(), 0);
    }

    /// What two contradicting nests come to: a deadlock if two threads did them, else only orders.
    #[track_caller]
    pub(crate) fn expect_by_mode(&self, mode: Mode) {
        match mode {
            Mode::Single => self.expect_order_only(),
            Mode::Parallel => drop(self.take_predicted()),
        }
    }
}

/// Plays each segment in a traced thread.
fn play_in_threads(segments: Vec<Segment>) {
    let start = |(at, segment): (usize, Segment)| {
        let ((go, may_begin), (ends, has_ended)) = (channel::<()>(), channel());
        let play = move || {
            may_begin.recv().expect("everybody gets a turn");
            run(segment);
            ends.send(()).expect("somebody waits");
        };
        let thread = thread::Builder::new().name(format!("t{at}")).spawn(play);
        (go, has_ended, thread.expect("a thread"))
    };
    let players: Vec<_> = segments.into_iter().enumerate().map(start).collect();
    for (go, has_ended, _) in &players {
        go.send(()).expect("it waits");
        has_ended.recv_timeout(DEADLINE).expect("the segment ends, and well");
    }
    for (_, _, thread) in players {
        thread.join().expect("it has ended well");
    }
}

/// Runs a segment until it ends or a finding ends it.
pub(crate) fn run(segment: Segment) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(segment))
        && !is_finding(&*panic)
    {
        resume_unwind(panic);
    }
}

/// A lock of whose findings the threads only hear, so that none cuts a segment short.
pub(crate) type Lock = Arc<TracedMutex<()>>;

pub(crate) fn lock() -> Lock {
    Arc::new(on_violation!(OnViolation::Log, TracedMutex::new(())))
}

pub(crate) fn locks<const N: usize>() -> [Lock; N] {
    std::array::from_fn(|_| lock())
}

/// Takes the locks, each inside the one before, and releases them.
pub(crate) fn nest<'l>(locks: impl IntoIterator<Item = &'l Lock>) {
    let mut guards: Vec<_> = locks.into_iter().map(|lock| lock.lock().unwrap()).collect();
    while guards.pop().is_some() {}
}

/// A segment that does it.
pub(crate) fn nesting<const N: usize>(locks: [&Lock; N]) -> Segment {
    let locks = locks.map(Arc::clone);
    Box::new(move || nest(&locks))
}

/// The locks that are waited for in a finding.
pub(crate) fn locks_of(finding: &Finding) -> BTreeSet<LockId> {
    let lock = |target: &Target| match target {
        Target::Lock(lock, _) => Some(lock.id),
        _ => None,
    };
    finding.links.iter().filter_map(|link| lock(&link.wait.target)).collect()
}
