use sync_trace_macros::{may_block, no_block};

#[no_block]
#[may_block]
fn transfer() {}

fn main() {}
