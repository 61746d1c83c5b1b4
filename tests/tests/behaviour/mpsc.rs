//! Channels: order, bounds, and what happens when one end goes away.

use std::cell::Cell;
use std::iter;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::blocked::spawn_blocked;
use super::sync::Mutex;
use super::sync::mpsc::{
    Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender, TryRecvError,
    TrySendError, channel, sync_channel,
};
use super::thread;
use crate::{CountsDrops, in_time, panic_of};

/// Longer than any test may take.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(10);

/// A sending end of either kind.
#[derive(Clone)]
enum AnySender<T> {
    Unbounded(Sender<T>),
    Bounded(SyncSender<T>),
}

impl<T> AnySender<T> {
    fn send(&self, value: T) -> Result<(), SendError<T>> {
        match self {
            Self::Unbounded(sender) => sender.send(value),
            Self::Bounded(sender) => sender.send(value),
        }
    }
}

/// A channel of every kind in which a message stays until it is received, with room for a hundred.
fn buffered<T>() -> [(AnySender<T>, Receiver<T>); 2] {
    let (unbounded, bounded) = (channel(), sync_channel(100));
    [(AnySender::Unbounded(unbounded.0), unbounded.1), (AnySender::Bounded(bounded.0), bounded.1)]
}

/// A channel of every kind.
fn every<T>() -> impl Iterator<Item = (AnySender<T>, Receiver<T>)> {
    let bounded = [0, 1, 3].map(|bound| {
        let (send, receive) = sync_channel(bound);
        (AnySender::Bounded(send), receive)
    });
    buffered().into_iter().chain(bounded)
}

type Receive = fn(&Receiver<u32>) -> Option<u32>;

/// Every way to receive that waits for a message.
const RECEIVE: [Receive; 5] = [
    |receive| receive.recv().ok(),
    |receive| receive.recv_timeout(LONG).ok(),
    |receive| receive.recv_timeout(Duration::MAX).ok(),
    |receive| receive.iter().next(),
    |receive| IntoIterator::into_iter(receive).next(),
];

#[test]
fn messages_come_in_the_order_in_which_their_sender_sent_them() {
    const MESSAGES: usize = 200;
    in_time(|| {
        for (send, receive) in every() {
            thread::scope(|scope| {
                for sender in 0..4 {
                    let send = send.clone();
                    scope
                        .spawn(move || (0..MESSAGES).for_each(|n| send.send((sender, n)).unwrap()));
                }
                drop(send);
                let mut next = [0; 4];
                for (sender, n) in receive {
                    assert_eq!(n, next[sender]);
                    next[sender] += 1;
                }
                assert_eq!(next, [MESSAGES; 4]);
            });
        }
    });
}

#[test]
fn senders_may_be_shared_instead_of_cloned() {
    in_time(|| {
        for (send, receive) in every() {
            thread::scope(|scope| {
                let send = &send;
                for n in 0..20 {
                    scope.spawn(move || send.send(n).unwrap());
                }
                let mut got: Vec<u32> = receive.iter().take(20).collect();
                got.sort_unstable();
                assert_eq!(got, (0..20).collect::<Vec<_>>());
            });
            assert_eq!(receive.try_recv(), Err(TryRecvError::Empty));
        }
    });
}

#[test]
fn many_messages_wait_in_a_channel_without_bound() {
    const MESSAGES: u32 = 10_000;
    let (send, receive) = channel();
    (0..MESSAGES).for_each(|n| send.send(n).unwrap());
    assert!(receive.try_iter().eq(0..MESSAGES));
    assert_eq!(receive.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn every_way_to_receive_waits_for_a_message() {
    in_time(|| {
        for way in RECEIVE {
            for (send, receive) in every() {
                thread::scope(|scope| {
                    let waits = spawn_blocked(scope, move || way(&receive));
                    send.send(5).unwrap();
                    assert_eq!(waits.join().unwrap(), Some(5));
                });
            }
        }
    });
}

#[test]
fn every_way_to_receive_ends_when_the_last_sender_goes() {
    in_time(|| {
        for way in RECEIVE {
            for (send, receive) in every() {
                thread::scope(|scope| {
                    let waits = spawn_blocked(scope, move || way(&receive));
                    let last = send.clone();
                    drop(send);
                    assert!(!waits.is_finished());
                    drop(last);
                    assert_eq!(waits.join().unwrap(), None);
                });
            }
        }
    });
}

#[test]
fn without_a_sender_each_receive_says_so_again_and_again() {
    for (send, receive) in every::<u8>() {
        drop(send);
        for _ in 0..2 {
            assert_eq!(receive.recv(), Err(RecvError));
            assert_eq!(receive.try_recv(), Err(TryRecvError::Disconnected));
            for time in [Duration::ZERO, SHORT, Duration::MAX] {
                assert_eq!(receive.recv_timeout(time), Err(RecvTimeoutError::Disconnected));
            }
            assert_eq!((receive.iter().next(), receive.try_iter().next()), (None, None));
        }
        let mut owned = receive.into_iter();
        assert_eq!((owned.next(), owned.next()), (None, None));
    }
}

#[test]
fn without_a_message_receiving_without_waiting_says_so() {
    in_time(|| {
        for (_send, receive) in every::<u8>() {
            assert_eq!(receive.try_recv(), Err(TryRecvError::Empty));
            assert_eq!(receive.try_iter().next(), None);
            assert_eq!(receive.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
            let start = Instant::now();
            assert_eq!(receive.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
            assert!(start.elapsed() >= SHORT);
        }
    });
}

#[test]
fn what_was_sent_is_received_after_its_sender_has_gone() {
    for (send, receive) in buffered() {
        let clone = send.clone();
        (0..6).for_each(|n| send.send(n).unwrap());
        drop(send);
        clone.send(6).unwrap();
        drop(clone);
        assert_eq!(receive.recv(), Ok(0));
        assert_eq!(receive.try_recv(), Ok(1));
        assert_eq!(receive.recv_timeout(Duration::ZERO), Ok(2));
        assert_eq!(receive.recv_timeout(Duration::MAX), Ok(3));
        assert_eq!((receive.iter().next(), receive.try_iter().next()), (Some(4), Some(5)));
        let mut owned = receive.into_iter();
        assert_eq!((owned.next(), owned.next(), owned.next()), (Some(6), None, None));
    }
}

#[test]
fn without_a_receiver_each_send_gives_its_message_back() {
    for (send, receive) in every() {
        let clone = send.clone();
        drop(receive);
        for send in [&send, &clone, &send] {
            assert_eq!(send.send("back"), Err(SendError("back")));
        }
    }
    for bound in [0, 1, 3] {
        let (send, receive) = sync_channel(bound);
        drop(receive);
        assert_eq!(send.try_send("back"), Err(TrySendError::Disconnected("back")));
    }
    // Also if it was full before.
    let (send, receive) = sync_channel(1);
    send.send("stays").unwrap();
    drop(receive);
    assert_eq!(send.try_send("back"), Err(TrySendError::Disconnected("back")));
    assert_eq!(send.send("back"), Err(SendError("back")));
}

#[test]
fn a_channel_with_a_bound_holds_that_many_messages_and_no_more() {
    for bound in 1..4 {
        let (send, receive) = sync_channel(bound);
        for round in 0..3 {
            (0..bound).for_each(|n| send.try_send(n).unwrap());
            assert_eq!(send.try_send(7), Err(TrySendError::Full(7)));
            assert_eq!(receive.recv(), Ok(0));
            send.clone().try_send(8).unwrap();
            assert_eq!(send.try_send(9), Err(TrySendError::Full(9)));
            let expected: Vec<_> = (1..bound).chain([8]).collect();
            assert_eq!(receive.try_iter().collect::<Vec<_>>(), expected, "in round {round}");
        }
    }
}

#[test]
fn a_sender_waits_while_the_channel_is_full_and_goes_on_when_there_is_room() {
    in_time(|| {
        let (send, receive) = sync_channel(2);
        (0..2).for_each(|n| send.send(n).unwrap());
        thread::scope(|scope| {
            let sends = spawn_blocked(scope, move || (2..6).for_each(|n| send.send(n).unwrap()));
            assert!(receive.iter().eq(0..6));
            sends.join().unwrap();
        });
    });
}

#[test]
fn a_sender_that_waits_for_room_gets_its_message_back_when_the_receiver_goes() {
    in_time(|| {
        for bound in [0, 1] {
            let (send, receive) = sync_channel(bound);
            (0..bound).for_each(|_| send.send("stays").unwrap());
            thread::scope(|scope| {
                let waiting = [(); 2].map(|()| spawn_blocked(scope, || send.send("back")));
                drop(receive);
                for sends in waiting {
                    assert_eq!(sends.join().unwrap(), Err(SendError("back")));
                }
            });
        }
    });
}

#[test]
fn a_rendezvous_hands_the_message_over_from_thread_to_thread() {
    in_time(|| {
        let (send, receive) = sync_channel(0);
        assert_eq!(send.try_send(1), Err(TrySendError::Full(1)));
        thread::scope(|scope| {
            // The sender waits for the receiver.
            let sends = spawn_blocked(scope, || send.send(2));
            assert_eq!(receive.recv(), Ok(2));
            sends.join().unwrap().unwrap();
            let sends = spawn_blocked(scope, || send.send(3));
            let got = iter::repeat_with(|| receive.try_recv()).find_map(Result::ok);
            assert_eq!(got, Some(3));
            sends.join().unwrap().unwrap();
            // The receiver waits for the sender, which need not wait then.
            let receives = spawn_blocked(scope, move || receive.recv());
            while send.try_send(4).is_err() {
                thread::yield_now();
            }
            assert_eq!(receives.join().unwrap(), Ok(4));
        });
    });
}

#[test]
fn after_a_rendezvous_the_receiver_sees_what_the_sender_did_before_and_not_more() {
    in_time(|| {
        let (send, receive) = sync_channel(0);
        let steps = Mutex::new(0);
        thread::scope(|scope| {
            let steps = &steps;
            scope.spawn(move || {
                for n in 1..=100 {
                    *steps.lock().unwrap() = n;
                    send.send(n).unwrap();
                }
            });
            for n in receive {
                let seen = *steps.lock().unwrap();
                // The sender may have begun the next step, but waits for us at its end.
                assert!(seen == n || seen == n + 1, "{seen} after {n}");
            }
        });
    });
}

#[test]
fn a_message_that_comes_ends_the_wait_however_long_it_may_last() {
    in_time(|| {
        for time in [LONG, Duration::MAX] {
            for (send, receive) in every() {
                thread::scope(|scope| {
                    let waits = spawn_blocked(scope, move || receive.recv_timeout(time));
                    send.send(1).unwrap();
                    assert_eq!(waits.join().unwrap(), Ok(1));
                });
            }
        }
    });
}

#[test]
fn a_receive_that_timed_out_loses_no_message() {
    in_time(|| {
        for (send, receive) in every() {
            thread::scope(|scope| {
                scope.spawn(move || (0..50).for_each(|n| send.send(n).unwrap()));
                let mut got = Vec::new();
                loop {
                    match receive.recv_timeout(Duration::from_micros(1)) {
                        Ok(n) => got.push(n),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
                assert!(got.into_iter().eq(0..50));
            });
        }
    });
}

#[test]
fn iterators_take_what_they_give_and_leave_the_rest() {
    for (send, receive) in buffered() {
        (0..10).for_each(|n| send.send(n).unwrap());
        assert_eq!(receive.iter().take(2).collect::<Vec<_>>(), [0, 1]);
        for n in &receive {
            if n == 4 {
                break;
            }
        }
        assert_eq!(receive.try_iter().take(2).collect::<Vec<_>>(), [5, 6]);
        let mut iter = receive.try_iter();
        assert_eq!((iter.next(), receive.recv(), iter.next()), (Some(7), Ok(8), Some(9)));
        // One that found nothing may find something later.
        assert_eq!(iter.next(), None);
        send.send(10).unwrap();
        assert_eq!(iter.next(), Some(10));
        assert_eq!(receive.iter().size_hint(), (0, None));
        assert_eq!(receive.try_iter().size_hint(), (0, None));
        assert_eq!(receive.into_iter().size_hint(), (0, None));
    }
}

#[test]
fn a_for_loop_over_the_receiver_drops_it_at_its_end() {
    let (send, receive) = channel();
    (0..3).for_each(|n| send.send(n).unwrap());
    for n in receive {
        if n == 1 {
            break;
        }
    }
    assert_eq!(send.send(3), Err(SendError(3)));
}

#[test]
fn every_message_is_dropped_once_whether_it_is_received_or_not() {
    for (send, receive) in buffered() {
        let drops = CountsDrops::default();
        (0..50).for_each(|_| send.send(drops.clone()).unwrap());
        receive.iter().take(20).for_each(drop);
        assert_eq!(drops.count(), 20);
        // Kept by whoever received it.
        let kept: Vec<_> = receive.try_iter().take(5).collect();
        assert_eq!(drops.count(), 20);
        drop((receive, send));
        assert_eq!(drops.count(), 45);
        drop(kept);
        assert_eq!(drops.count(), 50);
    }
}

#[test]
fn messages_that_were_never_received_go_with_the_ends_whichever_goes_last() {
    for receiver_last in [false, true] {
        for (send, receive) in buffered() {
            let drops = CountsDrops::default();
            let clone = send.clone();
            (0..40).for_each(|_| send.send(drops.clone()).unwrap());
            match receiver_last {
                false => {
                    drop(receive);
                    let SendError(back) = send.send(drops.clone()).unwrap_err();
                    let before = drops.count();
                    drop(back);
                    assert_eq!(drops.count(), before + 1);
                    drop((send, clone));
                    assert_eq!(drops.count(), 41);
                }
                true => {
                    drop((send, clone));
                    assert_eq!(drops.count(), 0);
                    drop(receive);
                    assert_eq!(drops.count(), 40);
                }
            }
        }
    }
}

#[test]
fn messages_of_threads_that_race_with_the_receivers_end_are_dropped_once() {
    in_time(|| {
        for (send, receive) in every() {
            let drops = CountsDrops::default();
            thread::scope(|scope| {
                for _ in 0..3 {
                    let (send, drops) = (send.clone(), drops.clone());
                    scope.spawn(move || {
                        let sent = (0..100).take_while(|_| send.send(drops.clone()).is_ok());
                        sent.count()
                    });
                }
                drop(send);
                receive.iter().take(50).for_each(drop);
                drop(receive);
            });
            // Each message has a clone of the counter, and so has each thread and this one.
            assert_eq!(Arc::strong_count(&drops.0), 1);
        }
    });
}

#[test]
fn a_receiver_and_a_sender_can_be_sent_through_a_channel() {
    in_time(|| {
        let (requests, served) = channel::<(u32, Sender<u32>)>();
        let (outer, inner) = sync_channel::<Receiver<u32>>(0);
        thread::scope(|scope| {
            scope.spawn(move || {
                for (n, reply) in served {
                    reply.send(n * n).unwrap();
                }
            });
            let sums = scope.spawn(move || inner.recv().unwrap().iter().sum::<u32>());
            let (reply, replies) = channel();
            outer.send(replies).unwrap();
            for n in 1..=3 {
                requests.send((n, reply.clone())).unwrap();
            }
            drop((requests, reply));
            assert_eq!(sums.join().unwrap(), 14);
        });
    });
}

/// An end in the queue of its own channel would keep it alive for ever, but may be taken out.
#[test]
fn a_channel_may_carry_its_own_sender() {
    enum Message {
        Sender(Sender<Message>),
        Number(u32),
    }
    in_time(|| {
        let (send, receive) = channel();
        send.send(Message::Sender(send.clone())).unwrap();
        drop(send);
        let Ok(Message::Sender(send)) = receive.recv() else { panic!("the sender comes first") };
        send.send(Message::Number(7)).unwrap();
        drop(send);
        let numbers = receive.iter().map(|message| match message {
            Message::Number(n) => n,
            Message::Sender(_) => unreachable!(),
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [7]);
    });
}

#[test]
fn receivers_may_be_taken_in_turns_behind_a_mutex() {
    in_time(|| {
        let (send, receive) = channel();
        let receive = Mutex::new(receive);
        thread::scope(|scope| {
            let workers = [(); 4].map(|()| {
                scope.spawn(|| {
                    let next = || receive.lock().unwrap().recv().ok();
                    iter::from_fn(next).sum::<u32>()
                })
            });
            (1..=100).for_each(|n| send.send(n).unwrap());
            drop(send);
            let sums = workers.map(|worker| worker.join().unwrap());
            assert_eq!(sums.iter().sum::<u32>(), 5050);
        });
    });
}

#[test]
fn payloads_need_not_be_sync_nor_of_any_size() {
    in_time(|| {
        for (send, receive) in every() {
            let sends =
                thread::spawn(move || (0..40).for_each(|n| send.send(Cell::new(n)).unwrap()));
            assert!(receive.iter().map(|cell| cell.get()).eq(0..40));
            sends.join().unwrap();
        }
        for (send, receive) in every() {
            let sends = thread::spawn(move || (0..40).for_each(|_| send.send(()).unwrap()));
            assert_eq!(receive.iter().count(), 40);
            sends.join().unwrap();
        }
        for (send, receive) in every() {
            let sends = thread::spawn(move || (0..40).for_each(|n| send.send([n; 1000]).unwrap()));
            assert!(receive.iter().map(|large: [u64; 1000]| large[999]).eq(0..40));
            sends.join().unwrap();
        }
        // Not even `Send`, as long as both ends stay in one thread.
        let (send, receive) = channel();
        send.send(Rc::new(1)).unwrap();
        assert_eq!(*receive.recv().unwrap(), 1);
    });
}

#[test]
fn a_panic_that_drops_an_end_disconnects_it() {
    in_time(|| {
        let (send, receive) = channel();
        thread::scope(|scope| {
            let panicking = scope.spawn(move || {
                send.send(1).unwrap();
                panic!("with the only sender");
            });
            assert_eq!(receive.iter().collect::<Vec<_>>(), [1]);
            panicking.join().unwrap_err();
        });
        let (send, receive) = sync_channel(0);
        panic_of(move || {
            let _dropped = receive;
            panic!("with the receiver");
        });
        assert_eq!(send.send(1), Err(SendError(1)));
    });
}

#[test]
fn ends_can_be_used_while_their_thread_unwinds() {
    struct SendsInDrop(Sender<u32>, Receiver<u32>);
    impl Drop for SendsInDrop {
        fn drop(&mut self) {
            self.0.send(self.1.recv().unwrap() + 1).unwrap();
            assert_eq!(self.1.try_recv(), Err(TryRecvError::Empty));
        }
    }
    in_time(|| {
        let ((send, receive), (to, from)) = (channel(), channel());
        thread::scope(|scope| {
            scope.spawn(move || {
                panic_of(|| {
                    let _sends = SendsInDrop(to, receive);
                    panic!("unwinding");
                })
            });
            send.send(1).unwrap();
            assert_eq!(from.recv(), Ok(2));
        });
    });
}

#[test]
fn a_message_whose_drop_panics_is_dropped_once() {
    struct PanicsInDrop(CountsDrops);
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in drop, for the {}th time", self.0.count());
        }
    }
    let drops = CountsDrops::default();
    let (send, receive) = channel();
    send.send(PanicsInDrop(drops.clone())).unwrap();
    assert_eq!(panic_of(move || drop(receive)), "in drop, for the 0th time");
    assert_eq!(drops.count(), 1);
    drop(send);
    assert_eq!(drops.count(), 1);
}

#[test]
fn the_debug_texts_of_ends_and_iterators_are_stds() {
    let ((send, receive), (bounded, _receive)) = (channel::<u8>(), sync_channel::<u8>(0));
    assert_eq!(format!("{send:?} {bounded:?}"), "Sender { .. } SyncSender { .. }");
    assert_eq!(format!("{receive:?}"), "Receiver { .. }");
    assert_eq!(format!("{:?}", receive.iter()), "Iter { rx: Receiver { .. } }");
    assert_eq!(format!("{:?}", receive.try_iter()), "TryIter { rx: Receiver { .. } }");
    assert_eq!(format!("{:?}", receive.into_iter()), "IntoIter { rx: Receiver { .. } }");
}
