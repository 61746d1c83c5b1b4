use sync_trace_macros::no_block;

#[no_block]
static ACCOUNTS: u8 = 0;

fn main() {}
