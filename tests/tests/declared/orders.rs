//! `#[lock_order]` inside one call.

use super::broken;
use std::collections::HashMap;
use std::sync::Arc;
use sync_trace::finding::Broken;
use sync_trace::lock_order;
use sync_trace::sync::{Mutex, MutexGuard, RwLock};

#[derive(Default)]
struct Bank {
    accounts: Mutex<Vec<i64>>,
    audit: Mutex<Vec<String>>,
    rates: RwLock<HashMap<String, i64>>,
    shards: [Mutex<u32>; 3],
    log: Mutex<()>,
}

impl Bank {
    #[lock_order(self.accounts < self.audit)]
    fn in_order(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(self.accounts, self.audit, self.log)]
    fn list(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(self.shards[_] < self.log)]
    fn shards(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(each(self.shards[_]) < self.log)]
    fn each_shard(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(write(self.rates) < self.log)]
    fn writes(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(local, self.accounts < self.audit)]
    fn local(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(strict, self.accounts < self.audit)]
    fn strict(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_order(of(Vec<i64>) < of(Vec<String>))]
    fn types(&self, f: impl FnOnce(&Self)) {
        f(self);
    }
}

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn backwards(bank: &Bank) {
    let _audit = take(&bank.audit);
    let _accounts = take(&bank.accounts);
}

fn forwards(bank: &Bank) {
    let _accounts = take(&bank.accounts);
    let _audit = take(&bank.audit);
}

#[test]
fn a_lock_is_taken_too_late() {
    let bank = Bank::default();
    assert_eq!(broken(|| bank.in_order(backwards)), [Broken::OutOfOrder]);
    assert_eq!(broken(|| bank.in_order(forwards)), []);
    assert_eq!(broken(|| backwards(&bank)), [], "outside");
}

#[test]
fn it_is_broken_each_time() {
    let bank = Bank::default();
    for _ in 0..3 {
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bank.in_order(backwards)));
        assert!(result.is_err());
    }
    let me = std::thread::current().name().unwrap_or_default().to_owned();
    let findings = sync_trace::take_findings_where(|finding| finding.roots.contains(&me));
    assert_eq!(findings.len(), 1, "one for each place");
}

#[test]
fn one_after_the_other_is_no_order() {
    let bank = Bank::default();
    let apart = |bank: &Bank| {
        drop(take(&bank.audit));
        drop(take(&bank.accounts));
    };
    assert_eq!(broken(|| bank.in_order(apart)), []);
}

#[test]
fn what_was_taken_before_the_call_counts() {
    let bank = Bank::default();
    let call = || {
        let _audit = take(&bank.audit);
        bank.in_order(|bank| drop(take(&bank.accounts)));
    };
    assert_eq!(broken(call), [Broken::OutOfOrder]);
    let call = || {
        let _audit = take(&bank.audit);
        bank.local(|bank| drop(take(&bank.accounts)));
    };
    assert_eq!(broken(call), [], "but not where only the inside does");
    assert_eq!(broken(|| bank.local(backwards)), [Broken::OutOfOrder]);
}

#[test]
fn a_list_is_a_chain() {
    let bank = Bank::default();
    let skipped = |bank: &Bank| {
        let _log = take(&bank.log);
        drop(take(&bank.accounts));
    };
    assert_eq!(broken(|| bank.list(skipped)), [Broken::OutOfOrder]);
    let in_order = |bank: &Bank| {
        let _accounts = take(&bank.accounts);
        drop(take(&bank.log));
    };
    assert_eq!(broken(|| bank.list(in_order)), []);
}

#[test]
fn only_what_waits_can_be_too_late() {
    let bank = Bank::default();
    let tries = |bank: &Bank| {
        let _audit = take(&bank.audit);
        drop(bank.accounts.try_lock());
    };
    assert_eq!(broken(|| bank.in_order(tries)), []);
    let tried = |bank: &Bank| {
        let _audit = bank.audit.try_lock();
        drop(take(&bank.accounts));
    };
    assert_eq!(broken(|| bank.in_order(tried)), [Broken::OutOfOrder], "but it counts as held");
}

#[test]
fn two_of_one_element_are_held_only_in_a_declared_order() {
    let bank = Bank::default();
    let ascending = |bank: &Bank| {
        let _first = take(&bank.shards[0]);
        drop(take(&bank.shards[2]));
    };
    let descending = |bank: &Bank| {
        let _last = take(&bank.shards[2]);
        drop(take(&bank.shards[0]));
    };
    assert_eq!(broken(|| bank.shards(ascending)), [Broken::SameElement]);
    assert_eq!(broken(|| bank.each_shard(ascending)), []);
    assert_eq!(broken(|| bank.each_shard(descending)), [Broken::KeysDescend]);
    let after_the_log = |bank: &Bank| {
        let _log = take(&bank.log);
        drop(take(&bank.shards[1]));
    };
    assert_eq!(broken(|| bank.each_shard(after_the_log)), [Broken::OutOfOrder]);
}

#[test]
fn a_mode_restricts_what_is_meant() {
    let bank = Bank::default();
    let reads = |bank: &Bank| {
        let _log = take(&bank.log);
        drop(bank.rates.read());
    };
    let writes = |bank: &Bank| {
        let _log = take(&bank.log);
        drop(bank.rates.write());
    };
    assert_eq!(broken(|| bank.writes(reads)), []);
    assert_eq!(broken(|| bank.writes(writes)), [Broken::OutOfOrder]);
}

#[test]
fn a_strict_order_asks_for_what_comes_before() {
    let bank = Bank::default();
    assert_eq!(broken(|| bank.strict(|bank| drop(take(&bank.audit)))), [Broken::NotAfter]);
    assert_eq!(broken(|| bank.strict(forwards)), []);
    assert_eq!(broken(|| bank.in_order(|bank| drop(take(&bank.audit)))), []);
}

#[test]
fn types_stand_for_what_they_protect() {
    let bank = Bank::default();
    assert_eq!(broken(|| bank.types(backwards)), [Broken::OutOfOrder]);
    assert_eq!(broken(|| bank.types(forwards)), []);
}

struct Account {
    id: u64,
    balance: Mutex<i64>,
}

#[lock_order(each(from.balance, to.balance by addr))]
fn transfer_by_address(from: &Account, to: &Account) {
    let _from = take(&from.balance);
    drop(take(&to.balance));
}

#[test]
fn the_two_accounts_of_a_transfer_are_taken_by_address() {
    let accounts = [(), ()].map(|()| Account { id: 0, balance: Mutex::new(0) });
    assert_eq!(broken(|| transfer_by_address(&accounts[0], &accounts[1])), []);
    let backwards = broken(|| transfer_by_address(&accounts[1], &accounts[0]));
    assert_eq!(backwards, [Broken::KeysDescend]);
}

#[test]
fn or_by_a_key_of_their_own() {
    #[lock_order(each(accounts[_].balance by |account: &Account| account.id))]
    fn both(accounts: &[Account], [first, then]: [usize; 2]) {
        let _first = take(&accounts[first].balance);
        drop(take(&accounts[then].balance));
    }
    let accounts = [7, 3].map(|id| Account { id, balance: Mutex::new(0) });
    assert_eq!(broken(|| both(&accounts, [1, 0])), []);
    assert_eq!(broken(|| both(&accounts, [0, 1])), [Broken::KeysDescend]);
}

#[test]
fn arguments_and_shared_pointers_are_places() {
    #[lock_order(first < then)]
    fn both(first: &Arc<Mutex<u8>>, then: Arc<Mutex<u16>>, is_forwards: bool) {
        if is_forwards {
            let _first = take(first);
            drop(take(&then));
        } else {
            let _then = take(&then);
            drop(take(first));
        }
    }
    let (first, then) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    assert_eq!(broken(|| both(&first, Arc::clone(&then), true)), []);
    assert_eq!(broken(|| both(&first, then, false)), [Broken::OutOfOrder]);
}

#[test]
fn a_mutex_that_a_condvar_takes_back_is_asked_for_again() {
    use std::time::Duration;
    use sync_trace::sync::Condvar;

    #[lock_order(queue < log)]
    fn waits(queue: &Mutex<u8>, log: &Mutex<()>, signal: &Condvar, holds_log: bool) {
        let queue = take(queue);
        let log = holds_log.then(|| take(log));
        let _ = signal.wait_timeout(queue, Duration::from_millis(1));
        drop(log);
    }
    let (queue, log, signal) = (Mutex::new(0), Mutex::new(()), Condvar::new());
    assert_eq!(broken(|| waits(&queue, &log, &signal, false)), []);
    assert_eq!(broken(|| waits(&queue, &log, &signal, true)), [Broken::OutOfOrder]);
}
