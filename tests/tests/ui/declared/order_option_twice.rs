use sync_trace_macros::lock_order;

#[lock_order(strict, strict, A < B)]
fn transfer() {}

fn main() {}
