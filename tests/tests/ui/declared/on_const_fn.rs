use sync_trace_macros::lock_order;

#[lock_order(A < B)]
#[sync_trace_macros::no_block]
const fn transfer() {}

fn main() {}
