use sync_trace_macros::LockFields;

#[derive(LockFields)]
enum Bank {
    Open,
}

fn main() {}
