//! `std::sync::OnceLock`, traced.

use std::fmt;

use super::initialising::Attempt;
use crate::finding::LockKind;
use crate::hooks::Request;
use crate::interop::{as_std, into_std};
use crate::op::{Mode, Op};
use crate::registry::{Access, LockHeader};
use crate::site::Site;

/// [`std::sync::OnceLock`], traced.
///
/// Whoever runs the initialiser holds the cell like a lock until that ends, and all others wait for
/// it. So an initialiser that needs its own cell, or two that need each other's, directly or through
/// mutexes and joins, are deadlocks: the call that would wait panics with the report.
///
/// Once there is a value, [`get`](Self::get) and [`get_or_init`](Self::get_or_init) cost what `std`'s
/// cost. It is 24 bytes larger.
///
/// # Example
///
/// ```
/// use sync_trace::sync::OnceLock;
///
/// static HOST: OnceLock<String> = OnceLock::new();
/// assert_eq!(HOST.get(), None);
/// assert_eq!(HOST.get_or_init(|| "localhost".to_owned()), "localhost");
/// assert!(HOST.set("elsewhere".to_owned()).is_err());
/// ```
pub struct OnceLock<T> {
    header: LockHeader,
    inner: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    const GET_OR_INIT: &'static Access = &Access {
        kind: LockKind::OnceLock,
        type_name: std::any::type_name::<T>,
        mode: Mode::Exclusive,
        op: Op::GetOrInit,
    };
    const SET: &'static Access = &Access { op: Op::Set, ..*Self::GET_OR_INIT };
    const WAIT: &'static Access = &Access { op: Op::WaitOnce, ..*Self::GET_OR_INIT };

    /// As [`std::sync::OnceLock::new`]. The caller's position is remembered as where it was created.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::OnceLock::new() }
    }

    /// As [`std::sync::OnceLock::get`].
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// As [`std::sync::OnceLock::get_mut`].
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// As [`std::sync::OnceLock::wait`].
    ///
    /// # Panics
    ///
    /// If waiting would close a deadlock: this thread runs the initialiser itself, or the one that
    /// does waits, directly or through others, for something that this thread holds.
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        match self.inner.get() {
            Some(value) => value,
            None => {
                self.wait_for_value();
                self.initialised()
            }
        }
    }

    #[cold]
    #[track_caller]
    fn wait_for_value(&self) {
        let _attempt = self.attempt(Self::WAIT);
        self.inner.wait();
    }

    /// The value, after what waits for it. The slow halves give none back: what they returned would
    /// have to be told from what is there already.
    #[inline]
    fn initialised(&self) -> &T {
        self.inner.get().expect("a value is there, and stays")
    }

    /// As [`std::sync::OnceLock::set`].
    ///
    /// # Errors
    ///
    /// If there is a value already, with the new one inside.
    ///
    /// # Panics
    ///
    /// As [`get_or_init`](Self::get_or_init).
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        if self.inner.get().is_none() {
            self.initialise(Self::SET, || value.take().expect("an initialiser runs once"));
        }
        value.map_or(Ok(()), Err)
    }

    /// As [`std::sync::OnceLock::get_or_init`].
    ///
    /// # Panics
    ///
    /// If waiting for the initialiser that runs would close a deadlock: it runs in this thread, or
    /// the thread that runs it waits, directly or through others, for something that this thread
    /// holds. Also if `f` panics; the cell then has no value yet.
    #[inline]
    #[track_caller]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        match self.inner.get() {
            Some(value) => value,
            None => {
                self.initialise(Self::GET_OR_INIT, f);
                self.initialised()
            }
        }
    }

    #[cold]
    #[track_caller]
    fn initialise(&self, access: &'static Access, f: impl FnOnce() -> T) {
        if let Some(mut attempt) = self.attempt(access) {
            self.inner.get_or_init(|| attempt.run(f));
        }
    }

    #[track_caller]
    fn attempt(&self, access: &'static Access) -> Option<Attempt<'_>> {
        let request = Request { lock: &self.header, access, site: Site::caller() };
        Attempt::begin(request, || self.inner.get().is_some())
    }

    /// As [`std::sync::OnceLock::into_inner`].
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// As [`std::sync::OnceLock::take`].
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

impl<T> Default for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn from(value: T) -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::OnceLock::from(value) }
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[inline]
    #[track_caller]
    fn clone(&self) -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: self.inner.clone() }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

configurable!([T] OnceLock<T>, header);
as_std!([T] OnceLock<T> => std::sync::OnceLock<T>);
into_std!([T] OnceLock<T> => std::sync::OnceLock<T>);
