//! Thousands of small random programs on real threads, each judged by all its interleavings: what is
//! found can happen, and what can happen is found or predicted.
//!
//! `ORACLE_SEED` and `ORACLE_PROGRAMS` choose others. A failure shows the program, and a smaller one if
//! there is, as text that [`program`] reads; `oracle 'PROGRAM' 100` runs it a hundred times.
#![cfg(any(debug_assertions, feature = "always"))]

use std::process::{Command, Stdio};

use sync_trace_tests::oracle::{Mistake, Random, examine, program};

const SEED: &str = "20260";
const PROGRAMS: &str = "3000";

#[test]
fn what_is_found_can_happen_and_what_can_happen_is_found() {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let seed = setting("ORACLE_SEED", SEED);
    // A thread that is stuck at the end of its scope stays there; its program is over all the same.
    // The reports are many.
    let output = Command::new(env!("CARGO_BIN_EXE_oracle"))
        .args([&seed, &setting("ORACLE_PROGRAMS", PROGRAMS)])
        .env("SYNC_TRACE", "on_stuck=wait,notes=off")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .expect("the oracle starts");
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    assert!(output.status.success(), "ORACLE_SEED={seed}, {}:\n{told}", output.status);
}

/// Runs the program several times, each by another schedule.
#[track_caller]
fn check(text: &str) {
    let program = program(text);
    for seed in 0..20 {
        let verdict = examine(&program, &mut Random(seed));
        let mistakes: Vec<Mistake> = verdict.mistakes().collect();
        assert!(mistakes.is_empty(), "{text}: {verdict:?}");
    }
}

#[test]
fn two_orders_and_one_order() {
    check("t1: X(a) X(b) U(b) U(a); t2: X(b) X(a) U(a) U(b)");
    check("t1: X(a) X(b) U(b) U(a); t2: X(a) X(b) U(a) U(b)");
}

#[test]
fn a_message_orders_what_came_before_it_and_not_what_its_sender_did_until_its_end() {
    check("t1: send(0) X(a) X(b) U(b) U(a); t2: recv(0) X(b) X(a) U(a) U(b)");
    check("t1: X(a) send(0) X(b) U(b) U(a); t2: recv(0) X(b) X(a) U(a) U(b)");
    check("t1: X(a) X(b) U(b) U(a) send(0); t2: recv(0) X(b) X(a) U(a) U(b)");
}

#[test]
fn one_thread_cannot_be_two_writers_at_a_time() {
    check("t1: R(m) R(l) U(l) U(m); t2: R(l) R(m) U(m) U(l); t3: X(m) U(m) X(l) U(l)");
}

#[test]
fn who_takes_a_lock_comes_after_the_section_it_was_told_of_by_others() {
    check(
        "t1: recv(1) spawn(t2); t2: X(n) U(n) X(m) R(n) U(n) U(m); t3: X(n) send(1) R(m) U(m) U(n)",
    );
}
