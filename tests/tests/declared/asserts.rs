//! Assertions about what is held.

use super::{broken, report};
use sync_trace::finding::Broken;
use sync_trace::sync::{Mutex, RwLock};
use sync_trace::{assert_held, assert_no_locks_held, assert_not_held};

#[test]
fn what_is_asserted_to_be_held_is() {
    let locks = [(), ()].map(|()| Mutex::new(0));
    assert_eq!(broken(|| assert_held!(locks[0])), [Broken::NotHeld]);
    let one = || {
        let _guard = locks[0].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_held!(locks[0]);
        assert_not_held!(locks[1]);
        assert_held!(locks);
    };
    assert_eq!(broken(one), [Broken::NotHeld], "of several all");
}

#[test]
fn a_mode_may_be_asked_for() {
    let map = RwLock::new(0);
    let reads = || {
        let _map = map.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_held!(map);
        assert_held!(read(map));
        assert_held!(write(map));
    };
    assert_eq!(broken(reads), [Broken::NotHeld]);
    let writes = || {
        let _map = map.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_held!(read(map));
        assert_held!(write(map));
    };
    assert_eq!(broken(writes), []);
}

#[test]
fn what_is_asserted_not_to_be_held_is_not() {
    let lock = Mutex::new(0);
    let check = || {
        assert_not_held!(lock);
        assert_no_locks_held!();
    };
    assert_eq!(broken(check), []);
    let held = || {
        let _guard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_not_held!(lock);
    };
    assert_eq!(broken(held), [Broken::Held]);
    let any = || {
        let _guard = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_no_locks_held!();
    };
    assert_eq!(broken(any), [Broken::Held]);
}

#[test]
fn the_report_says_what_was_asserted() {
    let lock = Mutex::new(0);
    let report = report(|| assert_held!(lock));
    assert!(report.starts_with("error[ST0201]: `assert_held!` does not hold: `lock` is not held"));
    assert!(report.contains("assert_held!(lock)") && report.contains("^^^^^^^^^^^^"), "{report}");
}
