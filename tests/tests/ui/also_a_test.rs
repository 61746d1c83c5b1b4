#[sync_trace::test]
#[test]
fn transfers_add_up() {}

fn main() {}
