lock_class!(crate = "bank::sync_trace", pub(crate) ACCOUNTS, "bank.accounts", leaf);
