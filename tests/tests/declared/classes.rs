//! Classes, names, and what holds for the whole program.

use super::broken;
use sync_trace::finding::Broken;
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{LockFields, lock_class, lock_hierarchy, lock_order, named};

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

lock_class!(LOW, "classes.low", rank = 10);
lock_class!(HIGH, "classes.high", rank = 20);
lock_class!(LAST, "classes.last", leaf);
lock_class!(FIRST, "classes.first", first);
lock_class!(MANY, "classes.many", multi);

#[test]
fn ranks_rise() {
    let (low, high) = (named!(class(LOW), Mutex::new(1)), named!(class(HIGH), Mutex::new(2)));
    let unranked = Mutex::new(3);
    let pair = |outer: &Mutex<i32>, inner: &Mutex<i32>| {
        let _outer = take(outer);
        drop(take(inner));
    };
    assert_eq!(broken(|| pair(&low, &high)), []);
    assert_eq!(broken(|| pair(&high, &unranked)), []);
    assert_eq!(broken(|| pair(&high, &low)), [Broken::RankDescends]);
    assert_eq!(broken(|| pair(&high, &low)), [Broken::RankDescends], "each time");
}

#[test]
fn nothing_comes_after_a_leaf_and_nothing_before_what_is_first() {
    let (last, first) = (named!(class(LAST), Mutex::new(1)), named!(class(FIRST), Mutex::new(2)));
    let other = Mutex::new(3);
    let pair = |outer: &Mutex<i32>, inner: &Mutex<i32>| {
        let _outer = take(outer);
        drop(take(inner));
    };
    assert_eq!(broken(|| pair(&other, &last)), []);
    assert_eq!(broken(|| pair(&last, &other)), [Broken::AfterLeaf]);
    assert_eq!(broken(|| pair(&first, &other)), []);
    assert_eq!(broken(|| pair(&other, &first)), [Broken::NotFirst]);
}

#[test]
fn a_class_and_a_name_are_places() {
    #[lock_order(class(LOW) < "classes.named-*")]
    fn within(f: impl FnOnce()) {
        f();
    }
    let low = named!(class(LOW), Mutex::new(1));
    let one = named!("classes.named-1", Mutex::new(2));
    let other = named!("classes.other", Mutex::new(3));
    let pair = |outer: &Mutex<i32>, inner: &Mutex<i32>| {
        let _outer = take(outer);
        drop(take(inner));
    };
    assert_eq!(broken(|| within(|| pair(&low, &one))), []);
    assert_eq!(broken(|| within(|| pair(&one, &low))), [Broken::OutOfOrder]);
    assert_eq!(broken(|| within(|| pair(&other, &low))), []);
}

#[test]
fn several_of_a_class_may_be_meant_to_be_held() {
    #[lock_order(class(MANY) < class(HIGH))]
    fn many(f: impl FnOnce()) {
        f();
    }
    #[lock_order(class(LOW) < class(HIGH))]
    fn one(f: impl FnOnce()) {
        f();
    }
    let many_locks = [(), ()].map(|()| named!(class(MANY), Mutex::new(1)));
    let low_locks = [(), ()].map(|()| named!(class(LOW), Mutex::new(1)));
    let both = |locks: &[Mutex<i32>; 2]| {
        let _first = take(&locks[0]);
        drop(take(&locks[1]));
    };
    assert_eq!(broken(|| many(|| both(&many_locks))), []);
    assert_eq!(broken(|| one(|| both(&low_locks))), [Broken::SameElement]);
}

lock_hierarchy! { "hierarchy.a" < { "hierarchy.b", "hierarchy.c" } < "hierarchy.d" }

#[test]
fn a_hierarchy_holds_everywhere() {
    let a = named!("hierarchy.a", Mutex::new(()));
    let b = named!("hierarchy.b", Mutex::new(()));
    let c = named!("hierarchy.c", Mutex::new(()));
    let d = named!("hierarchy.d", Mutex::new(()));
    let pair = |outer: &Mutex<()>, inner: &Mutex<()>| {
        let _outer = take(outer);
        drop(take(inner));
    };
    assert_eq!(broken(|| pair(&a, &b)), []);
    assert_eq!(broken(|| pair(&a, &d)), []);
    assert_eq!(broken(|| pair(&b, &c)), [], "the two are not ordered");
    assert_eq!(broken(|| pair(&c, &a)), [Broken::OutOfOrder]);
    assert_eq!(broken(|| pair(&d, &a)), [Broken::OutOfOrder], "by two steps");
}

#[derive(LockFields)]
struct Bank {
    #[lock(before = audit)]
    accounts: Mutex<Vec<i64>>,
    audit: Mutex<Vec<String>>,
    #[lock(leaf)]
    log: Mutex<()>,
    #[lock(class = HIGH)]
    high: Mutex<u8>,
    #[lock(name = "bank.by-another-name")]
    named: Mutex<u8>,
    count: u64,
}

impl Bank {
    fn new() -> Self {
        Self {
            accounts: Mutex::default(),
            audit: Mutex::default(),
            log: Mutex::default(),
            high: Mutex::default(),
            named: Mutex::default(),
            count: 0,
        }
        .named()
    }
}

#[test]
fn fields_have_names_and_an_order() {
    let bank = Bank::new();
    assert_eq!(bank.count, 0);
    let backwards = || {
        let _audit = take(&bank.audit);
        drop(take(&bank.accounts));
    };
    let report = super::report(backwards);
    assert!(report.contains("`Bank.accounts` is taken while `Bank.audit` is held"), "{report}");
    let forwards = || {
        let _accounts = take(&bank.accounts);
        drop(take(&bank.audit));
    };
    assert_eq!(broken(forwards), []);
    let after_the_log = || {
        let _log = take(&bank.log);
        drop(take(&bank.audit));
    };
    assert_eq!(broken(after_the_log), [Broken::AfterLeaf]);
    let low = named!(class(LOW), Mutex::new(1));
    let rank = || {
        let _high = take(&bank.high);
        drop(take(&low));
    };
    assert_eq!(broken(rank), [Broken::RankDescends]);
    let names = || {
        let _named = take(&bank.named);
        bank.excludes_it();
    };
    assert_eq!(broken(names), [Broken::Held]);
}

impl Bank {
    #[sync_trace::lock_excludes("bank.by-another-*")]
    fn excludes_it(&self) {}

    #[sync_trace::lock_order(self.accounts < self.audit)]
    fn touches(&self) {}
}

#[test]
fn a_method_names_the_locks_of_its_self() {
    // Made without `named`, as by a derived `Default`.
    let bank = Bank {
        accounts: Mutex::default(),
        audit: Mutex::default(),
        log: Mutex::default(),
        high: Mutex::default(),
        named: Mutex::default(),
        count: 0,
    };
    bank.touches();
    let after_the_log = || {
        let _log = take(&bank.log);
        drop(take(&bank.audit));
    };
    let report = super::report(after_the_log);
    assert!(report.contains("`Bank.audit` is taken while `Bank.log` is held"), "{report}");
}

#[test]
fn a_field_keeps_the_name_that_it_was_given() {
    let bank = Bank {
        accounts: named!("classes.given", Mutex::default()),
        audit: Mutex::default(),
        log: Mutex::default(),
        high: Mutex::default(),
        named: Mutex::default(),
        count: 0,
    }
    .named();
    let backwards = || {
        let _audit = take(&bank.audit);
        drop(take(&bank.accounts));
    };
    assert_eq!(broken(backwards), []);
}
