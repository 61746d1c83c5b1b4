use sync_trace_macros::LockFields;

#[derive(LockFields)]
struct Bank {
    #[lock(before = owner)]
    accounts: Mutex<u8>,
    owner: String,
}

struct Mutex<T>(T);

fn main() {}
