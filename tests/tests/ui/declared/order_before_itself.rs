use sync_trace_macros::lock_order;

#[lock_order(*ACCOUNTS < ACCOUNTS)]
fn transfer() {}

fn main() {}
