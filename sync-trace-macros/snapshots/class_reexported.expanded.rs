///The class of the locks `bank.accounts`.
pub(crate) static ACCOUNTS: bankdeclared::LockClass = bankdeclared::LockClass::new(
        "bank.accounts",
    )
    .leaf();
mod on {
    const _: () = {
        #[bank::sync_trace::__private::linkme::distributed_slice(
            bankdeclared::CLASSES
        )]
        #[linkme(crate = bank::sync_trace::__private::linkme)]
        static __SYNC_TRACE_CLASS: &bankdeclared::LockClass = &ACCOUNTS;
    };
}
mod off {}
