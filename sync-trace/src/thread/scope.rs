//! `std::thread::scope`, traced.

use std::fmt;
use std::sync::LazyLock;
use std::thread::{Result, Thread};

use dashmap::DashMap;

use super::builder::{Builder, ended};
use crate::current::{Child, OpenScope, Working};
use crate::hooks::{self, Waiting};
use crate::interop::{as_std, into_std};
use crate::registry::ScopeId;
use crate::site::Site;

/// As [`std::thread::scope`].
///
/// The end of the scope joins every thread that was started in it. If one of them is stuck because
/// of what the calling thread holds, a panic could not help: `std` waits for the threads all the
/// same. So the report is printed and the process ends with status 66, unless
/// [`on_stuck`](crate::Config::on_stuck) says otherwise.
///
/// # Panics
///
/// If a thread panicked whose handle was not joined. Also if `f` panics.
///
/// # Example
///
/// ```
/// let mut words = vec!["one", "two"];
/// sync_trace::thread::scope(|scope| {
///     scope.spawn(|| words.push("three"));
/// });
/// assert_eq!(words.len(), 3);
/// ```
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let site = Site::caller();
    // These outlive the scope: its threads may start others until the last of them has ended, and
    // the wait that begins when `f` has returned lasts until `std`'s scope has.
    let this = OpenScope::new();
    let _joined = Joined(&this);
    let mut open: Option<Open> = None;
    let mut waiting: Option<Waiting> = None;
    let result = std::thread::scope(|inner| {
        let scope = Scope::from_std(inner);
        open = Some(Open::new(scope, this.clone()));
        let _end = AtEnd { id: this.id, site, waiting: &mut waiting };
        f(scope)
    });
    drop(waiting);
    drop(open);
    result
}

/// What the scope's threads did comes before whatever comes after it, also if that panics.
struct Joined<'a>(&'a OpenScope);

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        hooks::observe(&self.0.end);
    }
}

/// Puts the wait for the scope's threads on record when the scope's closure ends, however it does.
struct AtEnd<'a> {
    id: ScopeId,
    site: Site,
    waiting: &'a mut Option<Waiting>,
}

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        *self.waiting = Some(hooks::wait_for_scope(self.id, self.site));
    }
}

/// The scopes that are open, by the address of `std`'s scope. A `&Scope` of ours has to be a
/// `&Scope` of `std`'s, which has no room for a number.
static OPEN: LazyLock<DashMap<usize, OpenScope>> = LazyLock::new(DashMap::new);

/// The entry of an open scope.
struct Open {
    address: usize,
}

impl Open {
    fn new(scope: &Scope<'_, '_>, this: OpenScope) -> Self {
        let _working = Working::begin();
        OPEN.insert(scope.address(), this);
        Self { address: scope.address() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _working = Working::begin();
        OPEN.remove(&self.address);
    }
}

/// [`std::thread::Scope`] for traced threads.
#[repr(transparent)]
pub struct Scope<'scope, 'env> {
    inner: std::thread::Scope<'scope, 'env>,
}

impl<'scope, 'env> Scope<'scope, 'env> {
    fn from_std(inner: &'scope std::thread::Scope<'scope, 'env>) -> &'scope Self {
        let inner: *const std::thread::Scope<'scope, 'env> = inner;
        // SAFETY: `Self` is a transparent wrapper of the type pointed to.
        unsafe { &*inner.cast::<Self>() }
    }

    pub(super) fn as_std(&'scope self) -> &'scope std::thread::Scope<'scope, 'env> {
        &self.inner
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What is known of it.
    pub(super) fn open(&self) -> Option<OpenScope> {
        let _working = Working::begin();
        OPEN.get(&self.address()).map(|scope| scope.clone())
    }

    /// As [`std::thread::Scope::spawn`].
    ///
    /// # Panics
    ///
    /// If the operating system cannot start a thread.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new().spawn_scoped(self, f).expect("failed to spawn thread")
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// [`std::thread::ScopedJoinHandle`] of a traced thread.
pub struct ScopedJoinHandle<'scope, T> {
    inner: std::thread::ScopedJoinHandle<'scope, T>,
    child: Option<Child>,
}

impl<'scope, T> ScopedJoinHandle<'scope, T> {
    pub(super) fn new(
        inner: std::thread::ScopedJoinHandle<'scope, T>,
        child: Option<Child>,
    ) -> Self {
        Self { inner, child }
    }

    /// As [`std::thread::ScopedJoinHandle::thread`].
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.inner.thread()
    }

    /// As [`std::thread::ScopedJoinHandle::join`].
    ///
    /// # Errors
    ///
    /// If the thread panicked, with the panic's payload.
    ///
    /// # Panics
    ///
    /// As [`JoinHandle::join`](super::JoinHandle::join).
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let (child, site) = (self.child.as_ref(), Site::caller());
        let waiting = hooks::wait_for_end(child, site);
        let result = self.inner.join();
        drop(waiting);
        ended(child);
        if result.is_ok() {
            hooks::joined(child, site);
        }
        result
    }

    /// As [`std::thread::ScopedJoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        let is_finished = self.inner.is_finished();
        if is_finished {
            ended(self.child.as_ref());
            if let Some(child) = &self.child {
                child.ending().set_seen();
            }
        }
        is_finished
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}

as_std!(['scope, T] ScopedJoinHandle<'scope, T> => std::thread::ScopedJoinHandle<'scope, T>);
into_std!(['scope, T] ScopedJoinHandle<'scope, T> => std::thread::ScopedJoinHandle<'scope, T>);
