//! Threads that are joined while a lock is held.

use sync_trace::AsStd;
use sync_trace::sync::{Arc, Condvar, Mutex, RwLock, mpsc};
use sync_trace::thread::{self, JoinHandle};

use crate::scene::{Expected, check, gate, parts, says};

/// Waits until the thread has ended, unseen by the tracker.
fn until_it_has_ended(thread: &JoinHandle<()>) {
    while !thread.as_std().is_finished() {
        std::thread::yield_now();
    }
}

#[test]
fn a_lock_that_protects_nothing_can_have_said_nothing() {
    // JN1.
    let found = check(Expected::Predicted, || {
        let lock = Arc::new(Mutex::new(()));
        let child = {
            let lock = lock.clone();
            thread::spawn(move || drop(lock.lock().expect("not poisoned")))
        };
        until_it_has_ended(&child);
        let _held = lock.lock().expect("not poisoned");
        child.join().expect("it ends");
    });
    assert_eq!(parts(&found[0]), ["join thread, runs", "lock std Mutex, held"]);
    says(
        &found[0],
        &[
            "possible deadlock: ",
            "needs that before it ends",
            "should ",
            "before this join, or let",
        ],
    );
}

#[test]
fn who_only_reads_can_have_said_nothing() {
    check(Expected::Predicted, || {
        let table = Arc::new(RwLock::new(0));
        let child = {
            let table = table.clone();
            thread::spawn(move || assert_eq!(*table.read().expect("not poisoned"), 0))
        };
        until_it_has_ended(&child);
        let _held = table.write().expect("not poisoned");
        child.join().expect("it ends");
    });
}

#[test]
fn readers_do_not_keep_each_other_out() {
    check(Expected::Silent, || {
        let table = Arc::new(RwLock::new(0));
        let child = {
            let table = table.clone();
            thread::spawn(move || assert_eq!(*table.read().expect("not poisoned"), 0))
        };
        until_it_has_ended(&child);
        let _held = table.read().expect("not poisoned");
        child.join().expect("it ends");
    });
}

/// A child says under a lock that it is done; its parent joins it under the same lock once it has read that.
fn reads_a_flag(join: impl Fn(JoinHandle<()>)) {
    let is_done = Arc::new(Mutex::new(false));
    let child = {
        let is_done = is_done.clone();
        thread::spawn(move || *is_done.lock().expect("not poisoned") = true)
    };
    let mut child = Some(child);
    while let Some(running) = child.take() {
        let is_done = is_done.lock().expect("not poisoned");
        match *is_done {
            true => join(running),
            false => child = Some(running),
        }
    }
}

#[test]
fn a_flag_under_the_lock_may_have_said_that_the_child_is_done_with_it() {
    let listed =
        check(Expected::MayBeTold, || reads_a_flag(|child| child.join().expect("it ends")));
    says(&listed[0], &["wait under a lock: ", "may have told who joins"]);
}

#[test]
fn who_has_seen_that_the_child_has_ended_comes_after_it() {
    check(Expected::Silent, || {
        reads_a_flag(|child| {
            while !child.is_finished() {
                thread::yield_now();
            }
            child.join().expect("it ends");
        });
    });
}

#[test]
fn a_message_says_that_the_child_is_done_with_the_lock() {
    check(Expected::Silent, || {
        let lock = Arc::new(Mutex::new(()));
        let (sender, receiver) = mpsc::channel();
        let child = {
            let lock = lock.clone();
            thread::spawn(move || {
                drop(lock.lock().expect("not poisoned"));
                sender.send(()).expect("there is a receiver");
            })
        };
        receiver.recv().expect("there is a sender");
        let _held = lock.lock().expect("not poisoned");
        child.join().expect("it ends");
    });
}

#[test]
fn that_the_last_sender_is_gone_says_so_too() {
    check(Expected::Silent, || {
        let lock = Arc::new(Mutex::new(()));
        let (sender, receiver) = mpsc::channel::<()>();
        let child = {
            let lock = lock.clone();
            thread::spawn(move || {
                drop(lock.lock().expect("not poisoned"));
                drop(sender);
            })
        };
        receiver.recv().expect_err("there is no sender");
        let _held = lock.lock().expect("not poisoned");
        child.join().expect("it ends");
    });
}

#[test]
fn a_condition_says_so_too() {
    check(Expected::Silent, || {
        let shared = Arc::new((Mutex::new(()), Mutex::new(false), Condvar::new()));
        let child = {
            let shared = shared.clone();
            thread::spawn(move || {
                drop(shared.0.lock().expect("not poisoned"));
                *shared.1.lock().expect("not poisoned") = true;
                shared.2.notify_one();
            })
        };
        {
            let is_done = shared.1.lock().expect("not poisoned");
            let _done = shared.2.wait_while(is_done, |is_done| !*is_done).expect("not poisoned");
        }
        let _held = shared.0.lock().expect("not poisoned");
        child.join().expect("it ends");
    });
}

#[test]
fn a_child_that_needs_another_lock_ends() {
    check(Expected::Silent, || {
        let [lock, other] = [0, 1].map(|_| Arc::new(Mutex::new(())));
        let child = thread::spawn(move || drop(other.lock().expect("not poisoned")));
        until_it_has_ended(&child);
        let _held = lock.lock().expect("not poisoned");
        child.join().expect("it ends");
    });
}

#[test]
fn who_joins_before_it_takes_the_lock_waits_for_nobody_under_it() {
    check(Expected::Silent, || {
        let lock = Arc::new(Mutex::new(()));
        let child = {
            let lock = lock.clone();
            thread::spawn(move || drop(lock.lock().expect("not poisoned")))
        };
        child.join().expect("it ends");
        drop(lock.lock().expect("not poisoned"));
    });
}

#[test]
fn a_record_that_is_used_again_says_nothing_of_the_thread_before() {
    check(Expected::Silent, || {
        let lock = Arc::new(Mutex::new(()));
        for needs_it in [true, false, true, false] {
            let (go, may_go) = gate();
            let child = {
                let lock = lock.clone();
                thread::spawn(move || {
                    may_go.wait();
                    if needs_it {
                        drop(lock.lock().expect("not poisoned"));
                    }
                })
            };
            go.open();
            until_it_has_ended(&child);
            if !needs_it {
                let _held = lock.lock().expect("not poisoned");
                child.join().expect("it ends");
            }
        }
    });
}

#[test]
fn a_child_that_needs_the_lock_inside_another_one_needs_it() {
    check(Expected::Predicted, || {
        let [lock, outer] = [0, 1].map(|_| Arc::new(Mutex::new(())));
        let child = {
            let lock = lock.clone();
            thread::spawn(move || {
                let _outer = outer.lock().expect("not poisoned");
                drop(lock.lock().expect("not poisoned"));
            })
        };
        until_it_has_ended(&child);
        let _held = lock.lock().expect("not poisoned");
        child.join().expect("it ends");
    });
}

#[test]
fn a_flag_under_another_lock_may_have_said_so_as_well() {
    check(Expected::MayBeTold, || {
        let shared = Arc::new((Mutex::new(()), Mutex::new(false)));
        // Its first use would hide what the child takes before it.
        assert!(!*shared.1.lock().expect("not poisoned"));
        let child = {
            let shared = shared.clone();
            thread::spawn(move || {
                drop(shared.0.lock().expect("not poisoned"));
                *shared.1.lock().expect("not poisoned") = true;
            })
        };
        while !*shared.1.lock().expect("not poisoned") {
            thread::yield_now();
        }
        let _held = shared.0.lock().expect("not poisoned");
        child.join().expect("it ends");
    });
}
