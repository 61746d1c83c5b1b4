use sync_trace_macros::lock_budget;

#[lock_budget(await_hold = "0")]
fn transfer() {}

fn main() {}
