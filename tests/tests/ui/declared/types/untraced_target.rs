#[sync_trace::lock_order(*name < "audit")]
fn transfer(name: Box<String>) {}

fn main() {}
