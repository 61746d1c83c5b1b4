use sync_trace_macros::lock_requires;

#[lock_requires(ACCOUNTS, AUDIT)]
#[lock_requires(AUDIT)]
fn transfer() {}

fn main() {}
