use sync_trace::lock_scope;
use sync_trace::sync::Mutex;

async fn next() -> u8 {
    1
}

async fn transfer(a: &Mutex<u8>, b: &Mutex<u16>) -> u8 {
    let inside = lock_scope!(order(a < b); async { next().await });
    let value = lock_scope!(order(a < b); {
        let first = inside.await;
        first + next().await
    });
    value + lock_scope!(order(a < b); { std::convert::identity(vec![next().await][0]) })
}

fn main() {}
