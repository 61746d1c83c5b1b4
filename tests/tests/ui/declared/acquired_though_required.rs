use sync_trace_macros::locks;

#[locks(acquires(ACCOUNTS), requires(entry, ACCOUNTS))]
fn transfer() {}

fn main() {}
