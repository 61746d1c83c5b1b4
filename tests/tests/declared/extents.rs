//! How far a declaration goes: calls in calls, ends of all kinds, threads.

use super::broken;
use std::panic::{AssertUnwindSafe, catch_unwind};
use sync_trace::finding::Broken;
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{lock_order, lock_scope, thread};

#[derive(Default)]
struct Pair {
    a: Mutex<u8>,
    b: Mutex<u16>,
}

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Pair {
    fn backwards(&self) {
        let _b = take(&self.b);
        drop(take(&self.a));
    }

    #[lock_order(self.a < self.b)]
    fn within(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(self.b < self.a)]
    fn other_way_round(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(inherit, self.a < self.b)]
    fn inherited(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(self.a < self.b)]
    fn fails(&self, early: bool) -> Result<u8, String> {
        if early {
            return Err("early".to_owned());
        }
        let value = Err::<u8, _>("late".to_owned())?;
        Ok(value)
    }

    #[lock_order(self.a < self.b)]
    fn recursive(&self, depth: u32) {
        match depth {
            0 => self.backwards(),
            _ => self.recursive(depth - 1),
        }
    }

    #[lock_order(self.a < self.b)]
    fn tail(&self) -> u8 {
        // A guard in the tail expression ends before the extent does.
        *take(&self.a)
    }
}

#[test]
fn the_inner_call_does_not_end_the_outer_one() {
    let pair = Pair::default();
    let nested = |pair: &Pair| {
        pair.within(|_| ());
        pair.backwards();
    };
    assert_eq!(broken(|| pair.within(nested)), [Broken::OutOfOrder]);
    assert_eq!(broken(|| pair.within(|_| ())), []);
    assert_eq!(broken(|| pair.backwards()), []);
}

#[test]
fn both_calls_bind() {
    let pair = Pair::default();
    let inner = |pair: &Pair| pair.other_way_round(Pair::backwards);
    assert_eq!(broken(|| pair.within(inner)), [Broken::OutOfOrder]);
    assert_eq!(broken(|| pair.other_way_round(Pair::backwards)), []);
    // Each speaks of the locks of its own call.
    let other = Pair::default();
    assert_eq!(broken(|| pair.within(|_| other.backwards())), []);
}

#[test]
fn every_way_out_ends_it() {
    let pair = Pair::default();
    assert!(pair.fails(true).is_err());
    assert_eq!(broken(|| pair.backwards()), []);
    assert!(pair.fails(false).is_err());
    assert_eq!(broken(|| pair.backwards()), []);
    assert!(catch_unwind(AssertUnwindSafe(|| pair.within(|_| panic!("on purpose")))).is_err());
    assert_eq!(broken(|| pair.backwards()), []);
    assert_eq!(pair.tail(), 0);
    assert_eq!(broken(|| pair.backwards()), []);
    assert_eq!(broken(|| pair.recursive(100)), [Broken::OutOfOrder]);
    assert_eq!(broken(|| pair.backwards()), []);
}

#[test]
fn it_binds_the_thread_that_called_and_others_only_if_they_inherit_it() {
    let pair = Pair::default();
    let in_child = |pair: &Pair| {
        let result = thread::scope(|scope| scope.spawn(|| pair.backwards()).join());
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    };
    assert_eq!(broken(|| pair.within(in_child)), []);
    assert_eq!(broken(|| pair.inherited(in_child)), [Broken::OutOfOrder]);
    let in_grandchild = |pair: &Pair| {
        thread::scope(|scope| scope.spawn(|| in_child(pair)).join().unwrap());
    };
    let caught = sync_trace::catch_findings(|| pair.inherited(in_grandchild));
    assert_eq!(caught.findings.len(), 1);
    assert_eq!(broken(|| in_child(&pair)), []);
}

#[test]
fn a_block_has_an_extent_of_its_own() {
    let pair = Pair::default();
    let call = || {
        let value = lock_scope!(order(pair.a < pair.b); {
            let _b = take(&pair.b);
            *take(&pair.a)
        });
        assert_eq!(value, 0);
    };
    assert_eq!(broken(call), [Broken::OutOfOrder]);
    let call = || {
        lock_scope!(order(pair.a < pair.b); {
            let _a = take(&pair.a);
            drop(take(&pair.b));
        });
        pair.backwards();
    };
    assert_eq!(broken(call), []);
}

#[test]
fn nothing_is_asked_while_nothing_is_recorded() {
    let pair = Pair::default();
    let quiet = || {
        let _quiet = sync_trace::mute();
        pair.within(Pair::backwards);
    };
    assert_eq!(broken(quiet), []);
    let inside = |pair: &Pair| {
        let _quiet = sync_trace::mute();
        pair.backwards();
    };
    assert_eq!(broken(|| pair.within(inside)), []);
}

#[test]
fn locks_that_were_never_used_are_places_too() {
    let call = || {
        let pair = Pair::default();
        pair.within(Pair::backwards);
    };
    assert_eq!(broken(call), [Broken::OutOfOrder]);
}
