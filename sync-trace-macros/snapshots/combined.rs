#[locks(crate = "my::sync", acquires(from.lock), releases(to.0.1), may_block, order(local, inherit, each(from.lock, to.lock by addr)))]
fn hand_over<'a, T: Clone, const N: usize>(from: &'a Account<T>, to: &[u8; N]) -> (&'a T, u8)
where
    T: Send,
{
    #![allow(unused)]
    (from, 1)
}
