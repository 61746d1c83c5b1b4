lock_class!(pub ACCOUNTS, "bank.accounts", rank = 10, leaf, multi, spin);
