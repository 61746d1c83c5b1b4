//! `std::sync::Mutex`, traced.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::config::OnViolation;
use crate::finding::LockKind;
use crate::hooks::{self, ExclusiveHold, Request};
use crate::op::{Mode, Op};
use crate::registry::{Access, LockHeader};
use crate::site::Site;

/// [`std::sync::Mutex`], traced.
///
/// It differs from `std`'s in this:
///
/// - [`lock`](Self::lock) panics, with a report as its message, when the wait would never end; the
///   mutexes and write guards that the thread holds are not poisoned by that panic. Their data may
///   be half-changed, just as after any early return.
/// - It is 24 bytes larger.
///
/// An uncontended `lock` costs some nanoseconds more than `std`'s; it allocates nothing (except at
/// a thread's first) and touches nothing that other threads use.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use sync_trace::sync::Mutex;
/// use sync_trace::thread;
///
/// let total = Arc::new(Mutex::new(0));
/// let threads: Vec<_> = (1..=4)
///     .map(|n| {
///         let total = Arc::clone(&total);
///         thread::spawn(move || *total.lock().unwrap() += n)
///     })
///     .collect();
/// threads.into_iter().for_each(|t| t.join().unwrap());
/// assert_eq!(*total.lock().unwrap(), 10);
/// ```
pub struct Mutex<T: ?Sized> {
    header: LockHeader,
    inner: std::sync::Mutex<T>,
}

/// [`std::sync::MutexGuard`] of a traced [`Mutex`].
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    // Fields drop top to bottom, and the record must go first: were the lock freed first, its next
    // owner could be on record while we still were.
    pub(super) hold: ExclusiveHold<'a>,
    pub(super) inner: std::sync::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    /// As [`std::sync::Mutex::new`]. The caller's position is remembered as where the mutex was
    /// created.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::Mutex::new(value) }
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

    /// As [`std::sync::Mutex::into_inner`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned, with the data inside.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        let value = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        poison_result(value, poisoned)
    }
}

impl<T: ?Sized> Mutex<T> {
    const LOCK: &'static Access = &Access {
        kind: LockKind::Mutex,
        type_name: std::any::type_name::<T>,
        mode: Mode::Exclusive,
        op: Op::Lock,
    };
    const TRY_LOCK: &'static Access = &Access { op: Op::TryLock, ..*Self::LOCK };
    pub(super) const WAIT: &'static Access = &Access { op: Op::Wait, ..*Self::LOCK };
    pub(super) const WAIT_WHILE: &'static Access = &Access { op: Op::WaitWhile, ..*Self::LOCK };
    pub(super) const WAIT_TIMEOUT: &'static Access =
        &Access { op: Op::WaitTimeout, ..*Self::LOCK };
    pub(super) const WAIT_TIMEOUT_MS: &'static Access =
        &Access { op: Op::WaitTimeoutMs, ..*Self::LOCK };
    pub(super) const WAIT_TIMEOUT_WHILE: &'static Access =
        &Access { op: Op::WaitTimeoutWhile, ..*Self::LOCK };

    /// As [`std::sync::Mutex::lock`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned, with the guard inside.
    ///
    /// # Panics
    ///
    /// If waiting would close a deadlock: this thread holds the mutex itself, or its owner waits,
    /// directly or through others, for something that this thread holds.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let request = Request::new(&self.header, Self::LOCK);
        let inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => self.lock_contended(&request),
        };
        MutexGuard::new(&request, inner)
    }

    /// The slow half of [`lock`](Self::lock): waits where the tracker can see it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn lock_contended(&self, request: &Request<'_>) -> std::sync::MutexGuard<'_, T> {
        let mut retried = None;
        let mut retry = || {
            retried = self.try_inner();
            retried.is_some()
        };
        let waiting = hooks::wait_for_lock(request, &mut retry);
        let inner = retried
            .unwrap_or_else(|| self.inner.lock().unwrap_or_else(PoisonError::into_inner));
        drop(waiting);
        inner
    }

    /// As [`std::sync::Mutex::try_lock`]. It cannot wait, so it is never the cause of a finding.
    ///
    /// # Errors
    ///
    /// If the mutex is held, also by the calling thread itself, or if it is poisoned.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let request = Request::new(&self.header, Self::TRY_LOCK);
        let inner = self.try_inner().ok_or(TryLockError::WouldBlock)?;
        Ok(MutexGuard::new(&request, inner)?)
    }

    /// As [`std::sync::Mutex::is_poisoned`].
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.header.word().is_poisoned()
    }

    /// As [`std::sync::Mutex::clear_poison`].
    #[inline]
    pub fn clear_poison(&self) {
        self.header.clear_poison();
        self.inner.clear_poison();
    }

    /// As [`std::sync::Mutex::get_mut`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned, with the reference inside.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.is_poisoned();
        let value = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        poison_result(value, poisoned)
    }

    /// The real guard, if it can be had now. `std`'s poison flag is ignored: ours decides.
    #[inline]
    fn try_inner(&self) -> Option<std::sync::MutexGuard<'_, T>> {
        match self.inner.try_lock() {
            Ok(inner) => Some(inner),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline]
    fn new(
        request: &Request<'a>,
        inner: std::sync::MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let (hold, poisoned) = hooks::acquired(request);
        poison_result(MutexGuard { hold, inner }, poisoned)
    }
}

/// `value` as the result of an operation on a lock that is or is not poisoned.
#[inline]
pub(super) fn poison_result<G>(value: G, poisoned: bool) -> LockResult<G> {
    if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
}

/// The fields of a lock's `Debug` text, as `std` prints them. It takes the real lock for a moment
/// if that is free: that is no acquisition.
pub(super) fn fmt_lock<G: Deref<Target: fmt::Debug>>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    header: &LockHeader,
    guard: Option<G>,
) -> fmt::Result {
    let mut out = f.debug_struct(name);
    match guard {
        Some(guard) => out.field("data", &&*guard),
        None => out.field("data", &format_args!("<locked>")),
    };
    out.field("poisoned", &header.word().is_poisoned());
    out.finish_non_exhaustive()
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_lock(f, "Mutex", &self.header, self.try_inner())
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
