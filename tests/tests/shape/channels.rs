//! Channels: coercions, what their iterators borrow, what may be a payload.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

use super::sync::mpsc::{
    IntoIter, Iter, Receiver, SendError, Sender, SyncSender, TryIter, TrySendError, channel,
    sync_channel,
};

#[test]
fn the_payload_of_a_channel_is_inferred_from_either_end() {
    let (send, receive) = channel();
    send.send(1_u8).unwrap();
    assert_eq!(receive.recv().unwrap(), 1);
    let (send, receive): (_, Receiver<Option<u8>>) = sync_channel(1);
    send.send(None).unwrap();
    assert_eq!(receive.recv().unwrap(), None);
}

#[test]
fn a_channel_carries_what_it_borrows_from_outside() {
    let text = String::from("outlives both ends");
    let (send, receive) = channel::<&str>();
    send.send(&text).unwrap();
    // A longer life than asked for will do.
    send.send("static").unwrap();
    drop(send);
    assert_eq!(receive.iter().map(str::len).sum::<usize>(), 24);
}

#[test]
fn payloads_need_no_trait_at_all() {
    struct Plain;
    let (send, receive) = channel();
    let another = send.clone();
    another.send(Plain).unwrap();
    let (bounded, received) = sync_channel(1);
    let another = bounded.clone();
    another.try_send(receive.recv().unwrap()).map_err(drop).unwrap();
    let Plain = received.recv().unwrap();
    // In one thread anything may be sent.
    let (local, receive) = channel();
    local.send(Rc::new(Cell::new(1))).unwrap();
    assert_eq!(receive.recv().unwrap().get(), 1);
    let texts = [format!("{send:?}"), format!("{bounded:?}"), format!("{received:?}")];
    assert_eq!(texts, ["Sender { .. }", "SyncSender { .. }", "Receiver { .. }"]);
}

#[test]
fn unsized_payloads_travel_in_boxes() {
    let (send, receive) = channel::<Box<dyn Debug>>();
    send.send(Box::new(1)).unwrap();
    send.send(Box::new("two")).unwrap();
    drop(send);
    let texts: Vec<_> = receive.iter().map(|shown| format!("{shown:?}")).collect();
    assert_eq!(texts, ["1", "\"two\""]);
}

#[test]
fn iterators_borrow_the_receiver_or_own_it() {
    fn borrowed<'a>(receiver: &'a Receiver<u8>) -> (Iter<'a, u8>, TryIter<'a, u8>) {
        let again = &receiver;
        (again.iter(), again.try_iter())
    }
    fn by_reference(receiver: &Receiver<u8>) -> Iter<'_, u8> {
        IntoIterator::into_iter(receiver)
    }
    fn owned(receiver: Receiver<u8>) -> IntoIter<u8> {
        receiver.into_iter()
    }
    let (send, receive) = channel();
    (1..=5).for_each(|n| send.send(n).unwrap());
    let (mut iter, mut try_iter) = borrowed(&receive);
    assert_eq!((iter.next(), try_iter.next(), iter.next()), (Some(1), Some(2), Some(3)));
    assert_eq!(by_reference(&receive).next(), Some(4));
    let mut owned = owned(receive);
    assert_eq!(owned.next(), Some(5));
    drop(send);
    assert_eq!(owned.next(), None);
}

#[test]
fn iterators_are_covariant_in_the_life_of_their_receiver() {
    fn shorter<'a>(
        iter: Iter<'static, u8>,
        try_iter: TryIter<'static, u8>,
        _: &'a u8,
    ) -> (Iter<'a, u8>, TryIter<'a, u8>) {
        (iter, try_iter)
    }
    let (send, receive) = channel();
    drop(send);
    let receive: &'static Receiver<u8> = Box::leak(Box::new(receive));
    let local = 1;
    let (mut iter, mut try_iter) = shorter(receive.iter(), receive.try_iter(), &local);
    assert_eq!((iter.next(), try_iter.next()), (None, None));
}

#[test]
fn the_errors_of_sending_give_the_payload_back_by_pattern() {
    fn back(sender: &SyncSender<String>, full: &str) -> String {
        match sender.try_send(full.to_owned()) {
            Err(TrySendError::Full(text) | TrySendError::Disconnected(text)) => text,
            Ok(()) => String::new(),
        }
    }
    let (send, receive) = sync_channel(0);
    assert_eq!(back(&send, "full"), "full");
    drop(receive);
    assert_eq!(back(&send, "gone"), "gone");
    let SendError(text) = send.send(String::from("also gone")).unwrap_err();
    assert_eq!(text, "also gone");
}

#[test]
fn the_ends_can_be_kept_in_types_that_are_generic_over_the_payload() {
    #[derive(Debug)]
    struct Pipe<T> {
        send: Sender<T>,
        receive: Receiver<T>,
    }
    impl<T> Pipe<T> {
        fn new() -> Self {
            let (send, receive) = channel();
            Self { send, receive }
        }
        fn through(&self, value: T) -> T {
            self.send.send(value).unwrap_or_else(|_| unreachable!("both ends live"));
            self.receive.recv().unwrap_or_else(|_| unreachable!("both ends live"))
        }
    }
    let pipe = Pipe::new();
    assert_eq!(pipe.through("text"), "text");
    assert_eq!(format!("{pipe:?}"), "Pipe { send: Sender { .. }, receive: Receiver { .. } }");
}
