//! Where tracing is compiled out, the traced types are `std`'s own and the macros are gone; where
//! it is compiled in, they are types of their own.
//!
//! Both halves have the same condition as the library's, because Cargo gives every package of the
//! workspace the same `debug_assertions`, and the feature is passed on.

use std::any::TypeId;

/// Whether two types are one.
fn same<A: 'static, B: 'static>() -> bool {
    TypeId::of::<A>() == TypeId::of::<B>()
}

/// What is the same type in `std` and in `sync_trace`: one line for each.
macro_rules! identities {
    ($($module:ident::$name:ident $(<$($argument:tt),*>)?),* $(,)?) => {
        [$((
            stringify!($name),
            same::<
                std::$module::$name $(<$($argument),*>)?,
                sync_trace::$module::$name $(<$($argument),*>)?,
            >(),
        )),*]
    };
}

/// The types that sync-trace replaces.
fn replaced() -> Vec<(&'static str, bool)> {
    let scope =
        same::<std::thread::Scope<'static, 'static>, sync_trace::thread::Scope<'static, 'static>>();
    let mut all = identities![
        sync::Mutex<u8>,
        sync::MutexGuard<'static, u8>,
        sync::RwLock<u8>,
        sync::RwLockReadGuard<'static, u8>,
        sync::RwLockWriteGuard<'static, u8>,
        sync::Condvar,
        thread::Builder,
        thread::JoinHandle<u8>,
        thread::ScopedJoinHandle<'static, u8>,
    ]
    .to_vec();
    all.push(("Scope", scope));
    all
}

#[test]
fn the_constant_says_whether_tracing_is_compiled_in() {
    assert_eq!(sync_trace::ENABLED, cfg!(any(debug_assertions, feature = "always")));
}

#[test]
fn the_traced_types_are_stds_own_exactly_where_tracing_is_compiled_out() {
    for (name, is_std) in replaced() {
        assert_eq!(is_std, !sync_trace::ENABLED, "{name}");
    }
}

/// Errors, results and thread ids flow between crates that use the drop-in and crates that do not.
#[test]
fn what_is_not_traced_is_stds_own_in_every_build() {
    let shared = identities![
        sync::Arc<u8>,
        sync::Weak<u8>,
        sync::PoisonError<u8>,
        sync::TryLockError<u8>,
        sync::LockResult<u8>,
        sync::TryLockResult<u8>,
        sync::WaitTimeoutResult,
        sync::BarrierWaitResult,
        sync::OnceState,
        thread::Thread,
        thread::ThreadId,
        thread::LocalKey<u8>,
        thread::AccessError,
        thread::Result<u8>,
    ];
    for (name, is_std) in shared {
        assert!(is_std, "{name}");
    }
    assert!(same::<std::sync::atomic::AtomicU8, sync_trace::sync::atomic::AtomicU8>());
    assert!(same::<std::sync::mpsc::RecvError, sync_trace::sync::mpsc::RecvError>());
}

#[cfg(not(any(debug_assertions, feature = "always")))]
mod compiled_out {
    use sync_trace::OnViolation;

    static UNTRACKED: std::sync::Mutex<u8> = sync_trace::untracked!(std::sync::Mutex::new(1));
    static LOGGING: std::sync::RwLock<u8> =
        sync_trace::on_violation!(OnViolation::Log, sync_trace::sync::RwLock::new(2));

    #[test]
    fn what_is_stated_of_locks_is_a_call_of_the_closure() {
        use sync_trace::order;

        let (outer, inner) = (std::sync::Mutex::new(()), std::sync::RwLock::new(3u8));
        let guard = outer.lock().unwrap();
        let mut calls = 0;
        let inner = order::under(&guard, || {
            order::keyed(-1, || order::nested(1, || inner.try_write().map(|it| (calls += 1, it))))
        });
        assert_eq!(*inner.unwrap().1, 3);
        assert_eq!(calls, 1);
        fn size<F: FnOnce()>(_: &F) -> usize {
            size_of::<F>()
        }
        let call = || order::nested(1, || order::keyed(2u64, || ()));
        assert_eq!(size(&call), 0);
    }

    #[test]
    fn a_function_that_wants_stds_types_takes_ours() {
        fn lock(mutex: &std::sync::Mutex<u8>) -> std::sync::MutexGuard<'_, u8> {
            mutex.lock().unwrap()
        }
        fn read(lock: &std::sync::RwLock<u8>) -> std::sync::RwLockReadGuard<'_, u8> {
            lock.read().unwrap()
        }
        fn join(handle: std::thread::JoinHandle<u8>) -> u8 {
            handle.join().unwrap()
        }
        fn spawn<'scope>(
            scope: &'scope std::thread::Scope<'scope, '_>,
        ) -> std::thread::ScopedJoinHandle<'scope, u8> {
            scope.spawn(|| 4)
        }
        fn wait(signal: &std::sync::Condvar, guard: std::sync::MutexGuard<'_, u8>) -> u8 {
            *signal.wait_while(guard, |_| false).unwrap()
        }
        let mutex = sync_trace::sync::Mutex::new(1);
        let rwlock = sync_trace::sync::RwLock::new(2);
        let builder: std::thread::Builder = sync_trace::thread::Builder::new();
        assert_eq!(wait(&sync_trace::sync::Condvar::new(), lock(&mutex)), 1);
        assert_eq!(*read(&rwlock), 2);
        assert_eq!(join(sync_trace::thread::spawn(|| 3)), 3);
        assert_eq!(join(builder.spawn(|| 3).unwrap()), 3);
        assert_eq!(sync_trace::thread::scope(|scope| spawn(scope).join().unwrap()), 4);
    }

    /// A function item has a type of its own, so equal types mean one function.
    #[test]
    fn the_functions_are_stds_own() {
        fn assert_one<F>(_: F, _: F) {}
        type Body = fn() -> u8;
        type InScope = fn(&std::thread::Scope<'_, 'static>) -> u8;
        assert_one(std::sync::Mutex::<u8>::lock, sync_trace::sync::Mutex::<u8>::lock);
        assert_one(std::thread::spawn::<Body, u8>, sync_trace::thread::spawn::<Body, u8>);
        assert_one(std::thread::scope::<InScope, u8>, sync_trace::thread::scope::<InScope, u8>);
    }

    /// `std` has no semaphore, so there is one in every build; here without anything of tracing.
    #[test]
    fn the_semaphore_is_there_and_has_nothing_but_its_state_and_its_queue() {
        use std::collections::VecDeque;
        use sync_trace::sync::{Semaphore, SemaphorePermit};

        static POOL: Semaphore = sync_trace::named!("pool", Semaphore::new(1));
        let permit: SemaphorePermit<'_> = POOL.acquire().unwrap();
        assert!(POOL.try_acquire().is_err());
        assert!(sync_trace::snapshot().agents.is_empty());
        drop(permit);
        let queue = size_of::<std::sync::Mutex<VecDeque<std::sync::Arc<u8>>>>();
        assert_eq!(size_of::<Semaphore>(), size_of::<usize>() + queue);
        assert_eq!(size_of::<SemaphorePermit<'_>>(), 2 * size_of::<usize>());
    }

    #[test]
    fn a_lock_is_as_small_as_stds() {
        assert_eq!(size_of::<sync_trace::sync::Mutex<u64>>(), size_of::<std::sync::Mutex<u64>>());
        assert_eq!(
            size_of::<sync_trace::sync::MutexGuard<'static, u64>>(),
            size_of::<std::sync::MutexGuard<'static, u64>>()
        );
    }

    /// The macros give back `std`'s own locks as they were given.
    #[test]
    fn the_macros_are_the_expression_itself() {
        let untracked: std::sync::Mutex<u8> = sync_trace::untracked!(std::sync::Mutex::new(5));
        let named: std::sync::Mutex<u8> = sync_trace::named!("named", untracked);
        let loud = sync_trace::on_violation!(OnViolation::Abort, named);
        assert_eq!(loud.into_inner().unwrap(), 5);
        assert_eq!(*UNTRACKED.lock().unwrap() + *LOGGING.read().unwrap(), 3);
    }

    #[test]
    fn nothing_is_recorded_and_nothing_is_found() {
        let lock = sync_trace::sync::Mutex::new(0);
        let _held = lock.lock().unwrap();
        assert!(lock.try_lock().is_err());
        let _quiet = sync_trace::mute();
        assert!(sync_trace::findings().is_empty());
        assert!(sync_trace::take_findings().is_empty());
        let snapshot = sync_trace::snapshot();
        assert!(snapshot.agents.is_empty() && snapshot.limits.is_empty());
    }
}

#[cfg(any(debug_assertions, feature = "always"))]
mod compiled_in {
    #[test]
    fn a_lock_that_is_held_is_on_record() {
        let lock = sync_trace::sync::Mutex::new(0);
        let _held = lock.lock().unwrap();
        let snapshot = sync_trace::snapshot();
        assert!(snapshot.agents.iter().any(|agent| agent.holds.len() == 1));
        assert!(sync_trace::findings().is_empty());
    }

    #[test]
    fn the_macros_give_a_traced_lock() {
        use sync_trace::sync::{Mutex, RwLock};
        let untracked: Mutex<u8> = sync_trace::untracked!(Mutex::new(1));
        let logging: RwLock<u8> =
            sync_trace::on_violation!(sync_trace::OnViolation::Log, RwLock::new(2));
        assert_eq!(*untracked.lock().unwrap() + *logging.read().unwrap(), 3);
    }
}
