use sync_trace_macros::LockFields;

#[derive(LockFields)]
struct Bank {
    #[lock(after = accounts)]
    accounts: Mutex<u8>,
}

struct Mutex<T>(T);

fn main() {}
