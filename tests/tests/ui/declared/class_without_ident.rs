use sync_trace_macros::lock_class;

lock_class!("bank.accounts");

fn main() {}
