//! From the traced types to `std`'s, for code that asks for those by name.

/// Borrows `std`'s own primitive out of a traced one.
///
/// For passing a lock to code that takes `std`'s type. What is done through the reference is not
/// recorded: it takes part in no finding, and a thread that holds the lock that way is not seen to
/// hold it. That can hide a deadlock, but never invents one. Where tracing is compiled out, it is
/// the reference itself.
///
/// There is none for a [`LazyLock`](crate::sync::LazyLock), which is not built around `std`'s, and none
/// for guards: a lock taken through one type is released through the same.
///
/// # Example
///
/// ```
/// use sync_trace::AsStd;
/// use sync_trace::sync::Mutex;
///
/// fn foreign(count: &std::sync::Mutex<u32>) {
///     *count.lock().unwrap() += 1;
/// }
///
/// let count = Mutex::new(0);
/// foreign(count.as_std());
/// assert_eq!(*count.lock().unwrap(), 1);
/// ```
pub trait AsStd {
    /// The type of `std` that it stands in for.
    type Std: ?Sized;

    /// The primitive of `std` inside.
    fn as_std(&self) -> &Self::Std;
}

/// Turns a traced primitive into `std`'s own.
///
/// For passing it on for good to code that takes `std`'s type; nothing that happens to it afterwards
/// is recorded. Where tracing is compiled out, it is the value itself.
///
/// # Example
///
/// ```
/// use sync_trace::{IntoStd, sync::mpsc, thread};
///
/// let (sender, receiver) = mpsc::channel();
/// let worker: std::thread::JoinHandle<()> =
///     thread::spawn(move || sender.send(1).unwrap()).into_std();
/// let receiver: std::sync::mpsc::Receiver<i32> = receiver.into_std();
/// assert_eq!(receiver.recv(), Ok(1));
/// worker.join().unwrap();
/// ```
pub trait IntoStd: Sized {
    /// The type of `std` that it stands in for.
    type Std;

    /// The primitive of `std` inside.
    fn into_std(self) -> Self::Std;
}

/// Implements [`AsStd`] for a front, by its field `inner`.
#[cfg(any(debug_assertions, feature = "always"))]
macro_rules! as_std {
    ([$($generics:tt)*] $front:ty => $std:ty) => {
        impl<$($generics)*> $crate::AsStd for $front {
            type Std = $std;

            fn as_std(&self) -> &$std {
                &self.inner
            }
        }
    };
}

/// Implements [`IntoStd`] for a front, by its field `inner`.
#[cfg(any(debug_assertions, feature = "always"))]
macro_rules! into_std {
    ([$($generics:tt)*] $front:ty => $std:ty) => {
        impl<$($generics)*> $crate::IntoStd for $front {
            type Std = $std;

            fn into_std(self) -> $std {
                self.inner
            }
        }
    };
}

#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use {as_std, into_std};

/// Without the fronts there are only `std`'s types.
#[cfg(not(any(debug_assertions, feature = "always")))]
mod off {
    use super::{AsStd, IntoStd};
    use std::sync::mpsc::{Receiver, Sender, SyncSender};
    use std::sync::{Barrier, Condvar, Mutex, Once, OnceLock, RwLock};
    use std::thread::{JoinHandle, ScopedJoinHandle};

    macro_rules! as_itself {
        ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
            impl<$($generics)*> AsStd for $type {
                type Std = Self;

                fn as_std(&self) -> &Self {
                    self
                }
            }
        )*};
    }

    macro_rules! into_itself {
        ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
            impl<$($generics)*> IntoStd for $type {
                type Std = Self;

                fn into_std(self) -> Self {
                    self
                }
            }
        )*};
    }

    as_itself!([T: ?Sized] Mutex<T>, [T: ?Sized] RwLock<T>, [] Condvar, [] Once, [T] OnceLock<T>);
    as_itself!([] Barrier, [T] Sender<T>, [T] SyncSender<T>, [T] Receiver<T>);
    as_itself!([T] JoinHandle<T>, ['scope, T] ScopedJoinHandle<'scope, T>);
    into_itself!([T] Mutex<T>, [T] RwLock<T>, [] Condvar, [] Once, [T] OnceLock<T>, [] Barrier);
    into_itself!([T] Sender<T>, [T] SyncSender<T>, [T] Receiver<T>, [T] JoinHandle<T>);
    into_itself!(['scope, T] ScopedJoinHandle<'scope, T>);
}
