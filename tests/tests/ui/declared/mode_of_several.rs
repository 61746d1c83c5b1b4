use sync_trace_macros::lock_order;

#[lock_order(read(ACCOUNTS, RATES) < AUDIT)]
fn transfer() {}

fn main() {}
