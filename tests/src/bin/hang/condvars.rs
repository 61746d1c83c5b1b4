//! Condition variables.

use std::sync::mpsc::channel as plain_channel;

use sync_trace::finding::Op;
use sync_trace::sync::{Arc, Condvar, Mutex};
use sync_trace::{named, thread};

use super::{Scene, until_asleep};

pub(crate) const SCENES: &[Scene] = &[
    ("lost_wakeup", lost_wakeup),
    ("acknowledged_under_a_lock", acknowledged_under_a_lock),
    ("never_signalled", never_signalled),
    ("second_waiter", second_waiter),
    ("two_buffers", two_buffers),
    ("late_end", late_end),
    ("three_and_a_signal", three_and_a_signal),
    ("outer_lock_taken_last", outer_lock_taken_last),
    ("one_notifier_is_free", one_notifier_is_free),
];

/// Whoever would signal has done so before anybody waited, and the flag is not looked at.
fn lost_wakeup() {
    let pair = Arc::new((Mutex::new(false), named!("ready", Condvar::new())));
    let other = Arc::clone(&pair);
    let producer = thread::Builder::new().name("producer".to_owned()).spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_one();
    });
    producer.unwrap().join().unwrap();
    let ready = pair.0.lock().unwrap();
    drop(pair.1.wait(ready));
}

/// Who should acknowledge needs a lock that the waiting thread keeps.
fn acknowledged_under_a_lock() {
    let outer = Arc::new(named!("outer", Mutex::new(0)));
    let pair = Arc::new((Mutex::new(false), named!("acknowledged", Condvar::new())));
    let begin = plain_channel();
    let worker = {
        let (outer, pair) = (Arc::clone(&outer), Arc::clone(&pair));
        let worker = thread::Builder::new().name("worker".to_owned());
        worker.spawn(move || {
            begin.1.recv().unwrap();
            *outer.lock().unwrap() += 1;
            *pair.0.lock().unwrap() = true;
            pair.1.notify_all();
        })
    };
    let holding = outer.lock().unwrap();
    begin.0.send(()).unwrap();
    until_asleep(Op::Lock, 1);
    let done = pair.1.wait_while(pair.0.lock().unwrap(), |done| !*done);
    drop((done, holding));
    worker.unwrap().join().unwrap();
}

fn never_signalled() {
    let pair = Arc::new((Mutex::new(0), named!("changed", Condvar::new())));
    let waiting =
        thread::spawn(move || drop(pair.1.wait_while(pair.0.lock().unwrap(), |n| *n < 3)));
    waiting.join().unwrap();
}

/// `notify_one` where both have to go on.
fn second_waiter() {
    let pair = Arc::new((Mutex::new(false), named!("opened", Condvar::new())));
    let waiters = [(); 2].map(|()| {
        let pair = Arc::clone(&pair);
        thread::spawn(move || drop(pair.1.wait_while(pair.0.lock().unwrap(), |open| !*open)))
    });
    until_asleep(Op::WaitWhile, 2);
    *pair.0.lock().unwrap() = true;
    pair.1.notify_one();
    waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
}

/// Each waits for the other one's buffer to be emptied or filled, and each has told it already.
fn two_buffers() {
    struct Shared {
        filled: Mutex<usize>,
        not_empty: Condvar,
        not_full: Condvar,
    }
    let shared = Arc::new(Shared {
        filled: Mutex::new(0),
        not_empty: named!("not_empty", Condvar::new()),
        not_full: named!("not_full", Condvar::new()),
    });
    let consumer = {
        let shared = Arc::clone(&shared);
        thread::Builder::new().name("consumer".to_owned()).spawn(move || {
            for _ in 0..2 {
                let filled = shared.filled.lock().unwrap();
                let mut filled = shared.not_empty.wait_while(filled, |n| *n == 0).unwrap();
                *filled -= 1;
                shared.not_full.notify_one();
            }
        })
    };
    let mut filled = shared.filled.lock().unwrap();
    *filled += 1;
    shared.not_empty.notify_one();
    let mut filled = shared.not_full.wait_while(filled, |n| *n > 0).unwrap();
    // The wrong condition: it waits for room that it has, without saying so.
    while *filled == 0 {
        filled = shared.not_full.wait(filled).unwrap();
    }
    drop(filled);
    consumer.unwrap().join().unwrap();
}

/// Who could signal goes on until all others wait, and ends then.
fn late_end() {
    let pair = Arc::new((Mutex::new(false), named!("finished", Condvar::new())));
    let other = Arc::clone(&pair);
    let worker = thread::Builder::new().name("worker".to_owned()).spawn(move || {
        until_asleep(Op::WaitWhile, 1);
        // It forgets to say so.
        drop(other);
    });
    drop(pair.1.wait_while(pair.0.lock().unwrap(), |finished| !*finished));
    worker.unwrap().join().unwrap();
}

/// Who would signal needs a lock, whose holder needs the one that the waiting thread keeps.
fn three_and_a_signal() {
    let locks = Arc::new((named!("first", Mutex::new(())), named!("second", Mutex::new(()))));
    let pair = Arc::new((Mutex::new(false), named!("changed", Condvar::new())));
    let waiting = {
        let (locks, pair) = (Arc::clone(&locks), Arc::clone(&pair));
        thread::spawn(move || {
            let held = locks.0.lock().unwrap();
            drop(pair.1.wait_while(pair.0.lock().unwrap(), |changed| !*changed));
            drop(held);
        })
    };
    until_asleep(Op::WaitWhile, 1);
    let between = Arc::clone(&locks);
    let between = thread::spawn(move || {
        let held = between.1.lock().unwrap();
        drop(between.0.lock().unwrap());
        drop(held);
    });
    until_asleep(Op::Lock, 1);
    let held = locks.1.lock().unwrap();
    *pair.0.lock().unwrap() = true;
    pair.1.notify_one();
    drop(held);
    waiting.join().unwrap();
    between.join().unwrap();
}

/// The lock that is kept was taken after the mutex that is given up.
fn outer_lock_taken_last() {
    let late = Arc::new(named!("late", Mutex::new(0)));
    let pair = Arc::new((Mutex::new(false), named!("changed", Condvar::new())));
    let begin = plain_channel();
    let worker = {
        let (late, pair) = (Arc::clone(&late), Arc::clone(&pair));
        thread::spawn(move || {
            begin.1.recv().unwrap();
            *late.lock().unwrap() += 1;
            *pair.0.lock().unwrap() = true;
            pair.1.notify_all();
        })
    };
    let changed = pair.0.lock().unwrap();
    let holding = late.lock().unwrap();
    begin.0.send(()).unwrap();
    until_asleep(Op::Lock, 1);
    let changed = pair.1.wait_while(changed, |changed| !*changed);
    drop((changed, holding));
    worker.join().unwrap();
}

/// One of two that would signal needs what the waiting thread keeps, the other one does not.
fn one_notifier_is_free() {
    let outer = Arc::new(Mutex::new(0));
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let notifiers = [true, false].map(|needs_outer| {
        let (outer, pair) = (Arc::clone(&outer), Arc::clone(&pair));
        move || {
            if needs_outer {
                *outer.lock().unwrap() += 1;
            } else {
                until_asleep(Op::WaitWhile, 1);
                std::thread::sleep(super::fine::A_WHILE);
            }
            *pair.0.lock().unwrap() = true;
            pair.1.notify_one();
        }
    });
    let holding = outer.lock().unwrap();
    let notifiers = notifiers.map(thread::spawn);
    drop(pair.1.wait_while(pair.0.lock().unwrap(), |done| !*done).unwrap());
    drop(holding);
    notifiers.into_iter().for_each(|notifier| notifier.join().unwrap());
}
