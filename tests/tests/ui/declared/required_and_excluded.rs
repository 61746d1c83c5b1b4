use sync_trace_macros::{lock_excludes, lock_requires};

#[lock_requires(ACCOUNTS, "bank.audit")]
#[lock_excludes(ACCOUNTS, "bank.*")]
fn transfer() {}

fn main() {}
