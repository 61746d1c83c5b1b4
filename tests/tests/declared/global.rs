//! Declarations that contradict each other, and orders that are declared elsewhere.

use super::broken;
use sync_trace::finding::{Broken, Code, Condition, Level};
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{lock_order, named};

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[derive(Default)]
struct Pair {
    a: Mutex<u8>,
    b: Mutex<u16>,
}

#[test]
fn functions_that_declare_the_opposite_are_told_once_both_have_run() {
    #[lock_order(pair.a < pair.b)]
    fn one(pair: &Pair) {
        let _ = pair;
    }
    #[lock_order(pair.b < pair.a)]
    fn other(pair: &Pair) {
        let _ = pair;
    }
    let pair = Pair { a: Mutex::new(0), b: Mutex::new(0) };
    assert_eq!(broken(|| one(&pair)), []);
    assert_eq!(broken(|| other(&pair)), [Broken::Contradiction]);
    assert_eq!(broken(|| other(&pair)), [], "it was told");
    let all = sync_trace::verify_declarations().unwrap_err();
    let finding = all.findings().iter().find(|finding| finding.to_string().contains("pair.a"));
    let finding = finding.unwrap_or_else(|| panic!("{all}"));
    assert_eq!(finding.code, Code::Contradiction);
    let report = finding.to_string();
    for said in ["`pair.a` before `pair.b` declared here", "`pair.b` before `pair.a` declared here"]
    {
        assert!(report.contains(said), "{report}");
    }
}

#[test]
fn an_order_that_is_declared_elsewhere_is_listed_and_a_global_one_is_broken() {
    #[lock_order("global.a" < "global.b")]
    fn somewhere() {}
    #[lock_order(global, "global.c" < "global.d")]
    fn everywhere() {}
    somewhere();
    everywhere();
    let lock = |name: &'static str| match name {
        "a" => named!("global.a", Mutex::new(())),
        "b" => named!("global.b", Mutex::new(())),
        "c" => named!("global.c", Mutex::new(())),
        _ => named!("global.d", Mutex::new(())),
    };
    let [a, b, c, d] = ["a", "b", "c", "d"].map(lock);
    let pair = |outer: &Mutex<()>, inner: &Mutex<()>| {
        let _outer = take(outer);
        drop(take(inner));
    };
    assert_eq!(broken(|| pair(&c, &d)), []);
    assert_eq!(broken(|| pair(&d, &c)), [Broken::OutOfOrder], "once is enough");
    assert_eq!(broken(|| pair(&b, &a)), []);
    let notes = sync_trace::notes();
    let note = notes.iter().find(|note| note.to_string().contains("global.a"));
    let note = note.expect("the other order is listed");
    assert_eq!((note.code, note.level), (Code::OrderBroken, Level::Order));
    assert!(matches!(note.condition, Some(Condition::DeclaredElsewhere)));
}

#[test]
fn several_declarations_add_up() {
    #[lock_order(global, "sum.a" < "sum.b")]
    fn one() {}
    #[lock_order(global, "sum.b" < "sum.*-c")]
    fn other() {}
    one();
    other();
    let a = named!("sum.a", Mutex::new(()));
    let c = named!("sum.the-c", Mutex::new(()));
    let backwards = || {
        let _c = take(&c);
        drop(take(&a));
    };
    let report = super::report(backwards);
    for said in ["`sum.a` is taken while `sum.the-c` is held", "\"sum.a\"", "\"sum.*-c\""] {
        assert!(report.contains(said), "no {said} in {report}");
    }
}
