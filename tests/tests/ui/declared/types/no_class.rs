static ACCOUNTS: u8 = 1;

#[sync_trace::lock_order(class(ACCOUNTS) < "audit")]
fn transfer() {}

fn main() {}
