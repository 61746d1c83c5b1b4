use sync_trace_macros::lock_order;

#[lock_order(gobal, A < B)]
fn transfer() {}

fn main() {}
