//! What each rule says when it is broken: its declaration, the function in force, the places of both locks
//! where there are two, and what is held.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::report;
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{
    LockFields, assert_held, assert_no_locks_held, assert_not_held, lock_acquires, lock_budget,
    lock_class, lock_excludes, lock_only, lock_order, lock_releases, lock_requires, lock_scope,
    may_block, named, no_block, thread,
};

struct Bank {
    accounts: Mutex<Vec<i64>>,
    audit: Mutex<Vec<String>>,
    shards: [Mutex<u8>; 2],
}

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn spend_time() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(5) {
        std::hint::spin_loop();
    }
}

lock_class!(UPPER, "told.upper", rank = 10);
lock_class!(LOWER, "told.lower", rank = 20);
lock_class!(LEAF, "told.leaf", leaf);
lock_class!(FIRST, "told.first", first);
lock_class!(SPIN, "told.spin", spin);

impl Bank {
    fn new() -> Self {
        Self {
            accounts: Mutex::new(Vec::new()),
            audit: Mutex::new(Vec::new()),
            shards: [Mutex::new(0), Mutex::new(0)],
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<i64>> {
        self.accounts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[lock_order(self.accounts < self.audit)]
    fn transfer(&self) {
        let _audit = self.audit.lock().unwrap();
        let _accounts = self.locked();
    }

    #[lock_order(strict, self.accounts < self.audit)]
    fn logs(&self) {
        let _audit = self.audit.lock().unwrap();
    }

    #[lock_order(self.shards[_] < self.audit)]
    fn splits(&self) {
        let _one = self.shards[0].lock().unwrap();
        let _other = self.shards[1].lock().unwrap();
    }

    #[lock_order(each(self.shards[_] by addr))]
    fn sorts(&self) {
        let _one = self.shards[1].lock().unwrap();
        let _other = self.shards[0].lock().unwrap();
    }

    #[lock_requires(self.accounts)]
    fn debit(&self) {}

    #[lock_requires(self.accounts)]
    fn ends(&self, accounts: MutexGuard<'_, Vec<i64>>) {
        drop(accounts);
    }

    #[lock_excludes(self.accounts)]
    fn open(&self) {}

    #[lock_only(self.audit)]
    fn only_logs(&self) {
        let _audit = self.audit.lock().unwrap();
        let _accounts = self.locked();
    }

    #[lock_only()]
    fn takes_nothing(&self) {
        let _accounts = self.locked();
    }

    #[lock_acquires(self.accounts)]
    fn begin(&self) {}

    #[lock_releases(self.accounts)]
    fn commit(&self) {}

    #[no_block]
    fn on_tick(&self) {
        let _accounts = self.locked();
    }

    #[no_block]
    fn calls(&self) {
        self.waits();
    }

    #[may_block]
    fn waits(&self) {}

    #[lock_budget(hold = "1ms")]
    fn holds(&self) {
        let _accounts = self.locked();
        spend_time();
    }

    #[lock_budget(await_hold = "0")]
    async fn suspends(&self) {
        let _accounts = self.accounts.lock().unwrap();
        Pause(false).await;
    }

    #[lock_budget(wait = "1us")]
    fn is_late(&self) {
        let _accounts = self.locked();
    }

    fn checks(&self) {
        let _audit = self.audit.lock().unwrap();
        assert_held!(self.accounts);
    }

    fn checks_not(&self) {
        let _audit = self.audit.lock().unwrap();
        assert_not_held!(self.audit);
    }

    fn checks_all(&self) {
        let _audit = self.audit.lock().unwrap();
        assert_no_locks_held!();
    }
}

/// Is pending once.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Runs `body` while another thread holds the accounts until somebody waits for them, or has ended.
fn while_they_are_held(bank: &Bank, body: impl FnOnce() + Send) {
    let accounts = take(&bank.accounts);
    thread::scope(|scope| {
        let other =
            thread::Builder::new().name("late".to_owned()).spawn_scoped(scope, body).unwrap();
        let waits = || {
            let agents = sync_trace::snapshot().agents;
            let is_late = |name: Option<&str>| name == Some("late");
            agents.iter().any(|one| is_late(one.agent.name.as_deref()) && one.wait.is_some())
        };
        while !waits() && !other.is_finished() {
            std::hint::spin_loop();
        }
        spend_time();
        drop(accounts);
        if let Err(panic) = other.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// The report on what `body` breaks has a first line that ends so, and says all of this.
#[track_caller]
fn check(body: impl FnOnce(&Bank), title: &str, says: &[&str]) {
    let bank = Bank::new();
    let report = report(|| body(&bank));
    let first = report.lines().next().unwrap_or_default();
    let missing: Vec<_> = says.iter().filter(|said| !report.contains(**said)).collect();
    assert!(first.starts_with("error[ST") && first.ends_with(title), "no `{title}` in\n{report}");
    assert!(missing.is_empty(), "no {missing:?} in\n{report}");
}

#[test]
fn orders() {
    check(
        Bank::transfer,
        "[ST0102]: declared lock order violated in `Bank::transfer`: `Bank.accounts` is taken while \
         `Bank.audit` is held",
        &[
            "#[lock_order(self.accounts < self.audit)]",
            "order declared here",
            "fn transfer(&self)",
            "in force until this call returns",
            "let _audit = self.audit.lock().unwrap();",
            "took `Bank.audit` here and still holds it",
            "self.accounts.lock().unwrap_or_else",
            "takes `Bank.accounts` too late here",
            "= held: `Bank.audit`  taken at ",
        ],
    );
    check(
        Bank::logs,
        "[ST0102]: declared lock order violated in `Bank::logs`: `Bank.audit` is taken while \
         `self.accounts` is not held",
        &[
            "#[lock_order(strict, self.accounts < self.audit)]",
            "fn logs(&self)",
            "let _audit = self.audit.lock().unwrap();",
            "= held: nothing",
            "= help: take `self.accounts` first",
        ],
    );
    check(
        Bank::splits,
        "",
        &[
            "error[ST0104]",
            "#[lock_order(self.shards[_] < self.audit)]",
            "fn splits(&self)",
            "let _one = self.shards[0].lock().unwrap();",
            "let _other = self.shards[1].lock().unwrap();",
            "= held: ",
        ],
    );
    check(
        Bank::sorts,
        "",
        &[
            "error[ST0104]",
            "#[lock_order(each(self.shards[_] by addr))]",
            "fn sorts(&self)",
            "let _one = self.shards[1].lock().unwrap();",
            "let _other = self.shards[0].lock().unwrap();",
            "= held: ",
        ],
    );
    check(
        |bank| {
            lock_scope!(order(bank.accounts < bank.audit); {
                let _audit = take(&bank.audit);
                drop(bank.accounts.lock());
            });
        },
        "declared lock order violated in `orders`: `Bank.accounts` is taken while `Bank.audit` is held",
        &[
            "lock_scope!(order(bank.accounts < bank.audit); {",
            "drop(bank.accounts.lock());",
            "= held: ",
        ],
    );
}

#[test]
fn classes() {
    let pair = |outer: &Mutex<u8>, inner: &Mutex<u8>| {
        let _outer = outer.lock().unwrap();
        drop(inner.lock());
    };
    let both = ["let _outer = outer.lock().unwrap();", "drop(inner.lock());", "= held: "];
    let check = |outer: Mutex<u8>, inner: Mutex<u8>, says: &[&str]| {
        check(|_| pair(&outer, &inner), "", &[&both, says].concat());
    };
    check(
        named!(class(LOWER), Mutex::new(1)),
        named!(class(UPPER), Mutex::new(2)),
        &[
            "error[ST0102]",
            "lock_class!(UPPER, \"told.upper\", rank = 10);",
            "lock_class!(LOWER, \"told.lower\", rank = 20);",
        ],
    );
    check(
        named!(class(LEAF), Mutex::new(1)),
        Mutex::new(2),
        &["error[ST0203]", "lock_class!(LEAF, \"told.leaf\", leaf);"],
    );
    check(
        Mutex::new(1),
        named!(class(FIRST), Mutex::new(2)),
        &["lock_class!(FIRST, \"told.first\", first);"],
    );
}

#[derive(Default, LockFields)]
struct Ledger {
    #[lock(before = pages)]
    index: Mutex<u8>,
    pages: Mutex<u8>,
}

#[test]
fn orders_of_fields() {
    let ledger = Ledger::default().named();
    let report = report(|| {
        let _pages = ledger.pages.lock().unwrap();
        drop(ledger.index.lock());
    });
    for part in [
        "[ST0102]: declared lock order violated: `Ledger.index` is taken while `Ledger.pages` is held",
        "#[lock(before = pages)]",
        "----- order declared here",
        "let _pages = ledger.pages.lock().unwrap();",
        "drop(ledger.index.lock());",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    // It is no call.
    assert!(!report.contains("in force"), "{report}");
}

#[test]
fn what_is_held() {
    check(
        Bank::debit,
        "[ST0201]: `Bank::debit` requires `self.accounts`, which is not held",
        &["#[lock_requires(self.accounts)]", "fn debit(&self)", "= held: nothing"],
    );
    check(
        |bank| bank.ends(bank.locked()),
        "[ST0201]: `Bank::ends` requires `self.accounts`, which is not held any more when it returns",
        &["#[lock_requires(self.accounts)]", "fn ends(&self", "= held: nothing"],
    );
    check(
        |bank| {
            let _accounts = bank.locked();
            bank.open();
        },
        "[ST0202]: `Bank::open` excludes `self.accounts`, which is held",
        &[
            "#[lock_excludes(self.accounts)]",
            "fn open(&self)",
            "self.accounts.lock().unwrap_or_else",
            "took `Bank.accounts` here and still holds it",
            "= held: `Bank.accounts`  taken at ",
        ],
    );
    check(
        Bank::only_logs,
        "[ST0203]: `Bank.accounts` is taken in `Bank::only_logs`, which may take only `self.audit`",
        &[
            "#[lock_only(self.audit)]",
            "fn only_logs(&self)",
            "takes `Bank.accounts` here",
            "= held: `Bank.audit`  taken at ",
        ],
    );
    check(
        Bank::takes_nothing,
        "[ST0203]: `Bank.accounts` is taken in `Bank::takes_nothing`, which may take no lock",
        &["#[lock_only()]", "fn takes_nothing(&self)", "= held: nothing"],
    );
    check(
        Bank::begin,
        "[ST0204]: `Bank::begin` is declared to acquire `self.accounts`, but returns without it",
        &["#[lock_acquires(self.accounts)]", "fn begin(&self)", "= held: nothing"],
    );
    check(
        |bank| {
            let _accounts = bank.locked();
            bank.commit();
        },
        "[ST0204]: `Bank::commit` is declared to release `self.accounts`, but returns while it is held",
        &[
            "#[lock_releases(self.accounts)]",
            "fn commit(&self)",
            "took `Bank.accounts` here and still holds it",
            "= held: `Bank.accounts`  taken at ",
        ],
    );
}

#[test]
fn what_blocks() {
    check(
        |bank| while_they_are_held(bank, || bank.on_tick()),
        "",
        &[
            "error[ST0303]: `Bank::on_tick` must not block, and would wait for `Bank.accounts`",
            "#[no_block]",
            "fn on_tick(&self)",
            "in force until this call returns",
            "self.accounts.lock().unwrap_or_else",
            "= held: nothing",
        ],
    );
    check(
        Bank::calls,
        "[ST0303]: `Bank::waits` may block, and is called where nothing may",
        &["#[may_block]", "fn waits(&self)", "#[no_block]", "fn calls(&self)", "= held: nothing"],
    );
    check(
        |_| {
            let spin = named!(class(SPIN), Mutex::new(1));
            let _spin = spin.lock().unwrap();
            thread::sleep(Duration::ZERO);
        },
        "while `told.spin` is held",
        &[
            "error[ST0303]",
            "lock_class!(SPIN, \"told.spin\", spin);",
            "let _spin = spin.lock().unwrap();",
            "thread::sleep(Duration::ZERO);",
            "= held: `told.spin`  taken at ",
        ],
    );
}

#[test]
fn what_lasts_too_long() {
    check(
        Bank::holds,
        "in `Bank::holds`, which allows 1.00 ms",
        &[
            "error[ST0402]: `Bank.accounts` was held ",
            "#[lock_budget(hold = \"1ms\")]",
            "fn holds(&self)",
            "self.accounts.lock().unwrap_or_else",
            "= held: ",
        ],
    );
    check(
        |bank| while_they_are_held(bank, || bank.is_late()),
        "in `Bank::is_late`, which allows 1.00 us",
        &[
            "error[ST0401]: `Bank.accounts` was waited for ",
            "#[lock_budget(wait = \"1us\")]",
            "fn is_late(&self)",
            "self.accounts.lock().unwrap_or_else",
            "= held: ",
        ],
    );
    check(
        |bank| {
            let mut future = pin!(bank.suspends());
            let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        },
        "`Bank.accounts` is held while a task is suspended in `Bank::suspends`",
        &[
            "error[ST0301]",
            "#[lock_budget(await_hold = \"0\")]",
            "async fn suspends(&self)",
            "let _accounts = self.accounts.lock().unwrap();",
            "= held: `Bank.accounts`  taken at ",
        ],
    );
}

#[test]
fn assertions() {
    let audit = ["let _audit = self.audit.lock().unwrap();", "= held: `Bank.audit`  taken at "];
    check(
        Bank::checks,
        "[ST0201]: `assert_held!` does not hold: `self.accounts` is not held",
        &["assert_held!(self.accounts);", audit[1], "= help: take `self.accounts` before"],
    );
    check(
        Bank::checks_not,
        "[ST0202]: `assert_not_held!` does not hold: `Bank.audit` is held",
        &["assert_not_held!(self.audit);", audit[0], audit[1]],
    );
    check(
        Bank::checks_all,
        "[ST0202]: `assert_no_locks_held!` does not hold: `Bank.audit` is held",
        &["assert_no_locks_held!();", audit[0], audit[1]],
    );
}
