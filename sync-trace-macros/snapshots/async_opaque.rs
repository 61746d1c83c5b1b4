#[lock_order("a" < "b")]
async fn names(&self) -> impl Iterator<Item = u8> {
    self.names().await
}
