//! Channels.

use sync_trace::finding::Op;
use sync_trace::sync::mpsc::{Sender, channel, sync_channel};
use sync_trace::sync::{Arc, Mutex};
use sync_trace::{named, thread};

use super::{Scene, until_asleep};

pub(crate) const SCENES: &[Scene] = &[
    ("crossed_requests", crossed_requests),
    ("full_under_a_lock", full_under_a_lock),
    ("own_sender", own_sender),
    ("full_mailboxes", full_mailboxes),
    ("reply_under_a_lock", reply_under_a_lock),
    ("leaked_sender", leaked_sender),
    ("own_rendezvous", own_rendezvous),
    ("workers_wait_for_senders_they_hold", workers_wait_for_senders_they_hold),
];

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(body).unwrap()
}

/// CH1.
fn crossed_requests() {
    let (to_one, for_one) = channel::<u32>();
    let (to_other, for_other) = channel::<u32>();
    let one = start("one", move || {
        let question = for_one.recv().unwrap();
        to_other.send(question).unwrap();
    });
    let other = start("other", move || {
        let question = for_other.recv().unwrap();
        to_one.send(question).unwrap();
    });
    one.join().unwrap();
    other.join().unwrap();
}

/// CH2.
fn full_under_a_lock() {
    let log = Arc::new(named!("log", Mutex::new(0)));
    let (sender, receiver) = named!("jobs", sync_channel::<u32>(1));
    let producer = {
        let log = Arc::clone(&log);
        start("producer", move || {
            for job in 0..4 {
                let mut log = log.lock().unwrap();
                sender.send(job).unwrap();
                *log += 1;
            }
        })
    };
    until_asleep(Op::Send, 1);
    let consumer = start("consumer", move || {
        loop {
            let job = *log.lock().unwrap();
            if receiver.recv().is_err() || job == 4 {
                break;
            }
        }
    });
    consumer.join().unwrap();
    producer.join().unwrap();
}

/// CH4: its own sender keeps the loop from ending.
fn own_sender() {
    let (sender, receiver) = named!("results", channel::<u32>());
    let workers: Vec<_> = (0..3)
        .map(|n| {
            let sender = sender.clone();
            start("worker", move || sender.send(n).unwrap())
        })
        .collect();
    let sum: u32 = receiver.iter().sum();
    drop(sender);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    assert_eq!(sum, 3);
}

/// Two mailboxes, full both ways.
fn full_mailboxes() {
    let (to_left, for_left) = named!("left", sync_channel::<u32>(2));
    let (to_right, for_right) = named!("right", sync_channel::<u32>(2));
    let talks = |to: sync_trace::sync::mpsc::SyncSender<u32>,
                 from: sync_trace::sync::mpsc::Receiver<u32>| {
        move || {
            (0..10).for_each(|n| to.send(n).unwrap());
            (0..10).for_each(|_| _ = from.recv().unwrap());
        }
    };
    let left = start("left", talks(to_right, for_left));
    let right = start("right", talks(to_left, for_right));
    left.join().unwrap();
    right.join().unwrap();
}

/// A reply is awaited under a lock that the replier needs.
fn reply_under_a_lock() {
    let table = Arc::new(named!("table", Mutex::new(7)));
    let (requests, inbox) = channel::<Sender<u32>>();
    let server = {
        let table = Arc::clone(&table);
        start("server", move || {
            for reply in inbox {
                let value = *table.lock().unwrap();
                reply.send(value).unwrap();
            }
        })
    };
    let client = start("client", move || {
        let table = table.lock().unwrap();
        let (reply, answer) = named!("reply", channel());
        requests.send(reply).unwrap();
        assert_eq!(answer.recv(), Ok(*table));
    });
    client.join().unwrap();
    server.join().unwrap();
}

/// CH5.
fn leaked_sender() {
    let (sender, receiver) = channel::<()>();
    start("forgetful", move || std::mem::forget(sender)).join().unwrap();
    assert!(receiver.recv().is_err());
}

/// Nobody else is there to meet.
fn own_rendezvous() {
    let (sender, receiver) = named!("meet", sync_channel::<u32>(0));
    sender.send(1).unwrap();
    assert_eq!(receiver.recv(), Ok(1));
}

/// Each worker may send work to all, so each has a sender, and none ever ends.
fn workers_wait_for_senders_they_hold() {
    let (sender, receiver) = named!("work", channel::<u32>());
    let receiver = Arc::new(Mutex::new(receiver));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (sender, receiver) = (sender.clone(), Arc::clone(&receiver));
            start("worker", move || {
                while let Ok(n) = { receiver.lock().unwrap().recv() } {
                    if n > 0 {
                        sender.send(n - 1).unwrap();
                    }
                }
            })
        })
        .collect();
    sender.send(5).unwrap();
    drop(sender);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}
