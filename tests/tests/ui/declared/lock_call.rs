use sync_trace_macros::lock_order;

#[lock_order(self.accounts() < AUDIT)]
fn transfer() {}

fn main() {}
