use sync_trace_macros::lock_order;

#[lock_order(each("bank.*" by addr))]
fn transfer() {}

fn main() {}
