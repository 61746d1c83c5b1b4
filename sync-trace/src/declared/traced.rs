//! Which locks an expression stands for.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::registry::LockHeader;

/// What the [attributes](crate::lock_order) of this crate accept as a lock: a traced `Mutex` or `RwLock`,
/// references and smart pointers to one, and collections of several, which stand for each of them.
///
/// Where tracing is compiled out, `std`'s own types have it, so that annotated code builds both ways.
///
/// # Example
///
/// A type that wraps a lock passes on what is inside:
///
/// ```
/// use sync_trace::sync::Mutex;
/// use sync_trace::{Locks, TracedLock};
///
/// struct Counter(Mutex<u64>);
///
/// impl TracedLock for Counter {
///     fn locks(&self, locks: &mut Locks<'_>) {
///         self.0.locks(locks);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a traced lock",
    label = "not a lock that sync-trace can see",
    note = "use `sync_trace::sync::Mutex` or `sync_trace::sync::RwLock`, or name the lock with a string literal"
)]
pub trait TracedLock {
    /// Passes each lock to `locks`.
    fn locks(&self, locks: &mut Locks<'_>);
}

/// Takes what a [`TracedLock`] stands for.
pub struct Locks<'a> {
    /// Gets each lock; `None` for one that is not there yet.
    pub(crate) take: &'a mut dyn FnMut(Option<&LockHeader>),
}

impl std::fmt::Debug for Locks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locks").finish_non_exhaustive()
    }
}

impl Locks<'_> {
    /// One lock, by its header.
    #[cfg(any(debug_assertions, feature = "always"))]
    pub(crate) fn add(&mut self, lock: &LockHeader) {
        (self.take)(Some(lock));
    }

    /// One that is not there yet.
    #[cfg(any(debug_assertions, feature = "always"))]
    fn add_missing(&mut self) {
        (self.take)(None);
    }
}

macro_rules! pointers {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> TracedLock for $type {
            fn locks(&self, locks: &mut Locks<'_>) {
                (**self).locks(locks);
            }
        }
    )*};
}

pointers!(
    [L: TracedLock + ?Sized] &L,
    [L: TracedLock + ?Sized] &mut L,
    [L: TracedLock + ?Sized] Box<L>,
    [L: TracedLock + ?Sized] Rc<L>,
    [L: TracedLock + ?Sized] Arc<L>,
    [P: Deref<Target: TracedLock>] Pin<P>,
    [L: TracedLock + ToOwned + ?Sized] Cow<'_, L>,
);

macro_rules! collections {
    ($([$($generics:tt)*] $type:ty: $self:ident => $each:expr),* $(,)?) => {$(
        impl<$($generics)*> TracedLock for $type {
            fn locks(&self, locks: &mut Locks<'_>) {
                let $self = self;
                $each.for_each(|lock| lock.locks(locks));
            }
        }
    )*};
}

collections!(
    [L: TracedLock] Option<L>: option => option.iter(),
    [L: TracedLock] [L]: slice => slice.iter(),
    [L: TracedLock, const N: usize] [L; N]: array => array.iter(),
    [L: TracedLock] Vec<L>: vec => vec.iter(),
    [L: TracedLock] VecDeque<L>: deque => deque.iter(),
    [K, L: TracedLock, S] HashMap<K, L, S>: map => map.values(),
    [K, L: TracedLock] BTreeMap<K, L>: map => map.values(),
);

#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
mod on {
    use super::{Locks, TracedLock};
    use crate::sync::{LazyLock, OnceLock};

    impl<L: TracedLock, F> TracedLock for LazyLock<L, F> {
        fn locks(&self, locks: &mut Locks<'_>) {
            match LazyLock::get(self) {
                Some(lock) => lock.locks(locks),
                None => locks.add_missing(),
            }
        }
    }

    impl<L: TracedLock> TracedLock for OnceLock<L> {
        fn locks(&self, locks: &mut Locks<'_>) {
            match self.get() {
                Some(lock) => lock.locks(locks),
                None => locks.add_missing(),
            }
        }
    }
}

#[cfg(not(any(debug_assertions, feature = "always")))]
mod off {
    use super::{Locks, TracedLock};
    use std::sync::{LazyLock, Mutex, OnceLock, RwLock};

    macro_rules! untraced {
        ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
            impl<$($generics)*> TracedLock for $type {
                fn locks(&self, _: &mut Locks<'_>) {}
            }
        )*};
    }

    untraced!([T: ?Sized] Mutex<T>, [T: ?Sized] RwLock<T>, [L: TracedLock] OnceLock<L>);
    untraced!([L: TracedLock, F] LazyLock<L, F>);
}
