//! Locks that are fields of a type which derives [`LockFields`].

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

/// Names a lock that has no name yet.
pub fn name_field<L: TracedLock + ?Sized>(lock: &L, label: &'static Label) {
    lock.locks(&mut Locks { take: &mut |header: &LockHeader| header.name_now(label) });
}
