use sync_trace_macros::lock_exempt;

#[lock_exempt(ST0102)]
fn transfer() {}

fn main() {}
