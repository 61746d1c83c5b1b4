use sync_trace::sync::Mutex;

#[sync_trace::lock_order(accounts[_] < "audit")]
fn transfer(accounts: &Mutex<u8>) {}

fn main() {}
