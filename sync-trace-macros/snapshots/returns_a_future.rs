#[lock_order("a" < "b")]
fn later(&self, early: bool) -> impl Future<Output = u8> {
    if early {
        return ready(1);
    }
    let two = || return 2;
    ready(two())
}
