//! How whole processes end, and what they leave on standard error.
#![cfg(any(debug_assertions, feature = "always"))]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs a scenario of `src/bin/victim.rs` with `SYNC_TRACE` set to `settings`.
fn victim(scenario: &str, settings: &str) -> Ended {
    let child = command(scenario, settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the victim starts");
    let started = Instant::now();
    let output = child.wait_with_output().expect("the victim ends");
    Ended::new(output, started.elapsed())
}

fn command(scenario: &str, settings: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_victim"));
    command.arg(scenario).env("RUST_BACKTRACE", "0");
    match settings {
        "" => command.env_remove("SYNC_TRACE"),
        settings => command.env("SYNC_TRACE", settings),
    };
    command
}

struct Ended {
    status: Option<i32>,
    stdout: String,
    stderr: String,
    took: Duration,
}

impl Ended {
    fn new(output: Output, took: Duration) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Self { status: output.status.code(), stdout, stderr, took }
    }

    #[track_caller]
    fn expect(&self, status: Option<i32>, on_stderr: &[&str]) {
        assert_eq!(self.status, status, "stderr:\n{}", self.stderr);
        for text in on_stderr {
            assert!(self.stderr.contains(text), "no `{text}` in:\n{}", self.stderr);
        }
    }
}

#[test]
fn a_finding_whose_panic_nobody_noticed_fails_the_process() {
    victim("child_ignored", "").expect(
        Some(66),
        &["error[ST0002]", "its panic was swallowed", "below 'main'", "ends with status 66"],
    );
    victim("caught_in_main", "").expect(Some(66), &["error[ST0002]", "its panic was swallowed"]);
}

#[test]
fn a_finding_that_was_taken_does_not() {
    let ended = victim("child_ignored_then_taken", "");
    ended.expect(Some(0), &["error[ST0002]"]);
    assert!(!ended.stderr.contains("swallowed"));
}

#[test]
fn a_process_that_fails_anyway_keeps_its_status() {
    victim("child_ignored_then_failed", "").expect(Some(3), &["error[ST0002]"]);
    victim("child_unwrapped", "").expect(Some(101), &["error[ST0002]"]);
    victim("uncaught_in_main", "").expect(Some(101), &["error[ST0002]"]);
}

#[test]
fn a_parent_stuck_at_the_end_of_its_scope_ends_the_process_within_a_second() {
    let ended = victim("scope_end", "");
    ended.expect(Some(66), &["error[ST0001]", "'child'", "scope", "status 66"]);
    assert!(ended.took < Duration::from_secs(1), "took {:?}", ended.took);
}

#[test]
fn so_does_one_whose_closure_panicked() {
    victim("scope_end_while_unwinding", "").expect(Some(66), &["error[ST0001]"]);
}

#[test]
fn an_initialiser_whose_success_others_wait_for_ends_the_process() {
    victim("awaited_initialiser", "").expect(Some(66), &["error[ST0001]", "'waiter'", "status 66"]);
    victim("forced_wait_for_initialiser", "").expect(Some(66), &["error[ST0001]", "status 66"]);
}

#[test]
fn so_does_one_that_deadlocks_without_those_who_wait_for_its_success() {
    victim("initialiser_relocks", "").expect(Some(66), &["error[ST0002]", "status 66"]);
}

#[test]
fn who_panics_because_a_once_is_poisoned_does_not_wait_for_its_recovery() {
    let ended = victim("recovered_once", "");
    // On another day it comes while the recovery runs, and then it does wait.
    ended.expect(Some(66), &["previously been poisoned", "error[ST0101]"]);
    assert!(!ended.stderr.contains("ST00"), "{}", ended.stderr);
}

#[test]
fn one_whose_failure_frees_them_panics() {
    victim("called_initialiser", "").expect(Some(0), &["error[ST0001]"]);
}

#[test]
fn a_thread_that_is_stuck_while_it_unwinds_ends_the_process() {
    victim("drop_while_unwinding", "")
        .expect(Some(66), &["the program's own panic", "error[ST0001]", "status 66"]);
}

#[test]
fn the_reactions_can_be_chosen() {
    let aborted = victim("child_ignored", "on_violation=abort");
    aborted.expect(None, &["error[ST0002]"]);
    let stuck = victim("scope_end", "on_stuck=abort");
    stuck.expect(None, &["error[ST0001]"]);
    let logged = victim("logged", "on_violation=log");
    logged.expect(Some(0), &["error[ST0001]"]);
    assert_eq!(logged.stdout, "found ST0001\n");
    let once = logged.stderr.matches("error[ST0001]").count();
    assert_eq!(once, 1, "one deadlock, one report:\n{}", logged.stderr);
}

#[test]
fn a_locks_own_reaction_goes_before_the_configured_one() {
    let ended = victim("own_reaction", "on_violation=abort");
    ended.expect(Some(0), &["error[ST0002]"]);
    assert_eq!(ended.stdout, "went on\n");
}

#[test]
fn a_setting_that_cannot_be_read_is_named_and_the_others_hold() {
    let ended = victim("child_ignored", "on_violaton=log,on_violation=abort");
    ended.expect(
        None,
        &[
            "error: unknown setting `on_violaton` in SYNC_TRACE; did you mean `on_violation`?",
            "on_violation=panic|log|abort",
            "error[ST0002]",
        ],
    );
    let ended = victim("nothing", "on_stuck=never");
    ended.expect(Some(0), &["`never` is not a value of `on_stuck`", "on_stuck=exit|wait|abort"]);
    assert_eq!(ended.stdout, "the lock holds 1\n");
}

#[test]
fn switched_off_it_says_and_does_nothing() {
    let ended = victim("nothing", "off");
    ended.expect(Some(0), &[]);
    assert_eq!((ended.stderr.as_str(), ended.stdout.as_str()), ("", "the lock holds 1\n"));
}

#[test]
fn the_stacks_of_all_waits_can_be_asked_for() {
    let ended = victim("scope_end", "backtrace=waits");
    ended.expect(Some(66), &["victim::scope_end"]);
}

#[cfg(unix)]
#[test]
fn a_dump_is_printed_at_sigquit_when_asked_for() {
    let mut child = command("until_eof", "dump_on=SIGQUIT")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the victim starts");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let kill = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    // The whole dump comes in one write, and ends with the summary line.
    let mut stderr = child.stderr.take().unwrap();
    let mut dump = [0; 4096];
    let read = stderr.read(&mut dump).unwrap();
    let dump = String::from_utf8_lossy(&dump[..read]).into_owned();
    assert!(dump.contains("\"waiter\"") && dump.contains("waits"), "{dump}");
    assert!(dump.contains("held by 'main'"), "{dump}");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_makes_threads_wait_is_printed_from_time_to_time_and_each_wait_once() {
    let mut child = command("waits_again_and_again", "print_contention=20ms")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the victim starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut printed = String::new();
    // While it goes on, and has nothing to do.
    while waits_told(&printed) < 20 {
        assert_ne!(stderr.read_line(&mut printed).unwrap(), 0, "{printed}");
    }
    drop(child.stdin.take());
    stderr.read_to_string(&mut printed).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(waits_told(&printed), 21, "{printed}");
    assert!(!printed.contains("no lock was waited for"), "{printed}");
}

#[test]
fn what_was_not_printed_yet_is_when_the_process_ends_and_that_at_once() {
    let ended = victim("waits_again_and_again", "print_contention=60min");
    ended.expect(Some(0), &["waited for locks in "]);
    assert_eq!(waits_told(&ended.stderr), 21, "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("waited for locks in ").count(), 1, "{}", ended.stderr);
}

/// The sum over all tables, of which each has one row.
fn waits_told(printed: &str) -> u64 {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        cells.map(str::to_owned).collect()
    };
    let mut lines = printed.lines();
    let mut told = 0;
    while let Some(headings) = lines.find(|line| line.starts_with("lock ")) {
        let column = cells(headings).iter().position(|heading| heading == "waits");
        let row = lines.next().map(cells).unwrap_or_default();
        let cell = column.and_then(|column| row.get(column).cloned());
        told += cell.and_then(|waits| waits.parse::<u64>().ok()).unwrap_or_default();
    }
    told
}

/// Of all threads only the one that forks is there: the others' waits and findings are not the child's, and what
/// they held is lost.
#[test]
#[cfg(target_os = "linux")]
fn a_forked_child_forgets_the_threads_that_are_gone() {
    let ended = victim("forked", "");
    ended.expect(
        Some(0),
        &["error[ST0002]", "nobody is left to send", "-> busy -> <unnamed>", "(ended)"],
    );
    let lines = ["alone: Some(0)", "waits for itself: Some(101)", "wants what is lost: Some(101)"];
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), lines, "{}", ended.stderr);
    // In short and as the message of its panic, both by the parent.
    assert_eq!(ended.stderr.matches("error[ST0002]").count(), 2, "{}", ended.stderr);
}

/// What another thread has left locked is the tracker's own here, and of the rest only the memory allocator, which sees
/// to that itself.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_forked_child_does_not_wait_for_who_was_counting() {
    let ended = victim("forked_while_others_count", "");
    ended.expect(Some(0), &[]);
    assert_eq!(ended.stdout, "ended well: 100 of 100\n", "{}", ended.stderr);
}
