//! The rules other than orders, alone and together; classes, hierarchies and names of fields.

use std::fmt::Debug;

use super::{Pair, Way, binds, binds_not, breaks, take};
use sync_trace::finding::Code;
use sync_trace::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use sync_trace::{
    LockFields, lock_acquires, lock_budget, lock_class, lock_excludes, lock_exempt, lock_hierarchy,
    lock_only, lock_order, lock_releases, lock_requires, locks, may_block, named, no_block,
};

lock_class!(pub(crate) ACCOUNTS, "uses.accounts", rank = 1);
lock_class!(
    /// Documented.
    #[doc(alias = "an attribute among others")]
    AUDIT, "uses.audit", rank = 2, leaf,
);

lock_hierarchy! { ACCOUNTS < { "uses.rates", "uses.log.*" < "uses.last" } < AUDIT }

#[derive(LockFields, Default)]
struct Bank<T: Default = u8>
where
    T: Debug,
{
    #[lock(before = audit)]
    accounts: Mutex<T>,
    #[lock(leaf, name = "uses.bank.audit")]
    audit: Arc<RwLock<Vec<T>>>,
    #[lock(after(accounts, "uses.first"))]
    third: Option<Box<Mutex<T>>>,
    #[lock(skip)]
    scratch: Mutex<T>,
    shards: Vec<Shard>,
    /// Plain.
    rounds: u8,
}

#[derive(LockFields)]
struct Tuple(Mutex<u8>, #[lock(after = 0)] Mutex<u16>);

#[derive(Default)]
struct Shard {
    lock: Mutex<u8>,
    id: u32,
}

impl<T: Default + Debug> Bank<T> {
    #[lock_requires(self.accounts)]
    #[no_block]
    fn requires(&mut self) -> &mut u8 {
        self.rounds += 1;
        &mut self.rounds
    }

    #[lock_requires(self.accounts)]
    fn requires_shared(&self) -> &Self {
        self
    }

    #[lock_excludes(self.accounts, read(self.audit))]
    fn excludes(&self) -> usize {
        drop(take(&self.accounts));
        self.audit.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    #[lock_acquires(self.accounts)]
    fn acquires(&self) -> MutexGuard<'_, T> {
        take(&self.accounts)
    }

    #[lock_acquires(self.accounts)]
    fn acquires_not(&self) {
        drop(take(&self.accounts));
    }

    #[lock_releases(self.accounts)]
    fn releases<'a>(&'a self, mut guard: MutexGuard<'a, T>) -> &'a Self {
        *guard = T::default();
        self
    }

    #[lock_releases(self.accounts)]
    fn releases_not<'a>(&'a self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        guard
    }

    #[lock_only(self.accounts, *self.audit, self.third)]
    fn only(&self, all: bool) -> bool {
        drop(take(&self.accounts));
        if all {
            drop(take(&self.scratch));
        }
        all
    }

    #[lock_order(each(self.shards[_].lock by |shard| shard.id), self.accounts)]
    fn by_key(&self, way: Way) -> usize {
        self.shard_by_shard(way)
    }

    #[lock_order(each(self.shards[_].lock by |shard: &Shard| -> i8 { -(shard.id as i8) }))]
    fn by_falling_key(&self, way: Way) -> usize {
        self.shard_by_shard(if way == Way::Forwards { Way::Backwards } else { Way::Forwards })
    }

    #[lock_order(each(self.shards[_].lock by addr))]
    fn by_addr(&self, way: Way) -> usize {
        self.shard_by_shard(way)
    }

    #[lock_order(each(self.shards[_].lock))]
    fn by_default(&self, way: Way) -> usize {
        self.shard_by_shard(way)
    }

    fn shard_by_shard(&self, way: Way) -> usize {
        let locks = self.shards.iter().map(|shard| &shard.lock);
        let guards: Vec<_> = match way {
            Way::Forwards => locks.map(take).collect(),
            Way::Backwards => locks.rev().map(take).collect(),
        };
        guards.len()
    }

    #[lock_budget(hold = "1h", wait = "1h")]
    #[may_block]
    fn within_budget(&self) -> T {
        std::mem::take(&mut *take(&self.accounts))
    }
}

fn bank() -> Bank {
    let shards = (0..3).map(|id| Shard { id, ..Shard::default() }).collect();
    Bank { shards, ..Bank::default() }.named()
}

#[test]
fn what_is_held_at_the_borders() {
    let bank = bank();
    breaks(&[], || {
        let _guard = take(&bank.accounts);
        assert_eq!(bank.requires_shared().rounds, 0);
    });
    breaks(&[Code::NotHeld], || assert_eq!(bank.requires_shared().rounds, 0));
    breaks(&[Code::NotHeld], || assert_eq!(*Bank::<u8>::default().requires(), 1));
    breaks(&[], || assert_eq!(bank.excludes(), 0));
    breaks(&[], || {
        let mut guard = bank.acquires();
        *guard = 5;
        assert_eq!(*take(&bank.releases(guard).accounts), 0);
    });
    breaks(&[Code::Unbalanced], || bank.acquires_not());
    breaks(&[Code::Unbalanced], || drop(bank.releases_not(take(&bank.accounts))));
    if sync_trace::ENABLED {
        breaks(&[Code::Excluded], || {
            let _guard = take(&bank.accounts);
            bank.excludes();
        });
    }
}

#[test]
fn what_may_be_taken() {
    let bank = bank();
    breaks(&[], || assert!(!bank.only(false)));
    breaks(&[Code::NotAllowed], || assert!(bank.only(true)));
    breaks(&[], || assert_eq!(bank.within_budget(), 0));
}

#[test]
fn the_order_of_each() {
    let bank = bank();
    let calls: [fn(&Bank, Way) -> usize; 4] =
        [Bank::by_key, Bank::by_falling_key, Bank::by_addr, Bank::by_default];
    for call in calls {
        breaks(&[], || assert_eq!(call(&bank, Way::Forwards), 3));
        breaks(&[Code::SameClass], || assert_eq!(call(&bank, Way::Backwards), 3));
    }
}

#[locks(order(pair.a < pair.b), only(pair.a, pair.b), excludes(pair.a), budget(wait = "1h"), may_block)]
fn combined(pair: &Pair, way: Way) -> u16 {
    pair.both(way)
}

#[locks(exempt(reason = "nobody else is there", ST0102), order(pair.a < pair.b))]
fn exempt(pair: &Pair, way: Way) -> u16 {
    pair.both(way)
}

#[lock_order(pair.a < pair.b)]
fn partly_exempt(pair: &Pair, outside: Way, inside: Way) -> u16 {
    #[lock_exempt(reason = "nobody else is there", ST0102)]
    fn inner(pair: &Pair, way: Way) -> u16 {
        pair.both(way)
    }
    inner(pair, inside) + pair.both(outside)
}

#[test]
fn several_rules_at_once() {
    let pair = Pair::new();
    binds(7, |way| combined(&pair, way));
    binds_not(7, |way| exempt(&pair, way));
    binds_not(14, |way| partly_exempt(&pair, Way::Forwards, way));
    binds(14, |way| partly_exempt(&pair, way, Way::Forwards));
}

#[lock_order(class(ACCOUNTS) < class(AUDIT))]
fn of_classes(pair: &Pair, way: Way) -> u16 {
    pair.both(way)
}

#[lock_order(strict, local, "uses.here.a" < "uses.here.b")]
fn of_names(pair: &Pair, way: Way) -> u16 {
    pair.both(way)
}

#[lock_order(of(u8) < of(u16))]
fn of_types(pair: &Pair, way: Way) -> u16 {
    pair.both(way)
}

#[test]
fn of_classes_names_and_types() {
    assert_eq!([ACCOUNTS.name(), AUDIT.name()], ["uses.accounts", "uses.audit"]);
    let classed =
        Pair { a: named!(class(ACCOUNTS), Mutex::new(3)), b: named!(class(AUDIT), Mutex::new(4)) };
    binds(7, |way| of_classes(&classed, way));
    let named =
        Pair { a: named!("uses.here.a", Mutex::new(3)), b: named!("uses.here.b", Mutex::new(4)) };
    binds(7, |way| of_names(&named, way));
    let plain = Pair::new();
    binds(7, |way| of_types(&plain, way));
    binds_not(7, |way| of_classes(&plain, way) + of_names(&plain, way) - 7);
}

#[test]
fn of_fields_everywhere() {
    let tuple = Tuple(Mutex::new(3), Mutex::new(4)).named();
    binds(7, |way| super::both(&tuple.0, &tuple.1, way));
}
