use sync_trace_macros::lock_order;

#[lock_order(class("bank.accounts") < AUDIT)]
fn transfer() {}

fn main() {}
