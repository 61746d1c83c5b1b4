use sync_trace_macros::lock_order;

#[lock_order(of() < AUDIT)]
fn transfer() {}

fn main() {}
