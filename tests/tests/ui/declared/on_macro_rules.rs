use sync_trace_macros::no_block;

#[no_block]
macro_rules! transfer {
    () => {};
}

fn main() {}
