use sync_trace::lock_order;
use sync_trace::sync::Mutex;

struct Bank {
    accounts: Mutex<u8>,
    number: u8,
}

impl Bank {
    #[lock_order(self.accounts < self.number)]
    fn transfer(&self) {}
}

fn main() {}
