//! `std::sync::mpsc` with traced endpoints.
//!
//! Every name of `std::sync::mpsc` is here. [`Sender`], [`SyncSender`] and [`Receiver`] and the
//! iterators are traced types of the same shape; the errors are `std`'s own.
//!
//! What waits for a message, or for room in a bounded channel, is shown by [`dump`](crate::dump) with
//! its age. Anybody may send or receive, so it is stuck only if the whole process is: if every thread of it
//! waits for another one. A message that is there, and room that is there, are taken without any of that.

mod receiver;
mod sender;

pub use receiver::{IntoIter, Iter, Receiver, TryIter};
pub use sender::{Sender, SyncSender};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

use std::mem::offset_of;
use std::sync::Arc;

use crate::configure::Traced;
use crate::finding::{LockId, LockKind};
use crate::foresight::passage::Passage;
use crate::hooks::{self, Waiting};
use crate::op::{Mode, Op};
use crate::registry::Access;
use crate::site::{Label, Origin, Site};
use crate::waits::source::Source;

/// As [`std::sync::mpsc::channel`].
///
/// # Example
///
/// ```
/// use sync_trace::{sync::mpsc, thread};
///
/// let (sender, receiver) = mpsc::channel();
/// thread::spawn(move || (1..=3).for_each(|n| sender.send(n).unwrap()));
/// assert_eq!(receiver.iter().sum::<i32>(), 6);
/// ```
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let [one, other] = Endpoint::pair(Site::caller(), false);
    (Sender::new(sender, one), Receiver::new(receiver, other))
}

/// As [`std::sync::mpsc::sync_channel`].
///
/// # Example
///
/// ```
/// use sync_trace::sync::mpsc::{TrySendError, sync_channel};
///
/// let (sender, receiver) = sync_channel(1);
/// sender.send("first").unwrap();
/// assert_eq!(sender.try_send("second"), Err(TrySendError::Full("second")));
/// assert_eq!(receiver.recv(), Ok("first"));
/// ```
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = std::sync::mpsc::sync_channel(bound);
    let [one, other] = Endpoint::pair(Site::caller(), true);
    (SyncSender::new(sender, one), Receiver::new(receiver, other))
}

/// Which channel an endpoint belongs to: the traced half of each.
#[derive(Clone, Copy)]
pub(crate) struct Channel {
    /// 0 if it is untracked.
    id: LockId,
    origin: Origin,
}

impl Channel {
    fn new(created: Site) -> Self {
        Self { id: LockId::next(), origin: Origin::unnamed(created) }
    }

    pub(crate) const fn set_name(&mut self, label: &'static Label) {
        self.origin = Origin::named(label);
    }

    pub(crate) const fn make_untracked(&mut self) {
        self.id = LockId(0);
    }

    fn is_tracked(self) -> bool {
        self.id != LockId(0)
    }
}

/// What order passes through, two for each direction. The end of an endpoint has one of its own: who
/// gets a message does not come after what its sender did from there until it was gone.
struct Passages {
    /// To the receiver: messages.
    sent: Passage,
    senders_gone: Passage,
    /// To the senders: room for more, in a channel with a bound.
    received: Passage,
    receiver_gone: Passage,
    has_bound: bool,
    /// What a receiver waits for, and what senders do.
    messages: Arc<Source>,
    room: Arc<Source>,
}

/// An endpoint's part of its channel.
#[derive(Clone)]
struct Endpoint {
    channel: Channel,
    passages: Arc<Passages>,
}

impl Endpoint {
    /// Both ends of a new channel.
    fn pair(created: Site, has_bound: bool) -> [Self; 2] {
        let channel = Channel::new(created);
        let source = || Source::new(channel.id, LockKind::Channel, channel.origin);
        let passages = Arc::new(Passages {
            sent: Passage::new(),
            senders_gone: Passage::new(),
            received: Passage::new(),
            receiver_gone: Passage::new(),
            has_bound,
            messages: Arc::new(source()),
            room: Arc::new(source().of_room()),
        });
        let one = Self { channel, passages };
        [one.clone(), one]
    }

    /// The calling thread is about to put a message in or take one out, or to try that.
    #[cfg_attr(not(debug_assertions), inline)]
    fn point(&self) {
        if hooks::is_perturbed() {
            self.point_if_tracked();
        }
    }

    #[cold]
    #[inline(never)]
    fn point_if_tracked(&self) {
        if self.channel.is_tracked() {
            hooks::point();
        }
    }

    /// A message is about to go in.
    #[cfg_attr(not(debug_assertions), inline)]
    fn sends(&self, op: Op, site: Site) {
        self.point();
        hooks::will_give(&self.passages.messages, op, site);
        self.publish(&self.passages.sent);
    }

    /// A message has come out.
    #[cfg_attr(not(debug_assertions), inline)]
    fn was_sent(&self) {
        self.observe(&self.passages.sent);
    }

    /// A sender is about to be gone.
    fn stops_sending(&self) {
        self.point();
        self.publish(&self.passages.senders_gone);
        hooks::begin_stretch();
    }

    /// All senders are gone.
    fn was_left_by_senders(&self) {
        self.observe(&self.passages.senders_gone);
    }

    /// A message may be about to come out.
    #[cfg_attr(not(debug_assertions), inline)]
    fn makes_room(&self, op: Op, site: Site) {
        self.point();
        if self.passages.has_bound {
            hooks::will_give(&self.passages.room, op, site);
            self.receives();
        }
    }

    /// A message is about to come out.
    #[cfg_attr(not(debug_assertions), inline)]
    fn receives(&self) {
        self.publish(&self.passages.received);
    }

    /// There was no room, and then there was.
    fn was_received(&self) {
        self.observe(&self.passages.received);
    }

    /// The receiver is about to be gone.
    fn stops_receiving(&self) {
        self.point();
        self.publish(&self.passages.receiver_gone);
        hooks::begin_stretch();
    }

    /// The receiver is gone.
    fn was_left_by_receiver(&self) {
        self.observe(&self.passages.receiver_gone);
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn publish(&self, passage: &Passage) {
        if !hooks::has_published(passage) {
            self.publish_anew(passage);
        }
    }

    #[inline(never)]
    fn publish_anew(&self, passage: &Passage) {
        if self.channel.is_tracked() {
            hooks::publish(passage);
        }
    }

    /// Where a channel is not tracked, nothing was left.
    #[cfg_attr(not(debug_assertions), inline)]
    fn observe(&self, passage: &Passage) {
        hooks::observe(passage);
    }

    /// The calling thread is about to wait for a message.
    #[track_caller]
    fn wait_for_message(
        &self,
        access: &'static Access,
        site: Site,
        retry: &mut dyn FnMut() -> bool,
    ) -> Option<Waiting> {
        self.wait(&self.passages.messages, access, site, retry)
    }

    /// The calling thread is about to wait for room for one.
    #[track_caller]
    fn wait_for_room(
        &self,
        access: &'static Access,
        site: Site,
        retry: &mut dyn FnMut() -> bool,
    ) -> Option<Waiting> {
        self.wait(&self.passages.room, access, site, retry)
    }

    /// `retry` tries once more what the calling thread is about to wait for, and says whether that has ended
    /// the matter.
    #[track_caller]
    fn wait(
        &self,
        what: &Arc<Source>,
        access: &'static Access,
        site: Site,
        retry: &mut dyn FnMut() -> bool,
    ) -> Option<Waiting> {
        if !self.channel.is_tracked() {
            return None;
        }
        let (what, created) = (Arc::clone(what), Some(self.channel.origin));
        Some(hooks::wait_for_signal(what, created, access, site, None, &mut |_| retry()))
    }

    /// A message goes in, or has just done so.
    #[inline]
    fn gives_message(&self, op: Op, site: Site) {
        hooks::gives(&self.passages.messages, op, site);
    }

    /// There is one more sender, of which nothing may be noted.
    fn has_several_senders(&self) {
        self.passages.messages.set_by_others();
    }

    /// A message has come out.
    #[inline]
    fn gives_room(&self, op: Op, site: Site) {
        if self.passages.has_bound {
            hooks::gives(&self.passages.room, op, site);
        } else {
            hooks::cut_stretch();
        }
    }
}

/// What is known of the operations on channels of `T`.
struct Accesses<T>(std::marker::PhantomData<T>);

impl<T> Accesses<T> {
    const SEND: &'static Access = &Access {
        kind: LockKind::Channel,
        type_name: std::any::type_name::<T>,
        mode: Mode::Exclusive,
        op: Op::Send,
    };
    const RECV: &'static Access = &Access { op: Op::Recv, ..*Self::SEND };
    const RECV_TIMEOUT: &'static Access = &Access { op: Op::RecvTimeout, ..*Self::SEND };
    const NEXT: &'static Access = &Access { op: Op::Next, ..*Self::SEND };
}

// SAFETY: both ends say where their channel lies.
unsafe impl<T> Traced for (Sender<T>, Receiver<T>) {
    const CHANNELS: &'static [usize] =
        &[offset_of!(Self, 0) + Sender::<T>::CHANNEL, offset_of!(Self, 1) + Receiver::<T>::CHANNEL];
}

// SAFETY: as above.
unsafe impl<T> Traced for (SyncSender<T>, Receiver<T>) {
    const CHANNELS: &'static [usize] = &[
        offset_of!(Self, 0) + SyncSender::<T>::CHANNEL,
        offset_of!(Self, 1) + Receiver::<T>::CHANNEL,
    ];
}
