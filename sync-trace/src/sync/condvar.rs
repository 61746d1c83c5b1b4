//! `std::sync::Condvar`, traced.

use std::fmt;
use std::sync::{Arc, LockResult, PoisonError, WaitTimeoutResult};
use std::time::{Duration, Instant};

use super::mutex::{Mutex, MutexGuard, MutexHold};
use crate::finding::LockKind;
use crate::foresight::conditions::Link;
use crate::foresight::passage::Place;
use crate::hooks::{self, Meant, Request, Used, Waiting};
use crate::interop::{as_std, into_std};
use crate::op::Op;
use crate::registry::{Access, LockHeader};
use crate::site::Site;
use crate::waits::source::Source;

/// [`std::sync::Condvar`], traced.
///
/// A wait gives up its mutex and cannot return without it, whatever signal or timeout comes. So a
/// thread that waits here while it holds another lock is stuck as soon as the owner of the mutex
/// waits for that lock: the owner's `lock` call panics with the report.
///
/// Whether a signal will come is not known, as anybody may send it. If none can, because every thread of
/// the process sleeps until another one wakes it, the one that comes last panics with the report, or the process
/// ends.
///
/// A wait under another lock, which who notifies has to take first, is a deadlock that could happen, if that is true of
/// everybody who is seen to notify. It fails the test or the process at its end.
///
/// Whoever notifies lets others go on, also those that find their condition true and need not wait: who
/// takes the mutex afterwards is taken to come after what the notifying thread did before. It is 36
/// bytes larger than `std`'s.
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
    link: Link,
    inner: std::sync::Condvar,
}

/// A mutex guard taken apart for the time of a wait, and what it takes to put it together again.
struct Apart<'a, T> {
    mutex: &'a Mutex<T>,
    request: Request<'a>,
    waiting: Waiting,
    meant: Meant,
}

impl<'a, T> Apart<'a, T> {
    /// Takes `guard` apart: off the record first, so that the real mutex may be given up next.
    #[track_caller]
    fn take(
        guard: MutexGuard<'a, T>,
        source: Option<Arc<Source>>,
        access: &'static Access,
        site: Site,
    ) -> (Self, std::sync::MutexGuard<'a, T>) {
        let request = Request { lock: &guard.hold.mutex.header, access, site };
        hooks::prepare_again(&request);
        let MutexGuard { hold, inner } = guard;
        let MutexHold { mutex, used } = hold;
        std::mem::forget(hold);
        let meant = Meant::by_hold_of(request.lock);
        let waiting = hooks::suspend(&request, source, used);
        (Self { mutex, request, waiting, meant }, inner)
    }

    /// The guard again, now that the real mutex is locked.
    fn join(self, inner: std::sync::MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        drop(self.waiting);
        let guard = self.mutex.guard(self.request.access, self.request.site, inner);
        self.meant.again();
        guard
    }
}

/// A notification that is about to be given. It is counted afterwards, while whoever it wakes is on the way.
#[must_use]
struct Signalled {
    source: Option<Arc<Source>>,
    in_vain: bool,
}

impl Signalled {
    fn count(self) {
        if let Some(source) = self.source {
            hooks::notified(&source, self.in_vain);
        }
    }
}

/// A lock's result with something beside the guard.
fn with<G, R>(guard: LockResult<G>, rest: R) -> LockResult<(G, R)> {
    match guard {
        Ok(guard) => Ok((guard, rest)),
        Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), rest))),
    }
}

/// Whether a wait with this guard shall return although nobody has notified.
fn wakes_early<T>(guard: &MutexGuard<'_, T>) -> bool {
    hooks::is_perturbed() && guard.hold.mutex.header.number().is_some() && hooks::point_of_wait()
}

impl Condvar {
    /// As [`std::sync::Condvar::new`]. The caller's position is remembered as where the condvar was
    /// created.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self {
            header: LockHeader::new(Site::caller()),
            link: Link::new(),
            inner: std::sync::Condvar::new(),
        }
    }

    /// As [`std::sync::Condvar::wait`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when it is locked again, with the guard inside.
    ///
    /// # Panics
    ///
    /// Where `std`'s panics, and if nobody is left who could signal.
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
        self.waits_with(&guard, Mutex::<T>::WAIT_WHILE, site);
        while condition(&mut *guard) {
            guard = self.wait_once(guard, Mutex::<T>::WAIT_WHILE, site)?;
        }
        // Somebody has made it so, whether there was a wait or not.
        self.was_signalled();
        Ok(guard)
    }

    #[track_caller]
    fn wait_once<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        access: &'static Access,
        site: Site,
    ) -> LockResult<MutexGuard<'a, T>> {
        self.waits_with(&guard, access, site);
        let is_early = wakes_early(&guard);
        let source = self.source();
        if let Some(source) = source.as_ref().filter(|_| !is_early) {
            self.comes_last(&guard, source, access, site);
        }
        let (apart, inner) = Apart::take(guard, source, access, site);
        let inner = match is_early {
            true => apart.mutex.retake(inner),
            false => self.inner.wait(inner).unwrap_or_else(PoisonError::into_inner),
        };
        let guard = apart.join(inner);
        self.was_signalled();
        guard
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
        let (guard, timed) =
            self.wait_once_for(guard, timeout, Mutex::<T>::WAIT_TIMEOUT_MS, Site::caller());
        with(guard, !timed.timed_out())
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
        let (guard, timed) =
            self.wait_once_for(guard, dur, Mutex::<T>::WAIT_TIMEOUT, Site::caller());
        with(guard, timed)
    }

    #[track_caller]
    fn wait_once_for<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
        access: &'static Access,
        site: Site,
    ) -> (LockResult<MutexGuard<'a, T>>, WaitTimeoutResult) {
        self.waits_with(&guard, access, site);
        let is_early = wakes_early(&guard);
        let (mut apart, inner) = Apart::take(guard, self.source(), access, site);
        let result = match is_early {
            // Only `std` can say that there was no timeout.
            true => self.inner.wait_timeout_while(apart.mutex.retake(inner), timeout, |_| false),
            false => self.inner.wait_timeout(inner, timeout),
        };
        let (inner, timed) = result.unwrap_or_else(PoisonError::into_inner);
        if timed.timed_out() {
            apart.waiting.times_out();
        }
        let guard = apart.join(inner);
        // What is waited for may have come with the timeout.
        self.was_signalled();
        (guard, timed)
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
        let (access, site) = (Mutex::<T>::WAIT_TIMEOUT_WHILE, Site::caller());
        self.waits_with(&guard, access, site);
        let request = Request { lock: &guard.hold.mutex.header, access, site };
        hooks::prepare_again(&request);
        let begun = hooks::is_perturbed().then(Instant::now);
        let mut is_early = wakes_early(&guard);
        let MutexGuard { hold, mut inner } = guard;
        let mut held = Intermittent::new(self, hold, request);
        // Waits that return early come first: in the middle of `std`'s loop the mutex is not ours to give
        // up.
        let mut is_over = false;
        while is_early {
            is_over = !held.during(|| condition(&mut inner));
            if is_over {
                break;
            }
            held.suspend();
            inner = held.mutex.retake(inner);
            is_early = hooks::point_of_wait();
        }
        let dur = begun.map_or(dur, |begun| dur.saturating_sub(begun.elapsed()));
        let result = self.inner.wait_timeout_while(inner, dur, |value| {
            let go_on = !is_over && held.during(|| condition(value));
            if go_on {
                held.suspend();
            }
            go_on
        });
        let (inner, timed) = result.unwrap_or_else(PoisonError::into_inner);
        if let Some((waiting, _)) = held.away.as_mut().filter(|_| timed.timed_out()) {
            waiting.times_out();
        }
        let guard = held.finish(inner);
        self.was_signalled();
        with(guard, timed)
    }

    /// As [`std::sync::Condvar::notify_one`].
    #[track_caller]
    pub fn notify_one(&self) {
        let signalled = self.signal(Op::NotifyOne, Site::caller());
        self.inner.notify_one();
        signalled.count();
    }

    /// As [`std::sync::Condvar::notify_all`].
    #[track_caller]
    pub fn notify_all(&self) {
        let signalled = self.signal(Op::NotifyAll, Site::caller());
        self.inner.notify_all();
        signalled.count();
    }

    /// Whoever waits may come after what the calling thread did so far.
    fn signal(&self, op: Op, site: Site) -> Signalled {
        let source = self.source();
        if let Some(source) = &source {
            hooks::will_give(source, op, site);
        }
        hooks::signal(&self.header, &self.link);
        let in_vain = source.as_ref().is_some_and(|source| !source.is_awaited());
        if let Some(source) = &source {
            hooks::give(source, op, site);
        }
        Signalled { source, in_vain }
    }

    /// The calling thread is about to wait, perhaps after all others.
    #[track_caller]
    fn comes_last<T>(
        &self,
        guard: &MutexGuard<'_, T>,
        source: &Arc<Source>,
        access: &'static Access,
        site: Site,
    ) {
        let request = Request { lock: &guard.hold.mutex.header, access, site };
        let mutex = guard.hold.mutex.memory();
        hooks::before_wait(&request, source, self.header.reaction(), &mutex);
    }

    /// What is waited for here.
    fn source(&self) -> Option<Arc<Source>> {
        hooks::source(&self.header, LockKind::Condvar, None)
    }

    /// Whoever takes this mutex may come after who signals.
    fn waits_with<T>(&self, guard: &MutexGuard<'_, T>, access: &'static Access, site: Site) {
        hooks::waits_with(&self.header, &self.link, &guard.hold.mutex.header, access, site);
    }

    /// The calling thread has waited, and may come after what somebody did who signalled.
    fn was_signalled(&self) {
        if let Some(id) = self.header.id() {
            hooks::observe_at(Place::Lock(id));
        }
    }
}

/// A mutex's hold that comes and goes while `std`'s own loop runs.
struct Intermittent<'c, 'a, T> {
    condvar: &'c Condvar,
    mutex: &'a Mutex<T>,
    request: Request<'a>,
    /// The hold while the mutex is held; else the wait is on record.
    here: Option<MutexHold<'a, T>>,
    away: Option<(Waiting, Meant)>,
}

impl<'c, 'a, T> Intermittent<'c, 'a, T> {
    fn new(condvar: &'c Condvar, hold: MutexHold<'a, T>, request: Request<'a>) -> Self {
        Self { condvar, mutex: hold.mutex, request, here: Some(hold), away: None }
    }

    /// Runs `condition` with the mutex on record as held. Should it panic, the record ends before
    /// `std` unwinds and unlocks the mutex.
    fn during(&mut self, condition: impl FnOnce() -> bool) -> bool {
        struct EndOnUnwind<'h, 'a, T>(&'h mut Option<MutexHold<'a, T>>);
        impl<T> Drop for EndOnUnwind<'_, '_, T> {
            fn drop(&mut self) {
                *self.0 = None;
            }
        }
        self.resume();
        if let Some(hold) = &mut self.here {
            // The condition may change the data.
            hold.used = Used::Mutably;
        }
        let end = EndOnUnwind(&mut self.here);
        let go_on = condition();
        std::mem::forget(end);
        go_on
    }

    /// The mutex is about to be given up.
    fn suspend(&mut self) {
        if let Some(hold) = self.here.take() {
            let used = hold.used;
            std::mem::forget(hold);
            let meant = Meant::by_hold_of(self.request.lock);
            let source = self.condvar.source();
            self.away = Some((hooks::suspend(&self.request, source, used), meant));
        }
    }

    /// The mutex is held again, if it was given up.
    fn resume(&mut self) {
        if let Some((waiting, meant)) = self.away.take() {
            drop(waiting);
            hooks::acquired(&self.request);
            meant.again();
            self.here = Some(MutexHold::new(self.mutex));
        }
    }

    /// The guard again, around the real one with which `std` came back.
    fn finish(mut self, inner: std::sync::MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.resume();
        let hold = self.here.take().expect("the mutex is held when the wait returns");
        hold.guard(inner)
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

configurable!([] Condvar, header);
as_std!([] Condvar => std::sync::Condvar);
into_std!([] Condvar => std::sync::Condvar);
