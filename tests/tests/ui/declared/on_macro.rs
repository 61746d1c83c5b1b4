use sync_trace_macros::no_block;

macro_rules! transfer {
    () => {
        fn transfer() {}
    };
}

#[no_block]
transfer! {}

fn main() {}
