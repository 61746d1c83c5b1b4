use sync_trace_macros::lock_order;

#[lock_order(ACCOUNTS < 1)]
fn transfer() {}

fn main() {}
