//! Threads that are held up at random: what is decided is repeated, and rare failures become common.
#![cfg(any(debug_assertions, feature = "always"))]

use std::process::{Command, Output};

/// Runs a scenario of `src/bin/rare.rs` with `SYNC_TRACE` set to `settings`.
fn run(scenario: &str, settings: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rare"));
    command.arg(scenario).env("SYNC_TRACE", settings).env("RUST_BACKTRACE", "0");
    command.output().expect("it runs")
}

/// What it prints, if it ends well.
#[track_caller]
fn printed(scenario: &str, settings: &str) -> (String, String) {
    let Output { status, stdout, stderr } = run(scenario, settings);
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(status.success(), "{stderr}");
    (stdout, stderr)
}

/// Of the runs with these seeds, how many fail.
fn failures(scenario: &str, seeds: std::ops::Range<u32>) -> usize {
    let fails = |seed: &u32| !run(scenario, &format!("perturb={seed}")).status.success();
    seeds.filter(fails).count()
}

#[test]
fn a_seed_decides_the_same_every_time_and_another_one_otherwise() {
    let (first, told) = printed("decisions", "perturb=5");
    assert!(first.starts_with("0x5 "), "{first}");
    let note = "note: sync-trace perturbs the schedule with seed 0x5; repeat with \
                SYNC_TRACE=perturb=0x5\n";
    assert_eq!(told, note, "once, and nothing else");
    for _ in 0..5 {
        assert_eq!(printed("decisions", "perturb=0x5").0, first);
    }
    let digest = |text: &str| text.rsplit_once(' ').unwrap().1.to_owned();
    let other = printed("decisions", "perturb=6").0;
    assert_ne!(digest(&other), digest(&first));
    // As many decisions, because the program is the same.
    assert_eq!(other.split(' ').nth(1), first.split(' ').nth(1));
}

#[test]
fn a_seed_that_is_drawn_can_be_repeated() {
    let (first, told) = printed("decisions", "perturb");
    let (_, setting) = told.trim_end().split_once("SYNC_TRACE=").unwrap();
    assert_eq!(printed("decisions", setting).0, first);
    assert_ne!(printed("decisions", "perturb").0, first, "another one is drawn");
}

#[test]
fn the_program_may_say_so_and_the_variable_has_the_last_word() {
    let (first, told) = printed("programmed", "");
    assert!(first.starts_with("0xabc ") && told.contains("seed 0xabc;"), "{first}{told}");
    assert_eq!(printed("programmed", "").0, first);
    let (other, told) = printed("programmed", "perturb=7");
    assert!(other.starts_with("0x7 ") && !told.contains("0xabc"), "{other}{told}");
    for settings in ["perturb=off", "off"] {
        assert_eq!(printed("programmed", settings), ("plain\n".to_owned(), String::new()));
    }
}

#[test]
fn nothing_is_perturbed_unless_that_is_asked_for() {
    for settings in ["", "notes=off", "off,perturb=3", "perturb=3,perturb=off"] {
        assert_eq!(printed("decisions", settings), ("plain\n".to_owned(), String::new()));
    }
}

#[test]
fn what_is_muted_or_untracked_is_left_alone() {
    assert_eq!(printed("muted", "perturb=1").0, "0 1\n");
}

#[test]
fn reports_and_dumps_name_the_seed() {
    let stderr = |settings| String::from_utf8(run("report", settings).stderr).unwrap();
    let told = stderr("perturb=0x1F");
    let foot =
        "= note: the schedule was perturbed with seed 0x1f; repeat with SYNC_TRACE=perturb=0x1f";
    assert!(told.contains(foot), "{told}");
    assert!(told.contains("\nperturbed with seed 0x1f; decisions: 1, digest "), "{told}");
    assert!(!stderr("").contains("perturb"));
}

#[test]
fn a_wait_outside_of_a_loop_fails_within_a_few_seeds_and_never_without() {
    let plain = (0..20).filter(|_| !run("waits_once", "").status.success()).count();
    assert_eq!(plain, 0);
    assert_ne!(failures("waits_once", 0..20), 0);
}

#[test]
fn a_wait_in_a_loop_fails_with_no_seed() {
    assert_eq!(failures("waits_in_a_loop", 0..20), 0);
    assert_eq!(failures("waits_by_predicate", 0..20), 0);
}

#[test]
fn a_notification_that_is_lost_in_few_of_a_thousand_runs_is_lost_within_a_few_seeds() {
    assert_ne!(failures("notifies_without_the_mutex", 0..30), 0);
}

#[test]
fn one_that_cannot_be_lost_is_lost_with_no_seed() {
    assert_eq!(failures("notifies_with_the_mutex", 0..15), 0);
}
