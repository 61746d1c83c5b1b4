//! What it means that several locks of one class are held at once.

use crate::meaning::Key;

/// Calls `acquire`, which takes locks of a `level` of their class.
///
/// Each level counts as a class of its own, so a lock of one level may be taken while one of another
/// level is held. The numbers are names: which level is the outer one is learned, as for any two
/// classes, and the other way round is an inversion (`ST0101`) then. Locks that are taken without this
/// function are of level 0. Inside another call the inner level counts.
///
/// # Example
///
/// ```
/// use sync_trace::order;
/// use sync_trace::sync::{Arc, Mutex};
///
/// #[derive(Default)]
/// struct Node {
///     size: u64,
///     children: Vec<Arc<Mutex<Node>>>,
/// }
///
/// /// Nobody takes a child's parent while it holds the child.
/// const CHILD: u32 = 1;
///
/// fn add_up(parent: &Mutex<Node>) {
///     let mut parent = parent.lock().unwrap();
///     let sizes = parent.children.iter().map(|child| {
///         let child = order::nested(CHILD, || child.lock()).unwrap();
///         child.size
///     });
///     parent.size = sizes.sum();
/// }
/// # let child = |size| Arc::new(Mutex::new(Node { size, ..Node::default() }));
/// # let parent = Mutex::new(Node { size: 0, children: vec![child(2), child(3)] });
/// # add_up(&parent);
/// # assert_eq!(parent.lock().unwrap().size, 5);
/// ```
#[inline]
pub fn nested<R>(level: u32, acquire: impl FnOnce() -> R) -> R {
    #[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
    let _scope = crate::hooks::mean(|meaning| meaning.stated.level = level);
    #[cfg(not(all(any(debug_assertions, feature = "always"), not(loom))))]
    let _ = level;
    acquire()
}

/// Calls `acquire`, which takes locks of a class that are always taken in ascending order of their keys.
///
/// A lock may then be taken while others of its class and level are held whose keys are lower. If one of
/// them has the same key or a higher one, the statement is wrong, and that is told once for each class
/// (`ST0104`, with both keys): as a [note](crate::notes), or as a finding with
/// [`Policy::Order`](crate::Policy::Order), because it takes a second thread to make a deadlock of it.
/// A lock with a key and one without are as two without.
///
/// Keys are integers; those of one class may be of different types. An address is one too:
/// `std::ptr::from_ref(&lock).addr()`. Inside another call the inner key counts.
///
/// # Example
///
/// ```
/// use sync_trace::order;
/// use sync_trace::sync::{Mutex, MutexGuard};
///
/// fn lock_all(shards: &[Mutex<u32>]) -> Vec<MutexGuard<'_, u32>> {
///     let lock = |(at, shard)| order::keyed(at, || Mutex::lock(shard)).unwrap();
///     shards.iter().enumerate().map(lock).collect()
/// }
///
/// let shards: Vec<_> = (0..4).map(Mutex::new).collect();
/// assert_eq!(lock_all(&shards).iter().map(|shard| **shard).sum::<u32>(), 6);
/// ```
#[inline]
pub fn keyed<R>(key: impl Into<Key>, acquire: impl FnOnce() -> R) -> R {
    #[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
    let _scope = {
        let key = key.into();
        crate::hooks::mean(|meaning| meaning.stated.key = Some(key))
    };
    #[cfg(not(all(any(debug_assertions, feature = "always"), not(loom))))]
    let _ = key;
    acquire()
}

/// Calls `acquire`, which takes locks of a class in any order, because whoever holds several of them
/// took the lock of `outer` first.
///
/// That lock has to be held alone, so a guard that reads will not do, and it has to be held since before
/// the others of the class were. Inside another call the inner lock counts.
///
/// # Panics
///
/// If another thread has taken the guard and this one only borrows it: that keeps nobody else away who
/// borrows it too. With [`OnViolation::Log`](crate::OnViolation::Log) the message is printed instead.
/// Nothing is checked where nothing is recorded.
///
/// # Example
///
/// ```
/// use sync_trace::order;
/// use sync_trace::sync::{Mutex, MutexGuard};
///
/// fn lock_both<'a>(
///     all: &MutexGuard<'_, Vec<Mutex<u32>>>,
///     one: &'a Mutex<u32>,
///     other: &'a Mutex<u32>,
/// ) -> [MutexGuard<'a, u32>; 2] {
///     order::under(all, || [one.lock().unwrap(), other.lock().unwrap()])
/// }
///
/// let table = Mutex::new(vec![Mutex::new(1), Mutex::new(2)]);
/// let rows = table.lock().unwrap();
/// let sum: u32 = lock_both(&rows, &rows[1], &rows[0]).iter().map(|row| **row).sum();
/// assert_eq!(sum, 3);
/// ```
///
/// Who only reads keeps no other reader away:
///
/// ```compile_fail,E0277
/// use sync_trace::order;
/// use sync_trace::sync::{Mutex, RwLock};
///
/// let table = RwLock::new(vec![Mutex::new(1), Mutex::new(2)]);
/// let rows = table.read().unwrap();
/// order::under(&rows, || drop(rows[1].lock()));
/// ```
#[inline]
#[track_caller]
pub fn under<R>(outer: &impl OuterGuard, acquire: impl FnOnce() -> R) -> R {
    #[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
    let _scope = {
        let lock = crate::hooks::outer(outer.header().0, crate::site::Site::caller());
        crate::hooks::mean(|meaning| meaning.under = Some(lock))
    };
    #[cfg(not(all(any(debug_assertions, feature = "always"), not(loom))))]
    let _ = outer;
    acquire()
}

/// A guard that holds its lock alone, and so keeps others away [under](under) it: a
/// [`MutexGuard`](crate::sync::MutexGuard) or an [`RwLockWriteGuard`](crate::sync::RwLockWriteGuard).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold its lock alone",
    label = "expected the guard of a `Mutex`, or of a write to a `RwLock`"
)]
pub trait OuterGuard: sealed::Header {}

mod sealed {
    #[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
    pub trait Header {
        fn header(&self) -> Opaque<'_>;
    }

    /// What only this crate can look into.
    #[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
    pub struct Opaque<'h>(pub(super) &'h crate::registry::LockHeader);

    #[cfg(not(all(any(debug_assertions, feature = "always"), not(loom))))]
    pub trait Header {}
}

#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
mod traced {
    use super::OuterGuard;
    use super::sealed::{Header, Opaque};
    use crate::sync::{MutexGuard, RwLockWriteGuard};

    impl<T: ?Sized> OuterGuard for MutexGuard<'_, T> {}
    impl<T: ?Sized> OuterGuard for RwLockWriteGuard<'_, T> {}

    impl<T: ?Sized> Header for MutexGuard<'_, T> {
        fn header(&self) -> Opaque<'_> {
            Opaque(MutexGuard::header(self))
        }
    }

    impl<T: ?Sized> Header for RwLockWriteGuard<'_, T> {
        fn header(&self) -> Opaque<'_> {
            Opaque(RwLockWriteGuard::header(self))
        }
    }
}

#[cfg(not(all(any(debug_assertions, feature = "always"), not(loom))))]
mod plain {
    use super::OuterGuard;
    use super::sealed::Header;
    use std::sync::{MutexGuard, RwLockWriteGuard};

    impl<T: ?Sized> OuterGuard for MutexGuard<'_, T> {}
    impl<T: ?Sized> OuterGuard for RwLockWriteGuard<'_, T> {}
    impl<T: ?Sized> Header for MutexGuard<'_, T> {}
    impl<T: ?Sized> Header for RwLockWriteGuard<'_, T> {}
}
