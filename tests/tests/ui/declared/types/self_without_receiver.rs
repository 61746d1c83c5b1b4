struct Bank;

impl Bank {
    #[sync_trace::lock_order(self.accounts < "audit")]
    fn transfer() {}
}

fn main() {}
