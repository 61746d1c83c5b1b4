//! `std::sync::RwLock`, traced.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use super::mutex::{fmt_lock, poison_result, without_block};
use crate::IntoStd;
use crate::declared::{Locks, TracedLock};
use crate::finding::LockKind;
use crate::hooks::{self, Hold, Recorded, Request, Used};
use crate::interop::as_std;
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
    // The record goes before the lock; see `hooks::released`.
    _hold: ReadHold<'rwlock>,
    inner: std::sync::RwLockReadGuard<'rwlock, T>,
}

/// [`std::sync::RwLockWriteGuard`] of a traced [`RwLock`].
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'rwlock, T: ?Sized> {
    // The record goes before the lock; see `hooks::released`. There is no `Drop` here, so that
    // `downgrade` can take the guard apart.
    hold: WriteHold<'rwlock>,
    inner: std::sync::RwLockWriteGuard<'rwlock, T>,
}

/// The part of a read guard that ends the hold when it is dropped. It names the header and not the
/// lock, because a read guard is covariant in `T`; and nothing if the read is not on record, because
/// then the thread has no hold, and another reader's must not end instead.
struct ReadHold<'rwlock>(Option<&'rwlock LockHeader>);

impl Drop for ReadHold<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(header) = self.0 {
            hooks::released(header, Hold::Shared, Used::Immutably);
        }
    }
}

/// The part of a write guard that ends the hold when it is dropped.
struct WriteHold<'rwlock> {
    header: &'rwlock LockHeader,
    used: Used,
}

impl Drop for WriteHold<'_> {
    #[inline]
    fn drop(&mut self) {
        hooks::released(self.header, Hold::Exclusive, self.used);
        // Readers come next, perhaps, and who waits for them must not look at the last writer.
        self.header.clear_owner();
    }
}

impl<T> RwLock<T> {
    /// As [`std::sync::RwLock::new`]. The caller's position is remembered as where the lock was
    /// created.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::RwLock::new(value) }
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
    const WRITE: &'static Access = &Access { mode: Mode::Exclusive, op: Op::Write, ..*Self::READ };
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
    #[inline(always)]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let site = Site::caller();
        let request = Request { lock: &self.header, access: Self::READ, site };
        let mut prepared = hooks::prepare(&request);
        let inner = match self.inner.try_read() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                prepared.spoil();
                self.read_contended(site)
            }
        };
        self.read_guard(hooks::acquired_at_once(&request, prepared), inner)
    }

    /// The slow half of [`read`](Self::read): waits where the tracker can see it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn read_contended(&self, site: Site) -> std::sync::RwLockReadGuard<'_, T> {
        let request = Request { lock: &self.header, access: Self::READ, site };
        let mut retried = None;
        let mut retry = || {
            retried = without_block(self.inner.try_read());
            retried.is_some()
        };
        let waiting = hooks::wait_for_lock(&request, &mut retry);
        let inner =
            retried.unwrap_or_else(|| self.inner.read().unwrap_or_else(PoisonError::into_inner));
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
        let site = Site::caller();
        hooks::prepare_try(&Request { lock: &self.header, access: Self::TRY_READ, site });
        let Some(inner) = without_block(self.inner.try_read()) else {
            hooks::tried_in_vain(&self.header, Self::TRY_READ);
            return Err(TryLockError::WouldBlock);
        };
        let request = Request { lock: &self.header, access: Self::TRY_READ, site };
        Ok(self.read_guard(hooks::acquired(&request), inner)?)
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
    #[inline(always)]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let site = Site::caller();
        let request = Request { lock: &self.header, access: Self::WRITE, site };
        let mut prepared = hooks::prepare_write(&request);
        let inner = match self.inner.try_write() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                prepared.spoil();
                self.write_contended(site)
            }
        };
        self.write_guard(hooks::acquired_at_once(&request, prepared), inner)
    }

    /// The slow half of [`write`](Self::write): waits where the tracker can see it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn write_contended(&self, site: Site) -> std::sync::RwLockWriteGuard<'_, T> {
        let request = Request { lock: &self.header, access: Self::WRITE, site };
        let mut retried = None;
        let mut retry = || {
            retried = without_block(self.inner.try_write());
            retried.is_some()
        };
        let waiting = hooks::wait_for_lock(&request, &mut retry);
        let inner =
            retried.unwrap_or_else(|| self.inner.write().unwrap_or_else(PoisonError::into_inner));
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
        let site = Site::caller();
        hooks::prepare_try(&Request { lock: &self.header, access: Self::TRY_WRITE, site });
        let Some(inner) = without_block(self.inner.try_write()) else {
            hooks::tried_in_vain(&self.header, Self::TRY_WRITE);
            return Err(TryLockError::WouldBlock);
        };
        let request = Request { lock: &self.header, access: Self::TRY_WRITE, site };
        Ok(self.write_guard(hooks::acquired(&request), inner)?)
    }

    /// The traced guard around the real one, which was just obtained; see `MutexHold::guard`.
    #[inline(always)]
    fn read_guard<'a>(
        &'a self,
        recorded: Recorded,
        inner: std::sync::RwLockReadGuard<'a, T>,
    ) -> LockResult<RwLockReadGuard<'a, T>> {
        let _hold = ReadHold((recorded == Recorded::Yes).then_some(&self.header));
        // Readers share the lock, so none may change its flags; the next writer does.
        poison_result(RwLockReadGuard { _hold, inner }, self.is_poisoned())
    }

    /// The traced guard around the real one, which was just obtained; see `MutexHold::guard`.
    #[inline(always)]
    fn write_guard<'a>(
        &'a self,
        _recorded: Recorded,
        inner: std::sync::RwLockWriteGuard<'a, T>,
    ) -> LockResult<RwLockWriteGuard<'a, T>> {
        let poisoned = self.inner.is_poisoned() && self.poison_counts();
        let hold = WriteHold { header: &self.header, used: Used::Immutably };
        poison_result(RwLockWriteGuard { hold, inner }, poisoned)
    }

    /// `std`'s poison flag was found set, by a writer: whether it counts.
    #[cold]
    #[inline(never)]
    fn poison_counts(&self) -> bool {
        self.header.settle_poison(|| self.inner.clear_poison())
    }

    /// As [`std::sync::RwLock::is_poisoned`].
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned() && !self.header.is_spared()
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
}

impl<'rwlock, T: ?Sized> RwLockWriteGuard<'rwlock, T> {
    /// The header of the lock that it guards.
    pub(crate) fn header(guard: &Self) -> &'rwlock LockHeader {
        guard.hold.header
    }

    /// As [`std::sync::RwLockWriteGuard::downgrade`].
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'rwlock, T> {
        let Self { hold, inner } = s;
        let WriteHold { header, used } = hold;
        std::mem::forget(hold);
        // The real lock first: readers who try it in between must not be told that a reader, whom
        // they could only queue behind because of a writer, keeps them out.
        let inner = std::sync::RwLockWriteGuard::downgrade(inner);
        let header = hooks::downgraded(header, RwLock::<T>::DOWNGRADE, Site::caller(), used);
        RwLockReadGuard { _hold: ReadHold(header), inner }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locked = &format_args!("<locked>");
        fmt_lock(f, "RwLock", self.inner.try_read(), locked, self.is_poisoned())
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
        self.hold.used = Used::Mutably;
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

configurable!([T] RwLock<T>, header);

impl<T: ?Sized> TracedLock for RwLock<T> {
    fn locks(&self, locks: &mut Locks<'_>) {
        locks.add(&self.header);
    }
}
as_std!([T: ?Sized] RwLock<T> => std::sync::RwLock<T>);

impl<T> IntoStd for RwLock<T> {
    type Std = std::sync::RwLock<T>;

    fn into_std(self) -> std::sync::RwLock<T> {
        // The panic of a finding goes on not to count.
        if !self.is_poisoned() {
            self.inner.clear_poison();
        }
        self.inner
    }
}
