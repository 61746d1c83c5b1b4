use sync_trace::{lock_class, lock_order};

lock_class!(ACCOUNTS, "bank.accounts", rank = 20);
lock_class!(AUDIT, "bank.audit", rank = 10);

#[lock_order(class(ACCOUNTS) < class(AUDIT))]
fn transfer() {}

fn main() {}
