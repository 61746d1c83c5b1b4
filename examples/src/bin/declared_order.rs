//! A bank that says in which order its locks are taken, and a colleague who does not know.
//!
//! Run it with `cargo run --bin declared_order`. The bank's authors have agreed that the accounts are
//! locked before the audit log, and have written it where every reader and every test meets it: on the
//! functions that take both, as `#[lock_order(self.accounts < self.audit)]`. Months later a colleague
//! adds an audited withdrawal. It begins the log entry first, which reads well and works, in every test:
//! there is one thread, nobody waits for anybody. On another day it would meet a transfer half-way.
//!
//! No second thread is needed to see it. `withdraw_audited` calls `pay_out`, whose order is in force for
//! what it calls and for what is held when it is called. The first test that runs the new function
//! fails, whatever the schedule, with this:
//!
//! ```text
//! REPORT
//! ```
//!
//! The cure is to take the two in the order that the bank declares: `withdraw_in_order`.

use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{LockFields, catch_findings, lock_order};

#[derive(LockFields)]
struct Bank {
    accounts: Mutex<Vec<i64>>,
    audit: Mutex<Vec<String>>,
}

impl Bank {
    fn open(balances: &[i64]) -> Self {
        Self { accounts: Mutex::new(balances.to_vec()), audit: Mutex::default() }.named()
    }

    #[lock_order(self.accounts < self.audit)]
    fn transfer(&self, from: usize, to: usize, amount: i64) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts[from] -= amount;
        accounts[to] += amount;
        self.note(format!("{amount} from {from} to {to}"));
    }

    fn note(&self, entry: String) {
        self.audit.lock().unwrap().push(entry);
    }

    /// The colleague's: the entry comes first, so that it is there whatever happens.
    fn withdraw_audited(&self, from: usize, amount: i64) {
        let mut audit = self.audit.lock().unwrap();
        audit.push(format!("{amount} from {from}, paid out"));
        self.pay_out(from, amount);
    }

    #[lock_order(self.accounts < self.audit)]
    fn pay_out(&self, from: usize, amount: i64) {
        self.accounts.lock().unwrap()[from] -= amount;
    }

    /// The cure: both in the bank's order, and the entry still comes first.
    #[lock_order(self.accounts < self.audit)]
    fn withdraw_in_order(&self, from: usize, amount: i64) {
        let (mut accounts, mut audit) = self.both();
        audit.push(format!("{amount} from {from}, paid out"));
        accounts[from] -= amount;
    }

    fn both(&self) -> (MutexGuard<'_, Vec<i64>>, MutexGuard<'_, Vec<String>>) {
        let accounts = self.accounts.lock().unwrap();
        (accounts, self.audit.lock().unwrap())
    }

    fn total(&self) -> i64 {
        self.accounts.lock().unwrap().iter().sum()
    }
}

fn main() {
    let bank = Bank::open(&[100, 100]);
    bank.transfer(0, 1, 30);
    bank.withdraw_in_order(1, 20);
    assert_eq!(bank.total(), 180);
    println!("in order: nothing found");

    if !sync_trace::is_on() {
        println!("the colleague's way: works, as long as nobody else is in the bank");
        bank.withdraw_audited(0, 10);
        return;
    }
    let caught = catch_findings(|| bank.withdraw_audited(0, 10));
    assert!(caught.result.is_err());
    assert_eq!(caught.findings.len(), 1);
    assert_eq!(bank.total(), 180, "nothing was taken against the order");
    println!("the colleague's way:\n{}", caught.findings[0]);
}
