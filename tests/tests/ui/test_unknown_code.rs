#[sync_trace::test(expect = ["ST0001", "ST0110"])]
fn transfers_add_up() {}

fn main() {}
