//! Threads that have to wait.

use std::sync::mpsc;

use sync_trace_tests::sleeps;

use super::thread::{Scope, ScopedJoinHandle, yield_now};

/// Starts a thread whose `body` has to wait, and returns when it does.
///
/// Where the system does not tell, it returns when the thread has begun; so no test may need it to
/// be right, but only be worth less.
#[track_caller]
pub(super) fn spawn_blocked<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    body: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let (send, receive) = mpsc::channel();
    let thread = scope.spawn(move || {
        send.send(os_id()).expect("it is waited for");
        body()
    });
    let os_id = receive.recv().expect("it says so first");
    while !thread.is_finished() && os_id.is_some_and(|os_id| !sleeps(os_id)) {
        yield_now();
    }
    assert!(!thread.is_finished(), "it should wait");
    thread
}

/// The number by which Linux knows the calling thread.
fn os_id() -> Option<u64> {
    let path = std::fs::read_link("/proc/thread-self").ok()?;
    path.file_name()?.to_str()?.parse().ok()
}
