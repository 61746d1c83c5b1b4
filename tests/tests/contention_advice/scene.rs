//! What the programs are made of.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use sync_trace::contention::{Evidence, Snapshot, Stats};
use sync_trace::finding::Target;
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::thread;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const US: Duration = Duration::from_micros(1);

/// What is advised about the locks with this name, after `before`.
pub(crate) fn advised(name: &str, before: &Snapshot) -> Vec<Evidence> {
    let since = sync_trace::contention().since(before);
    let about = since.advice().into_iter().filter(|advice| advice.class.name == Some(name));
    about.map(|advice| advice.evidence).collect()
}

/// The names of that.
pub(crate) fn names(evidence: &[Evidence]) -> Vec<String> {
    let name = |debug: String| debug.split(' ').next().unwrap().to_owned();
    evidence.iter().map(|evidence| name(format!("{evidence:?}"))).collect()
}

/// Fails if it is not advised.
#[track_caller]
pub(crate) fn assert_advised(name: &str, before: &Snapshot, evidence: &str) {
    assert!(is_advised(name, before, evidence), "{}", all(before));
}

/// Fails if it is.
#[track_caller]
pub(crate) fn assert_not_advised(name: &str, before: &Snapshot, evidence: &str) {
    assert!(!is_advised(name, before, evidence), "{}", all(before));
}

pub(crate) fn is_advised(name: &str, before: &Snapshot, evidence: &str) -> bool {
    names(&advised(name, before)).iter().any(|name| name == evidence)
}

/// For who wants to know why.
pub(crate) fn all(before: &Snapshot) -> String {
    let since = sync_trace::contention().since(before);
    format!("{since}\n{since:#?}")
}

/// What was counted of the locks with this name in all modes, after `before`.
pub(crate) fn counted(name: &str, before: &Snapshot) -> Stats {
    let since = sync_trace::contention().since(before);
    let mut stats = Stats::default();
    let classes = since.classes.iter().filter(|class| class.name == Some(name));
    classes.for_each(|class| stats.merge(&class.stats));
    stats
}

/// How many threads wait for a lock with this name.
pub(crate) fn waiting(name: &str) -> usize {
    let waits_for_it = |agent: &sync_trace::finding::AgentState| {
        let target = agent.wait.as_ref().map(|(wait, _)| &wait.target);
        matches!(target, Some(Target::Lock(lock, _)) if lock.name == Some(name))
    };
    sync_trace::snapshot().agents.iter().filter(|agent| waits_for_it(agent)).count()
}

/// Returns when so many do.
pub(crate) fn until_waiting(name: &str, threads: usize) {
    while waiting(name) < threads {
        std::thread::yield_now();
    }
}

/// Lets time pass: a message that nobody sends.
pub(crate) fn pass(time: Duration) {
    let (_sender, receiver) = channel::<()>();
    assert!(receiver.recv_timeout(time).is_err());
}

/// The same while the thread works.
pub(crate) fn work(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Lets a thread that does `wait` wait behind `held` while `meanwhile` is done.
pub(crate) fn one_waits_behind<G>(
    name: &str,
    held: G,
    wait: impl FnOnce() + Send,
    meanwhile: impl FnOnce(),
) {
    thread::scope(|scope| {
        scope.spawn(wait);
        until_waiting(name, 1);
        meanwhile();
        drop(held);
    });
}

/// Lets so many threads wait behind `held`, for `time` or longer.
pub(crate) fn wait_behind(
    name: &str,
    lock: &Mutex<()>,
    held: MutexGuard<'_, ()>,
    threads: usize,
    time: Duration,
) {
    thread::scope(|scope| {
        (0..threads).for_each(|_| _ = scope.spawn(|| drop(lock.lock().unwrap())));
        until_waiting(name, threads);
        pass(time);
        drop(held);
    });
}

/// Threads hand a lock to each other: each does `section` with it, keeps it until another one waits for it, and does
/// not ask for it again before that has it.
pub(crate) fn hand_around<T: Send>(
    name: &'static str,
    lock: &Mutex<T>,
    threads: usize,
    times: usize,
    section: impl Fn(&mut MutexGuard<'_, T>) + Sync,
) {
    let (turn, at_work) = (AtomicUsize::new(0), AtomicUsize::new(threads));
    let is_alone = || at_work.load(Ordering::SeqCst) == 1;
    let work = || {
        for _ in 0..times {
            let mut held = lock.lock().unwrap();
            let mine = turn.fetch_add(1, Ordering::SeqCst) + 1;
            while waiting(name) == 0 && !is_alone() {
                std::thread::yield_now();
            }
            section(&mut held);
            drop(held);
            while turn.load(Ordering::SeqCst) == mine && !is_alone() {
                std::thread::yield_now();
            }
        }
        at_work.fetch_sub(1, Ordering::SeqCst);
    };
    thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
}

/// A thread for each of these does it again and again until `is_enough`, which is asked now and then. A minute has
/// to be enough.
pub(crate) fn again_and_again(works: &[&(dyn Fn() + Sync)], is_enough: impl Fn() -> bool) {
    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    let was_enough = thread::scope(|scope| {
        let is_over = &is_over;
        for work in works {
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    work();
                }
            });
        }
        let mut enough = is_enough();
        while !enough && begun.elapsed() < Duration::from_secs(60) {
            pass(5 * MS);
            enough = is_enough();
        }
        is_over.store(true, Ordering::Relaxed);
        enough
    });
    assert!(was_enough, "it does not come to that");
}
