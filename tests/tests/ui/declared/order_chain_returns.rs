use sync_trace_macros::lock_order;

#[lock_order(read(A) < B < A)]
fn transfer() {}

fn main() {}
