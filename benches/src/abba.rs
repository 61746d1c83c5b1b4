//! The time from the call that closes a deadlock to the finding and its report.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Mutex as StdMutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sync_trace::sync::Mutex;
use sync_trace::{Config, Finding, OnViolation};

use crate::quiet::Quiet;

/// What was measured of one deadlock.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// From the call of `lock` until the finding is on record, as seen by a third thread.
    pub to_finding: Duration,
    /// From the same call until a handler is called; the report was rendered and printed meanwhile.
    pub to_handler: Duration,
    /// Rendering the report once more.
    pub to_text: Duration,
}

/// Makes `times` deadlocks of two threads, one after another, and resolves each by the default
/// panic. Nothing of it is printed.
pub fn measure(times: usize) -> Vec<Latency> {
    let _quiet = Quiet::stderr();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    Config::new().on_violation(OnViolation::Panic).install();
    sync_trace::set_handler(|_| *called_at() = Some(Instant::now()));

    let latencies = (0..times).filter_map(|_| deadlock()).collect();

    sync_trace::set_handler(|_| {});
    panic::set_hook(hook);
    latencies
}

/// When the handler was last called.
fn called_at() -> std::sync::MutexGuard<'static, Option<Instant>> {
    static CALLED_AT: StdMutex<Option<Instant>> = StdMutex::new(None);
    CALLED_AT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One deadlock; `None` if there was no finding.
fn deadlock() -> Option<Latency> {
    let (accounts, audit_log) = (Mutex::new(0u64), Mutex::new(String::new()));
    let both_hold_one = Barrier::new(2);
    let recorded = Recorded::default();

    let calling_at = thread::scope(|scope| {
        scope.spawn(|| {
            let _accounts = accounts.lock().unwrap();
            both_hold_one.wait();
            // Served as soon as the other thread's panic has freed it.
            audit_log.lock().unwrap().push('.');
        });
        scope.spawn(|| recorded.watch());

        let audit_log = audit_log.lock().unwrap();
        both_hold_one.wait();
        until(|| recorded.is_watching() && somebody_waits());
        let calling_at = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            let _audit_log = audit_log;
            *accounts.lock().unwrap() += 1;
        }));
        recorded.stop();
        outcome.is_err().then_some(calling_at)
    })?;

    // Taken, it is no reason to end the process with a status of its own.
    let finding = sync_trace::take_findings().pop()?;
    let handler_called_at = called_at().take()?;
    // On a busy machine the watcher may come late, and the handler cannot come early.
    let recorded_at = handler_called_at.min(*recorded.at.get()?);
    Some(Latency {
        to_finding: recorded_at.duration_since(calling_at),
        to_handler: handler_called_at.duration_since(calling_at),
        to_text: rendering(&finding),
    })
}

fn rendering(finding: &Arc<Finding>) -> Duration {
    let start = Instant::now();
    std::hint::black_box(finding.to_string());
    start.elapsed()
}

fn somebody_waits() -> bool {
    sync_trace::snapshot().agents.iter().any(|state| state.wait.is_some())
}

fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::hint::spin_loop();
    }
}

/// When a finding came on record. The handler cannot tell: it is called after the report was
/// printed.
#[derive(Default)]
struct Recorded {
    watching: AtomicBool,
    stopped: AtomicBool,
    at: OnceLock<Instant>,
}

impl Recorded {
    /// Looks until there is a finding, or until [`stop`](Self::stop).
    fn watch(&self) {
        self.watching.store(true, Ordering::Relaxed);
        until(|| !sync_trace::findings().is_empty() || self.stopped.load(Ordering::Relaxed));
        self.at.get_or_init(Instant::now);
    }

    fn is_watching(&self) -> bool {
        self.watching.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_deadlock_is_found_and_leaves_nothing_behind() {
        let latencies = measure(3);
        assert_eq!(latencies.len(), 3);
        assert!(latencies.iter().all(|latency| latency.to_finding > Duration::ZERO));
        assert!(sync_trace::findings().is_empty());
    }
}
