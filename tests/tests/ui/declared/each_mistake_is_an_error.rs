use sync_trace_macros::{lock_budget, lock_exempt, lock_order};

#[lock_order(A < B, B < A)]
#[lock_budget(hold = "soon")]
#[lock_exempt(ST0102)]
fn transfer() {}

fn main() {}
