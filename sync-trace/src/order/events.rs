//! Order between events of different threads.

/// What the calling thread has done so far comes before whatever a thread does after it has
/// [observed](observe) the same token. Call it before the operation that lets others go on.
///
/// The token is known by its address: a value that moves, or one that takes the place of another, is
/// another token, or the same. What is published adds up. Costs two thread-local reads where the thread has
/// nothing to tell, else a look-up in a shared table; nothing where tracing is compiled out.
///
/// # Example
///
/// See the [module](mod@crate::order).
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
/// See the [module](mod@crate::order).
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
