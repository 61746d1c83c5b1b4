#[lock_order(global, strict, class(ACCOUNTS) < class(db::AUDIT), "log.*" < *POOL)]
#[st::lock_requires(entry, read(rates), of(Vec<u8>))]
#[lock_excludes(POOL)]
#[lock_only(POOL, rates, upgradable("x"))]
#[no_block]
#[lock_budget(hold = "5ms", wait = "250us")]
#[lock_exempt(reason = "start-up", ST0102, ST0001)]
fn load(rates: &RwLock<u8>) {}
