//! Programs that go on, though for a while it looks as if nobody could wake anybody.

use std::io::{BufRead, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sync_trace::finding::Op;
use sync_trace::sync::mpsc::{RecvTimeoutError, channel, sync_channel};
use sync_trace::sync::{Arc, Barrier, Condvar, Mutex};
use sync_trace::thread;

use super::{Scene, until_asleep};

/// Longer than anything that sleeps is looked at before it is called stuck.
pub(crate) const A_WHILE: Duration = Duration::from_millis(600);

pub(crate) const SCENES: &[Scene] = &[
    ("last_sender_goes", last_sender_goes),
    ("plain_thread_sends_late", plain_thread_sends_late),
    ("traced_thread_signals_late", traced_thread_signals_late),
    ("plain_thread_computes", plain_thread_computes),
    ("timed_wait_in_a_circle", timed_wait_in_a_circle),
    ("waits_for_input", waits_for_input),
    ("heartbeat", heartbeat),
    ("signal_handler", signal_handler),
    ("ping_pong", ping_pong),
    ("park_ping_pong", park_ping_pong),
    ("rendezvous_ping_pong", rendezvous_ping_pong),
    ("plain_channel_between", plain_channel_between),
    ("idle_pool", idle_pool),
    ("barrier_rounds", barrier_rounds),
];

/// CH3.
fn last_sender_goes() {
    let (sender, receiver) = channel::<()>();
    let holder = thread::spawn(move || {
        std::thread::sleep(A_WHILE);
        drop(sender);
    });
    assert!(receiver.recv().is_err());
    holder.join().unwrap();
}

/// OA4: a thread that nobody has heard of.
fn plain_thread_sends_late() {
    let (sender, receiver) = channel();
    let sending = std::thread::spawn(move || {
        std::thread::sleep(A_WHILE);
        sender.send(1).unwrap();
    });
    assert_eq!(receiver.recv(), Ok(1));
    sending.join().unwrap();
}

fn traced_thread_signals_late() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    let signalling = thread::spawn(move || {
        thread::sleep(A_WHILE);
        *other.0.lock().unwrap() = true;
        other.1.notify_one();
    });
    drop(pair.1.wait_while(pair.0.lock().unwrap(), |ready| !*ready).unwrap());
    signalling.join().unwrap();
}

fn plain_thread_computes() {
    let (sender, receiver) = sync_channel(0);
    let computing = std::thread::spawn(move || {
        let begun = std::time::Instant::now();
        let mut n = 0_u64;
        while begun.elapsed() < A_WHILE {
            n = std::hint::black_box(n + 1);
        }
        assert!(receiver.recv().is_ok_and(|sent: u64| sent <= n));
    });
    sender.send(0).unwrap();
    computing.join().unwrap();
}

/// CV9: it ends by itself.
fn timed_wait_in_a_circle() {
    let outer = Arc::new(Mutex::new(()));
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let holding = outer.lock().unwrap();
    let worker = {
        let (outer, pair) = (Arc::clone(&outer), Arc::clone(&pair));
        thread::spawn(move || {
            drop(outer.lock().unwrap());
            *pair.0.lock().unwrap() = true;
            pair.1.notify_one();
        })
    };
    until_asleep(Op::Lock, 1);
    let (done, timed) =
        pair.1.wait_timeout_while(pair.0.lock().unwrap(), A_WHILE, |done| !*done).unwrap();
    assert!(timed.timed_out());
    drop((done, holding));
    worker.join().unwrap();
    assert!(*pair.0.lock().unwrap());
}

/// The outside world may do something.
fn waits_for_input() {
    let (sender, receiver) = channel();
    let reading = std::thread::spawn(move || {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).unwrap();
        sender.send(line).unwrap();
    });
    assert_eq!(receiver.recv().as_deref(), Ok("go\n"));
    reading.join().unwrap();
}

/// Somebody is always awake for a moment, and what it will do at last is not known.
fn heartbeat() {
    let (sender, receiver) = channel();
    let beating = thread::spawn(move || {
        for _ in 0..60 {
            thread::sleep(Duration::from_millis(10));
        }
        sender.send(()).unwrap();
    });
    receiver.recv().unwrap();
    beating.join().unwrap();
}

/// A signal is caught by hand, and its handler wakes a thread by the only way that is safe there.
fn signal_handler() {
    #[cfg(unix)]
    {
        static WAKES: AtomicBool = AtomicBool::new(false);
        extern "C" fn handler(_: std::ffi::c_int) {
            WAKES.store(true, Ordering::Release);
        }
        unsafe extern "C" {
            fn signal(signum: std::ffi::c_int, handler: extern "C" fn(std::ffi::c_int)) -> usize;
        }
        const SIGUSR1: std::ffi::c_int = if cfg!(target_os = "linux") { 10 } else { 30 };
        // SAFETY: the handler only stores to an atomic.
        unsafe { signal(SIGUSR1, handler) };
        // The parent sends the signal, and then says so.
        let (sender, receiver) = channel();
        let waking = std::thread::spawn(move || {
            let mut told = [0];
            std::io::stdin().read_exact(&mut told).unwrap();
            sender.send(WAKES.load(Ordering::Acquire)).unwrap();
        });
        receiver.recv().unwrap();
        waking.join().unwrap();
    }
}

fn ping_pong() {
    let pair = Arc::new((Mutex::new(0_u32), Condvar::new()));
    let plays = |pair: Arc<(Mutex<u32>, Condvar)>, mine: u32| {
        move || {
            for _ in 0..20_000 {
                let turn = pair.0.lock().unwrap();
                let mut turn = pair.1.wait_while(turn, |turn| *turn % 2 != mine).unwrap();
                *turn += 1;
                pair.1.notify_one();
            }
        }
    };
    let threads = [0, 1].map(|mine| thread::spawn(plays(Arc::clone(&pair), mine)));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*pair.0.lock().unwrap(), 40_000);
}

fn park_ping_pong() {
    let turn = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let main = std::thread::current();
    let other = {
        let turn = Arc::clone(&turn);
        thread::spawn(move || {
            for round in 0..10_000 {
                while turn.load(Ordering::Acquire) != 2 * round + 1 {
                    thread::park();
                }
                turn.store(2 * round + 2, Ordering::Release);
                main.unpark();
            }
        })
    };
    for round in 0..10_000 {
        turn.store(2 * round + 1, Ordering::Release);
        other.thread().unpark();
        while turn.load(Ordering::Acquire) != 2 * round + 2 {
            thread::park();
        }
    }
    other.join().unwrap();
}

fn rendezvous_ping_pong() {
    let (there, from_here) = sync_channel(0);
    let (back, from_there) = sync_channel(0);
    let other = thread::spawn(move || from_here.iter().for_each(|n: u32| back.send(n).unwrap()));
    for n in 0..10_000 {
        there.send(n).unwrap();
        assert_eq!(from_there.recv(), Ok(n));
    }
    drop(there);
    other.join().unwrap();
}

/// A sender goes to another thread by a way that is not traced.
fn plain_channel_between() {
    let (requests, inbox) = std::sync::mpsc::channel::<sync_trace::sync::mpsc::Sender<u32>>();
    let server = thread::spawn(move || {
        for reply in inbox {
            std::thread::sleep(A_WHILE);
            reply.send(1).unwrap();
        }
    });
    let (reply, answer) = channel();
    requests.send(reply).unwrap();
    assert_eq!(answer.recv(), Ok(1));
    drop(requests);
    server.join().unwrap();
}

/// Workers that wait for work, while `main` waits for something else with a time limit.
fn idle_pool() {
    let (sender, receiver) = channel::<u32>();
    let receiver = Arc::new(Mutex::new(receiver));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || while { receiver.lock().unwrap().recv() }.is_ok() {})
        })
        .collect();
    let (_tx, rx) = channel::<()>();
    assert_eq!(rx.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
    sender.send(1).unwrap();
    drop(sender);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    std::io::stdout().write_all(b"done").unwrap();
}

fn barrier_rounds() {
    let all = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let all = Arc::clone(&all);
            thread::spawn(move || (0..2_000).for_each(|_| _ = all.wait()))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
