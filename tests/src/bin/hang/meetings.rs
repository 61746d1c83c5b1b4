//! Barriers, parking, and several of all.

use std::sync::atomic::{AtomicBool, Ordering};

use sync_trace::finding::Op;
use sync_trace::sync::mpsc::channel;
use sync_trace::sync::{Arc, Barrier, Condvar, Mutex};
use sync_trace::{named, thread};

use super::{Scene, until_asleep};

pub(crate) const SCENES: &[Scene] = &[
    ("participant_has_ended", participant_has_ended),
    ("participant_behind_a_lock", participant_behind_a_lock),
    ("too_many_parties", too_many_parties),
    ("two_barriers", two_barriers),
    ("parked_for_ever", parked_for_ever),
    ("scope_of_a_receiver", scope_of_a_receiver),
    ("pipeline_shutdown", pipeline_shutdown),
];

fn participant_has_ended() {
    let start = Arc::new(named!("start", Barrier::new(3)));
    let threads: Vec<_> = (0..3)
        .map(|n| {
            let start = Arc::clone(&start);
            thread::spawn(move || {
                // One gives up early.
                if n != 1 {
                    start.wait();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// BR1.
fn participant_behind_a_lock() {
    let state = Arc::new(named!("state", Mutex::new(0)));
    let phase = Arc::new(named!("phase", Barrier::new(3)));
    let first = {
        let (state, phase) = (Arc::clone(&state), Arc::clone(&phase));
        thread::spawn(move || {
            let _state = state.lock().unwrap();
            phase.wait();
        })
    };
    until_asleep(Op::WaitBarrier, 1);
    let others = [(); 2].map(|()| {
        let (state, phase) = (Arc::clone(&state), Arc::clone(&phase));
        thread::spawn(move || {
            *state.lock().unwrap() += 1;
            phase.wait();
        })
    });
    first.join().unwrap();
    others.into_iter().for_each(|thread| thread.join().unwrap());
}

fn too_many_parties() {
    let gate = Arc::new(named!("gate", Barrier::new(4)));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| gate.wait());
        }
        gate.wait();
    });
}

/// Two barriers, met in different orders.
fn two_barriers() {
    let (a, b) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let other = {
        let (a, b) = (Arc::clone(&a), Arc::clone(&b));
        thread::spawn(move || {
            b.wait();
            a.wait();
        })
    };
    a.wait();
    b.wait();
    other.join().unwrap();
}

/// It is unparked before it parks, and that once only.
fn parked_for_ever() {
    let ready = Arc::new(AtomicBool::new(false));
    let parked = {
        let ready = Arc::clone(&ready);
        thread::spawn(move || {
            while !ready.load(Ordering::Relaxed) {
                thread::park();
            }
        })
    };
    until_asleep(Op::Park, 1);
    parked.thread().unpark();
    parked.join().unwrap();
}

/// The scope waits for a thread that waits for a sender which only the scope's closure would drop.
fn scope_of_a_receiver() {
    let (sender, receiver) = channel::<u32>();
    thread::scope(|scope| {
        scope.spawn(move || receiver.iter().sum::<u32>());
        sender.send(1).unwrap();
    });
    drop(sender);
}

/// The stages end when they are told to, which the first one does not hear because it waits for room.
fn pipeline_shutdown() {
    let stop = Arc::new((Mutex::new(false), named!("stop", Condvar::new())));
    let (sender, receiver) = named!("stage", sync_trace::sync::mpsc::sync_channel::<u32>(1));
    let all_out = Arc::new(named!("all_out", Barrier::new(2)));
    let first = {
        let all_out = Arc::clone(&all_out);
        thread::spawn(move || {
            (0..3).for_each(|n| sender.send(n).unwrap());
            all_out.wait();
        })
    };
    let second = {
        let (stop, all_out) = (Arc::clone(&stop), Arc::clone(&all_out));
        thread::spawn(move || {
            let told = stop.1.wait_while(stop.0.lock().unwrap(), |stop| !*stop);
            drop(told);
            all_out.wait();
            drop(receiver);
        })
    };
    until_asleep(Op::Send, 1);
    until_asleep(Op::WaitWhile, 1);
    *stop.0.lock().unwrap() = true;
    stop.1.notify_all();
    first.join().unwrap();
    second.join().unwrap();
}
