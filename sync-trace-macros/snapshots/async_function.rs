#[lock_order(self.accounts < self.audit)]
#[lock_budget(await_hold = "0")]
async fn transfer(self: Arc<Self>, n: u64) -> Result<Receipt, Error> {
    let receipt = self.debit(n).await?;
    Ok(receipt)
}
