/// Balances.
#[allow(dead_code)]
static ACCOUNTS: my::sync::__private::declared::LockClass = my::sync::__private::declared::LockClass::new(
        "bank.accounts",
    )
    .untracked();
mod on {
    const _: () = {
        #[my::sync::__private::linkme::distributed_slice(
            my::sync::__private::declared::CLASSES
        )]
        #[linkme(crate = my::sync::__private::linkme)]
        static __SYNC_TRACE_CLASS: &my::sync::__private::declared::LockClass = &ACCOUNTS;
    };
}
mod off {}
