use sync_trace_macros::lock_class;

lock_class!(ACCOUNTS, "bank.accounts", leef);

fn main() {}
