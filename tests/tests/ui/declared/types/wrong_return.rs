#[sync_trace::lock_order("accounts" < "audit")]
fn transfer() -> u8 {
    "five"
}

fn main() {}
