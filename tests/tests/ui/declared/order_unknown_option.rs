use sync_trace_macros::lock_order;

#[lock_order(crat = "bank", A < B)]
fn transfer() {}

fn main() {}
