//! `std::sync::Once`, traced.

use std::fmt;
use std::sync::OnceState;

use super::initialising::Attempt;
use crate::finding::LockKind;
use crate::foresight::passage::Use;
use crate::hooks::{self, Request};
use crate::interop::{as_std, into_std};
use crate::op::{Mode, Op};
use crate::registry::{Access, LockHeader};
use crate::site::Site;

/// [`std::sync::Once`], traced.
///
/// Whoever runs the closure holds the `Once` like a lock until the closure ends, and all others
/// wait for that. So a closure that calls for its own `Once` again, or two that wait for each other,
/// directly or through mutexes and joins, are deadlocks: the call that would wait panics with the
/// report. As with any panic in it, a closure that panics leaves its `Once` poisoned.
///
/// Once it is completed, a call costs what `std`'s costs, or, if the closure has used other locks, some
/// nanoseconds more. Whoever calls comes after the closure. It has 32 bytes where `std`'s has 4.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Once;
///
/// static START: Once = Once::new();
/// START.call_once(|| println!("printed once"));
/// START.call_once(|| unreachable!());
/// assert!(START.is_completed());
/// ```
pub struct Once {
    pub(super) header: LockHeader,
    inner: std::sync::Once,
}

/// [`std::sync::ONCE_INIT`] of a traced [`Once`].
#[deprecated(since = "1.38.0", note = "the `Once::new()` function is now preferred")]
#[expect(clippy::declare_interior_mutable_const, reason = "each use is a `Once` of its own")]
pub const ONCE_INIT: Once = Once::new();

const CALL_ONCE: Access =
    Access { kind: LockKind::Once, type_name: || "", mode: Mode::Exclusive, op: Op::CallOnce };
const CALL_ONCE_FORCE: Access = Access { op: Op::CallOnceForce, ..CALL_ONCE };
const RECOVER: Access = Access { op: Op::Recover, ..CALL_ONCE };
const WAIT: Access = Access { op: Op::WaitOnce, ..CALL_ONCE };
const WAIT_FORCE: Access = Access { op: Op::WaitOnceForce, ..CALL_ONCE };

impl Once {
    /// As [`std::sync::Once::new`]. The caller's position is remembered as where it was created.
    #[must_use]
    #[inline]
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "std's has no `Default` either")]
    pub const fn new() -> Self {
        Self { header: LockHeader::new(Site::caller()), inner: std::sync::Once::new() }
    }

    /// As [`std::sync::Once::call_once`].
    ///
    /// # Panics
    ///
    /// If waiting for the closure that runs would close a deadlock: it runs in this thread, or the
    /// thread that runs it waits, directly or through others, for something that this thread holds.
    /// Also if the `Once` is poisoned.
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if !self.is_open() {
            self.call(f);
        }
    }

    /// As [`std::sync::Once::call_once_force`].
    ///
    /// # Panics
    ///
    /// As [`call_once`](Self::call_once), but not because of poison.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        if !self.is_open() {
            self.call_force([&CALL_ONCE_FORCE, &RECOVER], f);
        }
    }

    /// As [`std::sync::Once::is_completed`].
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.header.is_open(Use::Found) || self.is_completed_closed()
    }

    #[cold]
    fn is_completed_closed(&self) -> bool {
        let is_completed = self.inner.is_completed();
        match self.header.tells(Use::Found) {
            _ if !is_completed => {}
            true => hooks::found(&self.header),
            false => self.header.open(),
        }
        is_completed
    }

    /// Whether it is completed and a call of it comes after nothing: all that is asked where it is hot,
    /// also by what is built on it.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.header.is_open(Use::OrInit)
    }

    /// As [`std::sync::Once::wait`].
    ///
    /// # Panics
    ///
    /// As [`call_once`](Self::call_once).
    #[track_caller]
    pub fn wait(&self) {
        if let Some(_attempt) = self.attempt(&WAIT, Use::Found) {
            self.inner.wait();
        }
    }

    /// As [`std::sync::Once::wait_force`].
    ///
    /// # Panics
    ///
    /// As [`call_once`](Self::call_once), but not because of poison.
    #[track_caller]
    pub fn wait_force(&self) {
        if let Some(_attempt) = self.attempt(&WAIT_FORCE, Use::Found) {
            self.inner.wait_force();
        }
    }

    /// The slow half of [`call_once`](Self::call_once).
    #[cold]
    #[track_caller]
    fn call(&self, f: impl FnOnce()) {
        if let Some(mut attempt) = self.attempt(&CALL_ONCE, Use::OrInit) {
            self.inner.call_once(|| attempt.run(f));
        }
    }

    /// The slow half of [`call_once_force`](Self::call_once_force), also for what is built on it. The
    /// second access is for an initialiser that runs after another one has panicked.
    #[cold]
    #[track_caller]
    pub(super) fn call_force(
        &self,
        [access, again]: [&'static Access; 2],
        f: impl FnOnce(&OnceState),
    ) {
        if let Some(mut attempt) = self.attempt(access, Use::OrInit) {
            self.inner.call_once_force(|state| match state.is_poisoned() {
                true => attempt.recover(again, || f(state)),
                false => attempt.run(|| f(state)),
            });
        }
    }

    /// `None` if it is completed, which is told.
    #[track_caller]
    fn attempt(&self, access: &'static Access, how: Use) -> Option<Attempt<'_>> {
        let request = Request { lock: &self.header, access, site: Site::caller() };
        if !self.inner.is_completed() {
            return Attempt::begin(request, how, || self.inner.is_completed());
        }
        match self.header.tells(how) {
            true => hooks::used(&request, how),
            false => self.header.open(),
        }
        None
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

configurable!([] Once, header);
as_std!([] Once => std::sync::Once);
into_std!([] Once => std::sync::Once);
