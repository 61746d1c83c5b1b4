struct Bank {
    names: Vec<String>,
}

impl Bank {
    #[sync_trace::lock_order(self.names[_] < "audit")]
    fn transfer(&self) {}
}

fn main() {}
