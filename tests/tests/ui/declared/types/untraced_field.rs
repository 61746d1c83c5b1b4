#[derive(sync_trace::LockFields)]
struct Bank {
    #[lock]
    accounts: Vec<String>,
}

fn main() {}
