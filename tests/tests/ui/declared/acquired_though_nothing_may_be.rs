use sync_trace_macros::locks;

#[locks(only(), acquires(ACCOUNTS))]
fn transfer() {}

fn main() {}
