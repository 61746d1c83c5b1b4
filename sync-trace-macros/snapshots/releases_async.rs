#[lock_releases(self.accounts)]
async fn close(&self, mut accounts: Guard<'_>, unused: Guard<'_>) -> u8 {
    accounts.last().await
}
