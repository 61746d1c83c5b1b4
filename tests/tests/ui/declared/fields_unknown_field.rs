use sync_trace_macros::LockFields;

#[derive(LockFields)]
struct Bank {
    #[lock(before = adit)]
    accounts: Mutex<u8>,
    audit: Mutex<u8>,
}

struct Mutex<T>(T);

fn main() {}
