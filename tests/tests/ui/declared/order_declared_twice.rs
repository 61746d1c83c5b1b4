use sync_trace_macros::lock_order;

#[lock_order(A < B, C < D)]
#[lock_order(A < B)]
fn transfer() {}

fn main() {}
