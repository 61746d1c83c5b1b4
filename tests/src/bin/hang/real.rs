//! Programs after hangs that people have had, whose threads come to a standstill whatever the schedule.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel as plain_channel;

use sync_trace::finding::Op;
use sync_trace::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use sync_trace::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, OnceLock, RwLock};
use sync_trace::thread::{self, JoinHandle};

use super::{Scene, until_asleep};

pub(crate) const SCENES: &[Scene] = &[
    ("jobs_wait_for_jobs", || jobs_wait_for_jobs(2)),
    ("jobs_wait_for_jobs_with_one_worker_more", || jobs_wait_for_jobs(3)),
    ("logger_joined_in_drop", || logger_joined_in_drop(true)),
    ("logger_joined_in_drop_without_senders", || logger_joined_in_drop(false)),
    ("flag_under_another_mutex", || flag_under_another_mutex(false)),
    ("flag_under_the_same_mutex", || flag_under_another_mutex(true)),
    ("second_phase_without_all", || second_phase_without_all(false)),
    ("second_phase_with_all", || second_phase_without_all(true)),
    ("both_send_first", || both_send_first(true)),
    ("one_sends_first", || both_send_first(false)),
    ("channel_made_at_first_use", || channel_made_at_first_use(true)),
    ("channel_made_before_its_use", || channel_made_at_first_use(false)),
    ("token_taken_by_somebody_else", || token_taken_by_somebody_else(1)),
    ("token_given_again", || token_taken_by_somebody_else(2)),
    ("child_waits_for_its_parents_drop", || child_waits_for_its_parents_drop(true)),
    ("child_is_told_before_the_scope_ends", || child_waits_for_its_parents_drop(false)),
    ("producer_dies", || producer_dies(false)),
    ("producer_tells_though_it_dies", || producer_dies(true)),
    ("wrong_one_is_notified", || wrong_one_is_notified(false)),
    ("all_are_notified", || wrong_one_is_notified(true)),
    ("flag_that_nobody_looks_at", || flag_that_nobody_looks_at(true)),
    ("flag_and_no_more_jobs", || flag_that_nobody_looks_at(false)),
    ("cell_made_by_two_threads", || cell_made_by_two_threads(true)),
    ("cell_made_by_one_thread", || cell_made_by_two_threads(false)),
    ("all_jobs_before_any_result", || all_jobs_before_any_result(true)),
    ("results_taken_meanwhile", || all_jobs_before_any_result(false)),
    ("message_awaited_while_reading", || message_awaited_while_reading(true)),
    ("message_awaited_after_reading", || message_awaited_while_reading(false)),
    ("jobs_meet_in_a_small_pool", || jobs_meet_in_a_pool(2)),
    ("jobs_meet_in_a_large_pool", || jobs_meet_in_a_pool(3)),
    ("guard_lives_through_the_body", || guard_lives_through_the_body(true)),
    ("guard_ends_before_the_body", || guard_lives_through_the_body(false)),
    ("two_join_each_other", || two_join_each_other(true)),
    ("one_joins_the_other", || two_join_each_other(false)),
    ("actor_calls_itself", || actor_calls_itself(true)),
    ("actor_answers_others", || actor_calls_itself(false)),
    ("watchdog_ends_the_hang", watchdog_ends_the_hang),
    ("watchdog_only_looks", watchdog_only_looks),
    ("latch_counts_one_too_many", || latch(3)),
    ("latch_counts_all", || latch(2)),
];

type Job = Box<dyn FnOnce(&Pool) + Send>;

/// A pool of workers that take turns at one queue, which lives as long as any of them.
#[derive(Clone)]
struct Pool {
    sender: Arc<Mutex<Sender<Job>>>,
    jobs: Arc<Mutex<Receiver<Job>>>,
}

impl Pool {
    fn new(workers: usize) -> Self {
        let (sender, jobs) = channel();
        let pool = Self { sender: Arc::new(Mutex::new(sender)), jobs: Arc::new(Mutex::new(jobs)) };
        for _ in 0..workers {
            let pool = pool.clone();
            thread::spawn(move || {
                loop {
                    let job = pool.jobs.lock().unwrap().recv().unwrap();
                    job(&pool);
                }
            });
        }
        pool
    }

    fn submit(&self, job: impl FnOnce(&Self) + Send + 'static) {
        self.sender.lock().unwrap().send(Box::new(job)).unwrap();
    }
}

/// Each job waits for one of its own, and all workers have such a job.
fn jobs_wait_for_jobs(workers: usize) {
    let pool = Pool::new(workers);
    let both_run = Arc::new(Barrier::new(2));
    let (done, all_done) = channel();
    for _ in 0..2 {
        let (both_run, done) = (Arc::clone(&both_run), done.clone());
        pool.submit(move |pool| {
            both_run.wait();
            let (part, parts) = channel();
            pool.submit(move |_| part.send(1).unwrap());
            done.send(parts.recv().unwrap()).unwrap();
        });
    }
    drop(done);
    assert_eq!(all_done.iter().sum::<i32>(), 2);
}

/// `Drop` joins the thread when its own sender is gone, but a static has another one.
fn logger_joined_in_drop(is_kept: bool) {
    static SENDER: Mutex<Option<Sender<&str>>> = Mutex::new(None);
    struct Logger(Option<Sender<&'static str>>, Option<JoinHandle<()>>);
    impl Drop for Logger {
        fn drop(&mut self) {
            drop(self.0.take());
            if let Some(thread) = self.1.take() {
                thread.join().unwrap();
            }
        }
    }
    let (sender, lines) = channel();
    let thread = thread::spawn(move || {
        for line in lines {
            assert_eq!(line, "in");
        }
    });
    *SENDER.lock().unwrap() = Some(sender.clone());
    let logger = Logger(Some(sender), Some(thread));
    SENDER.lock().unwrap().as_ref().unwrap().send("in").unwrap();
    if !is_kept {
        SENDER.lock().unwrap().take();
    }
    drop(logger);
}

/// The condition is looked at under a mutex that the waiter gives up before it waits.
fn flag_under_another_mutex(is_same: bool) {
    let all = Arc::new((Mutex::new(false), Mutex::new(()), Condvar::new()));
    let (looked, has_looked) = plain_channel();
    let (set, is_set) = plain_channel::<()>();
    let other = Arc::clone(&all);
    let waiting = thread::spawn(move || {
        let (flag, other, signal) = &*other;
        if is_same {
            let mut ready = flag.lock().unwrap();
            looked.send(()).unwrap();
            while !*ready {
                ready = signal.wait(ready).unwrap();
            }
            return;
        }
        let ready = *flag.lock().unwrap();
        looked.send(()).unwrap();
        is_set.recv().unwrap();
        if !ready {
            drop(signal.wait(other.lock().unwrap()).unwrap());
        }
    });
    has_looked.recv().unwrap();
    *all.0.lock().unwrap() = true;
    all.2.notify_all();
    _ = set.send(());
    waiting.join().unwrap();
}

/// One of three leaves between the phases.
fn second_phase_without_all(with_all: bool) {
    let phase = Barrier::new(3);
    thread::scope(|scope| {
        for at in 0..3 {
            let phase = &phase;
            scope.spawn(move || {
                phase.wait();
                if at > 0 || with_all {
                    phase.wait();
                }
            });
        }
    });
}

fn both_send_first(both: bool) {
    let (there, from_here) = sync_channel(0);
    let (back, from_there) = sync_channel(0);
    let other = thread::spawn(move || {
        if both {
            back.send(1).unwrap();
            from_here.recv().unwrap()
        } else {
            let sent = from_here.recv().unwrap();
            back.send(1).unwrap();
            sent
        }
    });
    there.send(2).unwrap();
    assert_eq!((from_there.recv().unwrap(), other.join().unwrap()), (1, 2));
}

/// Who first uses it waits for a thread that uses it, too.
fn channel_made_at_first_use(uses_it: bool) {
    static QUEUE: LazyLock<Mutex<Sender<u8>>> = LazyLock::new(|| {
        let (sender, receiver) = channel();
        let (started, has_started) = channel();
        thread::spawn(move || {
            if USES_IT.get() == Some(&true) {
                QUEUE.lock().unwrap().send(0).unwrap();
            }
            started.send(()).unwrap();
            receiver.iter().for_each(drop);
        });
        has_started.recv().unwrap();
        Mutex::new(sender)
    });
    static USES_IT: OnceLock<bool> = OnceLock::new();
    USES_IT.set(uses_it).unwrap();
    QUEUE.lock().unwrap().send(1).unwrap();
}

/// Something that the thread calls parks as well, and takes the only token.
fn token_taken_by_somebody_else(tokens: usize) {
    let (taken, is_taken) = plain_channel();
    let parked = thread::spawn(move || {
        for _ in 0..2 {
            thread::park();
            taken.send(()).unwrap();
        }
    });
    for _ in 0..tokens {
        parked.thread().unpark();
        is_taken.recv().unwrap();
    }
    parked.join().unwrap();
}

/// What tells the child is dropped after the scope, which waits for the child.
fn child_waits_for_its_parents_drop(after: bool) {
    let (sender, receiver) = channel::<()>();
    let mut kept = Some(sender);
    thread::scope(|scope| {
        scope.spawn(move || assert!(receiver.recv().is_err()));
        if !after {
            drop(kept.take());
        }
    });
    drop(kept);
}

/// It panics before it says that there is something.
fn producer_dies(tells: bool) {
    let pair = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let other = Arc::clone(&pair);
    if tells {
        // Nobody is to hear of that panic.
        std::panic::set_hook(Box::new(|_| ()));
    }
    let producer = thread::spawn(move || {
        let made = catch_unwind(AssertUnwindSafe(|| "1x".parse::<i32>().expect("no number")));
        if tells || made.is_ok() {
            other.0.lock().unwrap().push(made.unwrap_or_default());
            other.1.notify_one();
        }
    });
    let items = pair.1.wait_while(pair.0.lock().unwrap(), |items| items.is_empty()).unwrap();
    assert_eq!(*items, [0]);
    producer.join().unwrap();
}

/// Two wait for different things at one condition variable.
fn wrong_one_is_notified(all: bool) {
    let state = Arc::new((Mutex::new([false; 2]), Condvar::new()));
    let waiting = [0, 1].map(|which: usize| {
        let other = Arc::clone(&state);
        let waiting = thread::spawn(move || {
            let ready = other.0.lock().unwrap();
            drop(other.1.wait_while(ready, |ready| !ready[which]).unwrap());
        });
        until_asleep(Op::WaitWhile, which + 1);
        waiting
    });
    // The first one to wait is the first to be woken, as far as `std` does it.
    state.0.lock().unwrap()[1] = true;
    if all {
        state.0.lock().unwrap()[0] = true;
        state.1.notify_all();
    } else {
        state.1.notify_one();
    }
    waiting.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Workers are told to stop, but are in the middle of a wait for jobs.
fn flag_that_nobody_looks_at(keeps_sender: bool) {
    let stops = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (sender, jobs) = channel::<u8>();
    let worker = {
        let stops = Arc::clone(&stops);
        thread::spawn(move || {
            while !stops.load(std::sync::atomic::Ordering::SeqCst) {
                if jobs.recv().is_err() {
                    break;
                }
            }
        })
    };
    until_asleep(Op::Recv, 1);
    stops.store(true, std::sync::atomic::Ordering::SeqCst);
    let kept = keeps_sender.then(|| sender.clone());
    drop(sender);
    worker.join().unwrap();
    drop(kept);
}

fn cell_made_by_two_threads(both: bool) {
    static CELL: OnceLock<i32> = OnceLock::new();
    let made = CELL.get_or_init(|| {
        thread::spawn(move || if both { *CELL.get_or_init(|| 1) } else { 1 }).join().unwrap()
    });
    assert_eq!(*made, 1);
}

/// Both queues are full before anybody takes a result.
fn all_jobs_before_any_result(before: bool) {
    let (jobs, inbox) = sync_channel(1);
    let (outbox, results) = sync_channel(1);
    thread::spawn(move || inbox.iter().for_each(|job: u32| outbox.send(job + 1).unwrap()));
    let sending = move || (0..9).for_each(|job| jobs.send(job).unwrap());
    let sending = if before {
        sending();
        None
    } else {
        Some(thread::spawn(sending))
    };
    assert_eq!(results.iter().sum::<u32>(), 45);
    if let Some(thread) = sending {
        thread.join().unwrap();
    }
}

fn message_awaited_while_reading(while_reading: bool) {
    let config = Arc::new(RwLock::new(0));
    let (changed, changes) = channel();
    let mut reading = Some(config.read().unwrap());
    let other = Arc::clone(&config);
    thread::spawn(move || {
        *other.write().unwrap() += 1;
        changed.send(()).unwrap();
    });
    if !while_reading {
        drop(reading.take());
    }
    changes.recv().unwrap();
    drop(reading);
}

/// Three jobs have to run at one time.
fn jobs_meet_in_a_pool(workers: usize) {
    let pool = Pool::new(workers);
    let all_run = Arc::new(Barrier::new(3));
    let (done, all_done) = channel();
    for _ in 0..3 {
        let (all_run, done) = (Arc::clone(&all_run), done.clone());
        pool.submit(move |_| {
            all_run.wait();
            done.send(()).unwrap();
        });
    }
    drop(done);
    assert_eq!(all_done.iter().count(), 3);
}

/// The guard in what is matched lives as long as the `if let`.
fn guard_lives_through_the_body(lives: bool) {
    let queue = Arc::new(Mutex::new(vec![1]));
    let (acknowledge, acknowledged) = channel();
    let other = Arc::clone(&queue);
    let (begin, begun) = plain_channel::<()>();
    thread::spawn(move || {
        begun.recv().unwrap();
        other.lock().unwrap().push(2);
        acknowledge.send(()).unwrap();
    });
    let wait = |_: i32| {
        begin.send(()).unwrap();
        acknowledged.recv().unwrap();
    };
    if lives {
        if let Some(item) = queue.lock().unwrap().pop() {
            wait(item);
        }
    } else {
        let item = queue.lock().unwrap().pop();
        wait(item.unwrap());
    }
}

fn two_join_each_other(both: bool) {
    let (handle, handles) = plain_channel::<JoinHandle<()>>();
    let first = thread::spawn(move || {
        let second = handles.recv().unwrap();
        if both {
            second.join().unwrap();
        }
    });
    let (other, others) = plain_channel::<JoinHandle<()>>();
    let second = thread::spawn(move || others.recv().unwrap().join().unwrap());
    other.send(first).unwrap();
    if both {
        handle.send(second).unwrap();
        thread::park();
    } else {
        handle.send(thread::spawn(|| ())).unwrap();
        second.join().unwrap();
    }
}

/// A request of an actor's own goes behind the one that it works on.
fn actor_calls_itself(itself: bool) {
    enum Request {
        Get(Sender<i32>),
        GetTwice(Sender<i32>),
    }
    let (actor, inbox) = channel();
    let own = actor.clone();
    thread::spawn(move || {
        for request in inbox {
            match request {
                Request::Get(reply) => reply.send(1).unwrap(),
                Request::GetTwice(reply) => {
                    let (half, halves) = channel();
                    own.send(Request::Get(half)).unwrap();
                    reply.send(2 * halves.recv().unwrap()).unwrap();
                }
            }
        }
    });
    let (reply, replies) = channel();
    actor.send(if itself { Request::GetTwice(reply) } else { Request::Get(reply) }).unwrap();
    assert_eq!(replies.recv(), Ok(1));
}

/// All threads wait for each other, but one has a time limit, and then gives what is missing.
fn watchdog_ends_the_hang() {
    let table = Arc::new(Mutex::new(0));
    let (reply, replies) = channel();
    let (_alive, pulse) = channel::<()>();
    let watchdog = {
        let reply = reply.clone();
        thread::spawn(move || {
            assert!(pulse.recv_timeout(super::fine::A_WHILE).is_err());
            reply.send(0).unwrap();
        })
    };
    let held = table.lock().unwrap();
    let other = Arc::clone(&table);
    let server = thread::spawn(move || _ = reply.send(*other.lock().unwrap()));
    assert_eq!(replies.recv(), Ok(0));
    drop(held);
    watchdog.join().unwrap();
    server.join().unwrap();
}

/// The same, but it only looks, and at last gives up on the process.
fn watchdog_only_looks() {
    let table = Arc::new(Mutex::new(0));
    let (reply, replies) = channel();
    let (_alive, pulse) = channel::<()>();
    thread::spawn(move || {
        for _ in 0..30 {
            assert!(pulse.recv_timeout(std::time::Duration::from_millis(100)).is_err());
        }
        std::process::exit(0);
    });
    let held = table.lock().unwrap();
    let other = Arc::clone(&table);
    thread::spawn(move || _ = reply.send(*other.lock().unwrap()));
    _ = replies.recv();
    drop(held);
}

/// A latch of so many, which two threads count down.
fn latch(count: u32) {
    let latch = Arc::new((Mutex::new(count), Condvar::new()));
    let workers = [(); 2].map(|()| {
        let latch = Arc::clone(&latch);
        thread::spawn(move || {
            let mut left = latch.0.lock().unwrap();
            *left -= 1;
            if *left == 0 {
                latch.1.notify_all();
            }
        })
    });
    drop(latch.1.wait_while(latch.0.lock().unwrap(), |left| *left > 0).unwrap());
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}
