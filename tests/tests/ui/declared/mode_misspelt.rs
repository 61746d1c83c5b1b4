use sync_trace_macros::lock_order;

#[lock_order(wirte(ACCOUNTS) < AUDIT)]
fn transfer() {}

fn main() {}
