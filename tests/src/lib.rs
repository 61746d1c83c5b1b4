//! Scenarios with real threads and real locks, written as scripts.
//!
//! ```text
//! t1: lock a; t2: lock b; t1: lock b; t2: lock a
//! ```
//!
//! Each step is done by the thread it names, and the next one begins when that thread has done it or
//! is on record as waiting, and sleeps: no step depends on time. Locks, condvars and threads come into being
//! when they are first named.
//!
//! | step | what the thread does |
//! |---|---|
//! | `lock a`, `try_lock a` | takes the mutex `a` |
//! | `read a`, `write a`, `try_read a`, `try_write a` | takes the read-write lock `a` |
//! | `downgrade a` | turns its write guard of `a` into a read guard |
//! | `release a` | drops its newest guard of `a` |
//! | `forget a` | forgets its newest guard of `a` |
//! | `give a t2` | makes `t2` the owner of its newest guard of `a`, as unsafe code might |
//! | `wait c a`, `wait_timeout c a` | waits on the condvar `c` with its guard of `a` |
//! | `notify c` | wakes all that wait on `c` |
//! | `init o` | calls `o`'s initialiser and does its next steps in there |
//! | `done o` | returns from the initialiser of `o` |
//! | `use o` | uses the value of `o`, which initialises it if nobody else does |
//! | `await o` | waits until somebody has initialised `o` |
//! | `recv q` | receives from the channel `q`, to which nothing is sent before the script's end |
//! | `park` | parks; nobody unparks it before the script's end |
//! | `join t2` | joins `t2` |
//! | `end` | ends, with what it still holds dropped |
//! | `end_holding` | ends, with what it still holds forgotten |

pub mod oracle;
pub mod outside;
mod script;
mod stage;

use sync_trace::finding::Participant;

pub use script::{Op, Step, parse};
pub use stage::{Outcome, play};

/// Whether the thread sleeps in the kernel; where that cannot be asked, it is taken to.
///
/// A wait that is on record need not have been judged yet, and its thread need not have come to the
/// queue of the real lock. One that sleeps has got there.
pub fn is_asleep(thread: &Participant) -> bool {
    sleeps(thread.os_id.unwrap_or_default())
}

/// The same of the thread that the system knows by this number.
pub fn sleeps(os_id: u64) -> bool {
    let path = format!("/proc/self/task/{os_id}/stat");
    let stat = std::fs::read_to_string(path).unwrap_or_else(|_| "() S".to_owned());
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('S'))
}

/// Plays `script` and compares the findings it leads to, each as its code and its cycle from the
/// thread with the first name on: `"ST0001 t1 -> b -> t2 -> a -> t1"`.
///
/// # Panics
///
/// If the findings differ, or if the script cannot be played to its end.
#[track_caller]
pub fn check(script: &str, expected: &[&str]) {
    let Outcome { mut findings, blocked } = play(script, expected.len());
    findings.sort();
    assert_eq!(findings, expected, "\nscript: {script}\nblocked at its end: {blocked:?}");
}

/// Plays a script that must lead to no finding.
///
/// # Panics
///
/// As [`check`].
#[track_caller]
pub fn check_silent(script: &str) {
    check(script, &[]);
}

/// Ends this process, as no test expects, if it still runs in so many seconds: then whoever waits for it is told
/// of it and does not wait for ever.
pub fn end_after(seconds: u32) {
    // SAFETY: takes a number.
    #[cfg(unix)]
    unsafe {
        libc::alarm(seconds)
    };
    #[cfg(not(unix))]
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_secs(seconds.into()));
        std::process::abort();
    });
}
