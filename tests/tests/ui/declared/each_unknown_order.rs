use sync_trace_macros::lock_order;

#[lock_order(each(SHARDS[_] by adr))]
fn transfer() {}

fn main() {}
