use sync_trace_macros::locks;

#[locks()]
fn transfer() {}

fn main() {}
