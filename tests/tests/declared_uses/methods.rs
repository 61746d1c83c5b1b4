//! Methods, by every kind of `self`, in every kind of type and trait.

use std::pin::{Pin, pin};
use std::rc::Rc;

use super::{Pair, Way, binds, binds_not, both, take};
use sync_trace::sync::{Arc, Mutex, MutexGuard};
use sync_trace::{LockFields, lock_order};

#[derive(LockFields)]
struct Bank {
    accounts: Mutex<u8>,
    #[lock(name = "bank.audit")]
    audit: Mutex<u16>,
    rounds: u16,
}

impl Bank {
    fn new() -> Self {
        Self { accounts: Mutex::new(3), audit: Mutex::new(4), rounds: 0 }
    }

    fn both(&self, way: Way) -> u16 {
        both(&self.accounts, &self.audit, way)
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_ref(&self, way: Way) -> u16 {
        self.both(way)
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_mut(&mut self, way: Way) -> &mut u16 {
        self.rounds += self.both(way);
        &mut self.rounds
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_value(self, way: Way) -> (u16, Mutex<u8>) {
        (self.both(way), self.accounts)
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_mut_value(mut self, way: Way) -> Self {
        self.rounds = self.both(way);
        self
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_arc(self: Arc<Self>, way: Way) -> (u16, Arc<Self>) {
        (self.both(way), self)
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_arc_ref(self: &Arc<Self>, way: Way) -> Arc<Self> {
        self.both(way);
        Arc::clone(self)
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_box(self: Box<Self>, way: Way) -> (u16, Box<Self>) {
        (self.both(way), self)
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_rc(self: Rc<Self>, way: Way) -> u16 {
        self.both(way)
    }

    #[lock_order(self.accounts < self.audit)]
    fn by_pin(self: Pin<&Self>, way: Way) -> u16 {
        self.both(way)
    }

    #[lock_order(bank.accounts < bank.audit)]
    fn without(bank: &Self, way: Way) -> u16 {
        bank.both(way)
    }

    #[lock_order(self.accounts < other.accounts, "Bank.*" < "nothing")]
    fn with_another(&self, other: &Self, way: Way) -> u8 {
        let (first, second) = match way {
            Way::Forwards => (self, other),
            Way::Backwards => (other, self),
        };
        let first = take(&first.accounts);
        *first + *take(&second.accounts)
    }
}

#[test]
fn by_every_kind_of_self() {
    let bank = Bank::new();
    binds(7, |way| bank.by_ref(way));
    binds(7, |way| *Bank::new().by_mut(way));
    binds(7, |way| Bank::new().by_value(way).0);
    binds(3, |way| Bank::new().by_value(way).1.into_inner().unwrap());
    binds(7, |way| Bank::new().by_mut_value(way).rounds);
    binds((7, 0), |way| {
        let (sum, bank) = Arc::new(Bank::new()).by_arc(way);
        (sum, bank.rounds)
    });
    binds(2, |way| {
        let bank = Arc::new(Bank::new());
        Arc::strong_count(&bank.by_arc_ref(way))
    });
    binds(7, |way| Box::new(Bank::new()).by_box(way).0);
    binds(7, |way| Rc::new(Bank::new()).by_rc(way));
    binds(7, |way| pin!(Bank::new()).as_ref().by_pin(way));
    binds(7, |way| Bank::without(&bank, way));
    binds(6, |way| bank.with_another(&Bank::new(), way));
    binds_not(7, |way| bank.both(way));
}

#[test]
fn one_that_borrows_gives_back_what_it_borrowed() {
    let mut bank = Bank::new();
    *bank.by_mut(Way::Forwards) += 1;
    assert_eq!(*bank.by_mut(Way::Forwards), 15);
}

/// Generic in all ways at once.
#[derive(LockFields)]
struct Table<'a, T: Copy + Into<u16> = u8, const N: usize = 2>
where
    T: 'a,
{
    rows: [Mutex<T>; N],
    log: &'a Mutex<u16>,
}

impl<'a, T: Copy + Into<u16>, const N: usize> Table<'a, T, N> {
    #[lock_order(self.rows[_] < self.log)]
    fn sum(&self, way: Way) -> u16 {
        let log = match way {
            Way::Forwards => None,
            Way::Backwards => Some(take(self.log)),
        };
        let sum = self.rows.iter().map(|row| (*take(row)).into()).sum();
        drop(log);
        sum
    }

    #[lock_order(each(self.rows) < self.log)]
    fn log<'b, U>(&'b self, more: U, way: Way) -> MutexGuard<'a, u16>
    where
        U: Into<u16>,
        'a: 'b,
    {
        let mut log = match way {
            Way::Forwards => {
                let _first = take(&self.rows[0]);
                take(self.log)
            }
            Way::Backwards => {
                let log = take(self.log);
                drop(take(&self.rows[0]));
                log
            }
        };
        *log += more.into();
        log
    }
}

#[test]
fn of_generic_types() {
    let log = Mutex::new(0);
    let bytes: Table<'_> = Table { rows: [const { Mutex::new(2) }; 2], log: &log };
    let words: Table<'_, u16, 3> = Table { rows: [const { Mutex::new(3) }; 3], log: &log };
    binds(4, |way| bytes.sum(way));
    binds(9, |way| words.sum(way));
    binds(1, |way| {
        *take(&log) = 0;
        *bytes.log(1_u8, way)
    });
}

trait Service {
    #[lock_order(pair.a < pair.b)]
    fn provided(&self, pair: &Pair, way: Way) -> u16 {
        pair.both(way)
    }

    #[lock_order(pair.a < pair.b)]
    fn generic<T: From<u16>>(pair: &Pair, way: Way) -> T
    where
        Self: Sized,
    {
        pair.both(way).into()
    }

    fn required(&self, way: Way) -> u16;
}

impl Service for Pair {
    #[lock_order(self.a < self.b)]
    fn required(&self, way: Way) -> u16 {
        self.both(way)
    }
}

impl Service for &Pair {
    /// Overrides what binds, and so is not bound.
    fn provided(&self, pair: &Pair, way: Way) -> u16 {
        pair.both(way)
    }

    fn required(&self, way: Way) -> u16 {
        self.both(way)
    }
}

#[test]
fn of_traits() {
    let pair = Pair::new();
    binds(7, |way| pair.required(way));
    binds(7, |way| pair.provided(&pair, way));
    binds(7, |way| {
        let object: &dyn Service = &pair;
        object.provided(&pair, way) + object.required(Way::Forwards) - 7
    });
    binds(7_u32, |way| Pair::generic(&pair, way));
    binds_not(14, |way| Service::provided(&&pair, &pair, way) + Service::required(&&pair, way));
}
