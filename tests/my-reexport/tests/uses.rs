//! A user of sync-trace by way of another crate: here, no path that begins with `sync_trace` leads anywhere.

use my_reexport::finding::Code;
use my_reexport::sync::{Mutex, MutexGuard, PoisonError};
use my_reexport::{
    LockFields, catch_findings, lock_class, lock_hierarchy, lock_order, lock_scope, locks,
};

lock_class!(ACCOUNTS, "reexported.accounts", rank = 1, crate = "my_reexport");
lock_class!(AUDIT, "reexported.audit", rank = 2, crate = "my_reexport::tracer");
lock_hierarchy! { crate = "my_reexport", ACCOUNTS < AUDIT }

#[derive(LockFields)]
#[lock(crate = "my_reexport")]
struct Bank {
    #[lock(before = audit)]
    accounts: Mutex<u8>,
    #[lock(leaf)]
    audit: Mutex<u16>,
}

fn take<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bank {
    fn new() -> Self {
        Self { accounts: Mutex::new(3), audit: Mutex::new(4) }
    }

    fn both(&self, backwards: bool) -> u16 {
        let early = backwards.then(|| take(&self.audit));
        let accounts = take(&self.accounts);
        drop(early);
        u16::from(*accounts) + *take(&self.audit)
    }

    #[lock_order(crate = "my_reexport", self.accounts < self.audit)]
    fn by_ref(&self, backwards: bool) -> u16 {
        self.both(backwards)
    }

    #[my_reexport::tracer::lock_order(crate = "my_reexport::tracer", self.accounts < self.audit)]
    async fn later(&self, backwards: bool) -> u16 {
        self.both(backwards)
    }

    #[locks(crate = "my_reexport", order(self.accounts < self.audit), only(self.accounts, self.audit))]
    fn boxed(&self, backwards: bool) -> Box<dyn Fn() -> u16 + '_> {
        let sum = self.both(backwards);
        Box::new(move || sum)
    }

    fn scope(&self, backwards: bool) -> u16 {
        lock_scope!(crate = "my_reexport", order(self.accounts < self.audit); {
            self.both(backwards)
        })
    }
}

#[lock_order(crate = "my_reexport", bank.accounts < bank.audit)]
mod free {
    pub(super) fn function(bank: &super::Bank, backwards: bool) -> u16 {
        bank.both(backwards)
    }
}

/// Asserts that `call` is bound by an order.
#[track_caller]
fn binds(call: impl Fn(&Bank, bool) -> u16) {
    let bank = Bank::new();
    for backwards in [false, true] {
        let caught = catch_findings(|| call(&bank, backwards));
        if my_reexport::ENABLED && backwards {
            assert_eq!(caught.findings.len(), 1);
            assert_eq!(caught.findings[0].code, Code::OrderBroken);
        } else {
            assert!(caught.findings.is_empty(), "{:?}", caught.findings);
            assert_eq!(caught.result.unwrap(), 7);
        }
    }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[my_reexport::test(crate = "my_reexport")]
fn each_attribute_says_where_the_library_is() {
    binds(Bank::by_ref);
    binds(|bank, backwards| run(bank.later(backwards)));
    binds(|bank, backwards| bank.boxed(backwards)());
    binds(Bank::scope);
    binds(free::function);
    assert_eq!([ACCOUNTS.name(), AUDIT.name()], ["reexported.accounts", "reexported.audit"]);
}

#[my_reexport::test(crate = "my_reexport")]
fn names_are_given_by_its_path_too() {
    let bank = Bank::new().named();
    if my_reexport::ENABLED {
        let _guard = take(&bank.accounts);
        let shown = my_reexport::snapshot().to_string();
        assert!(shown.contains("Bank.accounts"), "{shown}");
    }
}

#[my_reexport::test(crate = "my_reexport", expect = "ST0102", deadline = "1min")]
fn a_test_with_settings() {
    Bank::new().by_ref(true);
}

#[my_reexport::test(crate = "my_reexport", tokio::test)]
async fn an_async_test() {
    assert_eq!(Bank::new().later(false).await, 7);
}
