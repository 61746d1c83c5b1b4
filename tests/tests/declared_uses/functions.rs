//! Free functions of all kinds.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Pair, Way, binds, binds_not, both, breaks, take};
use sync_trace::finding::Code;
use sync_trace::lock_order;
use sync_trace::sync::{Arc, Mutex, MutexGuard};

#[lock_order(a < b)]
fn plain(a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> u16 {
    both(a, b, way)
}

#[lock_order(a < b)]
fn unit(a: &Mutex<u8>, b: &Mutex<u16>, way: Way) {
    both(a, b, way);
}

#[test]
fn of_two_arguments() {
    let Pair { a, b } = &Pair::new();
    binds(7, |way| plain(a, b, way));
    binds((), |way| unit(a, b, way));
    // Only of these two.
    let other = Pair::new();
    binds_not(7, |way| {
        plain(a, b, Way::Forwards);
        other.both(way)
    });
}

#[test]
fn of_statics() {
    static A: Mutex<u8> = Mutex::new(1);
    mod inner {
        use sync_trace::sync::Mutex;
        pub(super) static B: Mutex<u16> = Mutex::new(2);
    }
    #[lock_order(A < inner::B)]
    fn of_statics(way: Way) -> u16 {
        both(&A, &inner::B, way)
    }
    binds(3, of_statics);
}

#[lock_order(a < b)]
fn generic<T, U: Copy + Into<u64>>(a: &Mutex<T>, b: &Mutex<U>, way: Way) -> u64
where
    T: Copy + Into<u64>,
{
    let first = if way == Way::Backwards { Some(take(b)) } else { None };
    let value: u64 = (*take(a)).into();
    drop(first);
    value + (*take(b)).into()
}

#[lock_order(*a < *b)]
fn behind_pointers<P>(a: P, b: Arc<Mutex<u16>>, way: Way) -> u16
where
    P: Deref<Target = Mutex<u8>>,
{
    both(&a, &b, way)
}

#[test]
fn generic_ones() {
    let pair = Pair::new();
    binds(7, |way| generic(&pair.a, &pair.b, way));
    binds(3, |way| generic::<u32, u8>(&Mutex::new(1), &Mutex::new(2), way));
    let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    binds(3, |way| behind_pointers(Arc::clone(&a), Arc::clone(&b), way));
}

#[lock_order(a < b)]
fn calls(a: &Mutex<u8>, b: &Mutex<u16>, f: impl FnOnce(&Mutex<u8>, &Mutex<u16>) -> u16) -> u16 {
    f(a, b)
}

#[lock_order(a < b)]
fn returns_a_closure<'a>(
    a: &'a Mutex<u8>,
    b: &'a Mutex<u16>,
    within: Way,
) -> impl Fn(Way) -> u16 + use<'a> {
    both(a, b, within);
    move |way| both(a, b, way)
}

#[lock_order(a < b)]
fn returns_an_iterator<'a>(
    a: &'a Mutex<u8>,
    b: &Mutex<u16>,
    way: Way,
) -> Result<impl Iterator<Item = u8> + use<'a>, u16> {
    match both(a, b, way) {
        0 => Err(0),
        _ => Ok((0..2).map(|more| *take(a) + more)),
    }
}

#[test]
fn with_impl_trait() {
    let Pair { a, b } = &Pair::new();
    binds(7, |way| calls(a, b, |a, b| both(a, b, way)));
    binds(7, |within| returns_a_closure(a, b, within)(Way::Forwards));
    // What is returned is no part of the call.
    binds_not(7, |way| returns_a_closure(a, b, Way::Forwards)(way));
    binds(7, |way| returns_an_iterator(a, b, way).map_or(0, Iterator::sum::<u8>));
}

#[lock_order(a[_] < b)]
fn array<const N: usize>(a: &[Mutex<u8>; N], b: &Mutex<u16>, way: Way) -> [u16; N] {
    a.each_ref().map(|a| both(a, b, way))
}

#[lock_order(each(of) < b)]
fn slice(of: &[Mutex<u8>], b: &Mutex<u16>, way: Way) -> u16 {
    both(&of[0], b, way)
}

#[test]
fn of_many() {
    let (locks, b) = ([const { Mutex::new(1) }; 3], Mutex::new(2));
    binds([3; 3], |way| array(&locks, &b, way));
    binds_not([], |way| array(&[], &b, way));
    binds(3, |way| slice(&locks[1..], &b, way));
}

#[lock_order(a < b)]
fn first<'a, 'b: 'a>(
    a: &'a Mutex<u8>,
    b: &'b Mutex<u16>,
    way: Way,
) -> (&'a Mutex<u8>, MutexGuard<'b, u16>) {
    both(a, b, way);
    (a, take(b))
}

#[lock_order(lock < "nothing")]
fn elided(lock: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    take(lock)
}

#[test]
fn with_lifetimes() {
    let Pair { a, b } = &Pair::new();
    binds(4, |way| {
        let short = Mutex::new(1);
        let (same, guard) = first(&short, b, way);
        assert!(std::ptr::eq(same, &short));
        *guard
    });
    binds(4, |way| *first(a, b, way).1);
    assert_eq!(*elided(&Mutex::new(vec![1])), [1]);
}

#[lock_order(a < b)]
fn recursive(depth: u32, a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> u32 {
    match depth {
        0 => both(a, b, way).into(),
        _ => recursive(depth - 1, a, b, way) + 1,
    }
}

#[lock_order(a < b)]
fn even(n: u32, a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> bool {
    if n == 0 { both(a, b, way) > 0 } else { odd(n - 1, a, b, way) }
}

#[lock_order(a < b)]
fn odd(n: u32, a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> bool {
    if n == 0 { both(a, b, way) == 0 } else { even(n - 1, a, b, way) }
}

#[lock_order(a < b)]
fn outer(a: &Mutex<u8>, b: &Mutex<u16>, c: &Mutex<u8>, (inner, after): (Way, Way)) -> u16 {
    #[lock_order(c < b)]
    fn nested(c: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> u16 {
        both(c, b, way)
    }
    nested(c, b, inner) + both(a, b, after)
}

#[test]
fn one_inside_another() {
    let Pair { a, b } = &Pair::new();
    binds(10, |way| recursive(3, a, b, way));
    binds(true, |way| even(4, a, b, way));
    binds(false, |way| even(3, a, b, way));
    let c = Mutex::new(5);
    binds(16, |way| outer(a, b, &c, (way, Way::Forwards)));
    binds(16, |way| outer(a, b, &c, (Way::Forwards, way)));
}

#[lock_order(a < b)]
fn returns_early(early: bool, a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> u16 {
    if early {
        return 1;
    }
    for round in 0.. {
        if round == 2 {
            return both(a, b, way);
        }
    }
    unreachable!()
}

#[lock_order(a < b)]
fn parses(text: &str, a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> Result<u16, String> {
    let number: u16 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    Ok(number + both(a, b, way))
}

#[lock_order(a < b)]
fn indexes(numbers: &[u16], a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> Option<u16> {
    Some(numbers.first()? + both(a, b, way))
}

#[lock_order(a < b)]
fn panics(text: &str, a: &Mutex<u8>, b: &Mutex<u16>) -> u16 {
    if text.is_empty() { both(a, b, Way::Forwards) } else { panic!("{text}") }
}

#[lock_order(a < b)]
fn never(a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> ! {
    panic!("gone with {}", both(a, b, way))
}

#[test]
fn every_way_out() {
    let pair = Pair::new();
    let Pair { a, b } = &pair;
    binds(7, |way| returns_early(false, a, b, way));
    binds(Ok(8), |way| parses("1", a, b, way));
    binds(Some(9), |way| indexes(&[2], a, b, way));
    // Having left it early is having left it.
    binds_not(8, |way| returns_early(true, a, b, way) + pair.both(way));
    binds_not(7, |way| {
        assert_eq!(parses("x", a, b, way), Err("`x` is no number".to_owned()));
        assert_eq!(indexes(&[], a, b, way), None);
        pair.both(way)
    });
    binds_not(7, |way| {
        let panic = catch_unwind(AssertUnwindSafe(|| panics("on purpose", a, b))).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("on purpose"));
        assert_eq!(panics("", a, b), 7);
        pair.both(way)
    });
    binds_not(7, |way| {
        let panic = catch_unwind(AssertUnwindSafe(|| never(a, b, Way::Forwards))).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("gone with 7"));
        pair.both(way)
    });
    if sync_trace::ENABLED {
        breaks(&[Code::OrderBroken], || never(a, b, Way::Backwards));
    }
}

/// The guard in the tail ends before what it borrows, in every edition.
#[lock_order("nothing" < lock)]
fn tail(lock: &Mutex<Vec<u8>>) -> usize {
    take(lock).len()
}

#[lock_order("nothing" < lock)]
fn diverging(lock: &Mutex<u8>) -> u8 {
    loop {
        let value = *take(lock);
        if value > 0 {
            return value;
        }
    }
}

/// Documented, and with other attributes around it.
#[must_use]
#[lock_order(a < b)]
#[inline]
#[cfg_attr(all(), cold)]
extern "C-unwind" fn foreign(a: &Mutex<u8>, b: &Mutex<u16>, way: u8) -> u16 {
    both(a, b, if way == 0 { Way::Forwards } else { Way::Backwards })
}

#[lock_order(a < b)]
fn taken_apart((a, b): (&Mutex<u8>, &Mutex<u16>), [way]: [Way; 1]) -> u16 {
    both(a, b, way)
}

#[lock_order(r#type < r#fn)]
fn r#match(r#type: &Mutex<u8>, r#fn: &Mutex<u16>, mut way: Way) -> u16 {
    let first = both(r#type, r#fn, way);
    way = Way::Forwards;
    first + both(r#type, r#fn, way)
}

macro_rules! make {
    ($name:ident, $a:ident, $b:ident, $payload:ty) => {
        #[lock_order($a < $b, "nothing" < of($payload))]
        fn $name($a: &Mutex<u8>, $b: &Mutex<$payload>, way: Way) -> u16 {
            macro_rules! sum {
                ($x:expr) => {
                    both($a, $b, $x)
                };
            }
            sum!(way)
        }
    };
}
make!(made, left, right, u16);

#[test]
fn unusual_ones() {
    let Pair { a, b } = &Pair::new();
    assert_eq!(tail(&Mutex::new(vec![1, 2])), 2);
    assert_eq!(diverging(&Mutex::new(2)), 2);
    binds(7, |way| foreign(a, b, way as u8));
    binds(7, |way| taken_apart((a, b), [way]));
    binds(14, |way| r#match(a, b, way));
    binds(7, |way| made(a, b, way));
}
