use sync_trace_macros::lock_order;

#[lock_order(crate = "my crate", A < B)]
fn transfer() {}

fn main() {}
