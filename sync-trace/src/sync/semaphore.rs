//! A counting semaphore, which `std` has not.
//!
//! It is here also where tracing is compiled out, and does the same there.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::finding::LockKind;
use crate::hooks::permits::{self, Holder, Pool};
use crate::op::{Mode, Op};
use crate::registry::Access;
use crate::semaphore::{Failed, MAX, RawSemaphore, Refused};
use crate::site::Site;

/// A counting semaphore: so many permits, which threads acquire and give back.
///
/// `std` has none; its methods are those of tokio's semaphore, and they block. A guard that gives its
/// permits back when it is dropped may be sent to another thread, and [forgotten](SemaphorePermit::forget).
///
/// - *Fair*: permits go to whoever waits in the order in which they came. Who needs many is not starved by
///   those who need few; as long as anybody waits, nobody else gets a permit, not even by
///   [`try_acquire`](Self::try_acquire).
/// - *Not poisoned*: a thread that panics gives back what it has, as its guards are dropped.
/// - *Traced*: [`dump`](crate::dump) shows who holds permits and who waits for one. A permit can come from
///   anywhere, so who waits is stuck only if every thread of the process sleeps; then the thread that comes last
///   panics with the report, or the process ends. A permit is no lock, so no order of locks, no rule about what may be
///   held and no `assert_no_locks_held!` speaks of it. What came before it was given back comes before what
///   follows an acquisition after that.
///
/// To acquire a permit that is free and to give it back takes one atomic operation each, like a mutex, and
/// some nanoseconds where it is traced. Who has to wait allocates a place in the queue.
///
/// # Example
///
/// At most two of the threads work at a time:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use sync_trace::sync::Semaphore;
/// use sync_trace::thread;
///
/// let pool = Semaphore::new(2);
/// let working = AtomicUsize::new(0);
/// thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| {
///             let _permit = pool.acquire().unwrap();
///             assert!(working.fetch_add(1, Ordering::Relaxed) < 2);
///             working.fetch_sub(1, Ordering::Relaxed);
///         });
///     }
/// });
/// assert_eq!(pool.available_permits(), 2);
/// ```
///
/// A signal that belongs to nobody, and is not lost if it comes before it is waited for:
///
/// ```
/// use sync_trace::sync::Semaphore;
/// use sync_trace::thread;
///
/// static READY: Semaphore = Semaphore::new(0);
///
/// let worker = thread::spawn(|| {
///     // All is prepared.
///     READY.add_permits(1);
/// });
/// READY.acquire().unwrap().forget();
/// worker.join().unwrap();
/// ```
pub struct Semaphore {
    pool: Pool,
    raw: RawSemaphore,
}

const ACQUIRE: Access = Access {
    kind: LockKind::Semaphore,
    type_name: || "",
    // Who holds a permit keeps nobody in particular waiting.
    mode: Mode::RecursiveRead,
    op: Op::Acquire,
};

/// What is known of each way to get permits.
macro_rules! accesses {
    ($($name:ident = $op:ident;)*) => {
        $(static $name: Access = Access { op: Op::$op, ..ACQUIRE };)*
    };
}

accesses! {
    ONE = Acquire;
    MANY = AcquireMany;
    ONE_TIMED = AcquireTimeout;
    MANY_TIMED = AcquireManyTimeout;
    TRY_ONE = TryAcquire;
    TRY_MANY = TryAcquireMany;
    ONE_OWNED = AcquireOwned;
    MANY_OWNED = AcquireManyOwned;
    ONE_OWNED_TIMED = AcquireOwnedTimeout;
    MANY_OWNED_TIMED = AcquireManyOwnedTimeout;
    TRY_ONE_OWNED = TryAcquireOwned;
    TRY_MANY_OWNED = TryAcquireManyOwned;
    SPLIT = Split;
}

impl Semaphore {
    /// How many permits a semaphore may have.
    pub const MAX_PERMITS: usize = MAX;

    /// A semaphore with so many permits. The caller's position is remembered as where it was created.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Example
    ///
    /// ```
    /// use sync_trace::{named, sync::Semaphore};
    ///
    /// static CONNECTIONS: Semaphore = named!("connections", Semaphore::new(8));
    /// assert_eq!(CONNECTIONS.available_permits(), 8);
    /// ```
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new(permits: usize) -> Self {
        Self { pool: Pool::new(Site::caller()), raw: RawSemaphore::new(permits) }
    }

    /// How many permits are free. Those that are kept for somebody who waits for more are among them.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(2);
    /// let _permit = semaphore.acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    #[must_use]
    #[inline]
    pub fn available_permits(&self) -> usize {
        self.raw.available()
    }

    /// Adds so many permits: new ones, or [forgotten](SemaphorePermit::forget) ones.
    ///
    /// # Panics
    ///
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS) free ones.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(1);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 3);
    /// ```
    #[inline]
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        self.pool.gives(Some(Site::caller()));
        self.raw.give(n);
    }

    /// Takes so many permits away for good, if as many are free. Returns how many that were.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(3);
    /// assert_eq!(semaphore.forget_permits(2), 2);
    /// assert_eq!(semaphore.forget_permits(2), 1);
    /// ```
    #[inline]
    pub fn forget_permits(&self, n: usize) -> usize {
        let forgotten = self.raw.remove(n);
        self.pool.observe();
        forgotten
    }

    /// Closes it: nobody gets a permit from here on, and whoever waits is told so.
    ///
    /// # Example
    ///
    /// ```
    /// use sync_trace::sync::Semaphore;
    /// use sync_trace::thread;
    ///
    /// static JOBS: Semaphore = Semaphore::new(0);
    ///
    /// let worker = thread::spawn(|| {
    ///     let mut done = 0;
    ///     while let Ok(job) = JOBS.acquire() {
    ///         job.forget();
    ///         done += 1;
    ///     }
    ///     done
    /// });
    /// JOBS.close();
    /// assert_eq!(worker.join().unwrap(), 0);
    /// ```
    #[track_caller]
    pub fn close(&self) {
        self.pool.gives(Some(Site::caller()));
        self.raw.close();
    }

    /// Whether it is closed.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(1);
    /// assert!(!semaphore.is_closed());
    /// semaphore.close();
    /// assert!(semaphore.is_closed());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        let is_closed = self.raw.is_closed();
        if is_closed {
            self.pool.observe();
        }
        is_closed
    }

    /// Acquires a permit, and waits for it if it has to.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed, or is while this waits.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(1);
    /// let permit = semaphore.acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// drop(permit);
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.granted(1, &ONE, Site::caller()).map(|grant| self.permit(grant))
    }

    /// Acquires `n` permits at once, and waits for them if it has to. Nobody who comes later is served before.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Panics
    ///
    /// If that is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(3);
    /// let permits = semaphore.acquire_many(2).unwrap();
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.granted(n, &MANY, Site::caller()).map(|grant| self.permit(grant))
    }

    /// Acquires a permit, and waits for it no longer than this. Who does not get it in time has lost its
    /// place in the queue.
    ///
    /// # Errors
    ///
    /// If there is none in time, or if the semaphore is closed.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use sync_trace::sync::{AcquireTimeoutError, Semaphore};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.acquire_timeout(Duration::from_secs(1)).unwrap();
    /// let late = semaphore.acquire_timeout(Duration::from_millis(1));
    /// assert_eq!(late.unwrap_err(), AcquireTimeoutError::Timeout);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_timeout(
        &self,
        timeout: Duration,
    ) -> Result<SemaphorePermit<'_>, AcquireTimeoutError> {
        let grant = self.granted_in_time(1, timeout, &ONE_TIMED, Site::caller());
        grant.map(|grant| self.permit(grant))
    }

    /// Acquires `n` permits at once, and waits for them no longer than this.
    ///
    /// # Errors
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout).
    ///
    /// # Panics
    ///
    /// As [`acquire_many`](Self::acquire_many).
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = sync_trace::sync::Semaphore::new(2);
    /// assert!(semaphore.acquire_many_timeout(2, Duration::ZERO).is_ok());
    /// assert!(semaphore.acquire_many_timeout(3, Duration::ZERO).is_err());
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many_timeout(
        &self,
        n: u32,
        timeout: Duration,
    ) -> Result<SemaphorePermit<'_>, AcquireTimeoutError> {
        let grant = self.granted_in_time(n, timeout, &MANY_TIMED, Site::caller());
        grant.map(|grant| self.permit(grant))
    }

    /// Acquires a permit if one is free and nobody waits.
    ///
    /// # Errors
    ///
    /// If there is none, or if the semaphore is closed.
    ///
    /// # Example
    ///
    /// ```
    /// use sync_trace::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// semaphore.close();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.granted_at_once(1, &TRY_ONE, Site::caller()).map(|grant| self.permit(grant))
    }

    /// Acquires `n` permits if as many are free and nobody waits.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Panics
    ///
    /// As [`acquire_many`](Self::acquire_many).
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(3);
    /// let most = semaphore.try_acquire_many(2).unwrap();
    /// assert!(semaphore.try_acquire_many(2).is_err());
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.granted_at_once(n, &TRY_MANY, Site::caller()).map(|grant| self.permit(grant))
    }

    /// As [`acquire`](Self::acquire), with a guard that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    /// use sync_trace::thread;
    ///
    /// let connections = Arc::new(Semaphore::new(2));
    /// let handlers = [1, 2, 3].map(|_client| {
    ///     let permit = Arc::clone(&connections).acquire_owned().unwrap();
    ///     thread::spawn(move || drop(permit))
    /// });
    /// handlers.map(|handler| handler.join().unwrap());
    /// assert_eq!(connections.available_permits(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.granted(1, &ONE_OWNED, Site::caller()).map(|grant| self.owned(grant))
    }

    /// As [`acquire_many`](Self::acquire_many), with a guard that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Panics
    ///
    /// As [`acquire_many`](Self::acquire_many).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let permits = Arc::new(Semaphore::new(3)).acquire_many_owned(3).unwrap();
    /// assert_eq!(permits.semaphore().available_permits(), 0);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.granted(n, &MANY_OWNED, Site::caller()).map(|grant| self.owned(grant))
    }

    /// As [`acquire_timeout`](Self::acquire_timeout), with a guard that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout).
    ///
    /// # Example
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use sync_trace::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = Arc::clone(&semaphore).acquire_owned_timeout(Duration::ZERO).unwrap();
    /// assert!(semaphore.acquire_owned_timeout(Duration::ZERO).is_err());
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_owned_timeout(
        self: Arc<Self>,
        timeout: Duration,
    ) -> Result<OwnedSemaphorePermit, AcquireTimeoutError> {
        let grant = self.granted_in_time(1, timeout, &ONE_OWNED_TIMED, Site::caller());
        grant.map(|grant| self.owned(grant))
    }

    /// As [`acquire_many_timeout`](Self::acquire_many_timeout), with a guard that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout).
    ///
    /// # Panics
    ///
    /// As [`acquire_many`](Self::acquire_many).
    ///
    /// # Example
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use sync_trace::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(2));
    /// assert!(Arc::clone(&semaphore).acquire_many_owned_timeout(3, Duration::ZERO).is_err());
    /// assert!(semaphore.acquire_many_owned_timeout(2, Duration::ZERO).is_ok());
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many_owned_timeout(
        self: Arc<Self>,
        n: u32,
        timeout: Duration,
    ) -> Result<OwnedSemaphorePermit, AcquireTimeoutError> {
        let grant = self.granted_in_time(n, timeout, &MANY_OWNED_TIMED, Site::caller());
        grant.map(|grant| self.owned(grant))
    }

    /// As [`try_acquire`](Self::try_acquire), with a guard that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
    /// assert!(semaphore.try_acquire_owned().is_err());
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.granted_at_once(1, &TRY_ONE_OWNED, Site::caller()).map(|grant| self.owned(grant))
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with a guard that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    ///
    /// # Panics
    ///
    /// As [`acquire_many`](Self::acquire_many).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let permits = Arc::new(Semaphore::new(3)).try_acquire_many_owned(2).unwrap();
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.granted_at_once(n, &TRY_MANY_OWNED, Site::caller()).map(|grant| self.owned(grant))
    }

    #[inline]
    fn permit(&self, grant: Grant) -> SemaphorePermit<'_> {
        SemaphorePermit { semaphore: self, grant }
    }

    #[inline]
    fn owned(self: Arc<Self>, grant: Grant) -> OwnedSemaphorePermit {
        OwnedSemaphorePermit { semaphore: self, grant }
    }

    #[inline]
    #[track_caller]
    fn granted(&self, n: u32, access: &'static Access, site: Site) -> Result<Grant, AcquireError> {
        let permits = checked(n);
        self.pool.prepare();
        match self.raw.try_take(permits) {
            Ok(()) => Ok(self.grant(permits, access, site)),
            Err(_) => match self.waited(permits, None, access, site) {
                Ok(()) => Ok(self.grant(permits, access, site)),
                Err(_) => Err(AcquireError(())),
            },
        }
    }

    #[inline]
    #[track_caller]
    fn granted_in_time(
        &self,
        n: u32,
        timeout: Duration,
        access: &'static Access,
        site: Site,
    ) -> Result<Grant, AcquireTimeoutError> {
        let permits = checked(n);
        self.pool.prepare();
        match self.raw.try_take(permits) {
            Ok(()) => Ok(self.grant(permits, access, site)),
            Err(_) => match self.waited(permits, Some(timeout), access, site) {
                Ok(()) => Ok(self.grant(permits, access, site)),
                Err(Failed::TimedOut) => Err(AcquireTimeoutError::Timeout),
                Err(Failed::Closed) => Err(AcquireTimeoutError::Closed),
            },
        }
    }

    #[inline]
    #[track_caller]
    fn granted_at_once(
        &self,
        n: u32,
        access: &'static Access,
        site: Site,
    ) -> Result<Grant, TryAcquireError> {
        let permits = checked(n);
        self.pool.prepare();
        match self.raw.try_take(permits) {
            Ok(()) => Ok(self.grant(permits, access, site)),
            Err(Refused::NoPermits) => {
                self.pool.tried_in_vain();
                Err(TryAcquireError::NoPermits)
            }
            Err(Refused::Closed) => {
                self.pool.observe();
                Err(TryAcquireError::Closed)
            }
        }
    }

    /// The slow half of acquiring: waits where the tracker can see it.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn waited(
        &self,
        permits: usize,
        timeout: Option<Duration>,
        access: &'static Access,
        site: Site,
    ) -> Result<(), Failed> {
        // What lies beyond the end of time has no end.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let result = match self.raw.take_soon(permits) {
            Ok(()) => Ok(()),
            Err(Refused::Closed) => Err(Failed::Closed),
            Err(Refused::NoPermits) => {
                let mut soon = None;
                let mut waiting = self.pool.wait(access, site, &mut || {
                    let result = match self.raw.take_soon(permits) {
                        Ok(()) => Ok(()),
                        Err(Refused::Closed) => Err(Failed::Closed),
                        Err(Refused::NoPermits) => return false,
                    };
                    soon = Some(result);
                    true
                });
                let result = soon.unwrap_or_else(|| self.raw.take(permits, deadline));
                if result == Err(Failed::TimedOut) {
                    permits::times_out(&mut waiting);
                }
                result
            }
        };
        if result == Err(Failed::Closed) {
            self.pool.observe();
        }
        result
    }

    /// What was just taken.
    #[inline]
    fn grant(&self, permits: usize, access: &'static Access, site: Site) -> Grant {
        match permits {
            0 => Grant::default(),
            _ => Grant { permits, holder: self.pool.acquired(access, site) },
        }
    }

    /// Gives it back.
    #[inline]
    fn release(&self, grant: &Grant) {
        if grant.permits > 0 {
            // The record must go before the permits, as with a lock.
            self.pool.gives(None);
            self.pool.released(grant.holder);
            self.raw.give(grant.permits);
        }
    }
}

/// What is asked for, as a number that fits.
#[inline]
#[track_caller]
fn checked(n: u32) -> usize {
    let permits = n as usize;
    assert!(permits <= MAX, "a semaphore may not have more than MAX_PERMITS permits");
    permits
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Semaphore");
        out.field("permits", &self.raw.available()).field("closed", &self.raw.is_closed());
        out.finish_non_exhaustive()
    }
}

/// What a guard has.
#[derive(Debug)]
struct Grant {
    permits: usize,
    /// On whose record it is, if there are any permits.
    holder: Holder,
}

impl Default for Grant {
    #[inline]
    fn default() -> Self {
        Self { permits: 0, holder: Holder::NOBODY }
    }
}

impl Grant {
    /// Takes so many out of it, if it has as many.
    fn split(&mut self, pool: &Pool, permits: usize, site: Site) -> Option<Self> {
        self.permits = self.permits.checked_sub(permits)?;
        let holder = match (permits, self.permits) {
            (0, _) => Holder::NOBODY,
            (_, 0) => std::mem::replace(&mut self.holder, Holder::NOBODY),
            _ => {
                pool.prepare();
                pool.record(&SPLIT, site)
            }
        };
        Some(Self { permits, holder })
    }

    /// Puts another one of the same semaphore into it.
    fn merge(&mut self, pool: &Pool, other: Self) {
        self.permits += other.permits;
        match self.holder == Holder::NOBODY {
            true => self.holder = other.holder,
            false => pool.released(other.holder),
        }
    }
}

/// Permits of a [`Semaphore`], which are given back when this is dropped. It may be sent to another thread.
#[must_use = "if unused the permits are given back at once"]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    grant: Grant,
}

/// Permits of a [`Semaphore`] that is kept alive by them. They are given back when this is dropped, by whatever
/// thread.
///
/// It is made by [`Semaphore::acquire_owned`] and its like.
#[must_use = "if unused the permits are given back at once"]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    grant: Grant,
}

impl SemaphorePermit<'_> {
    /// Drops the guard and does not give the permits back.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(1);
    /// semaphore.acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// ```
    pub fn forget(mut self) {
        self.semaphore.pool.released(std::mem::take(&mut self.grant).holder);
    }

    /// Makes one guard of two.
    ///
    /// # Panics
    ///
    /// If the other one is of another semaphore.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(3);
    /// let mut permits = semaphore.acquire().unwrap();
    /// permits.merge(semaphore.acquire_many(2).unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        let is_same = std::ptr::eq(self.semaphore, other.semaphore);
        assert!(is_same, "merging permits from different semaphore instances");
        self.grant.merge(&self.semaphore.pool, std::mem::take(&mut other.grant));
    }

    /// Takes `n` of the permits out of it, for a guard of their own; `None` if it has fewer.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(3);
    /// let mut permits = semaphore.acquire_many(3).unwrap();
    /// let one = permits.split(1).unwrap();
    /// assert_eq!((one.num_permits(), permits.num_permits()), (1, 2));
    /// assert!(permits.split(3).is_none());
    /// ```
    #[track_caller]
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let grant = self.grant.split(&self.semaphore.pool, n, Site::caller())?;
        Some(Self { semaphore: self.semaphore, grant })
    }

    /// How many permits it has.
    ///
    /// # Example
    ///
    /// ```
    /// let semaphore = sync_trace::sync::Semaphore::new(3);
    /// assert_eq!(semaphore.try_acquire_many(2).unwrap().num_permits(), 2);
    /// ```
    #[must_use]
    #[inline]
    pub fn num_permits(&self) -> usize {
        self.grant.permits
    }
}

impl OwnedSemaphorePermit {
    /// Drops the guard and does not give the permits back.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// Arc::clone(&semaphore).acquire_owned().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 0);
    /// ```
    pub fn forget(mut self) {
        self.semaphore.pool.released(std::mem::take(&mut self.grant).holder);
    }

    /// Makes one guard of two.
    ///
    /// # Panics
    ///
    /// If the other one is of another semaphore.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let mut permits = Arc::clone(&semaphore).acquire_owned().unwrap();
    /// permits.merge(semaphore.acquire_many_owned(2).unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        let is_same = Arc::ptr_eq(&self.semaphore, &other.semaphore);
        assert!(is_same, "merging permits from different semaphore instances");
        self.grant.merge(&self.semaphore.pool, std::mem::take(&mut other.grant));
    }

    /// Takes `n` of the permits out of it, for a guard of their own; `None` if it has fewer.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let mut permits = Arc::new(Semaphore::new(3)).acquire_many_owned(3).unwrap();
    /// assert_eq!(permits.split(1).unwrap().num_permits(), 1);
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    #[track_caller]
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let grant = self.grant.split(&self.semaphore.pool, n, Site::caller())?;
        Some(Self { semaphore: Arc::clone(&self.semaphore), grant })
    }

    /// The semaphore that they are of.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = Arc::clone(&semaphore).acquire_owned().unwrap();
    /// assert!(Arc::ptr_eq(permit.semaphore(), &semaphore));
    /// ```
    #[must_use]
    #[inline]
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// How many permits it has.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sync_trace::sync::Semaphore;
    ///
    /// let permits = Arc::new(Semaphore::new(3)).try_acquire_many_owned(2).unwrap();
    /// assert_eq!(permits.num_permits(), 2);
    /// ```
    #[must_use]
    #[inline]
    pub fn num_permits(&self) -> usize {
        self.grant.permits
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(&self.grant);
    }
}

impl Drop for OwnedSemaphorePermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(&self.grant);
    }
}

impl fmt::Debug for SemaphorePermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SemaphorePermit");
        out.field("permits", &self.grant.permits).finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedSemaphorePermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("OwnedSemaphorePermit");
        out.field("permits", &self.grant.permits).finish_non_exhaustive()
    }
}

/// The semaphore is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcquireError(());

/// Why [`Semaphore::try_acquire`] and its like gave no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore is closed.
    Closed,
    /// There are too few permits, or others wait for them.
    NoPermits,
}

/// Why [`Semaphore::acquire_timeout`] and its like gave no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcquireTimeoutError {
    /// There was none in time.
    Timeout,
    /// The semaphore is closed.
    Closed,
}

const CLOSED: &str = "semaphore closed";

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => CLOSED,
            Self::NoPermits => "no permits available",
        })
    }
}

impl fmt::Display for AcquireTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "timed out waiting for a permit",
            Self::Closed => CLOSED,
        })
    }
}

impl std::error::Error for AcquireError {}
impl std::error::Error for TryAcquireError {}
impl std::error::Error for AcquireTimeoutError {}

#[cfg(any(debug_assertions, feature = "always"))]
configurable!([] Semaphore, pool.header);
