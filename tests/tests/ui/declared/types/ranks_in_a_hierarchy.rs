use sync_trace::{lock_class, lock_hierarchy};

lock_class!(ACCOUNTS, "bank.accounts", rank = 20);
lock_class!(AUDIT, "bank.audit", rank = 10);

lock_hierarchy! { ACCOUNTS < AUDIT }

fn main() {}
