use sync_trace_macros::lock_budget;

#[lock_budget(hold = "5 parsecs")]
fn transfer() {}

fn main() {}
