lock_scope!(order(a < b); async |amount: u32| -> u32 { transfer(amount).await });
