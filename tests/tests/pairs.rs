//! Condition variables that are used with two mutexes, and those that only seem to be.
#![cfg(any(debug_assertions, feature = "always"))]

use std::time::Duration;

use sync_trace::finding::{Code, Finding, Level, Outcome, Target};
use sync_trace::sync::{Arc, Condvar, Mutex};
use sync_trace::{named, thread};

/// Waits for a moment.
fn wait(signal: &Condvar, mutex: &Mutex<u32>) {
    drop(signal.wait_timeout(mutex.lock().unwrap(), Duration::ZERO));
}

/// The notes of the calling test's threads.
fn notes() -> Vec<Finding> {
    let here = std::thread::current().name().unwrap_or_default().to_owned();
    let mut notes = sync_trace::notes();
    notes.retain(|note| note.code == Code::TwoMutexes && note.roots.contains(&here));
    notes
}

#[test]
fn the_first_mutex_is_waited_with_again() {
    let (a, b) = (named!("a", Mutex::new(0)), named!("b", Mutex::new(0)));
    let signal = named!("signal", Condvar::new());
    wait(&signal, &a);
    wait(&signal, &b);
    assert_eq!(notes().len(), 0, "the first one may be gone");
    wait(&signal, &a);
    wait(&signal, &b);
    let [note] = notes().try_into().unwrap();
    assert_eq!((note.level, note.outcome), (Level::Misuse, Outcome::Noted));
    let pairing = note.pairing.as_ref().unwrap();
    let names = pairing.waits.each_ref().map(|(_, wait)| match &wait.target {
        Target::Lock(lock, _) => lock.name,
        _ => None,
    });
    assert_eq!(names, [Some("a"), Some("b")]);
    let text = note.to_string();
    assert!(
        text.starts_with("warning[ST0501]: `signal` is waited at with two mutexes, `a` and `b`")
    );
    let wait_line = format!("{}:{}", file!(), pairing.waits[0].1.site.line());
    assert!(text.contains(&wait_line), "{text}");
    assert!(text.contains("waited with `a`") && text.contains("waited with `b`"), "{text}");
}

#[test]
fn the_first_mutex_is_taken_again() {
    let (a, b, signal) = (Mutex::new(0), Mutex::new(0), Condvar::new());
    wait(&signal, &a);
    wait(&signal, &b);
    assert_eq!(notes().len(), 0);
    drop(a.lock());
    assert_eq!(notes().len(), 1);
}

#[test]
fn both_are_waited_with_at_one_time() {
    let shared = Arc::new((Mutex::new(false), Mutex::new(0), Condvar::new()));
    let first = {
        let shared = Arc::clone(&shared);
        let waits = move || drop(shared.2.wait_while(shared.0.lock().unwrap(), |ready| !*ready));
        thread::spawn(waits)
    };
    let waits = |agent: &sync_trace::finding::AgentState| {
        agent.wait.as_ref().is_some_and(|(wait, _)| {
            wait.op.is_condvar_wait() && Some(agent.agent.id) == first_child()
        })
    };
    while !sync_trace::snapshot().agents.iter().any(waits) {
        thread::yield_now();
    }
    wait(&shared.2, &shared.1);
    assert_eq!(notes().len(), 1);
    *shared.0.lock().unwrap() = true;
    shared.2.notify_all();
    first.join().unwrap();
}

/// The agent that the calling test has started.
fn first_child() -> Option<sync_trace::finding::AgentId> {
    let here = std::thread::current().name().map(str::to_owned);
    let agents = sync_trace::snapshot().agents;
    let is_child = |agent: &&sync_trace::finding::AgentState| {
        let parent = agent.agent.started_by.as_ref();
        parent.is_some_and(|parent| parent.name.as_deref() == here.as_deref())
    };
    agents.iter().find(is_child).map(|agent| agent.agent.id)
}

#[test]
fn one_mutex_and_two_condition_variables_are_in_order() {
    let (mutex, full, empty) = (Mutex::new(0), Condvar::new(), Condvar::new());
    for _ in 0..3 {
        wait(&full, &mutex);
        wait(&empty, &mutex);
        drop(mutex.lock());
    }
    assert_eq!(notes().len(), 0);
}

#[test]
fn a_condition_variable_may_outlive_its_mutexes() {
    let signal = Condvar::new();
    for _ in 0..3 {
        let mutex = Mutex::new(0);
        wait(&signal, &mutex);
        wait(&signal, &mutex);
        drop(mutex.lock());
    }
    assert_eq!(notes().len(), 0);
}

#[test]
fn of_three_mutexes_the_last_two_count_where_the_first_is_gone() {
    let signal = Condvar::new();
    wait(&signal, &Mutex::new(0));
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    [&a, &b].iter().for_each(|mutex| wait(&signal, mutex));
    assert_eq!(notes().len(), 0);
    drop(a.lock());
    assert_eq!(notes().len(), 1);
}

#[test]
fn it_can_be_silenced_by_its_fingerprint_and_is_told_once_for_one_place() {
    for _ in 0..3 {
        let (a, b, signal) = (Mutex::new(0), Mutex::new(0), Condvar::new());
        for mutex in [&a, &b, &a] {
            drop(signal.wait_timeout(mutex.lock().unwrap(), Duration::ZERO));
        }
    }
    let [note] = notes().try_into().unwrap();
    assert!(note.to_string().contains(&format!("fingerprint = \"{}\"", note.fingerprint)));
}
