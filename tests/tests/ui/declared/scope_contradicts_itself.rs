use sync_trace_macros::lock_scope;

fn main() {
    lock_scope!(order("a" < "b"), order("b" < "a"); {});
}
