//! Programs that fail only now and then; `tests/perturb.rs` runs them, as they are and with their schedule
//! perturbed.

use std::process::exit;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use sync_trace::sync::mpsc::channel;
use sync_trace::sync::{Arc, Barrier, Condvar, Mutex, RwLock};
use sync_trace::{Config, Perturb, thread};

fn main() {
    sync_trace_tests::end_after(120);
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match scenario.as_str() {
        "decisions" => decisions(),
        "programmed" => {
            Config::new().perturb(Perturb::Seed(0xabc)).install();
            decisions();
        }
        "muted" => muted(),
        "waits_once" => waits_once(),
        "waits_in_a_loop" => waits_in_a_loop(),
        "waits_by_predicate" => waits_by_predicate(),
        "notifies_without_the_mutex" => notifies(false),
        "notifies_with_the_mutex" => notifies(true),
        "report" => report(),
        other => panic!("no scenario `{other}`"),
    }
}

/// Threads of threads that do the same in every run, each for itself, though not at the same times.
/// Prints what was decided.
fn decisions() {
    let counts: Arc<[Mutex<u32>; 3]> = Arc::default();
    let shared = Arc::new(RwLock::new(0));
    let both = Arc::new(Barrier::new(2));
    let (sender, receiver) = channel();
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (counts, shared) = (Arc::clone(&counts), Arc::clone(&shared));
            let (both, sender) = (Arc::clone(&both), sender.clone());
            thread::spawn(move || {
                for round in 0..20 {
                    *counts[(number + round) % 3].lock().unwrap() += 1;
                    drop(counts[0].try_lock());
                    drop(shared.read());
                }
                if number < 2 {
                    both.wait();
                }
                sender.send(number).unwrap();
                thread::scope(|scope| {
                    scope.spawn(|| *shared.write().unwrap() += 1);
                    scope.spawn(|| *counts[1].lock().unwrap() += 1);
                });
            })
        })
        .collect();
    drop(sender);
    let mut received: Vec<_> = receiver.iter().collect();
    received.sort_unstable();
    assert_eq!(received, [0, 1, 2, 3]);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*shared.read().unwrap(), 4);
    match sync_trace::snapshot().perturbed {
        Some(state) => println!("{:#x} {} {:016x}", state.seed, state.decisions, state.digest),
        None => println!("plain"),
    }
}

static UNTRACKED: Mutex<u32> = sync_trace::untracked!(Mutex::new(0));

/// Nothing is decided for what is not traced.
fn muted() {
    let lock = Mutex::new(0);
    *lock.lock().unwrap() += 1;
    let decisions = || sync_trace::snapshot().perturbed.unwrap().decisions;
    let before = decisions();
    let quiet = sync_trace::mute();
    (0..100).for_each(|_| *lock.lock().unwrap() += 1);
    drop(quiet);
    (0..100).for_each(|_| *UNTRACKED.lock().unwrap() += 1);
    let between = decisions();
    *lock.lock().unwrap() += 1;
    println!("{} {}", between - before, decisions() - between);
}

/// Hands numbers over, one by one, to a thread that takes them with `take`.
fn hand_over(take: fn(&Mutex<Vec<u32>>, &Condvar) -> u32) {
    let shared = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let (done, taken) = channel();
    let consumer = {
        let shared = Arc::clone(&shared);
        move || (0..10).try_for_each(|_| done.send(take(&shared.0, &shared.1)))
    };
    let consumer = thread::spawn(consumer);
    for number in 0..10 {
        let (queue, signal) = &*shared;
        queue.lock().unwrap().push(number);
        signal.notify_one();
        match taken.recv() {
            Ok(taken) => assert_eq!(taken, number),
            Err(_) => break,
        }
    }
    let is_right = consumer.join().is_ok_and(|sent| sent.is_ok());
    exit(if is_right { 0 } else { 1 });
}

/// The mistake: that the wait returns does not say that there is something.
fn waits_once() {
    hand_over(|queue, signal| {
        let mut queue = queue.lock().unwrap();
        if queue.is_empty() {
            queue = signal.wait(queue).unwrap();
        }
        queue.pop().unwrap()
    });
}

/// The same without the mistake.
fn waits_in_a_loop() {
    hand_over(|queue, signal| {
        let mut queue = queue.lock().unwrap();
        while queue.is_empty() {
            queue = signal.wait(queue).unwrap();
        }
        queue.pop().unwrap()
    });
}

/// The same by `wait_while`, and by `wait_timeout_while`, whose predicate is not asked again once it was
/// false.
fn waits_by_predicate() {
    hand_over(|queue, signal| {
        let one = signal.wait_while(queue.lock().unwrap(), |queue| queue.is_empty());
        let taken = one.unwrap().pop().unwrap();
        let mut calls = 0;
        let (rest, timed) = signal
            .wait_timeout_while(queue.lock().unwrap(), Duration::from_secs(60), |_| {
                calls += 1;
                assert!(calls <= 1, "it was false before");
                false
            })
            .unwrap();
        assert!(!timed.timed_out());
        drop(rest);
        let begun = Instant::now();
        let limit = Duration::from_millis(2);
        let (rest, timed) =
            signal.wait_timeout_while(queue.lock().unwrap(), limit, |_| true).unwrap();
        assert!(timed.timed_out() && begun.elapsed() >= limit);
        drop(rest);
        taken
    });
}

/// A number is set and its change notified, with or without the mutex. Without it, if that comes between another thread's look
/// at it and its wait, the notification is lost. Usually that thread has long been waiting by then. Fails
/// if one is lost.
fn notifies(with_the_mutex: bool) {
    struct Shared {
        number: AtomicU32,
        /// The last number of which has been notified.
        notified: AtomicU32,
        mutex: Mutex<()>,
        changed: Condvar,
        counts: Mutex<[u32; 2]>,
    }
    let shared = Arc::new(Shared {
        number: AtomicU32::new(0),
        notified: AtomicU32::new(0),
        mutex: Mutex::new(()),
        changed: Condvar::new(),
        counts: Mutex::default(),
    });
    let (done, taken) = channel();
    let consumer = {
        let shared = Arc::clone(&shared);
        move || {
            let Shared { number, notified, mutex, changed, counts } = &*shared;
            for wanted in 0..=ROUNDS {
                let mut guard = mutex.lock().unwrap();
                while number.load(SeqCst) < wanted || wanted == 0 {
                    // Of this it is known that it ends; the first only shows what a wait takes.
                    let limit = Duration::from_millis(if wanted == 0 { 0 } else { 300 });
                    let waited = changed.wait_timeout(guard, limit).unwrap();
                    guard = waited.0;
                    if wanted == 0 {
                        break;
                    }
                    if waited.1.timed_out() && notified.load(SeqCst) == wanted {
                        exit(1);
                    }
                }
                drop(guard);
                done.send(()).unwrap();
                (0..2).for_each(|at| counts.lock().unwrap()[at] += 1);
            }
        }
    };
    let consumer = thread::spawn(consumer);
    for next in 1..=ROUNDS {
        taken.recv().unwrap();
        work(Duration::from_micros(100));
        let guard = with_the_mutex.then(|| shared.mutex.lock().unwrap());
        shared.number.store(next, SeqCst);
        drop(guard);
        shared.changed.notify_one();
        shared.notified.store(next, SeqCst);
    }
    consumer.join().unwrap();
}

const ROUNDS: u32 = 50;

/// Does something for so long.
fn work(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Ends with a finding and a dump.
fn report() {
    let lock = Mutex::new(0);
    let _guard = lock.lock().unwrap();
    sync_trace::dump();
    let _again = lock.lock();
}
