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
//! error[ST0102]: declared lock order violated in `Bank::pay_out`: `Bank.accounts` is taken while `Bank.audit` is held
//!   --> examples/src/bin/declared_order.rs:76:23
//!    |
//! 69 |         let mut audit = self.audit.lock().unwrap();
//!    |                                    ---- 'main' (21852) took `Bank.audit` here and still holds it
//! ...
//! 74 |     #[lock_order(self.accounts < self.audit)]
//!    |                  -------------------------- order declared here
//! 75 |     fn pay_out(&self, from: usize, amount: i64) {
//!    |        ------- in force until this call returns
//! 76 |         self.accounts.lock().unwrap()[from] -= amount;
//!    |                       ^^^^ 'main' (21852) takes `Bank.accounts` too late here
//!    |
//!    = locks: Bank.accounts  std Mutex<Vec<i64>>     #1, created at examples/src/bin/declared_order.rs:46:15
//!             Bank.audit     std Mutex<Vec<String>>  #2, created at examples/src/bin/declared_order.rs:47:12
//!    = threads: 'main'  (21852)
//!    = held: `Bank.audit`  taken at examples/src/bin/declared_order.rs:69
//!    = note: this thread panics before it takes `Bank.accounts`, and unwinding releases its guards
//!    = help: take `Bank.accounts` before `Bank.audit`, or release `Bank.audit` first
//!    = note: fingerprint 6308baaeaf02b25b; to accept it, put #[lock_exempt(reason = "..", ST0102)] on the function around it, or put into sync-trace.toml, with the reason:
//!            [[allow]]
//!            fingerprint = "6308baaeaf02b25b"
//!            reason = ""
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
