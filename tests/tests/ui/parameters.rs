#[sync_trace::test]
fn transfers_add_up(accounts: usize) {
    let _ = accounts;
}

fn main() {}
