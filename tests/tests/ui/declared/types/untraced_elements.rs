struct Bank {
    names: Vec<String>,
    people: Vec<Person>,
    table: Vec<Vec<u8>>,
}

struct Person {
    name: String,
}

impl Bank {
    #[sync_trace::lock_order(self.names[_] < "audit")]
    fn transfer(&self) {}

    #[sync_trace::lock_order(self.people[_].name < "audit")]
    fn call(&self) {}

    #[sync_trace::lock_excludes(self.table[_][_])]
    fn look(&self) {}
}

fn main() {}
