use sync_trace_macros::lock_order;

#[lock_order(SHARDS[0] < AUDIT)]
fn transfer() {}

fn main() {}
