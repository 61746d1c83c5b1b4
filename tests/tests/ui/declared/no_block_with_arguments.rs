use sync_trace_macros::no_block;

#[no_block(ACCOUNTS)]
fn transfer() {}

fn main() {}
