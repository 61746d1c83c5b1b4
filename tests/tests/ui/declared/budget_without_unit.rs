use sync_trace_macros::lock_budget;

#[lock_budget(hold = "5")]
fn transfer() {}

fn main() {}
