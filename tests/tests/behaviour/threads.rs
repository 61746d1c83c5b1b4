//! `spawn`, `Builder`, `JoinHandle`.

use std::hint::black_box;
use std::panic::{panic_any, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use super::sync::Mutex;
use super::thread::{self, Builder};
use crate::{in_time, message, panic_of};

#[test]
fn join_gives_what_the_thread_returned() {
    in_time(|| {
        assert_eq!(thread::spawn(|| vec![1, 2]).join().unwrap(), [1, 2]);
        let moved = String::from("moved in");
        assert_eq!(thread::spawn(move || moved + " and out").join().unwrap(), "moved in and out");
        assert_eq!(Builder::new().spawn(|| 3).unwrap().join().unwrap(), 3);
    });
}

#[test]
fn join_gives_the_payload_of_the_threads_panic() {
    in_time(|| {
        let text = thread::spawn(|| panic!("as it {}", "is")).join();
        assert_eq!(message(&*text.unwrap_err()), "as it is");
        let number = thread::spawn(|| panic_any(7_u8)).join();
        assert_eq!(*number.unwrap_err().downcast::<u8>().unwrap(), 7);
        let passed_on = thread::spawn(|| {
            let inner = thread::spawn(|| panic_any("deep")).join();
            resume_unwind(inner.unwrap_err())
        });
        assert_eq!(message(&*passed_on.join().map(drop).unwrap_err()), "deep");
    });
}

#[test]
fn a_panic_in_a_thread_is_no_panic_of_whoever_started_it() {
    in_time(|| {
        drop(thread::spawn(|| panic!("nobody's business")));
        assert!(!thread::panicking());
    });
}

#[test]
fn a_thread_has_the_name_that_its_builder_got() {
    in_time(|| {
        let (send, receive) = mpsc::channel();
        let handle = Builder::new()
            .name("named by its builder".to_owned())
            .spawn(move || {
                send.send(thread::current().name().map(str::to_owned)).unwrap();
            })
            .unwrap();
        assert_eq!(handle.thread().name(), Some("named by its builder"));
        assert_eq!(receive.recv().unwrap().as_deref(), Some("named by its builder"));
        handle.join().unwrap();
        let renamed = Builder::new().name("one".to_owned()).name("two".to_owned());
        assert_eq!(renamed.spawn(|| ()).unwrap().thread().name(), Some("two"));
    });
}

#[test]
fn a_thread_that_nobody_named_has_no_name() {
    in_time(|| {
        let name = || thread::current().name().map(str::to_owned);
        let handle = thread::spawn(name);
        assert_eq!(handle.thread().name(), None);
        assert_eq!(handle.join().unwrap(), None);
        assert_eq!(Builder::new().spawn(name).unwrap().join().unwrap(), None);
        // Neither does using a lock give it one.
        let lock = Arc::new(Mutex::new(0));
        let after_a_lock = thread::spawn(move || {
            *lock.lock().unwrap() += 1;
            name()
        });
        assert_eq!(after_a_lock.join().unwrap(), None);
    });
}

#[test]
fn the_handle_and_the_thread_agree_on_its_id() {
    in_time(|| {
        let handle = thread::spawn(|| thread::current().id());
        let id = handle.thread().id();
        assert_eq!(handle.join().unwrap(), id);
        assert_ne!(id, thread::current().id());
        assert_ne!(id, thread::spawn(|| ()).thread().id());
    });
}

#[test]
fn a_stack_size_is_passed_on() {
    const LARGE: usize = 6 << 20;
    in_time(|| {
        // Three times what a thread has by default.
        let handle = Builder::new().stack_size(LARGE + (1 << 20)).spawn(|| {
            let on_the_stack = black_box([1_u8; LARGE / 2]);
            on_the_stack[black_box(LARGE / 4)]
        });
        assert_eq!(handle.unwrap().join().unwrap(), 1);
    });
}

#[test]
fn a_name_with_a_null_byte_panics_with_stds_message_and_starts_nothing() {
    in_time(|| {
        let started = Arc::new(AtomicBool::new(false));
        let clone = Arc::clone(&started);
        let builder = Builder::new().name("nul \0 inside".to_owned());
        let text = panic_of(|| builder.spawn(move || clone.store(true, Ordering::Relaxed)));
        let stds = std::thread::Builder::new().name("nul \0 inside".to_owned());
        assert_eq!(text, panic_of(|| stds.spawn(|| ())));
        // The closure is gone, and never ran.
        assert!(!Arc::into_inner(started).unwrap().into_inner());
    });
}

#[test]
fn a_thread_that_cannot_be_started_is_an_error_and_its_closure_is_dropped() {
    in_time(|| {
        let captured = Arc::new(());
        let clone = Arc::clone(&captured);
        // More than any address space.
        let builder = Builder::new().name("too large".to_owned()).stack_size(1 << 60);
        let error = builder.spawn(move || drop(clone)).unwrap_err();
        let stds = std::thread::Builder::new().stack_size(1 << 60).spawn(|| ()).unwrap_err();
        assert_eq!(error.kind(), stds.kind());
        assert_eq!(Arc::strong_count(&captured), 1);
        // And the next one starts.
        assert_eq!(thread::spawn(|| 1).join().unwrap(), 1);
    });
}

#[test]
fn a_thread_is_finished_when_it_has_ended_and_can_still_be_joined() {
    in_time(|| {
        let (go, wait) = mpsc::channel::<()>();
        let handle = thread::spawn(move || {
            wait.recv().unwrap_err();
            5
        });
        assert!(!handle.is_finished());
        drop(go);
        while !handle.is_finished() {
            thread::yield_now();
        }
        assert_eq!(handle.join().unwrap(), 5);
    });
}

#[test]
fn a_thread_whose_handle_was_dropped_goes_on() {
    in_time(|| {
        let (go, wait) = mpsc::channel::<()>();
        let (send, receive) = mpsc::channel();
        drop(thread::spawn(move || {
            wait.recv().unwrap_err();
            send.send(7).unwrap();
        }));
        drop(go);
        assert_eq!(receive.recv().unwrap(), 7);
    });
}

#[test]
fn a_thread_may_be_joined_by_another_than_the_one_that_started_it() {
    in_time(|| {
        let handle = thread::spawn(|| 1);
        let joined = thread::spawn(move || handle.join().unwrap() + 1);
        assert_eq!(joined.join().unwrap(), 2);
    });
}

#[test]
fn what_the_thread_captured_is_dropped_before_join_returns() {
    in_time(|| {
        let captured = Arc::new(Mutex::new(0));
        let clone = Arc::clone(&captured);
        thread::spawn(move || *clone.lock().unwrap() += 1).join().unwrap();
        assert_eq!(Arc::into_inner(captured).unwrap().into_inner().unwrap(), 1);
    });
}

#[test]
fn hundreds_of_threads_come_and_go_and_start_threads_of_their_own() {
    in_time(|| {
        let total = Arc::new(Mutex::new(0));
        for _ in 0..20 {
            let threads: Vec<_> = (0..10)
                .map(|_| {
                    let total = Arc::clone(&total);
                    thread::spawn(move || {
                        let clone = Arc::clone(&total);
                        let inner = thread::spawn(move || *clone.lock().unwrap() += 1);
                        *total.lock().unwrap() += 1;
                        inner.join().unwrap();
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
        assert_eq!(*total.lock().unwrap(), 400);
    });
}

#[test]
fn an_unchecked_thread_may_borrow_what_outlives_it() {
    in_time(|| {
        let mut local = vec![1];
        let name = Some("unchecked");
        let builder = Builder::new().name("unchecked".to_owned());
        // SAFETY: it is joined below, while `local` lives and is not used.
        let handle = unsafe {
            builder.spawn_unchecked(|| {
                local.push(2);
                thread::current().name() == name
            })
        };
        assert!(handle.unwrap().join().unwrap());
        assert_eq!(local, [1, 2]);
    });
}

#[test]
fn the_debug_texts_of_handles_and_builders_are_stds() {
    in_time(|| {
        let handle = thread::spawn(|| ());
        assert_eq!(format!("{handle:?}"), "JoinHandle { .. }");
        let builder = Builder::new().name("shown".to_owned()).stack_size(1 << 16);
        let stds = std::thread::Builder::new().name("shown".to_owned()).stack_size(1 << 16);
        assert_eq!(format!("{builder:?}"), format!("{stds:?}"));
        handle.join().unwrap();
    });
}

#[test]
fn a_handle_unparks_its_thread() {
    in_time(|| {
        let woken = Arc::new(AtomicBool::new(false));
        let clone = Arc::clone(&woken);
        let handle = thread::spawn(move || {
            while !clone.load(Ordering::Acquire) {
                thread::park();
            }
        });
        woken.store(true, Ordering::Release);
        handle.thread().unpark();
        handle.join().unwrap();
    });
}

#[cfg(unix)]
#[test]
fn the_posix_thread_behind_a_handle_can_be_joined_by_hand() {
    use std::os::unix::thread::{JoinHandleExt, RawPthread};

    unsafe extern "C" {
        fn pthread_join(thread: RawPthread, value: *mut *mut std::ffi::c_void) -> i32;
    }
    in_time(|| {
        let (send, receive) = mpsc::channel();
        let handle = thread::spawn(move || send.send(1).unwrap());
        let borrowed = handle.as_pthread_t();
        let owned = handle.into_pthread_t();
        assert_eq!(owned, borrowed);
        // SAFETY: the handle has given up the thread, so nobody else joins or detaches it.
        let status = unsafe { pthread_join(owned, std::ptr::null_mut()) };
        assert_eq!((status, receive.recv()), (0, Ok(1)));
    });
}
