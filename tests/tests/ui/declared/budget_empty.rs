use sync_trace_macros::lock_budget;

#[lock_budget()]
fn transfer() {}

fn main() {}
