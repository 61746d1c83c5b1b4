use sync_trace_macros::lock_order;

#[lock_order(each(SHARDS[_] by |a, b| a))]
fn transfer() {}

fn main() {}
