//! The sending ends.

use std::fmt;
use std::mem::offset_of;

use super::{Accesses, Endpoint, SendError, TrySendError};
use crate::interop::{as_std, into_std};
use crate::op::Op;
use crate::site::Site;

/// [`std::sync::mpsc::Sender`], traced. It is 24 bytes larger.
pub struct Sender<T> {
    // Fields drop top to bottom, and the receiver is not told before the news is recorded.
    endpoint: SendingEnd,
    inner: std::sync::mpsc::Sender<T>,
}

/// A sending endpoint. That one is gone is news for the receiver.
struct SendingEnd(Endpoint);

impl Drop for SendingEnd {
    fn drop(&mut self) {
        self.0.stops_sending();
    }
}

impl<T> Sender<T> {
    /// Where its channel lies.
    pub(super) const CHANNEL: usize = offset_of!(Self, endpoint.0.channel);

    pub(super) fn new(inner: std::sync::mpsc::Sender<T>, endpoint: Endpoint) -> Self {
        Self { endpoint: SendingEnd(endpoint), inner }
    }

    /// As [`std::sync::mpsc::Sender::send`].
    ///
    /// # Errors
    ///
    /// If the receiver is gone, with the message inside.
    #[inline]
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.endpoint.0.sends(Op::Send, Site::caller());
        // Nothing keeps it from being sent. Noted later, it could be taken for what the receiver waits for when it
        // has got this one already.
        self.endpoint.0.gives_message(Op::Send, Site::caller());
        let result = self.inner.send(t);
        if result.is_err() {
            self.endpoint.0.was_left_by_receiver();
        }
        result
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.endpoint.0.has_several_senders();
        Self::new(self.inner.clone(), self.endpoint.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// [`std::sync::mpsc::SyncSender`], traced. It is 24 bytes larger.
pub struct SyncSender<T> {
    endpoint: SendingEnd,
    inner: std::sync::mpsc::SyncSender<T>,
}

impl<T> SyncSender<T> {
    /// Where its channel lies.
    pub(super) const CHANNEL: usize = offset_of!(Self, endpoint.0.channel);

    pub(super) fn new(inner: std::sync::mpsc::SyncSender<T>, endpoint: Endpoint) -> Self {
        Self { endpoint: SendingEnd(endpoint), inner }
    }

    /// As [`std::sync::mpsc::SyncSender::send`].
    ///
    /// # Errors
    ///
    /// If the receiver is gone, with the message inside.
    #[inline]
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        match self.try_send_as(t, Op::Send, Site::caller()) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(t)) => Err(SendError(t)),
            Err(TrySendError::Full(t)) => self.send_waiting(t, Site::caller()),
        }
    }

    /// The slow half of [`send`](Self::send): waits where the tracker can see it.
    #[cold]
    #[track_caller]
    fn send_waiting(&self, t: T, site: Site) -> Result<(), SendError<T>> {
        let endpoint = &self.endpoint.0;
        let mut tried = Err(TrySendError::Full(t));
        let waiting = endpoint.wait_for_room(Accesses::<T>::SEND, site, &mut || {
            if let Err(TrySendError::Full(t)) = std::mem::replace(&mut tried, Ok(())) {
                tried = self.inner.try_send(t);
            }
            !matches!(tried, Err(TrySendError::Full(_)))
        });
        let result = match tried {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(t)) => self.inner.send(t),
            Err(TrySendError::Disconnected(t)) => Err(SendError(t)),
        };
        drop(waiting);
        // What the receiver did before it made room, or was gone, comes before what follows here.
        match &result {
            Ok(()) => {
                endpoint.gives_message(Op::Send, site);
                endpoint.was_received();
            }
            Err(_) => endpoint.was_left_by_receiver(),
        }
        result
    }

    /// As [`std::sync::mpsc::SyncSender::try_send`].
    ///
    /// # Errors
    ///
    /// If there is no room (or, where the bound is 0, no receiver that waits), or if the receiver is
    /// gone, with the message inside.
    #[inline]
    #[track_caller]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        self.try_send_as(t, Op::TrySend, Site::caller())
    }

    #[inline]
    fn try_send_as(&self, t: T, op: Op, site: Site) -> Result<(), TrySendError<T>> {
        self.endpoint.0.sends(op, site);
        let result = self.inner.try_send(t);
        match &result {
            // Whoever made the room did that before.
            Ok(()) => {
                self.endpoint.0.gives_message(op, site);
                self.endpoint.0.was_received();
            }
            Err(TrySendError::Disconnected(_)) => self.endpoint.0.was_left_by_receiver(),
            Err(TrySendError::Full(_)) => {}
        }
        result
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        self.endpoint.0.has_several_senders();
        Self::new(self.inner.clone(), self.endpoint.0.clone())
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

as_std!([T] Sender<T> => std::sync::mpsc::Sender<T>);
into_std!([T] Sender<T> => std::sync::mpsc::Sender<T>);
as_std!([T] SyncSender<T> => std::sync::mpsc::SyncSender<T>);
into_std!([T] SyncSender<T> => std::sync::mpsc::SyncSender<T>);
