use sync_trace_macros::locks;

#[locks(acquires(ACCOUNTS), releases(ACCOUNTS))]
fn transfer() {}

fn main() {}
