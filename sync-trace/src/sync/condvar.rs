//! `std::sync::Condvar`, traced.

use std::fmt;
use std::sync::{LockResult, PoisonError, WaitTimeoutResult};
use std::time::Duration;

use super::mutex::{Mutex, MutexGuard, poison_result};
use crate::hooks::{self, ExclusiveHold, Suspended};
use crate::registry::{Access, LockHeader, Resource};
use crate::site::Site;

/// [`std::sync::Condvar`], traced.
///
/// A wait gives up its mutex and cannot return without it, whatever signal or timeout comes. So a
/// thread that waits here while it holds another lock is stuck as soon as the owner of the mutex
/// waits for that lock: the owner's `lock` call panics with the report.
///
/// # Example
///
/// ```
/// use sync_trace::sync::{Condvar, Mutex};
/// use sync_trace::thread;
///
/// let (ready, signal) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock().unwrap() = true;
///         signal.notify_one();
///     });
///     let ready = signal.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
///     assert!(*ready);
/// });
/// ```
pub struct Condvar {
    header: LockHeader,
    inner: std::sync::Condvar,
}

/// A mutex guard taken apart for the time of a wait, and what it takes to put it together again.
struct Apart<'a> {
    suspended: Suspended<'a>,
    access: &'static Access,
    site: Site,
}

impl<'a> Apart<'a> {
    /// Takes `guard` apart: off the record first, so that the real mutex may be given up next.
    fn take<T>(
        guard: MutexGuard<'a, T>,
        access: &'static Access,
        site: Site,
    ) -> (Self, std::sync::MutexGuard<'a, T>) {
        let MutexGuard { hold, inner } = guard;
        (Self { suspended: hooks::suspend(hold, access, site), access, site }, inner)
    }

    /// The guard again, now that the real mutex is locked, and whether it is poisoned.
    fn join<T>(self, inner: std::sync::MutexGuard<'a, T>) -> (MutexGuard<'a, T>, bool) {
        let (hold, poisoned) = hooks::resume(self.suspended, self.access, self.site);
        (MutexGuard { hold, inner }, poisoned)
    }
}

impl Condvar {
    /// As [`std::sync::Condvar::new`]. The caller's position is remembered as where the condvar was
    /// created.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::Condvar::new() }
    }

    /// As [`std::sync::Condvar::wait`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when it is locked again, with the guard inside.
    ///
    /// # Panics
    ///
    /// Where `std`'s panics.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_once(guard, Mutex::<T>::WAIT, Site::caller())
    }

    /// As [`std::sync::Condvar::wait_while`]. `condition` runs with the mutex held.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// Where `std`'s panics.
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        let site = Site::caller();
        while condition(&mut *guard) {
            guard = self.wait_once(guard, Mutex::<T>::WAIT_WHILE, site)?;
        }
        Ok(guard)
    }

    fn wait_once<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        access: &'static Access,
        site: Site,
    ) -> LockResult<MutexGuard<'a, T>> {
        let (apart, inner) = Apart::take(guard, access, site);
        let inner = self.inner.wait(inner).unwrap_or_else(PoisonError::into_inner);
        let (guard, poisoned) = apart.join(inner);
        self.signalled();
        poison_result(guard, poisoned)
    }

    /// As [`std::sync::Condvar::wait_timeout_ms`].
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// Where `std`'s panics.
    #[track_caller]
    #[deprecated(since = "1.6.0", note = "replaced by `wait_timeout`")]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let timeout = Duration::from_millis(u64::from(ms));
        let (guard, timed, poisoned) =
            self.wait_once_for(guard, timeout, Mutex::<T>::WAIT_TIMEOUT_MS, Site::caller());
        poison_result((guard, !timed.timed_out()), poisoned)
    }

    /// As [`std::sync::Condvar::wait_timeout`].
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// Where `std`'s panics.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (guard, timed, poisoned) =
            self.wait_once_for(guard, dur, Mutex::<T>::WAIT_TIMEOUT, Site::caller());
        poison_result((guard, timed), poisoned)
    }

    fn wait_once_for<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
        access: &'static Access,
        site: Site,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult, bool) {
        let (apart, inner) = Apart::take(guard, access, site);
        let (inner, timed) =
            self.inner.wait_timeout(inner, timeout).unwrap_or_else(PoisonError::into_inner);
        let (guard, poisoned) = apart.join(inner);
        self.signalled();
        (guard, timed, poisoned)
    }

    /// As [`std::sync::Condvar::wait_timeout_while`]. `condition` runs with the mutex held.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// Where `std`'s panics.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        // Only `std` can make a `WaitTimeoutResult`, so its own loop runs, and the closure tells
        // from inside when the mutex is held and when it is about to be given up.
        let MutexGuard { hold, inner } = guard;
        let mut held = Intermittent::new(hold, Mutex::<T>::WAIT_TIMEOUT_WHILE, Site::caller());
        let result = self.inner.wait_timeout_while(inner, dur, |value| {
            let go_on = held.during(|| condition(value));
            if go_on {
                held.suspend();
            }
            go_on
        });
        let (inner, timed) = result.unwrap_or_else(PoisonError::into_inner);
        let (hold, poisoned) = held.finish();
        self.signalled();
        poison_result((MutexGuard { hold, inner }, timed), poisoned)
    }

    /// As [`std::sync::Condvar::notify_one`].
    pub fn notify_one(&self) {
        self.signalled();
        self.inner.notify_one();
    }

    /// As [`std::sync::Condvar::notify_all`].
    pub fn notify_all(&self) {
        self.signalled();
        self.inner.notify_all();
    }

    fn signalled(&self) {
        if let Some(id) = self.header.ensure_id() {
            hooks::signalled(Resource::Lock(id));
        }
    }
}

/// A mutex's hold that comes and goes while `std`'s own loop runs.
struct Intermittent<'a> {
    /// The hold while the mutex is held; else it is `away`.
    here: Option<ExclusiveHold<'a>>,
    away: Option<Suspended<'a>>,
    poisoned: bool,
    access: &'static Access,
    site: Site,
}

impl<'a> Intermittent<'a> {
    fn new(hold: ExclusiveHold<'a>, access: &'static Access, site: Site) -> Self {
        let poisoned = hold.lock().word().is_poisoned();
        Self { here: Some(hold), away: None, poisoned, access, site }
    }

    /// Runs `condition` with the mutex on record as held. Should it panic, the record ends before
    /// `std` unwinds and unlocks the mutex.
    fn during(&mut self, condition: impl FnOnce() -> bool) -> bool {
        struct EndOnUnwind<'h, 'a>(&'h mut Option<ExclusiveHold<'a>>);
        impl Drop for EndOnUnwind<'_, '_> {
            fn drop(&mut self) {
                *self.0 = None;
            }
        }
        self.resume();
        let end = EndOnUnwind(&mut self.here);
        let go_on = condition();
        std::mem::forget(end);
        go_on
    }

    fn suspend(&mut self) {
        let (access, site) = (self.access, self.site);
        self.away = self.here.take().map(|hold| hooks::suspend(hold, access, site));
    }

    fn resume(&mut self) {
        if let Some(suspended) = self.away.take() {
            let (hold, poisoned) = hooks::resume(suspended, self.access, self.site);
            self.here = Some(hold);
            self.poisoned = poisoned;
        }
    }

    fn finish(mut self) -> (ExclusiveHold<'a>, bool) {
        self.resume();
        let hold = self.here.expect("the mutex is held when the wait returns");
        (hold, self.poisoned)
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}
