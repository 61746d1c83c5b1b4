//! Attributes of `sync-trace`; use them through that crate.

use proc_macro::TokenStream;

mod test;

/// A test that fails if its threads, or threads they started, made a finding: also if the finding's
/// panic was swallowed, as by a join whose result is ignored.
///
/// It takes the place of `#[test]`; `#[should_panic]`, `#[ignore]` and a `Result` as return type work
/// as there. Where tracing is compiled out, it is `#[test]`.
///
/// # Example
///
/// ```
/// #[sync_trace::test]
/// fn transfers_add_up() {
///     let total = sync_trace::sync::Mutex::new(0);
///     sync_trace::thread::scope(|scope| {
///         scope.spawn(|| *total.lock().unwrap() += 1);
///     });
///     assert_eq!(total.into_inner().unwrap(), 1);
/// }
/// ```
///
/// # Errors
///
/// The compiler points at the mistake if the attribute has arguments, or if the function has
/// parameters, is `async` or is not a function at all.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(arguments.into(), item.into()).into()
}
