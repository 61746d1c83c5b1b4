use sync_trace_macros::lock_excludes;

#[lock_excludes()]
fn transfer() {}

fn main() {}
