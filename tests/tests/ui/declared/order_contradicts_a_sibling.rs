use sync_trace_macros::{lock_order, locks, no_block};

#[lock_order(A < B)]
#[no_block]
#[locks(order(B < C), order(C < A))]
fn transfer() {}

fn main() {}
