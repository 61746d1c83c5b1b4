/// Documented.
#[lock_order(self.accounts < self.audit)]
#[inline]
pub fn transfer(&self, n: u64) -> Receipt {
    self.accounts.lock().debit(n)
}
