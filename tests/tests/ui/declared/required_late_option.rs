use sync_trace_macros::lock_requires;

#[lock_requires(ACCOUNTS, entry)]
fn transfer() {}

fn main() {}
