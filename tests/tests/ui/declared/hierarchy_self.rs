use sync_trace_macros::lock_hierarchy;

lock_hierarchy! { self.accounts < "b" }

fn main() {}
