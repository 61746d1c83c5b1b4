#[sync_trace::lock_order(of(Account) < "audit")]
fn transfer() {}

fn main() {}
