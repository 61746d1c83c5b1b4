#[sync_trace::test(deadline = "10")]
fn transfers_add_up() {}

fn main() {}
