use sync_trace_macros::LockFields;

#[derive(LockFields)]
struct Bank {
    #[lock(before = audit)]
    accounts: Mutex<u8>,
    #[lock(before = rates)]
    audit: Mutex<u8>,
    #[lock(before = accounts)]
    rates: RwLock<u8>,
}

struct Mutex<T>(T);
struct RwLock<T>(T);

fn main() {}
