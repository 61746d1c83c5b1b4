//! Messages and signals.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::sync::mpsc::{Receiver, channel, sync_channel};
use super::sync::{Condvar, Mutex};
use crate::work::timed;

/// The calling thread has taken a lock before, as most have.
fn take_a_lock() {
    drop(black_box(&Mutex::new(())).lock());
}

/// Sends a message and receives it, in one thread.
#[inline(never)]
pub fn send_recv(times: u64) -> Duration {
    take_a_lock();
    let (sender, receiver) = channel();
    timed(times, || {
        sender.send(black_box(1u64)).unwrap();
        black_box(receiver.recv().unwrap());
    })
}

/// The same, in a thread that may have taken no lock. The message is of a type of its own, so that the compiler
/// inlines both.
#[inline(never)]
pub fn send_recv_first(times: u64) -> Duration {
    let (sender, receiver) = channel();
    timed(times, || {
        sender.send(black_box(1u32)).unwrap();
        black_box(receiver.recv().unwrap());
    })
}

/// As [`send_recv`], through a channel with room for 64.
#[inline(never)]
pub fn send_recv_of_64(times: u64) -> Duration {
    take_a_lock();
    let (sender, receiver) = sync_channel(64);
    timed(times, || {
        sender.send(black_box(1u64)).unwrap();
        black_box(receiver.recv().unwrap());
    })
}

/// Notifies a condition variable at which nobody waits.
#[inline(never)]
pub fn notify(times: u64) -> Duration {
    let condvar = Condvar::new();
    timed(times, || black_box(&condvar).notify_one())
}

/// Takes two locks in turn, the one after the other.
#[inline(never)]
pub fn in_turn(times: u64) -> Duration {
    let (one, other) = (Mutex::new(0u64), Mutex::new(0u64));
    timed(times, || {
        *black_box(&one).lock().unwrap() += 1;
        *black_box(&other).lock().unwrap() += 1;
    })
}

/// Takes a lock, then sends a message and receives it.
#[inline(never)]
pub fn lock_send_recv(times: u64) -> Duration {
    let (sender, receiver) = sync_channel(64);
    let lock = Mutex::new(0u64);
    timed(times, || {
        *black_box(&lock).lock().unwrap() += 1;
        sender.send(black_box(1u64)).unwrap();
        black_box(receiver.recv().unwrap());
    })
}

/// Sends messages to another thread, through a channel without a bound.
#[inline(never)]
pub fn stream(times: u64) -> Duration {
    let (sender, receiver) = channel();
    streamed(times, move |message| sender.send(message).unwrap(), &receiver)
}

/// Sends messages to another thread, through a channel with room for 64.
#[inline(never)]
pub fn stream_of_64(times: u64) -> Duration {
    let (sender, receiver) = sync_channel(64);
    streamed(times, move |message| sender.send(message).unwrap(), &receiver)
}

/// Each end has been used once before the time begins.
fn streamed(times: u64, send: impl Fn(u64) + Send, receiver: &Receiver<u64>) -> Duration {
    let ready = &Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            send(0);
            ready.wait();
            (0..times).for_each(&send);
        });
        receiver.recv().unwrap();
        ready.wait();
        let start = Instant::now();
        for _ in 0..times {
            black_box(receiver.recv().unwrap());
        }
        start.elapsed()
    })
}

/// Two threads hand each other messages without room for any. One time is there and back.
#[inline(never)]
pub fn rendezvous(times: u64) -> Duration {
    let (ping, pinged) = sync_channel(0);
    let (pong, ponged) = sync_channel(0);
    std::thread::scope(|scope| {
        // It ends when there is no more ping.
        scope.spawn(move || pinged.iter().for_each(|message: u64| pong.send(message).unwrap()));
        let took = timed(times, || {
            ping.send(black_box(1)).unwrap();
            black_box(ponged.recv().unwrap());
        });
        drop(ping);
        took
    })
}
