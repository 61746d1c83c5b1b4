use sync_trace_macros::lock_order;

#[lock_order(read() < AUDIT)]
fn transfer() {}

fn main() {}
