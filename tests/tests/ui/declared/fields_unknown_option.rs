use sync_trace_macros::LockFields;

#[derive(LockFields)]
struct Bank {
    #[lock(befor = audit)]
    accounts: u8,
    #[lock(skip, leaf)]
    audit: u8,
}

fn main() {}
