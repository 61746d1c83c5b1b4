//! `std::thread::{park, sleep}` and their variants, traced.

use std::time::{Duration, Instant};

use crate::finding::LockKind;
use crate::hooks;
use crate::op::{Mode, Op};
use crate::registry::Access;
use crate::site::Site;

const PARK: Access =
    Access { kind: LockKind::Thread, type_name: || "", mode: Mode::Exclusive, op: Op::Park };
const PARK_TIMEOUT: Access = Access { op: Op::ParkTimeout, ..PARK };
const PARK_TIMEOUT_MS: Access = Access { op: Op::ParkTimeoutMs, ..PARK };
const SLEEP: Access = Access { op: Op::Sleep, ..PARK };
const SLEEP_MS: Access = Access { op: Op::SleepMs, ..PARK };

/// As [`std::thread::park`]. [`dump`](crate::dump) shows a parked thread.
///
/// # Example
///
/// ```
/// use sync_trace::thread;
///
/// let parked = thread::spawn(thread::park);
/// parked.thread().unpark();
/// parked.join().unwrap();
/// ```
#[track_caller]
pub fn park() {
    parked(&PARK, Site::caller(), None);
}

/// As [`std::thread::park_timeout`]. [`dump`](crate::dump) shows a parked thread.
///
/// # Example
///
/// ```
/// # use std::time::Duration;
/// sync_trace::thread::park_timeout(Duration::from_millis(1));
/// ```
#[track_caller]
pub fn park_timeout(dur: Duration) {
    parked(&PARK_TIMEOUT, Site::caller(), Some(dur));
}

/// As [`std::thread::park_timeout_ms`].
#[track_caller]
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::park_timeout`")]
pub fn park_timeout_ms(ms: u32) {
    let dur = Duration::from_millis(u64::from(ms));
    parked(&PARK_TIMEOUT_MS, Site::caller(), Some(dur));
}

/// As [`std::thread::sleep`]. [`dump`](crate::dump) shows a sleeping thread, and what it holds.
///
/// # Example
///
/// ```
/// # use std::time::Duration;
/// sync_trace::thread::sleep(Duration::from_millis(1));
/// ```
#[track_caller]
pub fn sleep(dur: Duration) {
    let _resting = hooks::rest(&SLEEP, Site::caller());
    std::thread::sleep(dur);
}

/// As [`std::thread::sleep_ms`].
#[track_caller]
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::sleep`")]
pub fn sleep_ms(ms: u32) {
    let _resting = hooks::rest(&SLEEP_MS, Site::caller());
    std::thread::sleep(Duration::from_millis(u64::from(ms)));
}

#[track_caller]
fn parked(access: &'static Access, site: Site, limit: Option<Duration>) {
    let mut resting = hooks::rest(access, site);
    match limit {
        None => std::thread::park(),
        Some(limit) => {
            let begun = Instant::now();
            std::thread::park_timeout(limit);
            // `std` does not say why it returns. Who was unparked at the last moment has used its time, too.
            if begun.elapsed() >= limit {
                resting.times_out();
            }
        }
    }
    drop(resting);
    // Who has unparked the thread is not known.
    hooks::observe_everything();
}
