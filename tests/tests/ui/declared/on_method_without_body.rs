use sync_trace_macros::lock_order;

trait Bank {
    #[lock_order(self.accounts < self.audit)]
    fn transfer(&self);
}

fn main() {}
