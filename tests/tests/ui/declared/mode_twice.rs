use sync_trace_macros::lock_order;

#[lock_order(read(write(ACCOUNTS)) < AUDIT)]
fn transfer() {}

fn main() {}
