use sync_trace_macros::lock_budget;

#[lock_budget(hold = "5ms")]
#[lock_budget(hold = "6ms", wait = "1ms")]
fn transfer() {}

fn main() {}
