use sync_trace::lock_order;
use sync_trace::sync::Mutex;

struct Bank {
    accounts: Mutex<u8>,
}

impl Bank {
    #[lock_order(self.accounts < self.audit)]
    fn transfer(&self) {}
}

fn main() {}
