#[lock_order("a" < "b")]
fn later(&self) -> BoxFuture<'_, u8> {
    self.inner.later()
}
