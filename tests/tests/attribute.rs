//! `#[sync_trace::test]`: what it lets pass, what it fails, and what it refuses to compile.

#[sync_trace::test]
fn a_test_without_a_finding_passes() {
    let lock = sync_trace::sync::Mutex::new(1);
    assert_eq!(*lock.lock().unwrap(), 1);
}

#[sync_trace::test]
fn a_test_may_return_a_result() -> Result<(), std::num::ParseIntError> {
    let number: i32 = "7".parse()?;
    assert_eq!(number, 7);
    Ok(())
}

#[test]
#[expect(unnameable_test_items, reason = "called here, to look at what it returns")]
fn what_a_test_returns_is_returned() {
    #[sync_trace::test]
    fn fails() -> Result<(), String> {
        Err("the test's own error")?;
        Ok(())
    }
    assert_eq!(fails(), Err("the test's own error".to_owned()));
}

#[sync_trace::test]
#[should_panic(expected = "the test's own panic")]
fn a_test_may_be_expected_to_panic() {
    panic!("the test's own panic");
}

#[sync_trace::test]
#[ignore = "shows that a test may be ignored"]
fn a_test_may_be_ignored() {
    unreachable!();
}

#[cfg(debug_assertions)]
#[test]
fn each_mistake_has_its_message() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

/// With a deadline, with and without tracing.
mod deadlines {
    use std::num::ParseIntError;
    use std::panic::catch_unwind;
    use std::process::{Command, ExitCode};
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    use super::text;
    use sync_trace::sync::mpsc::{Sender, channel};

    #[sync_trace::test(deadline = "10min")]
    fn a_test_in_time_passes() {
        assert_eq!(*sync_trace::sync::Mutex::new(1).lock().unwrap(), 1);
    }

    #[sync_trace::test(deadline = "10min")]
    fn so_does_one_with_a_result() -> Result<(), ParseIntError> {
        assert_eq!("7".parse::<i32>()?, 7);
        Ok(())
    }

    #[sync_trace::test(deadline = "10min")]
    fn so_does_one_with_a_status() -> ExitCode {
        ExitCode::SUCCESS
    }

    #[sync_trace::test(deadline = "10min")]
    #[should_panic(expected = "the test's own panic")]
    fn its_panic_is_the_tests_own() {
        panic!("the test's own panic");
    }

    #[test]
    #[expect(unnameable_test_items, reason = "called here, to look at how it fails")]
    fn its_error_is_the_tests_own() {
        #[sync_trace::test(deadline = "10min")]
        fn fails() -> Result<(), String> {
            Err("the test's own error")?;
            Ok(())
        }
        let message = text(catch_unwind(fails).unwrap_err());
        assert_eq!(message, "Error: \"the test's own error\"");
    }

    #[sync_trace::test(deadline = "10min", tokio::test)]
    async fn an_async_test_in_time_passes() -> Result<(), ParseIntError> {
        tokio::task::yield_now().await;
        assert_eq!("7".parse::<i32>()?, 7);
        Ok(())
    }

    #[test]
    #[expect(unnameable_test_items, reason = "called here, to look at how it fails")]
    fn a_test_that_hangs_fails_with_what_it_waits_for() {
        /// The last endpoint, without which it would not hang.
        static SENDER: Mutex<Option<Sender<()>>> = Mutex::new(None);

        #[sync_trace::test(deadline = "1s")]
        fn hangs() {
            let (sender, receiver) = channel();
            *SENDER.lock().unwrap() = Some(sender);
            let _ = receiver.recv();
        }
        let started = Instant::now();
        let message = text(catch_unwind(hangs).unwrap_err());
        let took = started.elapsed();
        // Not hung any more.
        drop(SENDER.lock().unwrap().take());
        assert!(Duration::from_secs(1) <= took, "{took:?}");
        assert!(took < Duration::from_secs(60), "{took:?}");
        assert!(message.starts_with("the test has not ended after 1s"), "{message}");
        if sync_trace::ENABLED {
            let name = std::thread::current().name().unwrap().to_owned();
            assert!(message.contains(&name), "{message}");
            assert!(message.contains("tests/attribute.rs"), "{message}");
        }
    }

    /// Run by the test below, in a process that does not survive it.
    #[sync_trace::test(tokio::test, deadline = "1s")]
    #[ignore = "hangs on purpose"]
    async fn hangs_in_a_poll() {
        let (_sender, receiver) = channel::<()>();
        // Without a limit it would be told at once that nobody is left to send.
        let _ = receiver.recv_timeout(std::time::Duration::from_secs(3600));
    }

    #[test]
    fn an_async_test_that_hangs_ends_the_process_with_what_it_waits_for() {
        let mut run = Command::new(std::env::current_exe().unwrap());
        run.args(["--exact", "--ignored", "--nocapture", "deadlines::hangs_in_a_poll"]);
        let output = run.env_remove("SYNC_TRACE").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(sync_trace::EXIT_STATUS), "{stderr}");
        assert!(stderr.contains("the test has not ended after 1s"), "{stderr}");
        if sync_trace::ENABLED {
            assert!(stderr.contains("tests/attribute.rs"), "{stderr}");
        }
    }
}

/// Beside the attribute of an executor.
mod stacked {
    use sync_trace::sync::Mutex;
    use tokio::task::yield_now;

    #[sync_trace::test(tokio::test)]
    async fn below_ours() {
        yield_now().await;
        assert_eq!(*Mutex::new(1).lock().unwrap(), 1);
    }

    #[sync_trace::test(tokio::test(flavor = "current_thread"))]
    async fn with_arguments() -> Result<(), std::num::ParseIntError> {
        yield_now().await;
        assert_eq!("7".parse::<i32>()?, 7);
        Ok(())
    }

    #[sync_trace::test]
    #[tokio::test]
    async fn written_below() {
        yield_now().await;
    }

    #[tokio::test]
    #[sync_trace::test]
    async fn written_above() {
        yield_now().await;
    }

    #[sync_trace::test(tokio::test)]
    #[should_panic(expected = "the test's own panic")]
    async fn its_panic_is_the_tests_own() {
        yield_now().await;
        panic!("the test's own panic");
    }
}

/// Where nothing is found, what the test would provoke would really happen.
#[cfg(not(any(debug_assertions, feature = "always")))]
mod compiled_out {
    #[sync_trace::test(expect = "ST0102")]
    fn a_test_that_expects_a_finding_is_not_run() {
        unreachable!();
    }

    #[sync_trace::test(tokio::test, expect = ["ST0101", "ST0102"], deadline = "1s")]
    async fn nor_is_an_async_one() -> Result<(), String> {
        unreachable!();
    }
}

fn text(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a message")).to_owned(),
    }
}

#[cfg(any(debug_assertions, feature = "always"))]
mod expected {
    use std::panic::catch_unwind;
    use std::sync::mpsc::channel;

    use super::text;
    use sync_trace::sync::Mutex;
    use sync_trace::{lock_order, thread};

    #[sync_trace::test(expect = "ST0101")]
    fn an_inversion_that_is_made_passes() {
        inverts();
    }

    #[sync_trace::test(expect = "ST0102")]
    fn a_broken_order_that_is_made_passes() {
        breaks(&Mutex::new(1), &Mutex::new(2));
    }

    #[sync_trace::test(expect = "ST0102")]
    fn it_passes_too_if_the_panic_was_swallowed() {
        assert!(catch_unwind(|| breaks(&Mutex::new(1), &Mutex::new(2))).is_err());
    }

    #[sync_trace::test(expect = "ST0102")]
    fn it_passes_too_if_a_child_makes_it() {
        let child = thread::spawn(|| breaks(&Mutex::new(1), &Mutex::new(2)));
        assert!(child.join().is_err());
    }

    #[sync_trace::test(expect = "ST0102")]
    fn it_passes_too_if_the_test_has_a_result() -> Result<(), String> {
        breaks(&Mutex::new(1), &Mutex::new(2));
        Err("not reached".to_owned())
    }

    #[sync_trace::test(expect = ["ST0101", "ST0102"])]
    fn several_that_are_all_made_pass() {
        inverts();
        breaks(&Mutex::new(1), &Mutex::new(2));
    }

    #[sync_trace::test(expect = "ST0101", deadline = "10min")]
    fn with_a_deadline_it_passes_too() {
        inverts();
    }

    #[sync_trace::test(tokio::test, expect = "ST0102")]
    async fn an_async_test_that_makes_it_passes() {
        tokio::task::yield_now().await;
        breaks(&Mutex::new(1), &Mutex::new(2));
    }

    #[sync_trace::test(expect = "ST0101")]
    #[should_panic(expected = "the test expects ST0101, which was not found")]
    fn one_that_is_not_made_fails() {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        for _ in 0..2 {
            let _a = a.lock().unwrap();
            let _b = b.lock().unwrap();
        }
    }

    #[sync_trace::test(expect = "ST0102", deadline = "10min")]
    #[should_panic(expected = "the test expects ST0102, which was not found")]
    fn so_it_does_with_a_deadline() {}

    #[sync_trace::test(tokio::test, expect = "ST0102")]
    #[should_panic(expected = "the test expects ST0102, which was not found")]
    async fn so_does_an_async_one() {
        tokio::task::yield_now().await;
    }

    #[sync_trace::test(expect = ["ST0101", "ST0102"])]
    #[should_panic(expected = "the test expects ST0101, which was not found")]
    fn one_of_two_is_not_enough() {
        breaks(&Mutex::new(1), &Mutex::new(2));
    }

    #[sync_trace::test(expect = "ST0101")]
    #[should_panic(expected = "error[ST0102]")]
    fn another_finding_fails_it() {
        breaks(&Mutex::new(1), &Mutex::new(2));
    }

    #[test]
    #[expect(unnameable_test_items, reason = "called here, to look at how they fail")]
    fn another_finding_besides_fails_it_and_is_the_one_that_is_shown() {
        #[sync_trace::test(expect = "ST0102")]
        fn both() {
            assert!(catch_unwind(|| breaks(&Mutex::new(1), &Mutex::new(2))).is_err());
            inverts();
        }
        let message = text(catch_unwind(both).unwrap_err());
        let heading = "sync-trace made a finding in this test's threads";
        assert!(message.starts_with(heading), "{message}");
        assert!(message.contains("error[ST0101]"), "{message}");
        assert!(!message.contains("error[ST0102]"), "{message}");

        #[sync_trace::test(expect = "ST0102")]
        fn swallowed() {
            inverts();
        }
        let message = text(catch_unwind(swallowed).unwrap_err());
        assert!(message.starts_with(heading), "{message}");
        assert!(message.contains("error[ST0101]"), "{message}");
    }

    #[sync_trace::test(expect = "ST0102")]
    #[should_panic(expected = "the test's own panic")]
    fn a_panic_of_its_own_fails_it() {
        panic!("the test's own panic");
    }

    #[sync_trace::test(expect = "ST0102")]
    #[should_panic(expected = "the test's own panic")]
    fn so_it_does_after_what_is_expected() {
        assert!(catch_unwind(|| breaks(&Mutex::new(1), &Mutex::new(2))).is_err());
        panic!("the test's own panic");
    }

    #[sync_trace::test(expect = "ST0102", deadline = "10min")]
    #[should_panic(expected = "the test's own panic")]
    fn so_it_does_after_what_is_expected_with_a_deadline() {
        assert!(thread::spawn(|| breaks(&Mutex::new(1), &Mutex::new(2))).join().is_err());
        panic!("the test's own panic");
    }

    #[sync_trace::test(tokio::test, expect = "ST0102")]
    #[should_panic(expected = "the test's own panic")]
    async fn so_it_does_after_what_an_async_one_expects() {
        assert!(catch_unwind(|| breaks(&Mutex::new(1), &Mutex::new(2))).is_err());
        tokio::task::yield_now().await;
        panic!("the test's own panic");
    }

    #[sync_trace::test(expect = "ST0102")]
    fn a_childs_expected_panic_may_be_unwrapped() {
        thread::spawn(|| breaks(&Mutex::new(1), &Mutex::new(2))).join().unwrap();
    }

    #[sync_trace::test(expect = "ST0102")]
    fn or_resumed() {
        let child = thread::spawn(|| breaks(&Mutex::new(1), &Mutex::new(2)));
        std::panic::resume_unwind(child.join().unwrap_err());
    }

    #[sync_trace::test(expect = "ST0102")]
    fn or_said_in_other_words() {
        let child = thread::spawn(|| breaks(&Mutex::new(1), &Mutex::new(2)));
        panic!("the child has failed: {}", text(child.join().unwrap_err()));
    }

    #[sync_trace::test(expect = "ST0102")]
    fn or_handed_on_by_a_scope() {
        thread::scope(|scope| {
            scope.spawn(|| breaks(&Mutex::new(1), &Mutex::new(2)));
        });
    }

    #[sync_trace::test(expect = "ST0102")]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_childs_own_panic_fails_it_when_handed_on_by_a_scope() {
        assert!(catch_unwind(|| breaks(&Mutex::new(1), &Mutex::new(2))).is_err());
        thread::scope(|scope| {
            scope.spawn(|| panic!("the child's own panic"));
        });
    }

    #[sync_trace::test(expect = "ST0102")]
    #[should_panic(expected = "Any { .. }")]
    fn or_unwrapped() {
        assert!(catch_unwind(|| breaks(&Mutex::new(1), &Mutex::new(2))).is_err());
        thread::spawn(|| panic!("the child's own panic")).join().unwrap();
    }

    #[sync_trace::test(expect = "ST0102")]
    #[should_panic(expected = "a scoped thread panicked")]
    fn so_it_does_if_another_child_makes_what_is_expected() {
        thread::scope(|scope| {
            scope.spawn(|| breaks(&Mutex::new(1), &Mutex::new(2)));
            scope.spawn(|| panic!("the child's own panic"));
        });
    }

    #[sync_trace::test(tokio::test)]
    #[should_panic(expected = "nothing else failed the test")]
    async fn a_finding_that_an_async_test_swallows_fails_it() {
        tokio::task::yield_now().await;
        assert!(catch_unwind(|| breaks(&Mutex::new(1), &Mutex::new(2))).is_err());
    }

    #[sync_trace::test(tokio::test)]
    #[should_panic(expected = "error[ST0102]")]
    async fn a_finding_of_an_async_test_fails_it() {
        tokio::task::yield_now().await;
        breaks(&Mutex::new(1), &Mutex::new(2));
    }

    #[sync_trace::test(deadline = "10min")]
    #[should_panic(expected = "nothing else failed the test")]
    fn a_finding_fails_one_with_a_deadline() {
        let _ = thread::spawn(|| breaks(&Mutex::new(1), &Mutex::new(2))).join();
    }

    /// Takes the locks against the declared order.
    #[lock_order(a < b)]
    fn breaks(a: &Mutex<u8>, b: &Mutex<u16>) {
        let _b = b.lock().unwrap();
        let _a = a.lock().unwrap();
    }

    /// Takes two locks in both orders, one after the other, so that nothing hangs.
    fn inverts() {
        let (a, b) = (Mutex::new(1), Mutex::new(2));
        // Not of ours, which would be known to order them.
        let (go, gone) = channel();
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                let _a = a.lock().unwrap();
                let _b = b.lock().unwrap();
                go.send(()).unwrap();
            });
            let (a, b) = (&a, &b);
            let second = scope.spawn(move || {
                gone.recv().unwrap();
                let _b = b.lock().unwrap();
                let _a = a.lock().unwrap();
            });
            first.join().unwrap();
            assert!(second.join().is_err());
        });
    }
}

#[cfg(any(debug_assertions, feature = "always"))]
mod findings {
    use std::panic::catch_unwind;
    use std::sync::Barrier;

    use super::text;
    use sync_trace::sync::Mutex;
    use sync_trace::thread;

    const NOTHING_ELSE: &str =
        "sync-trace made a finding in this test's threads, and nothing else failed the test";

    #[sync_trace::test]
    #[should_panic(expected = "error[ST0002]: deadlock")]
    fn a_finding_in_the_tests_own_thread_fails_it() {
        relock();
    }

    // These two would leave the whole run with status 66 if the finding counted as swallowed.
    #[sync_trace::test]
    #[should_panic(expected = "error[ST0002]: deadlock")]
    fn a_childs_finding_that_the_test_hands_on_was_expected() {
        if let Err(panic) = thread::spawn(relock).join() {
            panic!("{}", text(panic));
        }
    }

    #[test]
    #[should_panic(expected = "error[ST0002]: deadlock")]
    fn so_it_was_in_an_ordinary_test() {
        if let Err(panic) = thread::spawn(relock).join() {
            panic!("{}", text(panic));
        }
    }

    #[sync_trace::test]
    #[should_panic(expected = "nothing else failed the test")]
    fn a_finding_that_the_test_itself_swallows_fails_it() {
        assert!(catch_unwind(relock).is_err());
    }

    #[sync_trace::test]
    #[should_panic(expected = "nothing else failed the test")]
    fn a_finding_in_a_child_that_nobody_asks_fails_it() {
        let _ = thread::spawn(relock).join();
    }

    #[sync_trace::test]
    #[should_panic(expected = "nothing else failed the test")]
    fn a_finding_in_a_grandchild_fails_it() {
        let child = thread::spawn(|| drop(thread::spawn(relock).join()));
        child.join().unwrap();
    }

    #[sync_trace::test]
    #[should_panic(expected = "sync-trace made 2 findings in this test's threads")]
    fn several_findings_are_counted() {
        for _ in 0..2 {
            let _ = thread::spawn(relock).join();
        }
    }

    #[sync_trace::test]
    fn what_is_caught_inside_is_not_the_tests_and_all_else_still_is() {
        use sync_trace::catch_findings;

        let outer = catch_findings(|| {
            let inner = catch_findings(relock);
            assert_eq!((inner.result.is_err(), inner.findings.len()), (true, 1));
            // A panic of another kind in between.
            let inner = catch_findings(|| panic!("on purpose"));
            assert_eq!((inner.result.is_err(), inner.findings.len()), (true, 0));
            let _ = thread::spawn(relock).join();
        });
        assert_eq!((outer.result.is_ok(), outer.findings.len()), (true, 1));
    }

    #[sync_trace::test]
    #[should_panic(expected = "nothing else failed the test")]
    fn after_a_caught_panic_findings_are_the_tests_again() {
        let caught = sync_trace::catch_findings(|| panic!("on purpose"));
        assert!(caught.result.is_err());
        let _ = thread::spawn(relock).join();
    }

    #[sync_trace::test]
    #[should_panic(expected = "nothing else failed the test")]
    fn so_they_are_if_nothing_was_recorded_when_it_ended() {
        let mut quiet = None;
        let caught = sync_trace::catch_findings(|| quiet = Some(sync_trace::mute()));
        assert!(caught.findings.is_empty());
        drop(quiet);
        let _ = thread::spawn(relock).join();
    }

    #[sync_trace::test]
    fn a_finding_that_the_test_takes_does_not_fail_it() {
        let _ = thread::Builder::new().name("taken".to_owned()).spawn(relock).unwrap().join();
        let taken = sync_trace::take_findings_where(|finding| {
            finding.links[0].agent.name.as_deref() == Some("taken")
        });
        assert_eq!(taken.len(), 1);
    }

    #[test]
    #[expect(unnameable_test_items, reason = "called here, to look at how it fails")]
    fn the_panic_shows_the_report() {
        #[sync_trace::test]
        fn swallows() {
            let _ = thread::spawn(relock).join();
        }
        let message = text(catch_unwind(swallows).unwrap_err());
        assert!(message.starts_with(NOTHING_ELSE), "{message}");
        assert!(message.contains("error[ST0002]"), "{message}");
        assert!(message.contains("tests/attribute.rs"), "{message}");
    }

    #[test]
    #[expect(unnameable_test_items, reason = "called here, to look at how they fail")]
    fn tests_that_run_at_the_same_time_do_not_get_each_others_findings() {
        static ALL_FOUND: Barrier = Barrier::new(3);

        #[sync_trace::test]
        fn first() {
            let _ =
                thread::Builder::new().name("of-first".to_owned()).spawn(relock).unwrap().join();
            ALL_FOUND.wait();
        }
        #[sync_trace::test]
        fn second() {
            let _ =
                thread::Builder::new().name("of-second".to_owned()).spawn(relock).unwrap().join();
            ALL_FOUND.wait();
        }
        #[sync_trace::test]
        fn third() {
            assert_eq!(*Mutex::new(3).lock().unwrap(), 3);
            ALL_FOUND.wait();
        }

        let [first, second, third] =
            [first, second, third].map(std::thread::spawn).map(std::thread::JoinHandle::join);
        let (first, second) = (text(first.unwrap_err()), text(second.unwrap_err()));
        assert!(first.starts_with(NOTHING_ELSE) && second.starts_with(NOTHING_ELSE));
        assert!(first.contains("'of-first'") && !first.contains("'of-second'"), "{first}");
        assert!(second.contains("'of-second'") && !second.contains("'of-first'"), "{second}");
        assert!(third.is_ok());
    }

    /// A thread waits for itself.
    fn relock() {
        let lock = Mutex::new(0);
        let _guard = lock.lock().unwrap();
        let _again = lock.lock();
    }
}
