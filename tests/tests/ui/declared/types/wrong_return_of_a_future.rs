#[sync_trace::lock_order("accounts" < "audit")]
async fn transfer() -> u8 {
    "five"
}

fn main() {}
