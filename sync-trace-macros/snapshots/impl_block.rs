#[lock_order(self.a < self.b)]
#[may_block]
#[async_trait]
impl<T> Bank for Vault<T> {
    const SIZE: usize = 1;
    type Key = u8;
    fn new() -> Self {
        make()
    }
    const fn size(&self) -> usize {
        1
    }
    #[lock_order(self.b < "c")]
    async fn open(&self) {}
}
