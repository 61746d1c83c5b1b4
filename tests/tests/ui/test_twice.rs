#[sync_trace::test(tokio::test)]
#[tokio::test]
async fn transfers_add_up() {}

fn main() {}
