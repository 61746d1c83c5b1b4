//! What the attributes for declared orders leave of themselves: nothing where tracing is compiled out, and
//! a future that may go wherever it could before where it is compiled in.

use std::future::{Future, ready};
use std::pin::Pin;

use sync_trace::sync::{Arc, Mutex};

struct Pair {
    a: Mutex<u8>,
    b: Mutex<u16>,
}

impl Pair {
    fn new() -> Self {
        Self { a: Mutex::new(3), b: Mutex::new(4) }
    }

    fn sum(&self) -> u16 {
        u16::from(*self.a.lock().unwrap()) + *self.b.lock().unwrap()
    }
}

/// The same methods in two modules, with rules that all name locks if the condition holds.
macro_rules! futures {
    ($name:ident if $($condition:tt)*) => {
        mod $name {
            use super::*;

            pub(super) struct Of(pub(super) Pair);

            #[cfg_attr(
                $($condition)*,
                sync_trace::locks(
                    order(self.0.a < self.0.b < "log.*"),
                    excludes(self.0.a),
                    only(self.0.a, self.0.b),
                    budget(await_hold = "1h"),
                )
            )]
            impl Of {
                pub(super) async fn by_ref(&self, more: u16) -> u16 {
                    let first = ready(more).await;
                    ready(()).await;
                    first + self.0.sum()
                }

                pub(super) async fn by_value(self, text: String) -> Result<usize, String> {
                    let bytes = [1_u8; 40];
                    if text.is_empty() {
                        return Err(text);
                    }
                    ready(()).await;
                    let number: usize = text.parse().map_err(|_| text)?;
                    Ok(number + ready(bytes.len()).await + usize::from(self.0.sum()))
                }

                pub(super) async fn by_arc(self: Arc<Self>) -> Arc<Self> {
                    ready(()).await;
                    self
                }

                pub(super) async fn unused(
                    &self,
                    _name: String,
                    _: [u8; 30],
                    (x, y): (u8, u64),
                ) -> u64 {
                    u64::from(x) + y
                }

                pub(super) fn returned(&self, more: u64) -> impl Future<Output = u64> + Send {
                    async move {
                        ready(()).await;
                        more + u64::from(self.0.sum())
                    }
                }

                pub(super) fn boxed<'a>(
                    &'a self,
                    more: u64,
                ) -> Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
                    Box::pin(async move {
                        ready(()).await;
                        more + u64::from(self.0.sum())
                    })
                }
            }
        }
    };
}
futures!(annotated if all());
futures!(plain if any());

/// The future of an `async` block with rules, and of the same one without.
macro_rules! blocks {
    ($pair:ident, $more:ident) => {
        (
            sync_trace::lock_scope!(order($pair.a < $pair.b), only($pair.a, $pair.b); async {
                ready(()).await;
                $more + $pair.sum()
            }),
            async {
                ready(()).await;
                $more + $pair.sum()
            },
        )
    };
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What each future comes to, with the rules or without.
macro_rules! results {
    ($name:ident) => {{
        let of = || $name::Of(Pair::new());
        (
            run(of().by_ref(1)),
            run(of().by_value("5".to_owned())),
            run(of().by_value(String::new())),
            run(of().by_value("x".to_owned())),
            run(Arc::new(of()).by_arc()).0.sum(),
            run(of().unused(String::new(), [0; 30], (1, 2))),
            run(of().returned(1)),
            run(of().boxed(1)),
        )
    }};
}

#[test]
fn futures_come_to_the_same() {
    let results = results!(annotated);
    assert_eq!(results, results!(plain));
    assert_eq!((results.0, results.1), (8, Ok(52)));
    let (pair, more) = (Pair::new(), 1);
    let (annotated, plain) = blocks!(pair, more);
    assert_eq!((run(annotated), run(plain)), (8, 8));
}

#[test]
fn futures_may_go_where_they_could() {
    fn goes<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Sync>(value: T) -> T {
        value
    }
    macro_rules! all_go {
        ($name:ident) => {{
            let of = $name::Of(Pair::new());
            assert_eq!(run(is_shared(goes(of.by_ref(1)))), 8);
            assert_eq!(run(is_shared(goes(of.unused(String::new(), [0; 30], (1, 2))))), 3);
            assert_eq!(run(goes(of.returned(1))), 8);
            assert_eq!(run(goes(of.boxed(1))), 8);
            assert_eq!(run(is_shared(goes(of.by_value("5".to_owned())))), Ok(52));
            let of = Arc::new($name::Of(Pair::new()));
            assert_eq!(run(is_shared(goes(of.by_arc()))).0.sum(), 7);
        }};
    }
    all_go!(annotated);
    all_go!(plain);
    let (pair, more) = (Pair::new(), 1);
    let (annotated, plain) = blocks!(pair, more);
    assert_eq!((run(is_shared(goes(annotated))), run(is_shared(goes(plain)))), (8, 8));
}

/// The size of each future.
macro_rules! sizes {
    ($name:ident) => {{
        let of = || $name::Of(Pair::new());
        let here = of();
        [
            size_of_val(&here.by_ref(1)),
            size_of_val(&of().by_value(String::new())),
            size_of_val(&Arc::new(of()).by_arc()),
            size_of_val(&here.unused(String::new(), [0; 30], (1, 2))),
            size_of_val(&here.returned(1)),
            size_of_val(&*here.boxed(1)),
        ]
    }};
}

#[cfg(not(any(debug_assertions, feature = "always")))]
mod compiled_out {
    use std::cell::Cell;
    use std::ops::Deref;

    use super::*;
    use sync_trace::{LockFields, lock_class, lock_order, lock_scope, locks};

    #[test]
    fn futures_are_as_small_as_they_were() {
        assert_eq!(sizes!(annotated), sizes!(plain));
        assert!(sizes!(plain).iter().all(|size| *size > 0));
        let (pair, more) = (Pair::new(), 1);
        let (annotated, plain) = blocks!(pair, more);
        assert_eq!(size_of_val(&annotated), size_of_val(&plain));
    }

    #[test]
    fn closures_are_as_small_as_they_were() {
        let pair = Pair::new();
        let annotated = lock_scope!(order(pair.a < pair.b); || pair.sum());
        let plain = || pair.sum();
        // The locks are named, so both may be captured one by one.
        assert!(size_of_val(&annotated) <= 2 * size_of_val(&plain));
        assert_eq!(annotated(), plain());
        let moved = lock_scope!(no_block; move |more: u16| more + 1);
        assert_eq!((size_of_val(&moved), moved(1)), (0, 2));
    }

    /// Breaks each rule that there is.
    #[locks(
        order(pair.a < pair.b),
        requires(pair.b),
        excludes(pair.a),
        only(),
        releases("at all"),
        no_block,
        budget(hold = "1ns", wait = "1ns"),
    )]
    fn breaks_them_all(pair: &Pair) -> u16 {
        let b = pair.b.lock().unwrap();
        *b + u16::from(*pair.a.lock().unwrap())
    }

    #[test]
    fn a_broken_rule_is_nothing() {
        let pair = Pair::new();
        assert_eq!(breaks_them_all(&pair), 7);
        let sum = lock_scope!(requires(pair.a), only(); { breaks_them_all(&pair) });
        assert_eq!(sum, 7);
        sync_trace::assert_held!(pair.a);
        let guard = pair.a.lock().unwrap();
        sync_trace::assert_not_held!(pair.a);
        sync_trace::assert_no_locks_held!();
        drop(guard);
        assert!(sync_trace::findings().is_empty());
        assert!(sync_trace::verify_declarations().is_ok());
        assert!(sync_trace::observed_order().nestings().is_empty());
    }

    /// A pointer that counts how often it was followed.
    struct Counts<'a>(&'a Mutex<u8>, &'a Cell<u32>);

    impl Deref for Counts<'_> {
        type Target = Mutex<u8>;

        fn deref(&self) -> &Mutex<u8> {
            self.1.set(self.1.get() + 1);
            self.0
        }
    }

    #[lock_order(*pointer < "audit")]
    fn follows_once(pointer: Counts<'_>) -> u8 {
        *pointer.lock().unwrap()
    }

    #[test]
    fn what_is_named_is_not_looked_at() {
        let (lock, count) = (Mutex::new(5), Cell::new(0));
        assert_eq!(follows_once(Counts(&lock, &count)), 5);
        assert_eq!(count.get(), 1);
    }

    lock_class!(ACCOUNTS, "off.accounts", rank = 1, leaf);

    #[derive(LockFields)]
    struct Bank {
        #[lock(class = ACCOUNTS, before = audit)]
        accounts: Mutex<u8>,
        audit: std::sync::Mutex<u8>,
    }

    /// The locks are `std`'s own, which have no place for a name.
    #[test]
    fn names_and_classes_are_nothing() {
        let bank = Bank { accounts: Mutex::new(1), audit: Mutex::new(2) }.named();
        assert_eq!(size_of::<Bank>(), 2 * size_of::<std::sync::Mutex<u8>>());
        assert_eq!(*bank.accounts.lock().unwrap() + *bank.audit.lock().unwrap(), 3);
        assert_eq!(ACCOUNTS.name(), "off.accounts");
    }
}

#[cfg(any(debug_assertions, feature = "always"))]
mod compiled_in {
    use super::*;
    use sync_trace::finding::Code;

    /// What the other half compares is not the same anyway.
    #[test]
    fn futures_carry_what_they_need() {
        let (annotated, plain) = (sizes!(annotated), sizes!(plain));
        assert!(annotated.iter().zip(plain).all(|(more, less)| *more > less), "{annotated:?}");
    }

    /// What the other half shows to be nothing is something here.
    #[test]
    fn a_broken_rule_is_a_finding() {
        let of = annotated::Of(Pair::new());
        let caught = sync_trace::catch_findings(|| {
            let _held = of.0.a.lock().unwrap();
            run(of.by_ref(1))
        });
        assert_eq!(caught.findings.len(), 1);
        assert_eq!(caught.findings[0].code, Code::Excluded);
    }
}
