#[sync_trace::test]
struct Bank;

fn main() {}
