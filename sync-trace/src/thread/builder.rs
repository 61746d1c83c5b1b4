//! `std::thread::{spawn, Builder, JoinHandle}`, traced.

use std::fmt;
use std::io;
use std::thread::{Result, Thread};

use super::scope::{Scope, ScopedJoinHandle};
use crate::current::{self, Child, OpenScope};
use crate::hooks;
use crate::interop::{as_std, into_std};
use crate::site::Site;

/// As [`std::thread::spawn`].
///
/// # Panics
///
/// If the operating system cannot start a thread.
///
/// # Example
///
/// ```
/// let answer = sync_trace::thread::spawn(|| 6 * 7);
/// assert_eq!(answer.join().unwrap(), 42);
/// ```
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// [`std::thread::Builder`] for traced threads.
///
/// # Example
///
/// ```
/// use sync_trace::thread::Builder;
///
/// let worker = Builder::new().name("worker".to_owned()).spawn(|| {
///     std::thread::current().name().map(str::to_owned)
/// });
/// assert_eq!(worker.unwrap().join().unwrap().as_deref(), Some("worker"));
/// ```
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    inner: std::thread::Builder,
    /// What `inner` does not tell any more.
    name: Option<String>,
}

impl Builder {
    /// As [`std::thread::Builder::new`].
    #[expect(clippy::new_without_default, reason = "std's has no `Default` either")]
    pub fn new() -> Self {
        Self { inner: std::thread::Builder::new(), name: None }
    }

    /// As [`std::thread::Builder::name`].
    pub fn name(self, name: String) -> Self {
        Self { name: Some(name.clone()), inner: self.inner.name(name) }
    }

    /// As [`std::thread::Builder::stack_size`].
    pub fn stack_size(self, size: usize) -> Self {
        Self { inner: self.inner.stack_size(size), ..self }
    }

    /// As [`std::thread::Builder::spawn`].
    ///
    /// # Errors
    ///
    /// If the operating system cannot start a thread.
    ///
    /// # Panics
    ///
    /// If the name contains a null byte.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let starting = Starting::new(self.name.as_deref(), None, Site::caller());
        let inner = self.inner.spawn(starting.wrap(f))?;
        Ok(JoinHandle { inner, child: starting.started() })
    }

    /// As [`std::thread::Builder::spawn_unchecked`].
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Safety
    ///
    /// The thread must not outlive anything that `f` or `T` borrow; see `std`.
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        let starting = Starting::new(self.name.as_deref(), None, Site::caller());
        // SAFETY: the wrapped closure borrows what `f` borrows and nothing else, and our caller
        // promises that this outlives the thread.
        let inner = unsafe { self.inner.spawn_unchecked(starting.wrap(f)) }?;
        Ok(JoinHandle { inner, child: starting.started() })
    }

    /// As [`std::thread::Builder::spawn_scoped`].
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let starting = Starting::new(self.name.as_deref(), scope.open(), Site::caller());
        let inner = self.inner.spawn_scoped(scope.as_std(), starting.wrap(f))?;
        Ok(ScopedJoinHandle::new(inner, starting.started()))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A thread that is being started: its agent exists before it runs, so that whoever holds the
/// handle can say whom it waits for.
struct Starting {
    child: Option<Child>,
    started: bool,
}

impl Starting {
    fn new(name: Option<&str>, scope: Option<OpenScope>, site: Site) -> Self {
        hooks::point();
        Self { child: current::start_child(name, scope, site), started: false }
    }

    /// `f` as the new thread runs it: as its agent.
    fn wrap<F: FnOnce() -> T, T>(&self, f: F) -> impl FnOnce() -> T + use<F, T> {
        let child = self.child.clone();
        move || {
            let _running = child.map(|child| {
                child.adopt();
                let running = Running(child);
                hooks::point();
                running
            });
            f()
        }
    }

    fn started(mut self) -> Option<Child> {
        self.started = true;
        self.child.take()
    }
}

/// The time that a scope waits for: until its thread's closure has returned or unwound. What the
/// thread's destructors do after that, the scope does not wait for.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if !self.started
            && let Some(child) = &self.child
        {
            child.abandon();
        }
    }
}

/// [`std::thread::JoinHandle`] of a traced thread.
pub struct JoinHandle<T> {
    inner: std::thread::JoinHandle<T>,
    child: Option<Child>,
}

impl<T> JoinHandle<T> {
    /// As [`std::thread::JoinHandle::thread`].
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.inner.thread()
    }

    /// As [`std::thread::JoinHandle::join`].
    ///
    /// # Errors
    ///
    /// If the thread panicked, with the panic's payload.
    ///
    /// # Panics
    ///
    /// If waiting would close a deadlock: the thread waits, directly or through others, for
    /// something that the caller holds, or it is the caller. Or if that could happen another time, because the
    /// thread has needed before its end what the caller holds now. Also where `std`'s panics.
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

    /// As [`std::thread::JoinHandle::is_finished`].
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

/// `child` was seen to have ended: what it did comes before what the calling thread does from here on.
pub(super) fn ended(child: Option<&Child>) {
    if let Some(child) = child {
        hooks::observe(child.end());
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

#[cfg(unix)]
impl<T> std::os::unix::thread::JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> std::os::unix::thread::RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> std::os::unix::thread::RawPthread {
        self.inner.into_pthread_t()
    }
}

#[cfg(windows)]
mod windows {
    use super::JoinHandle;
    use std::os::windows::io::{
        AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle, RawHandle,
    };

    impl<T> AsHandle for JoinHandle<T> {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.inner.as_handle()
        }
    }

    impl<T> AsRawHandle for JoinHandle<T> {
        fn as_raw_handle(&self) -> RawHandle {
            self.inner.as_raw_handle()
        }
    }

    impl<T> IntoRawHandle for JoinHandle<T> {
        fn into_raw_handle(self) -> RawHandle {
            self.inner.into_raw_handle()
        }
    }

    impl<T> From<JoinHandle<T>> for OwnedHandle {
        fn from(handle: JoinHandle<T>) -> Self {
            handle.inner.into()
        }
    }
}

as_std!([T] JoinHandle<T> => std::thread::JoinHandle<T>);
into_std!([T] JoinHandle<T> => std::thread::JoinHandle<T>);
