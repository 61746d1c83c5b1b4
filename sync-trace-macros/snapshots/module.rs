#[lock_only("bank.*")]
pub mod bank {
    //! Inner.
    use super::*;
    pub fn open() {}
    impl Vault<{ SIZE }> {
        #[lock_excludes("bank.x")]
        fn close(&self) {}
    }
    mod deep {
        trait Open {
            fn open(&self);
            fn again(&self) {
                self.open()
            }
        }
    }
}
