use sync_trace_macros::lock_order;

#[lock_order(each(read(SHARDS[_]) by addr))]
fn transfer() {}

fn main() {}
