//! `std::sync::OnceLock`, traced.

use std::fmt;

use super::initialising::Attempt;
use crate::finding::LockKind;
use crate::foresight::passage::Use;
use crate::hooks::{self, Request};
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
/// cost, or some nanoseconds more if the order of locks depends on who has made it: whoever uses the
/// value comes after its initialiser, and whoever can only find it after all that was done before it was
/// set. It is 24 bytes larger.
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
        match self.opened(Use::Found) {
            Some(value) => Some(value),
            None => self.found(),
        }
    }

    /// Where `std`'s keeps the value, as far as one can guess: it does not say, and to ask it each time
    /// would be one look too many. [`open`](Self::open) finds out whether the guess is right.
    const OFFSET: usize = if align_of::<T>() > 4 { 0 } else { 4 };

    /// The value, if it is there and this comes after nothing: all that is asked where it is hot.
    #[inline]
    fn opened(&self, how: Use) -> Option<&T> {
        // SAFETY: only `open` opens the header. It has seen that there is a value, which this look has
        // synchronised with, and that it is at this place; `take` closes the header again.
        self.header.is_open(how).then(|| unsafe { &*self.expected_at() })
    }

    #[inline]
    fn expected_at(&self) -> *const T {
        std::ptr::from_ref(&self.inner).cast::<u8>().wrapping_add(Self::OFFSET).cast()
    }

    /// From here on a look at the header is enough, if `value` is where it is expected.
    fn open(&self, value: &T) {
        if std::ptr::eq(value, self.expected_at()) && size_of::<T>() > 0 {
            self.header.open();
        }
    }

    /// The rest of [`get`](Self::get).
    #[cold]
    fn found(&self) -> Option<&T> {
        let value = self.inner.get()?;
        match self.header.tells(Use::Found) {
            true => hooks::found(&self.header),
            false => self.open(value),
        }
        Some(value)
    }

    /// As [`std::sync::OnceLock::get_mut`].
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.get();
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
        match self.opened(Use::Found) {
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
        if let Some(_attempt) = self.attempt(Self::WAIT, Use::Found) {
            self.inner.wait();
        }
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
        if self.opened(Use::Found).is_none() {
            // Should it come too late, somebody else has set it.
            let set = || value.take().expect("an initialiser runs once");
            self.initialise(Self::SET, Use::Found, set);
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
        match self.opened(Use::OrInit) {
            Some(value) => value,
            None => {
                self.initialise(Self::GET_OR_INIT, Use::OrInit, f);
                self.initialised()
            }
        }
    }

    /// Initialises it if it is not, and comes after whoever has.
    #[cold]
    #[track_caller]
    fn initialise(&self, access: &'static Access, how: Use, f: impl FnOnce() -> T) {
        if let Some(mut attempt) = self.attempt(access, how) {
            self.inner.get_or_init(|| attempt.run(f));
        }
    }

    /// `None` if there is a value, which is told.
    #[track_caller]
    fn attempt(&self, access: &'static Access, how: Use) -> Option<Attempt<'_>> {
        let request = Request { lock: &self.header, access, site: Site::caller() };
        let Some(value) = self.inner.get() else {
            return Attempt::begin(request, how, || self.inner.get().is_some());
        };
        match self.header.tells(how) {
            true => hooks::used(&request, how),
            false => self.open(value),
        }
        None
    }

    /// As [`std::sync::OnceLock::into_inner`].
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.get();
        self.inner.into_inner()
    }

    /// As [`std::sync::OnceLock::take`].
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.get();
        self.header.renew();
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
