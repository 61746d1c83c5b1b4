use sync_trace_macros::lock_order;

#[lock_order(A < B, C)]
fn transfer() {}

fn main() {}
