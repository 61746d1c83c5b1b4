use sync_trace_macros::lock_class;

lock_class!(ACCOUNTS, "bank.accounts", first, rank = 1, leaf);

fn main() {}
