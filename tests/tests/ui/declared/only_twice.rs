use sync_trace_macros::lock_only;

#[lock_only(ACCOUNTS)]
#[lock_only(AUDIT)]
fn transfer() {}

fn main() {}
