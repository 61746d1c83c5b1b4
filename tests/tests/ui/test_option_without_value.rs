#[sync_trace::test(expect)]
fn transfers_add_up() {}

fn main() {}
