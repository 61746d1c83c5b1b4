use sync_trace_macros::lock_class;

lock_class!(ACCOUNTS, "bank.accounts", rank = 1, rank = 2);

fn main() {}
