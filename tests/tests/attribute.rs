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

#[cfg(any(debug_assertions, feature = "always"))]
mod findings {
    use std::any::Any;
    use std::panic::catch_unwind;
    use std::sync::Barrier;

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

    fn text(panic: Box<dyn Any + Send>) -> String {
        *panic.downcast::<String>().expect("a formatted message")
    }
}
