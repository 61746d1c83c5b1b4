use sync_trace::sync::Mutex;

struct Account {
    owner: String,
    balance: Mutex<u8>,
}

#[sync_trace::lock_order(each(from.balance, to.balance by |account| account.owner.clone()))]
fn transfer(from: &Account, to: &Account) {}

fn main() {}
