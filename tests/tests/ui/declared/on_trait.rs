use sync_trace_macros::lock_order;

#[lock_order("accounts" < "audit")]
trait Bank {
    fn transfer(&self) {}
}

fn main() {}
