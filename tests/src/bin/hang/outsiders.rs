//! Threads that do something here without being on record: what they do shows in the real primitives only.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sync_trace::finding::Op;
use sync_trace::sync::mpsc::{channel, sync_channel};
use sync_trace::sync::{Arc, Barrier, Condvar, Mutex, Semaphore};
use sync_trace::{AsStd, thread};
use sync_trace_tests::sleeps;

use super::fine::A_WHILE;
use super::{Scene, until_asleep};

pub(crate) const SCENES: &[Scene] = &[
    ("muted_thread_at_the_barrier", muted_thread_at_the_barrier),
    ("barrier_of_std", barrier_of_std),
    ("mutex_of_std_is_given_up", mutex_of_std_is_given_up),
    ("signalled_by_std_under_the_mutex", signalled_by_std_under_the_mutex),
    ("message_of_std_comes_late", message_of_std_comes_late),
    ("room_made_by_std_comes_late", room_made_by_std_comes_late),
    ("rendezvous_with_std_comes_late", rendezvous_with_std_comes_late),
    ("muted_thread_adds_permits", muted_thread_adds_permits),
    ("last_words_of_a_thread", last_words_of_a_thread),
    ("waits_for_a_process", waits_for_a_process),
    ("held_by_a_debugger", held_by_a_debugger),
    ("main_computes", main_computes),
    ("main_waits_for_a_while", main_waits_for_a_while),
];

/// The number by which the system knows the calling thread.
fn own_number() -> u64 {
    let path = std::fs::read_link("/proc/thread-self").unwrap();
    path.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// A thread that nobody has heard of, started so that it has nothing on record, and its number.
struct Outsider {
    thread: std::thread::JoinHandle<()>,
    number: Arc<AtomicU64>,
}

impl Outsider {
    fn start(body: impl FnOnce() + Send + 'static) -> Self {
        let number = Arc::new(AtomicU64::new(0));
        let own = Arc::clone(&number);
        let thread = std::thread::spawn(move || {
            own.store(own_number(), Ordering::Release);
            body();
        });
        Self { thread, number }
    }

    /// Returns once it sleeps, as it does nowhere but in the wait it was started for.
    fn until_asleep(self) -> Self {
        loop {
            let number = self.number.load(Ordering::Acquire);
            if number != 0 && sleeps(number) {
                return self;
            }
            std::thread::yield_now();
        }
    }

    fn join(self) {
        self.thread.join().unwrap();
    }

    /// The same for one that has parked itself at last.
    fn wake_and_join(self) {
        self.thread.thread().unpark();
        self.join();
    }
}

/// Returns as soon as a thread is on record as waiting like this, long before it sleeps.
fn until_on_record(op: Op) {
    let is_one = |state: &sync_trace::finding::AgentState| {
        state.wait.as_ref().is_some_and(|(wait, _)| wait.op == op)
    };
    while !sync_trace::snapshot().agents.iter().any(is_one) {
        std::hint::spin_loop();
    }
}

/// Whoever comes last opens it, though one of the others is not known to have come.
fn muted_thread_at_the_barrier() {
    let gate = Arc::new(Barrier::new(3));
    let outsider = {
        let gate = Arc::clone(&gate);
        Outsider::start(move || {
            let _quiet = sync_trace::mute();
            gate.wait();
        })
    };
    let outsider = outsider.until_asleep();
    let worker = {
        let gate = Arc::clone(&gate);
        thread::spawn(move || _ = gate.wait())
    };
    until_asleep(Op::WaitBarrier, 1);
    gate.wait();
    worker.join().unwrap();
    outsider.join();
}

fn barrier_of_std() {
    let gate = Arc::new(Barrier::new(2));
    let outsider = {
        let gate = Arc::clone(&gate);
        Outsider::start(move || _ = gate.as_std().wait())
    };
    let outsider = outsider.until_asleep();
    gate.wait();
    outsider.join();
}

/// The wait for the signal lets in who will give it.
fn mutex_of_std_is_given_up() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let ready = pair.0.lock().unwrap();
    let outsider = {
        let pair = Arc::clone(&pair);
        Outsider::start(move || {
            *pair.0.as_std().lock().unwrap() = true;
            pair.1.as_std().notify_one();
        })
    };
    let outsider = outsider.until_asleep();
    assert!(*pair.1.wait_while(ready, |ready| !*ready).unwrap());
    outsider.join();
}

/// One that was signalled waits for the mutex, which is given up next, and nothing says that it was.
fn signalled_by_std_under_the_mutex() {
    let both = Arc::new((Mutex::new(0), Condvar::new(), Condvar::new()));
    let worker = {
        let both = Arc::clone(&both);
        thread::spawn(move || {
            let turn = both.0.lock().unwrap();
            let mut turn = both.1.wait_while(turn, |turn| *turn != 1).unwrap();
            *turn = 2;
            both.2.notify_one();
        })
    };
    until_asleep(Op::WaitWhile, 1);
    let mut turn = both.0.lock().unwrap();
    *turn = 1;
    let before = times_asleep_of_others();
    both.1.as_std().notify_one();
    // It wakes up, and sleeps again.
    while times_asleep_of_others() == before {
        std::thread::yield_now();
    }
    until_asleep(Op::WaitWhile, 1);
    assert_eq!(*both.2.wait_while(turn, |turn| *turn != 2).unwrap(), 2);
    worker.join().unwrap();
}

/// How often the threads on record have gone to sleep, all but the first.
fn times_asleep_of_others() -> u64 {
    let waits = sync_trace::snapshot().agents;
    let times = waits.iter().filter(|state| state.wait.is_some()).map(|state| {
        let path = format!("/proc/self/task/{}/status", state.agent.os_id.unwrap());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    });
    times.sum()
}

/// It comes after the receiver has found nothing, and before it has gone to sleep.
fn message_of_std_comes_late() {
    let (sender, receiver) = channel();
    let outsider = Outsider::start(move || {
        until_on_record(Op::Recv);
        sender.as_std().send(1).unwrap();
        std::thread::park();
    });
    assert_eq!(receiver.recv(), Ok(1));
    outsider.wake_and_join();
}

fn room_made_by_std_comes_late() {
    let (sender, receiver) = sync_channel(1);
    sender.send(1).unwrap();
    let outsider = Outsider::start(move || {
        until_on_record(Op::Send);
        assert_eq!(receiver.as_std().recv(), Ok(1));
        std::thread::park();
        assert_eq!(receiver.as_std().recv(), Ok(2));
    });
    sender.send(2).unwrap();
    outsider.wake_and_join();
}

fn rendezvous_with_std_comes_late() {
    let (sender, receiver) = sync_channel(0);
    let outsider = Outsider::start(move || {
        until_on_record(Op::Recv);
        sender.as_std().send(1).unwrap();
    });
    assert_eq!(receiver.recv(), Ok(1));
    outsider.join();
}

fn muted_thread_adds_permits() {
    let slots = Arc::new(Semaphore::new(0));
    let outsider = {
        let slots = Arc::clone(&slots);
        Outsider::start(move || {
            let _quiet = sync_trace::mute();
            until_on_record(Op::Acquire);
            slots.add_permits(1);
            std::thread::park();
        })
    };
    drop(slots.acquire().unwrap());
    outsider.wake_and_join();
}

/// What a thread leaves behind speaks when the thread is as good as gone.
fn last_words_of_a_thread() {
    struct Late(sync_trace::sync::mpsc::Sender<u32>);
    impl Drop for Late {
        fn drop(&mut self) {
            std::thread::sleep(A_WHILE);
            self.0.send(1).unwrap();
        }
    }
    thread_local!(static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) });
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || LATE.set(Some(Late(sender))));
    assert_eq!(receiver.recv(), Ok(1));
    worker.join().unwrap();
}

/// One that another thread waits for.
fn waits_for_a_process() {
    let (sender, receiver) = channel();
    let waiting = std::thread::spawn(move || {
        // `cat` ends with its input, which the parent keeps open for a while.
        let mut child =
            Command::new("cat").stdin(Stdio::inherit()).stdout(Stdio::null()).spawn().unwrap();
        sender.send(child.wait().unwrap().success()).unwrap();
    });
    assert_eq!(receiver.recv(), Ok(true));
    waiting.join().unwrap();
}

/// A debugger stops a parked thread, which is woken up meanwhile and cannot say so. The parent is told which
/// one, and says when it is stopped.
fn held_by_a_debugger() {
    let woken = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = channel();
    let parked = {
        let woken = Arc::clone(&woken);
        thread::spawn(move || {
            while !woken.load(Ordering::Acquire) {
                thread::park();
            }
            sender.send(1).unwrap();
        })
    };
    until_asleep(Op::Park, 1);
    let state = sync_trace::snapshot().agents.into_iter().find(|state| state.wait.is_some());
    println!("{}", state.unwrap().agent.os_id.unwrap());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    woken.store(true, Ordering::Release);
    parked.thread().unpark();
    assert_eq!(receiver.recv(), Ok(1));
    parked.join().unwrap();
}

fn main_computes() {
    let (sender, receiver) = channel();
    let named = std::thread::Builder::new().name("worker".to_owned());
    let worker = named.spawn(move || receiver.recv()).unwrap();
    let begun = std::time::Instant::now();
    while begun.elapsed() < A_WHILE {
        std::hint::spin_loop();
    }
    sender.send(1).unwrap();
    assert_eq!(worker.join().unwrap(), Ok(1));
}

fn main_waits_for_a_while() {
    let (sender, receiver) = channel();
    let worker = std::thread::spawn(move || receiver.recv());
    let (_alive, never) = std::sync::mpsc::channel::<()>();
    assert!(never.recv_timeout(A_WHILE).is_err());
    sender.send(1).unwrap();
    assert_eq!(worker.join().unwrap(), Ok(1));
}
