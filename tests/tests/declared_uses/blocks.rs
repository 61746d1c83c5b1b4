//! Rules for a whole `impl` block or module, and for a block inside a function.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::{Pair, Way, binds, binds_not, both, breaks, take};
use sync_trace::finding::Code;
use sync_trace::sync::Mutex;
use sync_trace::{lock_excludes, lock_only, lock_order, lock_scope};

struct Bank(Pair);

#[lock_order(self.0.a < self.0.b)]
#[doc = "An attribute among others."]
impl Bank {
    const START: u8 = 3;

    fn new() -> Self {
        Self(Pair { a: Mutex::new(Self::START), b: Mutex::new(4) })
    }

    const fn constant(&self) -> u8 {
        Self::START
    }

    fn one(&self, way: Way) -> u16 {
        self.0.both(way)
    }

    /// Has a rule of its own besides.
    #[lock_excludes(self.0.a)]
    fn two(&mut self, way: Way) -> u16 {
        self.0.both(way)
    }

    async fn three(&self, way: Way) -> u16 {
        self.0.both(way)
    }
}

#[test]
fn an_impl_block() {
    let bank = Bank::new();
    assert_eq!(bank.constant(), 3);
    binds(7, |way| bank.one(way));
    binds(7, |way| Bank::new().two(way));
    binds(7, |way| run(bank.three(way)));
    binds_not(7, |way| bank.0.both(way));
}

static SCRATCH: Mutex<u8> = Mutex::new(5);
static FOREIGN: Mutex<u8> = Mutex::new(6);

#[lock_only(super::SCRATCH)]
mod inline {
    //! Documented inside.

    use super::{FOREIGN, SCRATCH, take};

    pub(super) const TWO: u8 = 2;

    pub(super) fn allowed() -> u8 {
        *take(&SCRATCH) + TWO
    }

    pub(super) fn forbidden() -> u8 {
        *take(&FOREIGN)
    }

    pub(super) struct Inner;

    impl Inner {
        pub(super) fn forbidden(&self) -> u8 {
            *take(&FOREIGN)
        }
    }

    pub(super) trait Provides {
        fn required(&self) -> u8;

        fn forbidden(&self) -> u8 {
            self.required() + *take(&FOREIGN)
        }
    }

    impl Provides for u8 {
        fn required(&self) -> u8 {
            *self
        }
    }
}

#[test]
fn a_module() {
    use inline::Provides as _;
    breaks(&[], || assert_eq!(inline::allowed(), 7));
    breaks(&[Code::NotAllowed], || assert_eq!(inline::forbidden(), 6));
    breaks(&[Code::NotAllowed], || assert_eq!(inline::Inner.forbidden(), 6));
    breaks(&[Code::NotAllowed], || assert_eq!(1_u8.forbidden(), 7));
    breaks(&[], || assert_eq!(*take(&FOREIGN), 6));
}

fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for nothing"),
    }
}

#[test]
fn a_block_in_a_function() {
    let pair = Pair::new();
    let Pair { a, b } = &pair;
    binds(7, |way| lock_scope!(order(a < b), only(a, b); { both(a, b, way) }));
    binds_not(14, |way| {
        let sum = lock_scope!(order(pair.a < pair.b); { pair.both(Way::Forwards) });
        sum + pair.both(way)
    });
    // One in another, each for its own stretch.
    binds(7, |way| {
        lock_scope!(order(a < b); {
            let inner = lock_scope!(only(a); { u16::from(*take(a)) });
            inner + both(a, b, way) - 3
        })
    });
}

#[test]
fn a_block_is_left_in_every_way() {
    fn leaves(pair: &Pair, early: Option<u16>) -> Option<u16> {
        let mut rounds = 0;
        loop {
            lock_scope!(order(pair.a < pair.b); {
                rounds += 1;
                if rounds < 3 {
                    continue;
                }
                if rounds < 4 {
                    break;
                }
            });
        }
        lock_scope!(order(pair.a < pair.b); {
            let value = early?;
            if value > 1 {
                return Some(value);
            }
            Some(value + rounds)
        })
    }
    let pair = Pair::new();
    for (early, value) in [(None, None), (Some(1), Some(4)), (Some(2), Some(2))] {
        assert_eq!(leaves(&pair, early), value);
        binds_not(7, |way| pair.both(way));
    }
}

#[test]
fn a_closure_is_bound_in_each_call() {
    let pair = Pair::new();
    let Pair { a, b } = &pair;
    binds(7, |way| {
        let call = lock_scope!(order(a < b); |way: Way| both(a, b, way));
        call(Way::Forwards);
        call(way)
    });
    binds(8, |way| {
        let call = lock_scope!(order(a < b); |early: bool, way| -> u16 {
            if early {
                return 1;
            }
            both(a, b, way)
        });
        call(true, way) + call(false, way)
    });
    // Between its calls nobody is bound.
    binds_not(10, |way| {
        let mut calls = 0;
        let mut call = lock_scope!(order(a < b); |way| {
            calls += 1;
            both(a, b, way) + calls - calls
        });
        let sum = call(Way::Forwards) + pair.both(way);
        sum + call(Way::Forwards) - 11
    });
    binds(7, |way| {
        let moved = Pair::new();
        let call = lock_scope!(order(moved.a < moved.b); move |way| moved.both(way));
        call(way)
    });
    binds(vec![5, 7], |way| {
        let add = lock_scope!(order(a < b); |more: &u16| *more + both(a, b, way) - 7);
        [5, 7].iter().map(add).collect()
    });
}

#[test]
fn an_async_block_is_bound_while_it_is_polled() {
    let pair = Pair::new();
    binds(7, |way| run(lock_scope!(order(pair.a < pair.b); async { pair.both(way) })));
    binds(7, |way| {
        let moved = Pair::new();
        run(lock_scope!(order(moved.a < moved.b); async move { moved.both(way) }))
    });
    binds_not(7, |way| {
        let waits = lock_scope!(order(pair.a < pair.b); async { pair.both(Way::Forwards) });
        let sum = pair.both(way);
        assert_eq!(run(waits), sum);
        sum
    });
}
