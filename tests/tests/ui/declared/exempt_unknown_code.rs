use sync_trace_macros::lock_exempt;

#[lock_exempt(reason = "start-up", ST0120)]
fn transfer() {}

fn main() {}
