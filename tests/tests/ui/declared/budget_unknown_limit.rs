use sync_trace_macros::lock_budget;

#[lock_budget(hodl = "5ms")]
fn transfer() {}

fn main() {}
