//! Programs that are hard on extents: recursion, panics on all ways, destructors, threads, and tasks that
//! change threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::broken;
use sync_trace::finding::Broken;
use sync_trace::sync::{Mutex, MutexGuard};
use sync_trace::{catch_findings, lock_budget, lock_order, lock_scope, locks, thread};

#[derive(Default)]
struct Pair {
    a: Mutex<u8>,
    b: Mutex<u16>,
}

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Pair {
    fn backwards(&self) {
        let _b = take(&self.b);
        drop(take(&self.a));
    }

    fn forwards(&self) {
        let _a = take(&self.a);
        drop(take(&self.b));
    }

    /// Goes down so far, does this, and panics on its way up wherever the depth says so.
    #[locks(order(self.a < self.b), budget(hold = "1h"))]
    fn recurse(&self, depth: u32, panics: fn(u32) -> bool, bottom: &dyn Fn(&Self)) {
        match depth {
            0 => bottom(self),
            _ => {
                let result =
                    catch_unwind(AssertUnwindSafe(|| self.recurse(depth - 1, panics, bottom)));
                if let Err(panic) = result
                    && depth.is_multiple_of(2)
                {
                    std::panic::resume_unwind(panic);
                }
            }
        }
        if panics(depth) {
            panic!("on purpose");
        }
    }

    #[lock_order(self.a < self.b)]
    async fn task(&self, depth: u32, bad: bool) -> u32 {
        tokio::task::yield_now().await;
        if depth > 0 {
            let below = Box::pin(self.task(depth - 1, bad));
            return below.await + 1;
        }
        lock_scope!(only(self.a, self.b); async {
            tokio::task::yield_now().await;
            if bad { self.backwards() } else { self.forwards() }
        })
        .await;
        tokio::task::yield_now().await;
        1
    }

    #[lock_budget(hold = "1h", await_hold = "0")]
    async fn sleeps(&self) {
        drop(take(&self.a));
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

/// Is bound by nothing that it was in.
#[track_caller]
fn is_free(pair: &Pair) {
    assert_eq!(broken(|| pair.backwards()), []);
}

#[test]
fn panics_on_all_ways_leave_all_that_they_leave() {
    let pair = Pair::default();
    let ways: [fn(u32) -> bool; 4] =
        [|_| false, |depth| depth.is_multiple_of(3), |depth| depth == 0, |_| true];
    for panics in ways {
        let caught = catch_findings(|| pair.recurse(20, panics, &Pair::forwards));
        assert!(caught.findings.is_empty(), "{:?}", caught.findings);
        is_free(&pair);
        let caught = catch_findings(|| pair.recurse(20, panics, &Pair::backwards));
        assert_eq!(caught.findings.len(), 1, "{:?}", caught.findings);
        is_free(&pair);
    }
}

/// Runs a function with rules when it is dropped.
struct Cleans<'p>(&'p Pair);

impl Drop for Cleans<'_> {
    fn drop(&mut self) {
        self.0.recurse(3, |_| false, &Pair::forwards);
    }
}

#[test]
fn a_destructor_that_runs_while_a_finding_unwinds_may_have_rules_of_its_own() {
    let pair = Pair::default();
    let cleans = || {
        let _cleans = Cleans(&pair);
        pair.recurse(0, |_| false, &Pair::backwards);
    };
    assert_eq!(broken(cleans), [Broken::OutOfOrder]);
    let cleans = || {
        let _cleans = Cleans(&pair);
        pair.recurse(3, |depth| depth == 3, &|_| ());
    };
    let caught = catch_findings(cleans);
    assert_eq!((caught.result.is_err(), caught.findings.len()), (true, 0));
    is_free(&pair);
}

#[test]
fn threads_do_not_mix() {
    let pairs: Vec<Pair> = (0..4).map(|_| Pair::default()).collect();
    let caught = catch_findings(|| {
        thread::scope(|scope| {
            for (at, pair) in pairs.iter().enumerate() {
                scope.spawn(move || {
                    for _ in 0..100 {
                        pair.recurse(5, |_| false, &Pair::forwards);
                        let others = |_: &Pair| Pair::default().backwards();
                        pair.recurse(at as u32, |_| false, &others);
                    }
                });
            }
        });
    });
    assert!(caught.result.is_ok() && caught.findings.is_empty(), "{:?}", caught.findings);
}

#[test]
fn tasks_that_change_threads_keep_their_rules_and_leave_none_behind() {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(4).enable_time().build().unwrap();
    let caught = catch_findings(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..200)
                .map(|_| tokio::spawn(async { Pair::default().task(5, false).await }))
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap(), 6);
            }
        });
    });
    assert!(caught.result.is_ok() && caught.findings.is_empty(), "{:?}", caught.findings);
    // The workers are not ours, so their findings are no test's: it is their panics that count.
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    runtime.block_on(async {
        let tasks: Vec<_> = (0..50)
            .map(|at| tokio::spawn(async move { Pair::default().task(3, at % 2 == 0).await }))
            .collect();
        for task in tasks {
            if task.await.is_err() {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
        }
        // No worker is bound by anything that has ended so, nor by what is cancelled.
        let pair = Arc::new(Pair::default());
        for _ in 0..20 {
            let pair = Arc::clone(&pair);
            let sleeping = tokio::spawn(async move { pair.sleeps().await });
            tokio::task::yield_now().await;
            sleeping.abort();
            assert!(sleeping.await.unwrap_err().is_cancelled());
        }
        let free: Vec<_> =
            (0..50).map(|_| tokio::spawn(async { Pair::default().backwards() })).collect();
        for task in free {
            task.await.unwrap();
        }
    });
    assert_eq!(PANICS.load(Ordering::Relaxed), 25);
    let is_of_task =
        |finding: &sync_trace::finding::Finding| finding.to_string().contains("in `Pair::task`");
    let found = sync_trace::take_findings_where(is_of_task);
    assert!((1..=4).contains(&found.len()), "at most one for each worker: {found:?}");
}

#[test]
fn what_is_generic_is_bound_by_the_locks_of_its_call() {
    trait Both {
        fn both(&self) -> (&Mutex<u8>, &Mutex<u16>);
    }
    impl Both for Pair {
        fn both(&self) -> (&Mutex<u8>, &Mutex<u16>) {
            (&self.a, &self.b)
        }
    }
    #[lock_order(a < each(b[_] by addr))]
    fn within<T, const N: usize>(a: &Mutex<T>, b: &[&Mutex<u16>; N], f: impl FnOnce()) {
        f();
    }
    fn check<P: Both + ?Sized>(pair: &P, f: impl FnOnce()) {
        let (a, b) = pair.both();
        within(a, &[b], f);
    }
    let pair = Pair::default();
    let boxed: Box<dyn Both> = Box::new(Pair::default());
    assert_eq!(broken(|| check(&pair, || pair.backwards())), [Broken::OutOfOrder]);
    assert_eq!(broken(|| check(&*boxed, || pair.backwards())), []);
    assert_eq!(broken(|| within::<u8, 0>(&pair.a, &[], || pair.backwards())), []);
}
