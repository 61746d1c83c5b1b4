use sync_trace_macros::lock_order;

#[lock_order(ACCOUNTS)]
fn transfer() {}

fn main() {}
