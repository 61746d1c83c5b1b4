#[sync_trace::test]
async fn transfers_add_up() {}

fn main() {}
