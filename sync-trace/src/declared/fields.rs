//! Locks that are fields of a type which derives [`LockFields`].

use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use super::traced::{Locks, TracedLock};
use crate::registry::LockHeader;
use crate::site::Label;

/// Gives the locks in a value the names of their fields; derived.
///
/// Reports and declarations then call them `Type.field`. The locks of `self` are named when a method
/// with an attribute of this crate is called; to have names from the start, call
/// [`named`](Self::named) where the value is made.
///
/// # Example
///
/// ```
/// use sync_trace::LockFields;
/// use sync_trace::sync::Mutex;
///
/// #[derive(LockFields)]
/// struct Bank {
///     #[lock(before = audit)]
///     accounts: Mutex<Vec<i64>>,
///     audit: Mutex<Vec<String>>,
/// }
///
/// let bank = Bank { accounts: Mutex::default(), audit: Mutex::default() }.named();
/// bank.accounts.lock().unwrap().push(1);
/// ```
pub trait LockFields {
    /// Names those locks that have no name yet.
    fn name_locks(&self);

    /// The same, in a chain of calls.
    #[must_use]
    fn named(self) -> Self
    where
        Self: Sized,
    {
        self.name_locks();
        self
    }
}

macro_rules! pointers {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> LockFields for $type {
            fn name_locks(&self) {
                (**self).name_locks();
            }
        }
    )*};
}

pointers!(
    [T: LockFields + ?Sized] &T,
    [T: LockFields + ?Sized] &mut T,
    [T: LockFields + ?Sized] Box<T>,
    [T: LockFields + ?Sized] Rc<T>,
    [T: LockFields + ?Sized] Arc<T>,
    [P: Deref<Target: LockFields>] Pin<P>,
);

/// The `self` of a method with an attribute. Which of the two traits below gives the method depends on its
/// type: where both do, the one that needs no reference to this goes first.
#[derive(Debug)]
pub struct Receiver<'a, T: ?Sized>(pub &'a T);

/// The locks of its fields have names.
pub trait NamesFields {
    /// Gives them.
    fn name_locks_of(&self);
}

impl<T: LockFields + ?Sized> NamesFields for Receiver<'_, T> {
    fn name_locks_of(&self) {
        self.0.name_locks();
    }
}

/// Nothing is known of its fields.
pub trait NamesNothing {
    /// Does nothing.
    fn name_locks_of(&self) {}
}

impl<T: ?Sized> NamesNothing for &Receiver<'_, T> {}

/// The name of a field, which stands where this is called.
#[track_caller]
pub const fn label(name: &'static str) -> Label {
    Label::new(name)
}

/// Names a lock that has no name yet.
pub fn name_field<L: TracedLock + ?Sized>(lock: &L, label: &'static Label) {
    let mut name = |header: Option<&LockHeader>| {
        if let Some(header) = header {
            header.name_now(label);
        }
    };
    lock.locks(&mut Locks { take: &mut name });
}
