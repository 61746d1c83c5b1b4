use sync_trace_macros::lock_order;

// The function stays, so its caller has nothing to complain of.
#[lock_order(A <<< B)]
fn transfer() {}

fn caller() {
    transfer();
}

fn main() {}
