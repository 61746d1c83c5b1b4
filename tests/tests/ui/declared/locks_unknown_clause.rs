use sync_trace_macros::locks;

#[locks(require(ACCOUNTS))]
fn transfer() {}

fn main() {}
