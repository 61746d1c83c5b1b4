//! What is counted of waits when that is turned on, turned off, or begun anew in the middle of one.
#![cfg(any(debug_assertions, feature = "always"))]

use std::time::{Duration, Instant};

use sync_trace::finding::Target;
use sync_trace::sync::Mutex;
use sync_trace::{Config, Contention, named, thread};

/// Runs `meanwhile` while a thread waits for a lock with this name. Returns how long the waiter measured, and that
/// of it which came after `meanwhile`.
fn while_one_waits(name: &'static str, lock: &Mutex<()>, meanwhile: impl FnOnce()) -> Duration {
    let held = lock.lock().unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            drop(lock.lock().unwrap());
            Instant::now()
        });
        let waits = || {
            sync_trace::snapshot().agents.iter().any(|agent| {
                let target = agent.wait.as_ref().map(|(wait, _)| &wait.target);
                matches!(target, Some(Target::Lock(lock, _)) if lock.name == Some(name))
            })
        };
        while !waits() {
            std::thread::yield_now();
        }
        // All that is waited before this must not be counted where it is forgotten.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(30) {
            std::hint::spin_loop();
        }
        let forgotten = Instant::now();
        meanwhile();
        drop(held);
        waiter.join().unwrap().duration_since(forgotten)
    })
}

fn waits_for(name: &str) -> Option<(u64, Duration)> {
    let contention = sync_trace::contention();
    let class = contention.classes.iter().find(|class| class.name == Some(name))?;
    assert!(class.stats.waits.total() <= contention.elapsed, "{contention:?}");
    if class.stats.waits.is_empty() {
        return None;
    }
    Some((class.stats.waits.count(), class.stats.waits.total()))
}

/// One test, because the settings are the process's.
#[test]
fn a_wait_across_a_change_makes_no_absurd_number() {
    let reset = named!("reset", Mutex::new(()));
    let rest = while_one_waits("reset", &reset, sync_trace::reset_contention);
    let (waits, total) = waits_for("reset").unwrap();
    assert!(waits == 1 && total <= rest, "{total:?} of {rest:?}");

    let before = sync_trace::contention();
    let difference = named!("difference", Mutex::new(()));
    while_one_waits("difference", &difference, || {
        let since = sync_trace::contention().since(&before);
        assert!(since.classes.is_empty(), "it has not ended yet: {since:?}");
    });
    let since = sync_trace::contention().since(&before);
    assert_eq!(since.classes.len(), 1);
    assert_eq!(
        (since.classes[0].name, since.classes[0].stats.waits.count()),
        (Some("difference"), 1)
    );

    let turn = |contention| Config::new().contention(contention).install();
    let turned_off = named!("turned off", Mutex::new(()));
    while_one_waits("turned off", &turned_off, || turn(Contention::Off));
    assert!(waits_for("turned off").is_some(), "it was begun before that");
    let off = named!("off", Mutex::new(()));
    while_one_waits("off", &off, || {});
    let _held = off.lock().unwrap();
    assert!(off.try_lock().is_err());
    let turned_on = named!("turned on", Mutex::new(()));
    while_one_waits("turned on", &turned_on, || turn(Contention::On));
    assert_eq!([waits_for("off"), waits_for("turned on")], [None, None]);
    while_one_waits("turned on", &turned_on, || {});
    assert_eq!(waits_for("turned on").unwrap().0, 1);

    sync_trace::reset_contention();
    assert!(sync_trace::contention().classes.is_empty());
}
