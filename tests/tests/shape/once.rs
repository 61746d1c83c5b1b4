//! `Once`, `OnceLock`, `LazyLock`, `Barrier`: constness, coercions, drop check.

use std::collections::BTreeMap;

use super::sync::{Barrier, LazyLock, Once, OnceLock};

static ONCE: Once = Once::new();
static ONCE_LOCK: OnceLock<Vec<u8>> = OnceLock::new();
static LAZY_LOCK: LazyLock<BTreeMap<u8, String>> = LazyLock::new(BTreeMap::new);
static CLOSURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    ONCE.call_once(|| ());
    vec![1, 2]
});
/// The type of the initialiser may be any that is written down.
static OF_THE_UNIT: LazyLock<u8, fn() -> u8> = LazyLock::new(returns_four);
static BARRIER: Barrier = Barrier::new(1);
static MANY: [OnceLock<u8>; 3] = [const { OnceLock::new() }; 3];
static MANY_LAZY: [LazyLock<u8>; 2] = [const { LazyLock::new(|| 5) }; 2];
static NESTED: OnceLock<(Once, LazyLock<u8>, OnceLock<Barrier>)> = OnceLock::new();
#[expect(clippy::declare_interior_mutable_const, reason = "one of its own at each use is meant")]
const FRESH: OnceLock<u8> = OnceLock::new();
#[expect(clippy::declare_interior_mutable_const, reason = "one of its own at each use is meant")]
const FRESH_LAZY: LazyLock<Vec<u8>> = LazyLock::new(Vec::new);

const fn returns_four() -> u8 {
    4
}

/// Constructors that are none if the type's own is not const for every payload.
const fn empty<T>() -> OnceLock<T> {
    OnceLock::new()
}

const fn lazy<T, F: FnOnce() -> T>(init: F) -> LazyLock<T, F> {
    LazyLock::new(init)
}

/// What has nothing to drop may be dropped at compile time.
const fn drops() -> u8 {
    let _once = Once::new();
    let _barrier = Barrier::new(2);
    4
}

#[test]
fn they_are_made_in_statics_and_constants() {
    static MADE: (OnceLock<String>, LazyLock<u8>) = (empty(), lazy(|| 3));
    const DROPPED: u8 = drops();
    const THREADS: usize = 1;
    static OF_A_CONSTANT: Barrier = Barrier::new(THREADS);
    assert!(ONCE_LOCK.get().is_none() && LAZY_LOCK.is_empty());
    assert_eq!(CLOSURE[1] + *OF_THE_UNIT, 6);
    assert!(ONCE.is_completed());
    assert!(BARRIER.wait().is_leader() && OF_A_CONSTANT.wait().is_leader());
    MANY[1].set(7).unwrap();
    assert_eq!(MANY.each_ref().map(OnceLock::get), [None, Some(&7), None]);
    assert_eq!(MANY_LAZY.each_ref().map(|lazy| **lazy), [5, 5]);
    let nested = NESTED.get_or_init(|| (Once::new(), LazyLock::new(|| 6), OnceLock::new()));
    assert_eq!(*nested.1, 6);
    assert!(
        nested.2.get_or_init(|| Barrier::new(1)).wait().is_leader() && !nested.0.is_completed()
    );
    assert_eq!((MADE.0.get(), *MADE.1 + DROPPED), (None, 7));
}

#[test]
fn every_use_of_a_constant_is_one_of_its_own() {
    let (one, two) = (FRESH, FRESH);
    one.set(1).unwrap();
    assert_eq!(two.get(), None);
    let (mut one, two) = (FRESH_LAZY, FRESH_LAZY);
    one.push(1);
    assert_eq!((one.len(), two.len()), (1, 0));
}

#[test]
fn a_once_lock_may_outlive_what_its_payload_borrows() {
    let (lock, mut filled) = (OnceLock::new(), None);
    let text = String::from("dropped before the locks that borrow it");
    lock.set(&text).unwrap();
    let filled = filled.insert(OnceLock::from(&*text));
    assert_eq!(lock.get().map(|text| text.len()), filled.get().map(|text| text.len()));
}

#[test]
fn a_lazy_lock_borrows_what_outlives_it() {
    let text = String::from("text");
    let lazy = LazyLock::new(|| &text);
    let of_lazy = LazyLock::new(|| lazy.len());
    assert_eq!(*of_lazy, 4);
    assert!(std::ptr::eq(*LazyLock::force(&lazy), &text));
}

#[test]
fn references_last_as_long_as_the_borrow_of_the_lock_and_no_shorter() {
    fn first<'a>(lock: &'a OnceLock<String>, value: &str) -> &'a str {
        let borrowed = &lock;
        borrowed.get_or_init(|| value.to_owned())
    }
    fn forced<F: FnOnce() -> String>(lazy: &LazyLock<String, F>) -> (&String, &String) {
        (LazyLock::force(lazy), LazyLock::get(lazy).unwrap())
    }
    let lock = OnceLock::new();
    let text = {
        let short_lived = String::from("value");
        first(&lock, &short_lived)
    };
    assert_eq!((text, lock.wait().as_str()), ("value", "value"));
    let lazy = LazyLock::new(|| String::from("lazy"));
    let (forced, got) = forced(&lazy);
    assert!(std::ptr::eq(forced, got) && got == "lazy");
}

/// So `LazyLock<T>` can be written where the initialiser is a function, and a closure that captures
/// nothing is one.
#[test]
fn the_initialiser_of_a_lazy_lock_is_a_function_if_nothing_else_is_said() {
    struct Holds(LazyLock<u8>);
    let same: LazyLock<u8, fn() -> u8> = Holds(LazyLock::new(|| 7)).0;
    let captured = 1;
    let closure: LazyLock<u8, _> = LazyLock::new(move || captured + 1);
    let boxed: LazyLock<u8, Box<dyn FnOnce() -> u8>> = LazyLock::new(Box::new(move || captured));
    assert_eq!((*same, *closure, *boxed), (7, 2, 1));
}

/// `force`, `get` and their like are associated functions, as those of a pointer type should be.
#[test]
fn a_lazy_lock_hides_no_method_of_its_payload() {
    struct Payload;
    impl Payload {
        fn force(&self) -> &str {
            "the payload's"
        }
        fn get(&self) -> &str {
            "the payload's"
        }
        fn get_mut(&mut self) -> &str {
            "the payload's"
        }
        fn force_mut(&mut self) -> &str {
            "the payload's"
        }
    }
    let mut lazy = LazyLock::new(|| Payload);
    assert_eq!(lazy.force(), lazy.get());
    assert_eq!(lazy.force_mut(), "the payload's");
    assert_eq!(lazy.get_mut(), "the payload's");
}
