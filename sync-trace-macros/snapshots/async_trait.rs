#[lock_order(self.accounts < self.audit)]
fn transfer<'life0, 'async_trait>(&'life0 self, n: u64) -> Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        if let Some(__ret) = None::<u8> {
            return __ret;
        }
        let __self = self;
        let n = n;
        let __ret: u8 = { __self.debit(n).await };
        __ret
    })
}
