use sync_trace_macros::lock_order;

#[lock_order(A < B < C, D < E, C < D, E < A)]
fn transfer() {}

fn main() {}
