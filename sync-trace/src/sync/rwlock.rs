//! `std::sync::RwLock`, traced.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use super::mutex::{fmt_lock, poison_result};
use crate::config::OnViolation;
use crate::finding::LockKind;
use crate::hooks::{self, ExclusiveHold, Request, SharedHold};
use crate::op::{Mode, Op};
use crate::registry::{Access, LockHeader};
use crate::site::Site;

/// [`std::sync::RwLock`], traced.
///
/// It differs from `std`'s in this:
///
/// - [`read`](Self::read) and [`write`](Self::write) panic, with a report as the message, when the
///   wait would never end; that panic poisons nothing, as for a traced [`Mutex`](super::Mutex).
/// - It is 24 bytes larger.
///
/// # Example
///
/// ```
/// use sync_trace::sync::RwLock;
///
/// let lock = RwLock::new(5);
/// {
///     let (one, two) = (lock.read().unwrap(), lock.read().unwrap());
///     assert_eq!(*one + *two, 10);
/// }
/// *lock.write().unwrap() += 1;
/// assert_eq!(*lock.read().unwrap(), 6);
/// ```
pub struct RwLock<T: ?Sized> {
    header: LockHeader,
    inner: std::sync::RwLock<T>,
}

/// [`std::sync::RwLockReadGuard`] of a traced [`RwLock`].
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'rwlock, T: ?Sized> {
    // The record goes before the lock; see `MutexGuard`.
    _hold: SharedHold<'rwlock>,
    inner: std::sync::RwLockReadGuard<'rwlock, T>,
}

/// [`std::sync::RwLockWriteGuard`] of a traced [`RwLock`].
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'rwlock, T: ?Sized> {
    // The record goes before the lock; see `MutexGuard`.
    hold: ExclusiveHold<'rwlock>,
    inner: std::sync::RwLockWriteGuard<'rwlock, T>,
}

impl<T> RwLock<T> {
    /// As [`std::sync::RwLock::new`]. The caller's position is remembered as where the lock was
    /// created.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::RwLock::new(value) }
    }

    #[doc(hidden)]
    pub const fn __untracked(mut self) -> Self {
        self.header = LockHeader::untracked(self.header.created());
        self
    }

    #[doc(hidden)]
    pub const fn __on_violation(mut self, reaction: OnViolation) -> Self {
        self.header = LockHeader::reacting(self.header.created(), reaction);
        self
    }

    /// As [`std::sync::RwLock::into_inner`].
    ///
    /// # Errors
    ///
    /// If the lock is poisoned, with the data inside.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        let value = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        poison_result(value, poisoned)
    }
}

impl<T: ?Sized> RwLock<T> {
    const READ: &'static Access = &Access {
        kind: LockKind::RwLock,
        type_name: std::any::type_name::<T>,
        mode: Mode::Read,
        op: Op::Read,
    };
    const TRY_READ: &'static Access = &Access { op: Op::TryRead, ..*Self::READ };
    const DOWNGRADE: &'static Access = &Access { op: Op::Downgrade, ..*Self::READ };
    const WRITE: &'static Access =
        &Access { mode: Mode::Exclusive, op: Op::Write, ..*Self::READ };
    const TRY_WRITE: &'static Access = &Access { op: Op::TryWrite, ..*Self::WRITE };

    /// As [`std::sync::RwLock::read`].
    ///
    /// # Errors
    ///
    /// If the lock is poisoned, with the guard inside.
    ///
    /// # Panics
    ///
    /// If waiting would close a deadlock: the writer that holds the lock waits, directly or through
    /// others, for something that this thread holds; or this thread reads the lock already and a
    /// writer queues for it. Also where `std`'s panics.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let request = Request::new(&self.header, Self::READ);
        let inner = match self.inner.try_read() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => self.read_contended(&request),
        };
        RwLockReadGuard::new(&request, inner)
    }

    /// The slow half of [`read`](Self::read): waits where the tracker can see it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn read_contended(&self, request: &Request<'_>) -> std::sync::RwLockReadGuard<'_, T> {
        let mut retried = None;
        let mut retry = || {
            retried = self.try_read_inner();
            retried.is_some()
        };
        let waiting = hooks::wait_for_lock(request, &mut retry);
        let inner = retried
            .unwrap_or_else(|| self.inner.read().unwrap_or_else(PoisonError::into_inner));
        drop(waiting);
        inner
    }

    /// As [`std::sync::RwLock::try_read`]. It cannot wait, so it is never the cause of a finding.
    ///
    /// # Errors
    ///
    /// If a writer holds the lock or queues for it, or if it is poisoned.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let request = Request::new(&self.header, Self::TRY_READ);
        let inner = self.try_read_inner().ok_or(TryLockError::WouldBlock)?;
        Ok(RwLockReadGuard::new(&request, inner)?)
    }

    /// As [`std::sync::RwLock::write`].
    ///
    /// # Errors
    ///
    /// If the lock is poisoned, with the guard inside.
    ///
    /// # Panics
    ///
    /// If waiting would close a deadlock: this thread reads or writes the lock itself, or somebody
    /// who does waits, directly or through others, for something that this thread holds. Also where
    /// `std`'s panics.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let request = Request::new(&self.header, Self::WRITE);
        let inner = match self.inner.try_write() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => self.write_contended(&request),
        };
        RwLockWriteGuard::new(&request, inner)
    }

    /// The slow half of [`write`](Self::write): waits where the tracker can see it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn write_contended(&self, request: &Request<'_>) -> std::sync::RwLockWriteGuard<'_, T> {
        let mut retried = None;
        let mut retry = || {
            retried = self.try_write_inner();
            retried.is_some()
        };
        let waiting = hooks::wait_for_lock(request, &mut retry);
        let inner = retried
            .unwrap_or_else(|| self.inner.write().unwrap_or_else(PoisonError::into_inner));
        drop(waiting);
        inner
    }

    /// As [`std::sync::RwLock::try_write`]. It cannot wait, so it is never the cause of a finding.
    ///
    /// # Errors
    ///
    /// If the lock is held in any way, or if it is poisoned.
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let request = Request::new(&self.header, Self::TRY_WRITE);
        let inner = self.try_write_inner().ok_or(TryLockError::WouldBlock)?;
        Ok(RwLockWriteGuard::new(&request, inner)?)
    }

    /// As [`std::sync::RwLock::is_poisoned`].
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.header.word().is_poisoned()
    }

    /// As [`std::sync::RwLock::clear_poison`].
    #[inline]
    pub fn clear_poison(&self) {
        self.header.clear_poison();
        self.inner.clear_poison();
    }

    /// As [`std::sync::RwLock::get_mut`].
    ///
    /// # Errors
    ///
    /// If the lock is poisoned, with the reference inside.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.is_poisoned();
        let value = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        poison_result(value, poisoned)
    }

    /// The real read guard, if it can be had now, poisoned or not.
    #[inline]
    fn try_read_inner(&self) -> Option<std::sync::RwLockReadGuard<'_, T>> {
        match self.inner.try_read() {
            Ok(inner) => Some(inner),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The real write guard, if it can be had now, poisoned or not.
    #[inline]
    fn try_write_inner(&self) -> Option<std::sync::RwLockWriteGuard<'_, T>> {
        match self.inner.try_write() {
            Ok(inner) => Some(inner),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<'rwlock, T: ?Sized> RwLockReadGuard<'rwlock, T> {
    #[inline]
    fn new(
        request: &Request<'rwlock>,
        inner: std::sync::RwLockReadGuard<'rwlock, T>,
    ) -> LockResult<RwLockReadGuard<'rwlock, T>> {
        let (_hold, poisoned) = hooks::acquired(request);
        poison_result(RwLockReadGuard { _hold, inner }, poisoned)
    }
}

impl<'rwlock, T: ?Sized> RwLockWriteGuard<'rwlock, T> {
    #[inline]
    fn new(
        request: &Request<'rwlock>,
        inner: std::sync::RwLockWriteGuard<'rwlock, T>,
    ) -> LockResult<RwLockWriteGuard<'rwlock, T>> {
        let (hold, poisoned) = hooks::acquired(request);
        poison_result(RwLockWriteGuard { hold, inner }, poisoned)
    }

    /// As [`std::sync::RwLockWriteGuard::downgrade`].
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'rwlock, T> {
        let Self { hold, inner } = s;
        // On record as a reader first: that blocks nobody whom the writer did not.
        let _hold = hooks::downgraded(hold, RwLock::<T>::DOWNGRADE, Site::caller());
        RwLockReadGuard { _hold, inner: std::sync::RwLockWriteGuard::downgrade(inner) }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_lock(f, "RwLock", &self.header, self.try_read_inner())
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
