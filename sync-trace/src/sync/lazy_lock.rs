//! `std::sync::LazyLock`, traced.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceState;

use super::once::Once;
use crate::finding::LockKind;
use crate::op::{Mode, Op};
use crate::registry::Access;

/// [`std::sync::LazyLock`], traced.
///
/// Whoever uses the value first runs the initialiser and holds the `LazyLock` like a lock until that
/// ends; all others wait for it. So an initialiser that uses its own value, or two that use each
/// other's, directly or through mutexes and joins, are deadlocks: the use that would wait panics with
/// the report. As with any panic in it, an initialiser that panics leaves its `LazyLock` poisoned.
///
/// Once it is initialised, using it costs what `std`'s costs, or, if the initialiser has used other locks,
/// some nanoseconds more. Whoever uses it comes after the initialiser. It is 32 bytes larger.
///
/// # Example
///
/// ```
/// use sync_trace::sync::LazyLock;
///
/// static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| "lazy until used".split(' ').collect());
/// assert_eq!(WORDS.len(), 3);
/// ```
// It cannot be built around `std`'s: that takes a closure around `f`, whose type cannot be named, so
// `LazyLock<T>` could not stand in a static.
pub struct LazyLock<T, F = fn() -> T> {
    once: Once,
    state: UnsafeCell<State<T, F>>,
}

enum State<T, F> {
    /// Not used yet.
    Lazy(F),
    /// The initialiser runs, or has panicked.
    Taken,
    Value(T),
}

// SAFETY: many threads may refer to the value, which takes `T: Sync`; one of them makes it and another
// may drop it, which takes `T: Send`. `f` is called, or dropped, by one thread and never referred to.
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}

impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    const FORCE: &'static Access = &Access {
        kind: LockKind::LazyLock,
        type_name: std::any::type_name::<T>,
        mode: Mode::Exclusive,
        op: Op::Force,
    };
    const FORCE_MUT: &'static Access = &Access { op: Op::ForceMut, ..*Self::FORCE };
    const DEREF: &'static Access = &Access { op: Op::Deref, ..*Self::FORCE };
    const RECOVER: &'static Access = &Access { op: Op::Recover, ..*Self::FORCE };

    /// As [`std::sync::LazyLock::new`]. The caller's position is remembered as where it was created.
    #[inline]
    #[track_caller]
    pub const fn new(f: F) -> Self {
        Self { once: Once::new(), state: UnsafeCell::new(State::Lazy(f)) }
    }

    /// As [`std::sync::LazyLock::force`].
    ///
    /// # Panics
    ///
    /// If waiting for the initialiser that runs would close a deadlock: it runs in this thread, or
    /// the thread that runs it waits, directly or through others, for something that this thread
    /// holds. Also if the initialiser panics or has panicked.
    #[inline]
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        if !this.once.is_open() {
            this.initialise(Self::FORCE);
        }
        // SAFETY: it is completed by now.
        unsafe { this.value() }
    }

    /// As [`std::sync::LazyLock::force_mut`].
    ///
    /// # Panics
    ///
    /// If the initialiser panics or has panicked.
    #[inline]
    #[track_caller]
    pub fn force_mut(this: &mut Self) -> &mut T {
        if !this.once.is_open() {
            this.initialise(Self::FORCE_MUT);
        }
        Self::get_mut(this).expect("just initialised")
    }

    /// Initialises it if it is not, and comes after whoever has.
    #[cold]
    #[track_caller]
    fn initialise(&self, access: &'static Access) {
        self.once.call_force([access, Self::RECOVER], |once| {
            // SAFETY: `Once` runs one closure at a time and none once it is completed, and before that
            // nobody else looks at the state. No reference to it lives on while `f` runs.
            let take = || unsafe { std::mem::replace(&mut *self.state.get(), State::Taken) };
            match take() {
                State::Lazy(f) => {
                    let value = f();
                    // SAFETY: as above; what is overwritten is `Taken`.
                    unsafe { *self.state.get() = State::Value(value) };
                }
                State::Taken | State::Value(_) => poisoned(once),
            }
        });
    }
}

#[cold]
#[track_caller]
fn poisoned(once: &OnceState) -> ! {
    debug_assert!(once.is_poisoned(), "only a panic takes the initialiser and leaves no value");
    panic!("LazyLock instance has previously been poisoned")
}

impl<T, F> LazyLock<T, F> {
    /// As [`std::sync::LazyLock::get`].
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        // SAFETY: it is completed.
        this.once.is_completed().then(|| unsafe { this.value() })
    }

    /// The value.
    ///
    /// # Safety
    ///
    /// The `Once` must be completed.
    #[inline]
    unsafe fn value(&self) -> &T {
        // SAFETY: nothing changes the state once the `Once` is completed, except through a `&mut`.
        match unsafe { &*self.state.get() } {
            State::Value(value) => value,
            // SAFETY: the closure that completes the `Once` stores a value, or panics.
            State::Lazy(_) | State::Taken => unsafe { std::hint::unreachable_unchecked() },
        }
    }

    /// As [`std::sync::LazyLock::get_mut`].
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        this.once.is_completed();
        match this.state.get_mut() {
            State::Value(value) => Some(value),
            State::Lazy(_) | State::Taken => None,
        }
    }
}

impl<T, F> Drop for LazyLock<T, F> {
    /// Does nothing: the state drops itself. But `std`'s has a destructor too, so what is borrowed by
    /// a `LazyLock` has to outlive it there, and must here.
    fn drop(&mut self) {}
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    /// As [`force`](LazyLock::force).
    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        if !self.once.is_open() {
            self.initialise(Self::DEREF);
        }
        // SAFETY: it is completed by now.
        unsafe { self.value() }
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    /// As [`force_mut`](LazyLock::force_mut).
    #[inline]
    #[track_caller]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("LazyLock");
        match Self::get(self) {
            Some(value) => tuple.field(value),
            None => tuple.field(&format_args!("<uninit>")),
        };
        tuple.finish()
    }
}

configurable!([T, F] LazyLock<T, F>, once.header);
