use sync_trace_macros::{lock_order, no_block};

#[no_block]
#[lock_order = "A < B"]
fn transfer() {}

fn main() {}
