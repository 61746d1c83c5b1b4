use sync_trace_macros::lock_order;

struct Bank;

#[lock_order(A < B)]
impl Bank {
    fn open(&self) {}

    #[lock_order(B < A)]
    fn transfer(&self) {
        self.open();
    }
}

fn main() {}
