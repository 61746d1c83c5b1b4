use sync_trace_macros::lock_order;

#[lock_order(ACCOUNTS.lock().unwrap() < AUDIT)]
fn transfer() {}

fn main() {}
