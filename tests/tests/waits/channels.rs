//! Waits for messages and for room in channels, while a lock is held.

use sync_trace::finding::Op;
use sync_trace::sync::mpsc::{self, Receiver};
use sync_trace::sync::{Arc, Mutex};
use sync_trace::thread;

use crate::programs::locks;
use crate::scene::{Expected, Watched, check, gate, parts};

fn take(lock: &Mutex<u32>) {
    *lock.lock().expect("not poisoned") += 1;
}

/// A thread sends two messages into a channel with room for one, under a lock, once the receiving one is
/// through with what it does `before`.
fn sends_under_a_lock(
    before: impl FnOnce(&Mutex<u32>) + Send + 'static,
    receive: impl Fn(&Receiver<u32>) + Send + 'static,
) {
    let [held] = locks();
    let (sender, receiver) = mpsc::sync_channel(1);
    let (past, is_past) = gate();
    let root = Watched::me();
    let receiving = {
        let held = held.clone();
        thread::spawn(move || {
            before(&held);
            past.open();
            root.until_it_waits_in(Op::Send);
            receive(&receiver);
            receive(&receiver);
        })
    };
    is_past.wait();
    {
        let _held = held.lock().expect("not poisoned");
        (0..2).for_each(|n| sender.send(n).expect("there is a receiver"));
    }
    receiving.join().expect("it receives");
}

fn receive(receiver: &Receiver<u32>) {
    receiver.recv().expect("there is a sender");
}

#[test]
fn who_receives_needs_what_holds_who_has_no_room() {
    // CH2.
    let found = check(Expected::Predicted, || sends_under_a_lock(take, receive));
    assert_eq!(parts(&found[0]), ["send std channel, given by recv", "lock std Mutex, held"]);
}

#[test]
fn who_looks_for_messages_makes_room_too() {
    check(Expected::Predicted, || {
        sends_under_a_lock(take, |receiver| while receiver.try_recv().is_err() {});
    });
}

#[test]
fn who_receives_need_not_have_the_lock() {
    check(Expected::Silent, || sends_under_a_lock(|_| (), receive));
}

#[test]
fn a_receiver_that_tries_the_lock_goes_on_without_it() {
    check(Expected::Silent, || {
        sends_under_a_lock(|held| drop(held.try_lock().expect("it is free")), receive);
    });
}

#[test]
fn where_there_is_room_nobody_waits() {
    check(Expected::Silent, || {
        let [held] = locks();
        let (sender, receiver) = mpsc::sync_channel(4);
        let receiving = {
            let held = held.clone();
            thread::spawn(move || {
                take(&held);
                (0..2).for_each(|_| receive(&receiver));
            })
        };
        {
            let _held = held.lock().expect("not poisoned");
            (0..2).for_each(|n| sender.send(n).expect("there is a receiver"));
        }
        receiving.join().expect("it receives");
    });
}

/// A thread waits for a reply under a lock that the replying one had needed.
fn awaits_a_reply(has_others: bool) {
    let [held] = locks();
    let (sender, receiver) = mpsc::channel();
    let other = has_others.then(|| sender.clone());
    let (past, is_past) = gate();
    let root = Watched::me();
    let replying = {
        let held = held.clone();
        thread::spawn(move || {
            take(&held);
            past.open();
            root.until_it_waits_in(Op::Recv);
            sender.send(1).expect("there is a receiver");
            // It goes on: that it hangs up is another event.
            sender
        })
    };
    is_past.wait();
    {
        let _held = held.lock().expect("not poisoned");
        receive(&receiver);
    }
    drop(replying.join().expect("it replies"));
    drop(other);
}

#[test]
fn who_replies_needs_what_holds_who_waits_for_the_reply() {
    let found = check(Expected::Predicted, || awaits_a_reply(false));
    assert_eq!(parts(&found[0]), ["recv std channel, given by send", "lock std Mutex, held"]);
}

#[test]
fn another_sender_might_send_the_reply() {
    check(Expected::OthersGive, || awaits_a_reply(true));
}

#[test]
fn a_receiver_that_takes_the_lock_for_each_message_needs_it() {
    check(Expected::Predicted, || {
        let [held] = locks();
        let (sender, receiver) = mpsc::sync_channel(1);
        let (past, is_past) = gate();
        // Those that it sent before are not what it is to wait in.
        let (begun, has_begun) = gate();
        let root = Watched::me();
        let receiving = {
            let held = held.clone();
            thread::spawn(move || {
                (0..3).for_each(|_| {
                    take(&held);
                    receive(&receiver);
                });
                take(&held);
                past.open();
                has_begun.wait();
                root.until_it_waits_in(Op::Send);
                (0..2).for_each(|_| receive(&receiver));
            })
        };
        (0..3).for_each(|n| sender.send(n).expect("there is a receiver"));
        is_past.wait();
        {
            let _held = held.lock().expect("not poisoned");
            begun.open();
            (0..2).for_each(|n| sender.send(n).expect("there is a receiver"));
        }
        receiving.join().expect("it receives");
    });
}

#[test]
fn what_the_receiver_needed_before_the_message_before_was_for_that_one() {
    check(Expected::Silent, || {
        let [held] = locks();
        let (sender, receiver) = mpsc::sync_channel(1);
        let (past, is_past) = gate();
        let root = Watched::me();
        let receiving = {
            let held = held.clone();
            thread::spawn(move || {
                take(&held);
                receive(&receiver);
                past.open();
                root.until_it_waits_in(Op::Send);
                (0..2).for_each(|_| receive(&receiver));
            })
        };
        sender.send(0).expect("there is a receiver");
        is_past.wait();
        {
            let _held = held.lock().expect("not poisoned");
            (0..2).for_each(|n| sender.send(n).expect("there is a receiver"));
        }
        receiving.join().expect("it receives");
    });
}

#[test]
fn threads_of_a_scope_are_no_different() {
    check(Expected::Predicted, || {
        let held = Arc::new(Mutex::new(0));
        let (sender, receiver) = mpsc::sync_channel(1);
        let (past, is_past) = gate();
        let root = Watched::me();
        thread::scope(|scope| {
            let held = &held;
            scope.spawn(move || {
                take(held);
                past.open();
                root.until_it_waits_in(Op::Send);
                (0..2).for_each(|_| receive(&receiver));
            });
            is_past.wait();
            let _held = held.lock().expect("not poisoned");
            (0..2).for_each(|n| sender.send(n).expect("there is a receiver"));
        });
    });
}

#[test]
fn who_took_the_last_message_out_would_have_left_it_there() {
    // A pool whose workers share both ends, and send work to each other.
    check(Expected::Silent, || {
        let (sender, receiver) = mpsc::channel();
        let receiver = Mutex::new(receiver);
        let (past, is_past) = gate();
        let root = Watched::me();
        sender.send(1).expect("there is a receiver");
        thread::scope(|scope| {
            let (sender, receiver) = (&sender, &receiver);
            scope.spawn(move || {
                receive(&receiver.lock().expect("not poisoned"));
                past.open();
                root.until_it_waits_in(Op::Recv);
                sender.send(2).expect("there is a receiver");
            });
            is_past.wait();
            receive(&receiver.lock().expect("not poisoned"));
        });
    });
}
