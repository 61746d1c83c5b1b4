use sync_trace_macros::lock_requires;

#[lock_requires(ACCOUNTS < AUDIT)]
fn transfer() {}

fn main() {}
