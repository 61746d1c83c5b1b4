use sync_trace_macros::lock_exempt;

#[lock_exempt(reason = "start-up")]
fn transfer() {}

fn main() {}
