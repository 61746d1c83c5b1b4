//! Conditions that are waited for by hand: whoever finds one true comes after all who have made it so, whether they
//! notify, and whether there was a wait.
#![cfg(any(debug_assertions, feature = "always"))]

mod programs;

// What no order passes through.
use std::sync::mpsc::channel;

use programs::{Lock, Part, locks, nest, one_after_another, predicted};
use sync_trace::sync::{Arc, Condvar, Mutex};
use sync_trace::thread;

/// A number, and the signal that it has changed.
#[derive(Clone)]
struct Count(Arc<(Mutex<u32>, Condvar)>);

impl Count {
    fn new(count: u32) -> Self {
        Self(Arc::new((Mutex::new(count), Condvar::new())))
    }

    /// Changes it, and notifies nobody.
    fn set(&self, change: impl FnOnce(&mut u32)) {
        change(&mut self.0.0.lock().expect("not poisoned"));
    }

    fn notify(&self) {
        self.0.1.notify_all();
    }

    fn set_and_notify(&self, change: impl FnOnce(&mut u32)) {
        self.set(change);
        self.notify();
    }

    /// Waits until it is 0, by the loop of the condition variable. `locked` is called when the mutex is locked: who
    /// takes it then does so during the wait, if there is one.
    fn until_0(&self, locked: impl FnOnce()) {
        let (mutex, condvar) = &*self.0;
        let count = mutex.lock().expect("not poisoned");
        locked();
        drop(condvar.wait_while(count, |count| *count > 0));
    }

    /// The same by a loop of its own.
    fn until_0_by_hand(&self, locked: impl FnOnce()) {
        let (mutex, condvar) = &*self.0;
        let mut count = mutex.lock().expect("not poisoned");
        locked();
        while *count > 0 {
            count = condvar.wait(count).expect("not poisoned");
        }
    }
}

fn both() -> [[Lock; 2]; 2] {
    let [a, b] = locks();
    [[a.clone(), b.clone()], [b, a]]
}

fn nest_two(locks: &[Lock; 2]) {
    nest([&locks[0], &locks[1]]);
}

#[test]
fn who_comes_between_the_change_and_the_notification_comes_after_the_change() {
    for by_hand in [true, false] {
        let found = predicted(move || {
            let [one, other] = both();
            let count = Count::new(1);
            let until_0 = move |count: &Count, locked: &dyn Fn()| match by_hand {
                true => count.until_0_by_hand(locked),
                false => count.until_0(locked),
            };
            let (waits, is_waiting) = channel();
            let (changed, has_changed) = channel();
            let (done, is_done) = channel();
            let setter = {
                let count = count.clone();
                thread::spawn(move || {
                    // The first time there is a wait, which tells what mutex that is.
                    is_waiting.recv().expect("it waits");
                    count.set_and_notify(|count| *count = 0);
                    is_done.recv().expect("it is told");
                    nest_two(&one);
                    count.set(|count| *count = 0);
                    changed.send(()).expect("the other one waits");
                    is_done.recv().expect("it is told");
                    count.notify();
                })
            };
            until_0(&count, &|| waits.send(()).expect("the other one waits"));
            count.set(|count| *count = 1);
            done.send(()).expect("the other one waits");
            has_changed.recv().expect("it changes");
            until_0(&count, &|| ());
            nest_two(&other);
            done.send(()).expect("the other one waits");
            setter.join().expect("no panic");
        });
        assert_eq!(found, 0, "by hand: {by_hand}");
    }
}

#[test]
fn who_waits_for_a_latch_comes_after_all_who_count_down() {
    let found = predicted(|| {
        let [one, other] = both();
        let latch = Count::new(3);
        let (go, may_go) = channel();
        let count_down = {
            let latch = latch.clone();
            move |is_last: bool| {
                nest_two(&one);
                latch.set(|count| *count -= 1);
                if is_last {
                    latch.notify();
                }
            }
        };
        let counting = thread::spawn(move || {
            may_go.recv().expect("it is told to go");
            one_after_another(
                [false, false, true]
                    .map(|is_last| {
                        let count_down = count_down.clone();
                        Box::new(move || count_down(is_last)) as Part
                    })
                    .into(),
            );
        });
        latch.until_0(|| go.send(()).expect("the other one waits"));
        nest_two(&other);
        counting.join().expect("no panic");
    });
    assert_eq!(found, 0);
}

#[test]
fn who_looks_again_without_notifying_comes_after_who_was_there_before_it_notified() {
    for looks_again in [true, false] {
        let found = predicted(move || {
            let [one, other] = both();
            let count = Count::new(0);
            let [first, second] = [count.clone(), count.clone()];
            one_after_another(vec![
                // It tells what mutex that is.
                Box::new(move || count.until_0(|| ())),
                Box::new(move || {
                    nest_two(&one);
                    first.set_and_notify(|count| *count += 1);
                }),
                Box::new(move || {
                    second.set_and_notify(|count| *count += 1);
                    if looks_again {
                        second.set(|count| assert_eq!(*count, 2));
                    }
                    nest_two(&other);
                }),
            ]);
        });
        assert_eq!(found, usize::from(!looks_again), "looks again: {looks_again}");
    }
}

#[test]
fn who_has_changed_it_and_notifies_comes_after_nobody() {
    for notifies in [true, false] {
        let found = predicted(move || {
            let [one, other] = both();
            let count = Count::new(1);
            let (first, second) = (count.clone(), count.clone());
            one_after_another(vec![
                // It tells what mutex that is.
                Box::new(move || {
                    count.set_and_notify(|count| *count = 0);
                    count.until_0(|| ());
                }),
                Box::new(move || {
                    nest_two(&one);
                    first.set_and_notify(|count| *count += 1);
                }),
                Box::new(move || {
                    second.set(|count| *count += 1);
                    if notifies {
                        second.notify();
                    }
                    nest_two(&other);
                }),
            ]);
        });
        assert_eq!(found, usize::from(notifies), "notifies: {notifies}");
    }
}

#[test]
fn workers_that_take_from_one_queue_run_side_by_side() {
    let found = predicted(|| {
        let [one, other] = both();
        let jobs = Count::new(0);
        let (first, second) = (jobs.clone(), jobs.clone());
        let [(took, has_taken), (did, has_done)] = [channel(), channel()];
        jobs.set_and_notify(|count| *count = 2);
        let worker = thread::spawn(move || {
            first.set(|count| *count -= 1);
            took.send(()).expect("the other one waits");
            has_done.recv().expect("the other one is told");
            nest_two(&one);
        });
        let other = thread::spawn(move || {
            has_taken.recv().expect("the other one takes one");
            second.set(|count| *count -= 1);
            nest_two(&other);
            did.send(()).expect("the other one waits");
        });
        worker.join().expect("no panic");
        let _ = other.join();
        jobs.until_0(|| ());
    });
    assert_eq!(found, 1);
}
