//! The extent of a future: entered at each poll, left when that returns.

use super::broken;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use sync_trace::finding::Broken;
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{lock_budget, lock_order, lock_requires, lock_scope, thread};

#[derive(Default)]
struct Pair {
    a: Mutex<u8>,
    b: Mutex<u16>,
}

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Is pending once.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = poll(future.as_mut()) {
            return result;
        }
    }
}

impl Pair {
    fn backwards(&self) {
        let _b = take(&self.b);
        drop(take(&self.a));
    }

    #[lock_order(self.a < self.b)]
    async fn within(&self, f: impl FnOnce(&Self)) -> u8 {
        Pause(false).await;
        f(self);
        7
    }

    #[lock_order(self.a < self.b)]
    fn returns_one<'a>(&'a self, f: impl FnOnce(&Self) + 'a) -> impl Future<Output = u8> + 'a {
        async move {
            Pause(false).await;
            f(self);
            7
        }
    }

    #[lock_order(self.a < self.b)]
    fn boxes_one<'a>(
        &'a self,
        f: impl FnOnce(&Self) + 'a,
    ) -> Pin<Box<dyn Future<Output = u8> + 'a>> {
        Box::pin(async move {
            Pause(false).await;
            f(self);
            7
        })
    }

    #[lock_order(local, self.a < self.b)]
    async fn on_its_own(&self, own: bool, f: impl FnOnce(&Self)) {
        let guard = own.then(|| take(&self.b));
        Pause(false).await;
        f(self);
        drop(guard);
    }

    #[lock_order(local, self.a < self.b)]
    async fn holds_nothing(&self, f: impl FnOnce(&Self)) {
        Pause(false).await;
        f(self);
    }

    #[lock_requires(self.a)]
    async fn needs(&self) {
        Pause(false).await;
    }

    #[lock_order(self.a < self.b)]
    async fn fails(&self) -> Result<u8, String> {
        Pause(false).await;
        let value = Err::<u8, _>("on purpose".to_owned())?;
        Ok(value)
    }

    #[lock_budget(await_hold = "0")]
    async fn holds_none(&self, across: bool) {
        let guard = take(&self.a);
        if across {
            Pause(false).await;
        }
        drop(guard);
        Pause(false).await;
    }
}

#[test]
fn it_binds_what_is_polled() {
    let pair = Pair::default();
    assert_eq!(run(pair.within(|_| ())), 7);
    assert_eq!(broken(|| assert_eq!(run(pair.within(Pair::backwards)), 7)), [Broken::OutOfOrder]);
    assert_eq!(
        broken(|| assert_eq!(run(pair.returns_one(Pair::backwards)), 7)),
        [Broken::OutOfOrder]
    );
    assert_eq!(
        broken(|| assert_eq!(run(pair.boxes_one(Pair::backwards)), 7)),
        [Broken::OutOfOrder]
    );
    assert_eq!(run(pair.returns_one(|_| ())) + run(pair.boxes_one(|_| ())), 14);
    assert_eq!(broken(|| pair.backwards()), []);
    assert_eq!(run(pair.fails()), Err("on purpose".to_owned()));
}

#[test]
fn between_two_polls_it_binds_nobody() {
    let pair = Pair::default();
    let between = || {
        let mut future = pin!(pair.within(|_| ()));
        assert!(poll(future.as_mut()).is_pending());
        pair.backwards();
        assert!(poll(future.as_mut()).is_ready());
    };
    assert_eq!(broken(between), []);
}

#[test]
fn who_drops_it_is_bound_no_more() {
    let pair = Pair::default();
    let cancelled = || {
        let mut future = Box::pin(pair.within(Pair::backwards));
        assert!(poll(future.as_mut()).is_pending());
        drop(future);
        pair.backwards();
    };
    assert_eq!(broken(cancelled), []);
}

#[test]
fn it_may_change_threads() {
    let pair = Pair::default();
    let mut future = Box::pin(pair.within(Pair::backwards));
    assert!(poll(future.as_mut()).is_pending());
    let result = thread::scope(|scope| {
        scope.spawn(|| broken(|| assert!(poll(future.as_mut()).is_ready()))).join()
    });
    assert_eq!(result.unwrap(), [Broken::OutOfOrder]);
    assert_eq!(broken(|| pair.backwards()), []);
}

#[test]
fn the_entry_is_the_first_poll() {
    let pair = Pair::default();
    let unpolled = || drop(pair.needs());
    assert_eq!(broken(unpolled), []);
    assert_eq!(broken(|| run(pair.needs())), [Broken::NotHeld]);
    let held = || {
        let _a = take(&pair.a);
        run(pair.needs());
    };
    assert_eq!(broken(held), []);
}

#[test]
fn no_guard_is_held_where_a_task_is_suspended() {
    let pair = Pair::default();
    assert_eq!(broken(|| run(pair.holds_none(false))), []);
    assert_eq!(broken(|| run(pair.holds_none(true))), [Broken::HeldAcrossAwait]);
    // A guard from outside is not the function's.
    let outside = || {
        let _b = take(&pair.b);
        run(pair.holds_none(false));
    };
    assert_eq!(broken(outside), []);
}

#[test]
fn what_whoever_polls_it_holds_is_not_its_own() {
    let pair = Pair::default();
    let take_a = |pair: &Pair| drop(take(&pair.a));
    // The first poll by one who holds nothing, the second by one who holds the later lock.
    let second_poll_within = |own| {
        let mut future = pin!(pair.on_its_own(own, take_a));
        assert!(poll(future.as_mut()).is_pending());
        let _b = (!own).then(|| take(&pair.b));
        assert!(poll(future.as_mut()).is_ready());
    };
    assert_eq!(broken(|| second_poll_within(false)), []);
    // Its own guard is still its own after it was suspended, whoever polls it.
    assert_eq!(broken(|| second_poll_within(true)), [Broken::OutOfOrder]);
    // Held outside at the first poll, and taken inside after the second.
    let then_inside = || {
        let mut future = pin!(pair.on_its_own(false, Pair::backwards));
        let outside = take(&pair.b);
        assert!(poll(future.as_mut()).is_pending());
        drop(outside);
        assert!(poll(future.as_mut()).is_ready());
    };
    assert_eq!(broken(then_inside), [Broken::OutOfOrder]);
}

#[test]
fn in_another_thread_it_is_polled_by_who_holds_something_else() {
    let pair = Pair::default();
    let check = |is_held: bool, f: fn(&Pair), expected: &[Broken]| {
        let mut future = Box::pin(pair.holds_nothing(f));
        assert!(poll(future.as_mut()).is_pending());
        let result = thread::scope(|scope| {
            let other = scope.spawn(|| {
                broken(|| {
                    let _b = is_held.then(|| take(&pair.b));
                    assert!(poll(future.as_mut()).is_ready());
                })
            });
            other.join()
        });
        assert_eq!(result.unwrap(), expected);
    };
    check(true, |pair| drop(take(&pair.a)), &[]);
    check(false, Pair::backwards, &[Broken::OutOfOrder]);
}

#[test]
fn an_async_block_is_bound_while_it_is_polled() {
    let pair = Pair::default();
    let within = |f: fn(&Pair)| {
        let pair = &pair;
        lock_scope!(order(pair.a < pair.b); async move {
            Pause(false).await;
            f(pair);
        })
    };
    let call = || {
        let mut future = pin!(within(|_| ()));
        assert!(poll(future.as_mut()).is_pending());
        pair.backwards();
        assert!(poll(future.as_mut()).is_ready());
    };
    assert_eq!(broken(call), []);
    assert_eq!(broken(|| run(within(Pair::backwards))), [Broken::OutOfOrder]);
}

#[test]
fn so_is_each_call_of_an_async_closure() {
    let pair = Pair::default();
    let calls = lock_scope!(order(pair.a < pair.b); async |f: fn(&Pair), early: bool| -> u8 {
        Pause(false).await;
        if early {
            return 1;
        }
        f(&pair);
        7
    });
    let call = || {
        let mut future = pin!(calls(|_| (), false));
        assert!(poll(future.as_mut()).is_pending());
        pair.backwards();
        assert!(poll(future.as_mut()).is_ready());
    };
    assert_eq!(broken(call), []);
    assert_eq!(broken(|| assert_eq!(run(calls(Pair::backwards, true)), 1)), []);
    assert_eq!(broken(|| assert_eq!(run(calls(Pair::backwards, false)), 7)), [Broken::OutOfOrder]);
}

/// Runs `$inside` and then suspends, so that no macro sees it.
macro_rules! and_suspend {
    ($inside:expr) => {{
        $inside;
        Pause(false).await
    }};
}

#[test]
fn a_block_that_is_suspended_unseen_is_left_alone() {
    let (one, other) = (Pair::default(), Pair::default());
    async fn suspended(pair: &Pair) {
        lock_scope!(order(pair.a < pair.b); {
            and_suspend!(drop(take(&pair.a)));
        });
    }
    let call = || {
        let (mut first, mut second) = (pin!(suspended(&one)), pin!(suspended(&other)));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        // The block that was entered first is left first.
        assert!(poll(first.as_mut()).is_ready());
        one.backwards();
        let still_bound = broken(|| other.backwards());
        assert_eq!(still_bound, [Broken::OutOfOrder]);
        assert!(poll(second.as_mut()).is_ready());
        other.backwards();
    };
    assert_eq!(broken(call), []);
}

#[test]
fn futures_are_as_free_as_without_it() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let pair = Pair::default();
    assert_eq!(run(is_send(pair.within(|_| ()))), 7);
}
