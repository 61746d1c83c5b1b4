//! `async fn`, functions that return a future, and what `async-trait` and `tokio` make of them.

use std::future::{self, Future};
use std::pin::Pin;

use super::{Pair, Way, binds, binds_not, both, take};
use sync_trace::sync::{Arc, Mutex};
use sync_trace::{lock_budget, lock_order};
use tokio::task::yield_now;

/// Runs a future to its end.
fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// The same for one that an executor of many threads could run.
fn run_anywhere<F: Future + Send>(future: F) -> F::Output {
    run(future)
}

#[lock_order(a < b)]
async fn free(a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> u16 {
    yield_now().await;
    both(a, b, way)
}

#[lock_order(a < b)]
async fn generic<T: Copy + Send, F, const N: usize>(
    a: Arc<Mutex<u8>>,
    b: Arc<Mutex<u16>>,
    with: [T; N],
    f: F,
) -> (u16, impl Iterator<Item = T> + use<T, F, N>)
where
    F: Fn(&Mutex<u8>, &Mutex<u16>) -> u16 + Send,
{
    yield_now().await;
    (f(&a, &b), with.into_iter())
}

impl Pair {
    #[lock_order(self.a < self.b)]
    async fn by_ref(&self, early: bool, way: Way) -> Result<u16, String> {
        if early {
            return Err("early".to_owned());
        }
        yield_now().await;
        let sum = self.both(way);
        yield_now().await;
        future::ready(Ok::<_, String>(())).await?;
        Ok(sum)
    }

    #[lock_order(self.a < self.b)]
    async fn by_mut(&mut self, way: Way) -> &mut Mutex<u8> {
        yield_now().await;
        self.both(way);
        &mut self.a
    }

    #[lock_order(self.a < self.b)]
    async fn by_value(self, way: Way) -> u8 {
        yield_now().await;
        self.both(way);
        self.a.into_inner().unwrap()
    }

    #[lock_order(self.a < self.b)]
    async fn by_arc(self: Arc<Self>, way: Way) -> Arc<Self> {
        yield_now().await;
        self.both(way);
        self
    }

    #[lock_order(self.a < self.b)]
    async fn recursive(&self, depth: u32, way: Way) -> u16 {
        match depth {
            0 => self.both(way),
            _ => Box::pin(self.recursive(depth - 1, way)).await + 1,
        }
    }

    #[lock_order(self.a < self.b)]
    fn returned(&self, way: Way) -> impl Future<Output = u16> + Send + use<'_> {
        async move {
            yield_now().await;
            self.both(way)
        }
    }

    #[lock_order(self.a < self.b)]
    fn returned_early(&self, early: bool, way: Way) -> impl Future<Output = u16> + use<'_> {
        if early {
            return future::ready(1);
        }
        let sum = (|| {
            if way == Way::Forwards {
                return 7;
            }
            9
        })();
        future::ready(sum)
    }

    #[lock_order(self.a < self.b)]
    fn boxed<'a>(
        &'a self,
        early: bool,
        way: Way,
    ) -> Pin<Box<dyn Future<Output = u16> + Send + 'a>> {
        if early {
            return Box::pin(async move { self.both(way) + 1 });
        }
        Box::pin(async move {
            if way == Way::Forwards {
                return self.both(way);
            }
            yield_now().await;
            self.both(way)
        })
    }

    #[lock_order(self.a < self.b)]
    fn boxed_arc(self: Arc<Self>, way: Way) -> Pin<Box<dyn Future<Output = u16> + Send>> {
        Box::pin(async move { self.both(way) })
    }

    #[lock_budget(await_hold = "0")]
    async fn never_holds(&mut self, _text: String) -> u8 {
        let value = *take(&self.a);
        yield_now().await;
        value
    }
}

#[test]
fn async_functions() {
    let mut pair = Pair::new();
    binds(7, |way| run_anywhere(free(&pair.a, &pair.b, way)));
    binds(Ok(7), |way| run_anywhere(pair.by_ref(false, way)));
    binds_not(Err("early".to_owned()), |way| run(pair.by_ref(true, way)));
    binds(3, |way| run_anywhere(Pair::new().by_value(way)));
    binds(4, |way| *take(&run_anywhere(Arc::new(Pair::new()).by_arc(way)).b));
    binds(9, |way| run(pair.recursive(2, way)));
    binds((7, vec!['x', 'y']), |way| {
        let (a, b) = (Arc::new(Mutex::new(3)), Arc::new(Mutex::new(4)));
        let (sum, rest) = run_anywhere(generic(a, b, ['x', 'y'], |a, b| both(a, b, way)));
        (sum, rest.collect())
    });
    assert_eq!(*take(run_anywhere(pair.by_mut(Way::Forwards))), 3);
    assert_eq!(run_anywhere(pair.never_holds(String::new())), 3);
}

#[test]
fn functions_that_return_a_future() {
    let pair = Pair::new();
    binds(7, |way| run_anywhere(pair.returned(way)));
    binds(7, |way| run_anywhere(pair.boxed(false, way)));
    binds(8, |way| run_anywhere(pair.boxed(true, way)));
    binds(7, |way| run_anywhere(Arc::new(Pair::new()).boxed_arc(way)));
    assert_eq!(run(pair.returned_early(true, Way::Forwards)), 1);
    assert_eq!(run(pair.returned_early(false, Way::Forwards)), 7);
    assert_eq!(run(pair.returned_early(false, Way::Backwards)), 9);
}

trait Later {
    /// Declared without `async`, so that callers know that it is `Send`.
    fn later(&self, way: Way) -> impl Future<Output = u16> + Send;

    #[lock_order("nothing" < "at all")]
    fn later_still(&self, way: Way) -> impl Future<Output = u16> + Send
    where
        Self: Sync,
    {
        async move { self.later(way).await + 1 }
    }
}

impl Later for Pair {
    #[lock_order(self.a < self.b)]
    async fn later(&self, way: Way) -> u16 {
        yield_now().await;
        self.both(way)
    }
}

#[test]
fn traits_with_async_functions() {
    let pair = Pair::new();
    binds(7, |way| run_anywhere(pair.later(way)));
    binds(8, |way| run_anywhere(pair.later_still(way)));
}

#[async_trait::async_trait]
trait Boxed {
    async fn by_ref(&self, number: u16, way: Way) -> Result<u16, String>;

    async fn by_arc(self: Arc<Self>, way: Way) -> u16;

    #[lock_order("nothing" < "at all")]
    async fn provided(&self, way: Way) -> u16 {
        yield_now().await;
        self.by_ref(1, way).await.unwrap()
    }
}

#[async_trait::async_trait]
impl Boxed for Pair {
    #[lock_order(self.a < self.b)]
    async fn by_ref(&self, number: u16, way: Way) -> Result<u16, String> {
        if number == 0 {
            Err("zero".to_owned())?;
        }
        yield_now().await;
        Ok(number + self.both(way))
    }

    #[lock_order(self.a < self.b)]
    async fn by_arc(self: Arc<Self>, way: Way) -> u16 {
        self.both(way)
    }
}

struct Other(Pair);

#[lock_order(self.0.a < self.0.b)]
#[async_trait::async_trait]
impl Boxed for Other {
    async fn by_ref(&self, number: u16, way: Way) -> Result<u16, String> {
        yield_now().await;
        Ok(number + self.0.both(way))
    }

    async fn by_arc(self: Arc<Self>, way: Way) -> u16 {
        self.0.both(way)
    }
}

#[test]
fn traits_of_async_trait() {
    let (pair, other) = (Pair::new(), Other(Pair::new()));
    let all: [&(dyn Boxed + Sync); 2] = [&pair, &other];
    for object in all {
        binds(Ok(9), |way| run_anywhere(object.by_ref(2, way)));
        binds(8, |way| run_anywhere(object.provided(way)));
    }
    binds_not(Err("zero".to_owned()), |way| run(Boxed::by_ref(&pair, 0, way)));
    binds(7, |way| run_anywhere(Boxed::by_arc(Arc::new(Pair::new()), way)));
    binds(7, |way| run_anywhere(Arc::new(Other(Pair::new())).by_arc(way)));
}

#[tokio::test]
#[lock_order("a" < "b")]
async fn a_test_of_tokio() {
    let pair = Arc::new(Pair::new());
    let task = tokio::spawn(Arc::clone(&pair).boxed_arc(Way::Forwards));
    assert_eq!(task.await.unwrap() + pair.later(Way::Forwards).await, 14);
}
