///The class of the locks `bank.accounts`.
pub static ACCOUNTS: declared::LockClass = declared::LockClass::new(
        "bank.accounts",
    )
    .rank(10u32)
    .leaf()
    .multi()
    .spin();
mod on {
    const _: () = {
        #[::sync_trace::__private::linkme::distributed_slice(
            declared::CLASSES
        )]
        #[linkme(crate = ::sync_trace::__private::linkme)]
        static __SYNC_TRACE_CLASS: &declared::LockClass = &ACCOUNTS;
    };
}
mod off {}
