use sync_trace_macros::{lock_releases, lock_requires};

#[lock_requires(ACCOUNTS)]
#[lock_releases(ACCOUNTS)]
fn transfer() {}

fn main() {}
