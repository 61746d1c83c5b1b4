use sync_trace_macros::LockFields;

#[derive(LockFields)]
struct Bank {
    owner: String,
}

fn main() {}
