//! The thread that prints from time to time what was counted since it printed last.
//!
//! It is one of ours, so whether the program has come to a standstill does not depend on it, and it is not waited for
//! when the process ends: then what is left is printed by who ends it.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::differences::Differences;
use super::overhead;
use super::snapshot::Snapshot;
use crate::atomics::{Condvar, Mutex, lock};
use crate::config::PrintContention;
use crate::current::Working;
use crate::{os, stall};

/// What it is to do.
static SETTING: Mutex<PrintContention> = Mutex::new(PrintContention::Off);
static HAS_CHANGED: Condvar = Condvar::new();

static IS_RUNNING: AtomicBool = AtomicBool::new(false);

/// What was printed already. Memory is allocated under it, but nothing is printed.
static PRINTED: Mutex<Differences> = Mutex::new(Differences::new());

/// Prints as it is said here, from now on.
pub(crate) fn follow(print: PrintContention) {
    *lock(&SETTING) = print;
    HAS_CHANGED.notify_all();
    let is_wanted = crate::ENABLED && print != PrintContention::Off;
    // It says nothing of other memory: Relaxed.
    if !is_wanted || IS_RUNNING.swap(true, Ordering::Relaxed) {
        return;
    }
    let thread = std::thread::Builder::new().name("sync-trace-print".to_owned());
    if let Err(why) = thread.spawn(keep_printing) {
        IS_RUNNING.store(false, Ordering::Relaxed);
        os::write_stderr(&format!("error: cannot start a thread to print contention: {why}\n"));
    }
}

fn keep_printing() {
    let _service = stall::serve();
    // While this thread is not at work yet, because then it cannot be measured.
    _ = overhead::measured();
    let _working = Working::begin();
    let mut last = Instant::now();
    let mut setting = lock(&SETTING);
    while let PrintContention::Every(time) = *setting {
        let left = time.saturating_sub(last.elapsed());
        if left.is_zero() {
            drop(setting);
            let new = lock(&PRINTED).next();
            print(&new);
            last = Instant::now();
            setting = lock(&SETTING);
        } else {
            let waited = HAS_CHANGED.wait_timeout(setting, left);
            setting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
    // While the mutex is held: whoever sets it to something else then sees that a new thread is needed.
    IS_RUNNING.store(false, Ordering::Relaxed);
}

/// The process ends: prints what was counted since.
pub(crate) fn print_the_rest() {
    if IS_RUNNING.load(Ordering::Relaxed) {
        // Whoever looks just now may never come to an end, and will print it if it does.
        let rest = PRINTED.try_lock().map(|mut printed| printed.next());
        rest.iter().for_each(print);
    }
}

fn print(new: &Snapshot) {
    if !new.classes.is_empty() {
        os::write_stderr(&format!("{new}\n"));
    }
}

/// This is the child of a fork, in which nobody prints.
pub(crate) fn remain_alone() {
    IS_RUNNING.store(false, Ordering::Relaxed);
}
