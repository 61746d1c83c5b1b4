lock_class!(
    /// Balances.
    #[allow(dead_code)]
    ACCOUNTS, "bank.accounts", untracked, crate = "my::sync"
);
