use sync_trace_macros::lock_hierarchy;

lock_hierarchy! { "a" < { "b", "c" < "d" }, "d" < "e", "e" < "a" }

fn main() {}
