//! The atomics and locks that the model checker has to see.
//!
//! Everything that takes part in publishing a wait uses these names, so that the same code runs on
//! `std` and, under `--cfg loom`, on loom's model of the C++11 memory model.

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence},
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex,
    atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence},
};

pub(crate) use std::sync::atomic::Ordering;

/// Locks one of the tracker's own leaf mutexes. None of them is ever held while something can
/// panic, so a poisoned one carries no torn data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> LeafGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Pushes onto a vector behind a leaf mutex. Memory is allocated and freed while the mutex is not
/// held: the allocator may be the user's own and take locks.
pub(crate) fn push<T>(vec: &Mutex<Vec<T>>, item: T) {
    loop {
        reserve(vec);
        let mut vec = lock(vec);
        // Another thread may have taken the room.
        if vec.len() < vec.capacity() {
            vec.push(item);
            return;
        }
    }
}

/// Makes room for one more item in a vector behind a leaf mutex, as [`push`] does.
pub(crate) fn reserve<T>(vec: &Mutex<Vec<T>>) {
    let mut spare = Vec::new();
    loop {
        let mut vec = lock(vec);
        if vec.len() < vec.capacity() {
            return;
        }
        if spare.capacity() > vec.len() {
            spare.append(&mut vec);
            std::mem::swap(&mut *vec, &mut spare);
            return;
        }
        let wanted = vec.len() * 2 + 8;
        drop(vec);
        spare = Vec::with_capacity(wanted);
    }
}

#[cfg(not(loom))]
pub(crate) type LeafGuard<'a, T> = std::sync::MutexGuard<'a, T>;
#[cfg(loom)]
pub(crate) type LeafGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

/// Declares a constructor that is `const` except under loom, whose atomics have none.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty $body:block) => {
        #[cfg(not(loom))]
        $(#[$meta])* $vis const fn $name($($arg: $ty),*) -> $ret $body
        #[cfg(loom)]
        $(#[$meta])* $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}
pub(crate) use const_fn;
