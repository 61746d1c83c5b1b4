#[lock_releases(self.accounts)]
fn close<'a>(&'a self, mut accounts: Guard<'a>, (one, two): (u8, u8)) -> &'a u8 {
    accounts.last()
}
