use sync_trace_macros::lock_order;

#[lock_order(A < B, global)]
fn transfer() {}

fn main() {}
