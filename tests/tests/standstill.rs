//! Waits that nobody is left to end, and programs that only look as if: each in a process of its own.
//!
//! Which test plays which row of the table of scenarios for waits without an owner; a scene is a function of that
//! name in `src/bin/hang`, others name their file. What is predicted without having happened is in
//! `predictions.rs`, where there is anything.
//!
//! | row | what | where |
//! |---|---|---|
//! | CV1 | a notifier needs the lock that the waiter keeps | `acknowledged_under_a_lock` |
//! | CV2, CV3 | the same, over rounds; the lock is taken before the notification | `acknowledged_under_a_lock`, `stalled_without_a_giver` |
//! | CV4 | three threads, two locks and a signal | `three_and_a_signal` |
//! | CV5, CV6 | a notification or a flag orders the two nests | `handovers.rs` (`conditions`) |
//! | CV7 | one of two notifiers is free | `one_notifier_is_free` |
//! | CV8 | a lost wakeup | `lost_wakeup`, `flag_under_another_mutex` |
//! | CV9 | a wait with a time limit in a circle | `timed_wait_in_a_circle` |
//! | CH1 | each receives before it sends | `crossed_requests` |
//! | CH2 | a full channel under the receiver's lock | `full_under_a_lock` |
//! | CH3 | the last sender goes | `last_sender_goes` |
//! | CH4 | the receiver keeps the only sender | `own_sender` |
//! | CH5 | a sender is leaked | `leaked_sender` |
//! | CH6 | one of several channels | not to be had from what blocks: `std` has no selection |
//! | JN1 | a join under the lock that the joined thread needs | `deadlocks.rs` (`joins`) |
//! | JN2 | a thread joins itself; a scope waits for its own thread | `deadlocks.rs` (`a_thread_that_joins_itself`), `scope_of_a_receiver` |
//! | BR1 | a barrier whose participant waits for a lock of another one | `participant_behind_a_lock` |
//! | SE1 | two permits, and each wants a second one | `one_permit_each` |
//! | SE2 | a third holder runs, and then waits too | `third_holder_returns`, `third_holder_comes_too` |
//! | SE3 | an outsider adds permits | `outsider_adds_permits` |
//! | OA1, OA2 | a circle with a way out | `waits/stuck.rs`, `third_holder_returns`, `watchdog_ends_the_hang` |
//! | OA3 | a knot | `waits/stuck.rs`, `two_buffers`, `pipeline_shutdown` |
//! | OA4 | input, the time, a thread that nobody knows | `waits_for_input`, `heartbeat`, `plain_thread_sends_late` |
//! | OV1 | random short waits | `short_waits_of_every_kind_are_no_standstill`, `live.rs` |
//! | OV2 | reports while locks are held, panics in sections, the end of threads, fork | `live.rs`, `behaviour/odd_places.rs`, `behaviour/poison.rs`, `process.rs` |
#![cfg(all(any(debug_assertions, feature = "always"), target_os = "linux"))]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a stuck program is killed after.
const TOO_LONG: Duration = Duration::from_secs(30);

struct Ended {
    status: Option<i32>,
    stderr: String,
}

fn play(scene: &str, settings: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hang"))
        .arg(scene)
        .env("RUST_BACKTRACE", "0")
        .env("SYNC_TRACE", settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    let started = Instant::now();
    // For those who wait for it.
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        // The program may have ended.
        _ = stdin.write_all(b"go\n");
    });
    while child.try_wait().expect("it can be asked").is_none() {
        if started.elapsed() > TOO_LONG {
            child.kill().expect("it can be killed");
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("it has ended");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ended { status: output.status.code(), stderr }
}

/// The scene ends in a report with this code that contains all of these.
#[track_caller]
fn stuck(scene: &str, code: &str, parts: &[&str]) {
    let Ended { status, stderr } = play(scene, "");
    assert!(matches!(status, Some(66 | 101)), "{scene}: {status:?}\n{stderr}");
    assert!(stderr.contains(&format!("error[{code}")), "{scene}: no {code} in\n{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{scene}: no `{part}` in\n{stderr}");
    }
}

#[track_caller]
fn fine(scene: &str) {
    let Ended { status, stderr } = play(scene, "");
    assert_eq!((status, stderr.as_str()), (Some(0), ""), "{scene}");
}

macro_rules! stuck {
    ($($scene:ident: $code:literal, $($part:literal),*;)*) => {$(
        #[test]
        fn $scene() {
            $crate::stuck(stringify!($scene), $code, &[$($part),*]);
        }
    )*};
}

stuck! {
    lost_wakeup: "ST0003", "`ready`", "when nobody was waiting", "'producer', which has ended,";
    acknowledged_under_a_lock: "ST0003", "`acknowledged`", "`outer`", "'worker'";
    never_signalled: "ST0003", "`changed`", "never been signalled";
    second_waiter: "ST0001", "`opened`", "by `notify_one`, which wakes only one thread";
    two_buffers: "ST0001", "`not_empty`", "`not_full`", "'consumer'";
    late_end: "ST0003", "`finished`", "status 66";
    crossed_requests: "ST0003", "'one'", "'other'";
    full_under_a_lock: "ST0003", "`jobs`", "`log`", "'producer'", "'consumer'";
    own_sender: "ST0003", "`results`", "drop every sender";
    full_mailboxes: "ST0003", "`left`", "`right`";
    reply_under_a_lock: "ST0003", "`reply`", "`table`", "'client'", "'server'";
    leaked_sender: "ST0003", "nobody is left to send";
    own_rendezvous: "ST0003", "`meet`", "nobody is left to receive";
    // Which of them sent last is chance.
    workers_wait_for_senders_they_hold: "ST000", "`work`";
    participant_has_ended: "ST0003", "`start`", "when 3 have come; 2 have";
    participant_behind_a_lock: "ST0003", "`phase`", "`state`";
    too_many_parties: "ST0003", "`gate`", "when 4 have come; 3 have";
    two_barriers: "ST0003", "when 2 have come; 1 has";
    parked_for_ever: "ST0003", "nobody is left to unpark";
    three_and_a_signal: "ST0003", "`changed`", "`first`", "`second`";
    outer_lock_taken_last: "ST0003", "`changed`", "`late`";
    scope_of_a_receiver: "ST0001", "for the threads of its scope to end";
    one_permit_each: "ST0001", "`pool`", "'t0'", "'t1'";
    third_holder_comes_too: "ST0001", "`pool`", "'main'";
    second_permit_of_its_own: "ST0002", "`once`";
    permit_under_a_lock: "ST0001", "`stats`", "`connections`", "'reporter'";
    forgotten_permits: "ST0003", "`slots`";
    waits_in_the_wrong_order: "ST000", "`buffer`", "`empty`", "'producer'";
    pipeline_shutdown: "ST0003", "`stage`", "`all_out`";
}

mod real {
    stuck! {
        jobs_wait_for_jobs: "ST000", "a message from";
        logger_joined_in_drop: "ST000", "a message from";
        flag_under_another_mutex: "ST000", "when nobody was waiting";
        second_phase_without_all: "ST000", "when 3 have come; 2 have";
        both_send_first: "ST000", "to send to";
        channel_made_at_first_use: "ST000", "QUEUE";
        token_taken_by_somebody_else: "ST000", "to be unparked";
        child_waits_for_its_parents_drop: "ST000", "a message from";
        producer_dies: "ST0003", "never been signalled";
        wrong_one_is_notified: "ST000", "by `notify_one`";
        flag_that_nobody_looks_at: "ST000", "a message from";
        cell_made_by_two_threads: "ST0001", "CELL";
        all_jobs_before_any_result: "ST000", "to send to";
        message_awaited_while_reading: "ST0003", "config";
        jobs_meet_in_a_small_pool: "ST000", "when 3 have come; 2 have";
        guard_lives_through_the_body: "ST0003", "queue";
        two_join_each_other: "ST0001", "to end";
        actor_calls_itself: "ST000", "a message from";
        latch_counts_one_too_many: "ST0003", "never been signalled";
    }
}

macro_rules! fine {
    ($($scene:ident)*) => {
        mod near_misses {
            $(
                #[test]
                fn $scene() {
                    super::fine(stringify!($scene));
                }
            )*
        }
    };
}

fine! {
    last_sender_goes
    plain_thread_sends_late
    traced_thread_signals_late
    plain_thread_computes
    timed_wait_in_a_circle
    waits_for_input
    heartbeat
    signal_handler
    ping_pong
    park_ping_pong
    rendezvous_ping_pong
    plain_channel_between
    idle_pool
    barrier_rounds
    third_holder_returns
    outsider_adds_permits
    muted_thread_at_the_barrier
    barrier_of_std
    mutex_of_std_is_given_up
    signalled_by_std_under_the_mutex
    message_of_std_comes_late
    room_made_by_std_comes_late
    rendezvous_with_std_comes_late
    muted_thread_adds_permits
    last_words_of_a_thread
    waits_for_a_process
    jobs_wait_for_jobs_with_one_worker_more
    logger_joined_in_drop_without_senders
    flag_under_the_same_mutex
    second_phase_with_all
    one_sends_first
    channel_made_before_its_use
    token_given_again
    child_is_told_before_the_scope_ends
    producer_tells_though_it_dies
    all_are_notified
    flag_and_no_more_jobs
    cell_made_by_one_thread
    results_taken_meanwhile
    message_awaited_after_reading
    jobs_meet_in_a_large_pool
    guard_ends_before_the_body
    one_joins_the_other
    actor_answers_others
    one_notifier_is_free
    watchdog_ends_the_hang
    watchdog_only_looks
    latch_counts_all
}

/// It is told, once, of what has lasted long and keeps others waiting, and nothing fails.
#[test]
fn what_lasts_long_and_keeps_others_waiting_is_told_once() {
    for (scene, parts) in [
        (
            "stalled_reply",
            &["last by the first", "\"client\"", "holds table", "'server' sent a message", "ago"][..],
        ),
        (
            "stalled_without_a_giver",
            &["by nobody who is known", "\"waiter\"", "holds outer", "1 thread waits behind them"],
        ),
        (
            "stalled_behind_a_join",
            &["3 threads", "holds state", "\"reader\"", "for 'worker' to end", "for a message"],
        ),
    ] {
        let Ended { status, stderr } = play(scene, "stall=300ms");
        assert_eq!(status, Some(0), "{scene}: {stderr}");
        assert_eq!(stderr.matches("stalled:").count(), 1, "{scene}: {stderr}");
        assert!(stderr.starts_with("note: stalled: "), "{scene}: {stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{scene}: no `{part}` in\n{stderr}");
        }
        let Ended { status, stderr } = play(scene, "stall=off");
        assert_eq!((status, stderr.as_str()), (Some(0), ""), "{scene}");
    }
}

/// It sleeps with a time limit, as a thread of the program's might that will end the wait.
#[test]
fn the_thread_that_prints_is_none_of_the_program() {
    let Ended { status, stderr } = play("lost_wakeup", "print_contention=60min");
    assert!(matches!(status, Some(66 | 101)), "{status:?}\n{stderr}");
    assert!(stderr.contains("error[ST0003"), "{stderr}");
}

/// Idle threads, those that take turns, and those who wait for work that is being done.
#[test]
fn what_a_healthy_program_does_for_long_is_not_told() {
    for scene in [
        "idle_workers_at_one_receiver",
        "idle_workers_at_two_lines",
        "idle_actors",
        "long_work_for_a_holder",
        "idle_holders_of_permits",
        "joined_idle_workers",
    ] {
        let Ended { status, stderr } = play(scene, "stall=300ms");
        assert_eq!((status, stderr.as_str()), (Some(0), ""), "{scene}");
    }
}

/// Who watches them looks once in a while, and at what is new.
#[test]
fn a_thousand_idle_threads_cost_the_processor_next_to_nothing() {
    for settings in ["stall=300ms", "stall=off"] {
        let program = Command::new(env!("CARGO_BIN_EXE_hang"))
            .arg("thousand_idle_threads")
            .env("SYNC_TRACE", settings)
            .output()
            .expect("the program runs");
        let [stdout, stderr] =
            [program.stdout, program.stderr].map(|text| String::from_utf8(text).unwrap());
        assert_eq!((program.status.code(), stderr.as_str()), (Some(0), ""));
        let micros: u64 = stdout.trim().parse().expect("it prints a number");
        println!("{settings}: {micros} us of the processor in 2 s");
        // Of two seconds: one part in twenty.
        assert!(micros < 100_000, "{settings}: {micros} us");
    }
}

/// A stopped thread does not sleep, whatever it did before: it may have been woken up.
#[test]
fn a_thread_that_a_debugger_has_stopped_may_go_on() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hang"))
        .arg("held_by_a_debugger")
        .env("SYNC_TRACE", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let thread: libc::pid_t = line.trim().parse().unwrap();
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: these take numbers, and the memory of neither process is touched.
    let is_held = unsafe {
        libc::ptrace(libc::PTRACE_SEIZE, thread, nothing, nothing) == 0
            && libc::ptrace(libc::PTRACE_INTERRUPT, thread, nothing, nothing) == 0
            && libc::waitpid(thread, std::ptr::null_mut(), libc::__WALL) == thread
    };
    if !is_held {
        eprintln!("skipped: no debugger is allowed here");
    }
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    // Longer than anything that sleeps is looked at before it is called stuck.
    std::thread::sleep(Duration::from_millis(1000));
    // SAFETY: as above.
    unsafe {
        // Should it have ended, somebody has to take note of that.
        if libc::ptrace(libc::PTRACE_DETACH, thread, nothing, nothing) != 0 {
            libc::waitpid(thread, std::ptr::null_mut(), libc::__WALL | libc::WNOHANG);
        }
    }
    let output = child.wait_with_output().expect("it has ended");
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(0), "")
    );
}

/// A program that is built as a test, but is none, as far as its place tells: its main thread works, without
/// anything on record.
#[test]
fn a_main_thread_that_is_no_harness_is_not_taken_for_one() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("deps");
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("hang");
    std::fs::copy(env!("CARGO_BIN_EXE_hang"), &program).unwrap();
    for scene in ["main_computes", "main_waits_for_a_while"] {
        let output = Command::new(&program).arg(scene).env("SYNC_TRACE", "").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{scene}");
    }
}

/// A pool that is never ended outlives the tests, whose harness is busy after them.
#[test]
fn a_pool_that_outlives_the_tests_is_not_stuck() {
    let mut again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leaves_a_pool_behind", "--ignored", "--nocapture", "--test-threads=2"])
        .env("SYNC_TRACE", "")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads what it writes, and the pipe is full: it cannot end.
    std::thread::sleep(Duration::from_millis(2000));
    let mut stdout = again.stdout.take().unwrap();
    std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    let output = again.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""));
}

#[test]
#[ignore = "another test runs it in a process of its own"]
fn leaves_a_pool_behind() {
    let (sender, jobs) = sync_trace::sync::mpsc::channel::<()>();
    std::mem::forget(sender);
    sync_trace::thread::spawn(move || jobs.recv());
    fill_standard_output();
}

/// So that whoever writes there next has to wait until somebody reads.
fn fill_standard_output() {
    // SAFETY: the descriptor is open, and the bytes are ours.
    unsafe {
        let flags = libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL);
        libc::fcntl(libc::STDOUT_FILENO, libc::F_SETFL, flags | libc::O_NONBLOCK);
        while libc::write(libc::STDOUT_FILENO, [b'\n'; 512].as_ptr().cast(), 512) > 0 {}
        while libc::write(libc::STDOUT_FILENO, [b'\n'; 1].as_ptr().cast(), 1) > 0 {}
        libc::fcntl(libc::STDOUT_FILENO, libc::F_SETFL, flags);
    }
}

/// OV1: ten programs at once, so that none gets the processor when it would like to.
#[test]
fn short_waits_of_every_kind_are_no_standstill() {
    let programs: Vec<_> = (1..=10)
        .map(|seed: u32| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_hang"));
            let command = command.arg("short_waits").env("SEED", seed.to_string());
            let command = command.env("SYNC_TRACE", "").env("RUST_BACKTRACE", "0");
            (seed, command.stderr(Stdio::piped()).spawn().expect("the program starts"))
        })
        .collect();
    for (seed, program) in programs {
        let output = program.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "seed {seed}");
    }
}
