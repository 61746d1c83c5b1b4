use sync_trace_macros::LockFields;

#[derive(LockFields)]
struct Bank {
    #[lock(class = ACCOUNTS, leaf)]
    accounts: u8,
}

fn main() {}
