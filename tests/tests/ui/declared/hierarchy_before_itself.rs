use sync_trace_macros::lock_hierarchy;

lock_hierarchy! { "a" < { "b", "a" } }

fn main() {}
