#[derive(LockFields)]
struct Bank<'a, T: Clone, const N: usize>
where
    T: Send,
{
    #[lock(before(audit, "log.*"))]
    accounts: &'a Mutex<T>,
    #[lock(leaf, name = "bank.audit")]
    audit: Option<Box<[RwLock<u8>; N]>>,
    #[lock(class = RATES, after = accounts)]
    rates: Foreign,
    #[lock(skip)]
    skipped: Mutex<u8>,
    owner: String,
}
