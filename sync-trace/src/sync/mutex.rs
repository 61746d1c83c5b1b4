//! `std::sync::Mutex`, traced.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::IntoStd;
use crate::declared::{Locks, TracedLock};
use crate::finding::LockKind;
use crate::hooks::{self, Hold, Request, Used};
use crate::interop::as_std;
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
    pub(super) header: LockHeader,
    inner: std::sync::Mutex<T>,
}

/// [`std::sync::MutexGuard`] of a traced [`Mutex`].
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    // Fields drop top to bottom, and the record must go before the lock; see `hooks::released`.
    // There is no `Drop` here, so that a condvar can take the guard apart.
    pub(super) hold: MutexHold<'a, T>,
    pub(super) inner: std::sync::MutexGuard<'a, T>,
}

/// The part of a guard that ends the hold when it is dropped.
pub(super) struct MutexHold<'a, T: ?Sized> {
    pub(super) mutex: &'a Mutex<T>,
    pub(super) used: Used,
}

// SAFETY: it gives access to the mutex's header, which is `Sync`, and to nothing of `T`: that only
// the guard beside it does, which asks for `T: Sync` like `std`'s.
unsafe impl<T: ?Sized + Sync> Sync for MutexHold<'_, T> {}

impl<'a, T: ?Sized> MutexHold<'a, T> {
    /// That of a hold that has just begun.
    #[inline(always)]
    pub(super) fn new(mutex: &'a Mutex<T>) -> Self {
        Self { mutex, used: Used::Immutably }
    }

    /// The guard of this hold and of the real guard, which was just obtained.
    ///
    /// What is rare here gives back no more than a number or a flag: a guard that an out-of-line
    /// function may return, or look at, would live in memory also where it is not called.
    #[inline(always)]
    pub(super) fn guard(
        self,
        inner: std::sync::MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let poisoned = self.mutex.inner.is_poisoned() && self.mutex.poison_counts();
        poison_result(MutexGuard { hold: self, inner }, poisoned)
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The header of the mutex that it guards.
    pub(crate) fn header(guard: &Self) -> &'a LockHeader {
        &guard.hold.mutex.header
    }
}

impl<T: ?Sized> Drop for MutexHold<'_, T> {
    #[inline]
    fn drop(&mut self) {
        hooks::released(&self.mutex.header, Hold::Exclusive, self.used);
    }
}

impl<T> Mutex<T> {
    /// As [`std::sync::Mutex::new`]. The caller's position is remembered as where the mutex was
    /// created.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::Mutex::new(value) }
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
    pub(super) const WAIT_TIMEOUT: &'static Access = &Access { op: Op::WaitTimeout, ..*Self::LOCK };
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
    #[inline(always)]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let site = Site::caller();
        let request = Request { lock: &self.header, access: Self::LOCK, site };
        let mut prepared = hooks::prepare(&request);
        let (inner, is_poisoned) = match self.inner.try_lock() {
            Ok(inner) => (inner, false),
            Err(TryLockError::Poisoned(poisoned)) => (poisoned.into_inner(), true),
            Err(TryLockError::WouldBlock) => {
                prepared.spoil();
                (self.lock_contended(site), self.inner.is_poisoned())
            }
        };
        hooks::acquired_at_once(&request, prepared);
        let poisoned = is_poisoned && self.poison_counts();
        poison_result(MutexGuard { hold: MutexHold::new(self), inner }, poisoned)
    }

    /// The slow half of [`lock`](Self::lock): waits where the tracker can see it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn lock_contended(&self, site: Site) -> std::sync::MutexGuard<'_, T> {
        let request = Request { lock: &self.header, access: Self::LOCK, site };
        let mut retried = None;
        let mut retry = || {
            retried = without_block(self.inner.try_lock());
            retried.is_some()
        };
        let waiting = hooks::wait_for_lock(&request, &mut retry);
        let inner =
            retried.unwrap_or_else(|| self.inner.lock().unwrap_or_else(PoisonError::into_inner));
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
        let site = Site::caller();
        hooks::prepare_try(&Request { lock: &self.header, access: Self::TRY_LOCK, site });
        let Some(inner) = without_block(self.inner.try_lock()) else {
            hooks::tried_in_vain(&self.header, Self::TRY_LOCK);
            return Err(TryLockError::WouldBlock);
        };
        Ok(self.guard(Self::TRY_LOCK, site, inner)?)
    }

    /// Gives up the real lock and takes it again, as a wait does that nobody has ended.
    #[cold]
    pub(super) fn retake<'a>(
        &'a self,
        inner: std::sync::MutexGuard<'a, T>,
    ) -> std::sync::MutexGuard<'a, T> {
        drop(inner);
        hooks::let_others_in();
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the real one lies, with what it protects.
    pub(super) fn memory(&self) -> Range<usize> {
        let start = std::ptr::from_ref(&self.inner).addr();
        start..start + size_of_val(&self.inner)
    }

    /// The traced guard around the real one, which was just obtained without having been asked for.
    #[inline]
    pub(super) fn guard<'a>(
        &'a self,
        access: &'static Access,
        site: Site,
        inner: std::sync::MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        hooks::acquired(&Request { lock: &self.header, access, site });
        MutexHold::new(self).guard(inner)
    }

    /// `std`'s poison flag was found set, by the holder: whether it counts.
    #[cold]
    #[inline(never)]
    fn poison_counts(&self) -> bool {
        self.header.settle_poison(|| self.inner.clear_poison())
    }

    /// As [`std::sync::Mutex::is_poisoned`].
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned() && !self.header.is_spared()
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
}

/// `value` as the result of an operation on a lock that is or is not poisoned.
#[inline(always)]
pub(super) fn poison_result<G>(value: G, poisoned: bool) -> LockResult<G> {
    if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
}

/// The real guard that an attempt on a real lock gave, poisoned or not; `None` if it would have to
/// wait.
#[inline]
pub(super) fn without_block<G>(result: TryLockResult<G>) -> Option<G> {
    match result {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The fields of a lock's `Debug` text, as `std` prints them, with `locked` for the data that cannot
/// be seen. It takes the real lock for a moment if that is free: that is no acquisition.
pub(super) fn fmt_lock<G: Deref<Target: fmt::Debug>>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    guard: TryLockResult<G>,
    locked: &dyn fmt::Debug,
    is_poisoned: bool,
) -> fmt::Result {
    let mut out = f.debug_struct(name);
    match without_block(guard) {
        Some(guard) => out.field("data", &&*guard),
        None => out.field("data", locked),
    };
    out.field("poisoned", &is_poisoned);
    out.finish_non_exhaustive()
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `std` prints the words as a string here, though not for a `RwLock`.
        fmt_lock(f, "Mutex", self.inner.try_lock(), &"<locked>", self.is_poisoned())
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
        self.hold.used = Used::Mutably;
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

configurable!([T] Mutex<T>, header);

impl<T: ?Sized> TracedLock for Mutex<T> {
    fn locks(&self, locks: &mut Locks<'_>) {
        locks.add(&self.header);
    }
}
as_std!([T: ?Sized] Mutex<T> => std::sync::Mutex<T>);

impl<T> IntoStd for Mutex<T> {
    type Std = std::sync::Mutex<T>;

    fn into_std(self) -> std::sync::Mutex<T> {
        // The panic of a finding goes on not to count.
        if !self.is_poisoned() {
            self.inner.clear_poison();
        }
        self.inner
    }
}
