fn main() {
    let number = 1;
    sync_trace::lock_scope!(excludes(number); {});
}
