//! Transfers between two accounts, first the wrong way, then the right one.
//!
//! Run it with `cargo run --bin bank_transfer`. A transfer needs both accounts at once. Whoever locks
//! the payer first and then the payee has a deadlock in store: two transfers in opposite directions,
//! at the same moment. The barrier makes that moment come every time; the thread that would close the
//! circle panics with the report, and the other transfer goes through. Locking the account with the
//! lower number first, whoever pays, leaves no circle to close.

use sync_trace::finding::Code;
use sync_trace::sync::{Barrier, Mutex};
use sync_trace::{named, thread};

const ROUNDS: usize = 1_000;

struct Account {
    balance: i64,
}

type Accounts = [Mutex<Account>; 2];

fn open() -> Accounts {
    [
        named!("account 0", Mutex::new(Account { balance: 100 })),
        named!("account 1", Mutex::new(Account { balance: 100 })),
    ]
}

/// The wrong way: which account is locked first depends on who pays. `between` runs after that.
fn transfer(accounts: &Accounts, from: usize, to: usize, amount: i64, between: impl FnOnce()) {
    let mut payer = accounts[from].lock().unwrap();
    between();
    let mut payee = accounts[to].lock().unwrap();
    payer.balance -= amount;
    payee.balance += amount;
}

/// The right way: the account with the lower number is always locked first.
fn transfer_in_order(accounts: &Accounts, from: usize, to: usize, amount: i64) {
    let mut low = accounts[from.min(to)].lock().unwrap();
    let mut high = accounts[from.max(to)].lock().unwrap();
    let (payer, payee) = if from < to { (&mut low, &mut high) } else { (&mut high, &mut low) };
    payer.balance -= amount;
    payee.balance += amount;
}

/// Runs one thread for each direction and tells how many of them panicked.
fn both_ways(work: impl Fn(usize, usize) + Sync) -> usize {
    let work = &work;
    thread::scope(|scope| {
        let transfers = [("alice", 0, 1), ("bob", 1, 0)].map(|(name, from, to)| {
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn_scoped(scope, move || work(from, to)).unwrap()
        });
        transfers.map(|transfer| transfer.join().is_err()).into_iter().filter(|&gone| gone).count()
    })
}

fn total(accounts: Accounts) -> i64 {
    accounts.into_iter().map(|account| account.into_inner().unwrap().balance).sum()
}

fn wrong_way() {
    let accounts = open();
    let each_holds_one = Barrier::new(2);
    let panicked = both_ways(|from, to| {
        transfer(&accounts, from, to, 30, || {
            each_holds_one.wait();
        });
    });
    assert_eq!(panicked, 1, "one of the two gives way");

    // Taken, they count as noticed: else the process would end with status 66.
    let findings = sync_trace::take_findings();
    assert_eq!(findings.len(), 1);
    let code = findings[0].code;
    assert_eq!(code, Code::Deadlock);
    let who = findings[0].links[0].agent.name.as_deref().unwrap_or("somebody");
    println!("wrong way: {code} was found; {who} gave way, and the other transfer went through");
    assert_eq!(total(accounts), 200);
}

fn right_way() {
    let accounts = open();
    let panicked = both_ways(|from, to| {
        (0..ROUNDS).for_each(|_| transfer_in_order(&accounts, from, to, 1));
    });
    assert_eq!(panicked, 0);
    assert!(sync_trace::findings().is_empty());
    assert_eq!(total(accounts), 200);
    println!("right way: {} transfers, nothing found, and no money lost", 2 * ROUNDS);
}

fn main() {
    if sync_trace::is_on() {
        wrong_way();
    } else {
        println!("wrong way: skipped, because this run is not traced and it would hang for ever");
    }
    right_way();
}
