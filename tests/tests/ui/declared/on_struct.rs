use sync_trace_macros::lock_order;

#[lock_order(A < B)]
pub struct Bank;

fn main() {}
