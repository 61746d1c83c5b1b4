use sync_trace_macros::lock_order;

#[lock_order]
fn transfer() {}

fn main() {}
