//! For each piece of advice a program that deserves it, and one that just does not.
//!
//! The margins are wide enough for a machine that lets a thread wait for some hundred milliseconds.
#![cfg(any(debug_assertions, feature = "always"))]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use sync_trace::contention::{Evidence, Snapshot};
use sync_trace::finding::Target;
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{named, thread};

const MS: Duration = Duration::from_millis(1);

/// What is advised about the locks with this name, after `before`.
fn advised(name: &str, before: &Snapshot) -> Vec<Evidence> {
    let since = sync_trace::contention().since(before);
    let about = since.advice().into_iter().filter(|advice| advice.class.name == Some(name));
    about.map(|advice| advice.evidence).collect()
}

/// How many threads wait for a lock with this name.
fn waiting(name: &str) -> usize {
    let waits_for_it = |agent: &sync_trace::finding::AgentState| {
        let target = agent.wait.as_ref().map(|(wait, _)| &wait.target);
        matches!(target, Some(Target::Lock(lock, _)) if lock.name == Some(name))
    };
    sync_trace::snapshot().agents.iter().filter(|agent| waits_for_it(agent)).count()
}

/// Lets time pass: a message that nobody sends.
fn pass(time: Duration) {
    let (_sender, receiver) = channel::<()>();
    assert!(receiver.recv_timeout(time).is_err());
}

/// Lets so many threads wait behind `held`, for `time` or longer.
fn wait_behind(
    name: &str,
    lock: &Mutex<()>,
    held: MutexGuard<'_, ()>,
    threads: usize,
    time: Duration,
) {
    thread::scope(|scope| {
        (0..threads).for_each(|_| _ = scope.spawn(|| drop(lock.lock().unwrap())));
        while waiting(name) < threads {
            std::thread::yield_now();
        }
        pass(time);
        drop(held);
    });
}

#[test]
fn a_line_that_holds_for_most_of_the_time_others_wait_is_to_be_shortened() {
    let before = sync_trace::contention();
    let lock = named!("one line", Mutex::new(()));
    let mut line = 0;
    for _ in 0..10 {
        line = line!() + 1;
        let held = lock.lock().unwrap();
        wait_behind("one line", &lock, held, 1, 40 * MS);
    }
    wait_behind("one line", &lock, lock.lock().unwrap(), 2, Duration::ZERO);
    let advised = advised("one line", &before);
    let [Evidence::OneHolder { holder, waits, total, share }] = advised[..] else {
        panic!("{advised:?}")
    };
    assert_eq!((holder.line(), waits), (line, 10));
    assert!(total >= 400 * MS && (Evidence::HOLDER_SHARE_MIN..1.0).contains(&share));
    let text = sync_trace::contention().since(&before).to_string();
    assert!(text.contains("% of the waiting for `one line`"), "{text}");
}

#[test]
fn lines_that_hold_for_as_long_as_each_other_are_not() {
    let before = sync_trace::contention();
    let lock = named!("three lines", Mutex::new(()));
    for _ in 0..5 {
        wait_behind("three lines", &lock, lock.lock().unwrap(), 1, 40 * MS);
        wait_behind("three lines", &lock, lock.lock().unwrap(), 1, 40 * MS);
        wait_behind("three lines", &lock, lock.lock().unwrap(), 1, 40 * MS);
    }
    assert_eq!(advised("three lines", &before), []);
}

/// Threads hand a lock to each other: each keeps it until another one waits for it, and does not ask for it again
/// before that has it.
fn hand_around(name: &'static str, lock: &Mutex<()>, threads: usize, times: usize) {
    let (turn, at_work) = (AtomicUsize::new(0), AtomicUsize::new(threads));
    let is_alone = || at_work.load(Ordering::SeqCst) == 1;
    let work = || {
        for _ in 0..times {
            let held = lock.lock().unwrap();
            let mine = turn.fetch_add(1, Ordering::SeqCst) + 1;
            while waiting(name) == 0 && !is_alone() {
                std::thread::yield_now();
            }
            pass(MS);
            drop(held);
            while turn.load(Ordering::SeqCst) == mine && !is_alone() {
                std::thread::yield_now();
            }
        }
        at_work.fetch_sub(1, Ordering::SeqCst);
    };
    thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
}

#[test]
fn a_lock_that_goes_from_waiter_to_waiter_makes_a_convoy() {
    let before = sync_trace::contention();
    let lock = named!("convoy", Mutex::new(()));
    hand_around("convoy", &lock, 3, 50);
    let advised = advised("convoy", &before);
    let convoy = advised.iter().find_map(|evidence| match evidence {
        Evidence::Convoy { waits, handed_on } => Some((*waits, *handed_on)),
        _ => None,
    });
    let Some((waits, handed_on)) = convoy else { panic!("{advised:?}") };
    assert!((100..150).contains(&waits) && handed_on <= waits, "{handed_on} of {waits}");
}

#[test]
fn many_that_wait_behind_one_who_had_it_at_once_make_none() {
    let before = sync_trace::contention();
    let lock = named!("no convoy", Mutex::new(()));
    for _ in 0..30 {
        wait_behind("no convoy", &lock, lock.lock().unwrap(), 4, MS);
    }
    let advised = advised("no convoy", &before);
    let is_convoy = |evidence: &Evidence| matches!(evidence, Evidence::Convoy { .. });
    assert!(!advised.iter().any(is_convoy), "{advised:?}");
    // All of it is behind one line.
    let is_one_line =
        |evidence: &Evidence| matches!(evidence, Evidence::OneHolder { waits: 120, .. });
    assert!(advised.iter().any(is_one_line), "{advised:?}");
}

/// What half of the waits for locks with this name did not exceed.
fn median(name: &str) -> Duration {
    let contention = sync_trace::contention();
    let class = contention.classes.iter().find(|class| class.name == Some(name)).unwrap();
    class.stats.waits.quantile(0.5).unwrap()
}

fn longest_of(evidence: &[Evidence]) -> Option<(Duration, u32)> {
    evidence.iter().find_map(|evidence| match evidence {
        Evidence::Starvation { longest, holder, .. } => Some((*longest, holder.unwrap().line())),
        _ => None,
    })
}

#[test]
fn a_wait_a_hundred_times_as_long_as_others_is_told() {
    let before = sync_trace::contention();
    let lock = named!("starved", Mutex::new(()));
    for _ in 0..110 {
        wait_behind("starved", &lock, lock.lock().unwrap(), 1, Duration::ZERO);
    }
    let long = (median("starved") * 150).max(10 * MS);
    let (held, line) = (lock.lock().unwrap(), line!());
    wait_behind("starved", &lock, held, 1, long);
    let advised = advised("starved", &before);
    let Some((longest, holder)) = longest_of(&advised) else { panic!("{advised:?}") };
    assert!(longest >= long && holder == line);
}

#[test]
fn a_wait_that_is_only_some_times_as_long_is_not() {
    let before = sync_trace::contention();
    let lock = named!("fed", Mutex::new(()));
    for _ in 0..30 {
        wait_behind("fed", &lock, lock.lock().unwrap(), 4, 8 * MS);
    }
    wait_behind("fed", &lock, lock.lock().unwrap(), 1, 100 * MS);
    let advised = advised("fed", &before);
    assert_eq!(longest_of(&advised), None, "{advised:?}");
}
