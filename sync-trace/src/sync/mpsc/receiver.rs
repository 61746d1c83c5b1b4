//! The receiving end and its iterators.

use std::fmt;
use std::mem::offset_of;
use std::time::Duration;

use super::{Accesses, Endpoint, RecvError, RecvTimeoutError, TryRecvError};
use crate::interop::{as_std, into_std};
use crate::op::Op;
use crate::registry::Access;
use crate::site::Site;

/// [`std::sync::mpsc::Receiver`], traced. It is 24 bytes larger.
pub struct Receiver<T> {
    // Fields drop top to bottom, and the senders are not told before the news is recorded.
    endpoint: ReceivingEnd,
    inner: std::sync::mpsc::Receiver<T>,
}

/// The receiving endpoint. That it is gone is news for all who send.
struct ReceivingEnd(Endpoint);

impl Drop for ReceivingEnd {
    fn drop(&mut self) {
        self.0.stops_receiving();
    }
}

impl<T> Receiver<T> {
    /// Where its channel lies.
    pub(super) const CHANNEL: usize = offset_of!(Self, endpoint.0.channel);

    pub(super) fn new(inner: std::sync::mpsc::Receiver<T>, endpoint: Endpoint) -> Self {
        Self { endpoint: ReceivingEnd(endpoint), inner }
    }

    /// As [`std::sync::mpsc::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// If there is no message, or if there is none and all senders are gone.
    #[inline]
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.receive(Op::TryRecv, Site::caller()) {
            Ok(t) => Ok(self.came(t, Op::TryRecv, Site::caller())),
            Err(TryRecvError::Disconnected) => Err(self.was_left(TryRecvError::Disconnected)),
            Err(TryRecvError::Empty) => Err(TryRecvError::Empty),
        }
    }

    /// What there is now. The caller says what [`came`](Self::came) of it: that this is taken apart at once
    /// and put together anew is faster than to hand it on, because it was written in parts.
    #[inline]
    fn receive(&self, op: Op, site: Site) -> Result<T, TryRecvError> {
        self.endpoint.0.makes_room(op, site);
        self.inner.try_recv()
    }

    /// The message came before what follows here.
    #[inline]
    fn came(&self, t: T, op: Op, site: Site) -> T {
        self.endpoint.0.gives_room(op, site);
        self.endpoint.0.was_sent();
        t
    }

    /// The end of the last sender came before what follows here.
    #[cold]
    fn was_left<E>(&self, error: E) -> E {
        self.endpoint.0.was_left_by_senders();
        error
    }

    /// As [`std::sync::mpsc::Receiver::recv`].
    ///
    /// # Errors
    ///
    /// If there is no message and all senders are gone.
    #[inline]
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_as(Accesses::<T>::RECV, Site::caller())
    }

    #[inline]
    #[track_caller]
    fn recv_as(&self, access: &'static Access, site: Site) -> Result<T, RecvError> {
        match self.receive(access.op, site) {
            Ok(t) => Ok(self.came(t, access.op, site)),
            Err(TryRecvError::Disconnected) => Err(self.was_left(RecvError)),
            Err(TryRecvError::Empty) => {
                self.waiting(access, site, |inner| inner.recv(), |RecvError| true)
            }
        }
    }

    /// As [`std::sync::mpsc::Receiver::recv_timeout`].
    ///
    /// # Errors
    ///
    /// If no message comes in time, or if there is none and all senders are gone.
    #[inline]
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let (access, site) = (Accesses::<T>::RECV_TIMEOUT, Site::caller());
        match self.receive(access.op, site) {
            Ok(t) => Ok(self.came(t, access.op, site)),
            Err(TryRecvError::Disconnected) => Err(self.was_left(RecvTimeoutError::Disconnected)),
            Err(TryRecvError::Empty) => {
                let is_left = |error: &_| *error == RecvTimeoutError::Disconnected;
                self.waiting(access, site, |inner| inner.recv_timeout(timeout), is_left)
            }
        }
    }

    /// The slow half of receiving: waits where the tracker can see it.
    #[cold]
    #[track_caller]
    fn waiting<E: From<RecvError>>(
        &self,
        access: &'static Access,
        site: Site,
        recv: impl FnOnce(&std::sync::mpsc::Receiver<T>) -> Result<T, E>,
        is_left: impl FnOnce(&E) -> bool,
    ) -> Result<T, E> {
        let mut soon = None;
        let mut waiting = self.endpoint.0.wait_for_message(access, site, &mut || {
            soon = match self.inner.try_recv() {
                Ok(t) => Some(Ok(t)),
                Err(TryRecvError::Disconnected) => Some(Err(RecvError.into())),
                Err(TryRecvError::Empty) => None,
            };
            soon.is_some()
        });
        let error = match soon.unwrap_or_else(|| recv(&self.inner)) {
            Ok(t) => {
                drop(waiting);
                return Ok(self.came(t, access.op, site));
            }
            Err(error) => error,
        };
        let is_left = is_left(&error);
        if let Some(waiting) = waiting.as_mut().filter(|_| !is_left) {
            waiting.times_out();
        }
        drop(waiting);
        Err(if is_left { self.was_left(error) } else { error })
    }

    /// As [`std::sync::mpsc::Receiver::iter`].
    #[inline]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { rx: self }
    }

    /// As [`std::sync::mpsc::Receiver::try_iter`].
    #[inline]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { rx: self }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// [`std::sync::mpsc::Iter`] of a traced [`Receiver`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    rx: &'a Receiver<T>,
}

/// [`std::sync::mpsc::TryIter`] of a traced [`Receiver`].
#[derive(Debug)]
pub struct TryIter<'a, T> {
    rx: &'a Receiver<T>,
}

/// [`std::sync::mpsc::IntoIter`] of a traced [`Receiver`].
#[derive(Debug)]
pub struct IntoIter<T> {
    rx: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[inline]
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.recv_as(Accesses::<T>::NEXT, Site::caller()).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[inline]
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[inline]
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.recv_as(Accesses::<T>::NEXT, Site::caller()).ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { rx: self }
    }
}

as_std!([T] Receiver<T> => std::sync::mpsc::Receiver<T>);
into_std!([T] Receiver<T> => std::sync::mpsc::Receiver<T>);
