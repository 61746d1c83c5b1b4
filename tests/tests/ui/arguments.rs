#[sync_trace::test(flavor = "multi_thread")]
fn transfers_add_up() {}

fn main() {}
