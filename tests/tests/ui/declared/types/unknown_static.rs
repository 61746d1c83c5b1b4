#[sync_trace::lock_order(ACCOUNTS < "audit")]
fn transfer() {}

fn main() {}
