//! Order that sync-trace cannot see, stated by the program.
//!
//! Two orders of locks that contradict each other are no deadlock if everything in one comes before
//! everything in the other, whatever the schedule. sync-trace knows that of what happens before and
//! after a spawn, a join, the end of a scope, a message, a barrier, an initialisation, or a condition
//! variable that is notified. It cannot know it of order that passes through atomics, through channels of
//! other crates, through joins of threads that `std` started, through the last owner of an `Arc`, or
//! through what a mutex without a condition variable protects, such as a flag that is set under it: that
//! one thread had the mutex first does not mean that it always will. Say it with a token, which is any value that both sides can name:
//!
//! ```
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use sync_trace::order;
//!
//! static READY: AtomicBool = AtomicBool::new(false);
//!
//! fn announce() {
//!     order::publish(&READY);
//!     READY.store(true, Ordering::Release);
//! }
//!
//! fn is_ready() -> bool {
//!     let is_ready = READY.load(Ordering::Acquire);
//!     if is_ready {
//!         order::observe(&READY);
//!     }
//!     is_ready
//! }
//! # announce();
//! # assert!(is_ready());
//! ```

/// What the calling thread has done so far comes before whatever a thread does after it has
/// [observed](observe) the same token. Call it before the operation that lets others go on.
///
/// The token is known by its address: a value that moves, or one that takes the place of another, is
/// another token, or the same. What is published adds up. Costs two thread-local reads where the thread has
/// nothing to tell, else a look-up in a shared table; nothing where tracing is compiled out.
///
/// # Example
///
/// See the [module](self).
#[inline]
pub fn publish<T: ?Sized>(token: &T) {
    #[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
    crate::hooks::publish_at(place(token));
    #[cfg(not(all(any(debug_assertions, feature = "always"), not(loom))))]
    let _ = token;
}

/// What the calling thread does from here on comes after whatever was [published](publish) so far under
/// the same token. Call it after the operation that has shown that this may go on.
///
/// Costs what [`publish`] costs.
///
/// # Example
///
/// See the [module](self).
#[inline]
pub fn observe<T: ?Sized>(token: &T) {
    #[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
    crate::hooks::observe_at(place(token));
    #[cfg(not(all(any(debug_assertions, feature = "always"), not(loom))))]
    let _ = token;
}

#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
fn place<T: ?Sized>(token: &T) -> crate::foresight::passage::Place {
    crate::foresight::passage::Place::Address(std::ptr::from_ref(token).addr())
}
