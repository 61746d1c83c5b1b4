use sync_trace_macros::no_block;

#[no_block]
pub const ACCOUNTS: u8 = 0;

fn main() {}
