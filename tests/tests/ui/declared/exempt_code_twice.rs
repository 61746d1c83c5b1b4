use sync_trace_macros::lock_exempt;

#[lock_exempt(reason = "start-up", ST0102)]
#[lock_exempt(reason = "one thread", ST0101, ST0102)]
fn transfer() {}

fn main() {}
