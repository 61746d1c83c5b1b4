use sync_trace_macros::lock_exempt;

#[lock_exempt(reason = "", ST0102)]
fn transfer() {}

fn main() {}
