//! Constness, coercions, variance and drop check. Most of it has been tested once it compiles; the
//! tests run it all the same, so that a `const` that compiles to nonsense is found too.

use std::fmt::Debug;
use std::sync::Arc;

use super::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use super::thread;

static MUTEX: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static RWLOCK: RwLock<Option<String>> = RwLock::new(None);
static CONDVAR: Condvar = Condvar::new();
static MANY: [Mutex<u8>; 3] = [const { Mutex::new(7) }; 3];
static NESTED: Mutex<(RwLock<u8>, Condvar)> = Mutex::new((RwLock::new(1), Condvar::new()));
#[expect(clippy::declare_interior_mutable_const, reason = "a lock of its own at each use is meant")]
const FRESH: Mutex<u8> = Mutex::new(3);

/// A constructor that is not one if the lock's own is not const for every payload.
const fn mutex_around<T>(value: T) -> Mutex<T> {
    Mutex::new(value)
}

const fn rwlock_around<T>(value: T) -> RwLock<T> {
    RwLock::new(value)
}

/// Locks that have nothing to drop may be dropped at compile time.
const fn drops_locks() -> u8 {
    let _mutex = Mutex::new(1_u8);
    let _rwlock = RwLock::new('c');
    let _condvar = Condvar::new();
    4
}

#[test]
fn locks_are_made_in_statics_and_constants() {
    static MADE: (Mutex<u8>, RwLock<u8>) = (mutex_around(1), rwlock_around(2));
    const DROPPED: u8 = drops_locks();
    MUTEX.lock().unwrap().push(1);
    assert_eq!(*MUTEX.lock().unwrap(), [1]);
    assert_eq!(*RWLOCK.read().unwrap(), None);
    CONDVAR.notify_all();
    *MANY[1].lock().unwrap() += 1;
    assert_eq!(MANY.each_ref().map(|lock| *lock.lock().unwrap()), [7, 8, 7]);
    assert_eq!(*NESTED.lock().unwrap().0.read().unwrap(), 1);
    assert_eq!(*MADE.0.lock().unwrap() + *MADE.1.read().unwrap() + DROPPED, 7);
}

#[test]
fn every_use_of_a_constant_is_a_lock_of_its_own() {
    let (one, two) = (FRESH, FRESH);
    let _held = one.lock().unwrap();
    assert_eq!(*two.lock().unwrap(), 3);
}

#[test]
fn locks_coerce_to_locks_of_slices_and_trait_objects() {
    let mutex: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    mutex.lock().unwrap()[0] = 9;
    assert_eq!(*mutex.lock().unwrap(), [9, 2, 3]);
    let rwlock: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2]));
    rwlock.write().unwrap()[1] = 8;
    assert_eq!(rwlock.read().unwrap().len(), 2);
    let shown: Arc<Mutex<dyn Debug + Send>> = Arc::new(Mutex::new(5));
    assert_eq!(format!("{:?}", &*shown.lock().unwrap()), "5");
    let next: Arc<RwLock<dyn Iterator<Item = u8> + Send + Sync>> = Arc::new(RwLock::new(4..6));
    assert_eq!(next.write().unwrap().next(), Some(4));
    // A lock around a lock around something unsized.
    let nested: &Mutex<Mutex<[u8]>> = &Mutex::new(Mutex::new([1; 4]));
    assert_eq!(nested.lock().unwrap().lock().unwrap().len(), 4);
}

#[test]
fn an_unsized_lock_has_every_method_but_those_that_move_the_payload() {
    let mut mutex = Mutex::new([1_u8]);
    let unsized_mutex: &mut Mutex<[u8]> = &mut mutex;
    unsized_mutex.get_mut().unwrap()[0] = 2;
    unsized_mutex.clear_poison();
    assert!(!unsized_mutex.is_poisoned());
    assert_eq!(unsized_mutex.try_lock().unwrap()[0], 2);
    let mut rwlock = RwLock::new([1_u8]);
    let unsized_rwlock: &mut RwLock<[u8]> = &mut rwlock;
    unsized_rwlock.get_mut().unwrap()[0] = 3;
    unsized_rwlock.clear_poison();
    assert!(!unsized_rwlock.is_poisoned());
    let written = unsized_rwlock.try_write().unwrap();
    assert_eq!(RwLockWriteGuard::downgrade(written)[0], 3);
    assert_eq!(unsized_rwlock.try_read().unwrap()[0], 3);
}

#[test]
fn a_lock_may_outlive_what_its_payload_borrows() {
    let (mut mutex, mut rwlock) = (None, None);
    let text = String::from("dropped before the locks that borrow it");
    let mutex: &Mutex<_> = mutex.insert(Mutex::new(&text));
    let rwlock: &RwLock<_> = rwlock.insert(RwLock::new(&*text));
    assert_eq!(mutex.lock().unwrap().len(), rwlock.read().unwrap().len());
}

#[test]
fn a_read_guard_of_a_long_lived_reference_is_one_of_a_shorter_lived() {
    fn shorter<'a>(guard: RwLockReadGuard<'a, &'static str>) -> RwLockReadGuard<'a, &'a str> {
        guard
    }
    let lock = RwLock::new("text");
    let guard = shorter(lock.read().unwrap());
    assert_eq!(*guard, "text");
}

#[test]
fn every_guard_is_covariant_in_the_life_of_its_lock() {
    type Guards<'m, 'r, 'w> =
        (MutexGuard<'m, u8>, RwLockReadGuard<'r, u8>, RwLockWriteGuard<'w, u8>);
    fn same<'a>(guards: Guards<'a, 'a, 'static>) -> Guards<'a, 'a, 'a> {
        guards
    }
    static LOCK: RwLock<u8> = RwLock::new(3);
    let (mutex, rwlock) = (Mutex::new(1), RwLock::new(2));
    let (a, b, c) = same((mutex.lock().unwrap(), rwlock.read().unwrap(), LOCK.write().unwrap()));
    assert_eq!(*a + *b + *c, 6);
}

/// `downgrade` is an associated function, as every method of a pointer type should be.
#[test]
fn a_guard_hides_no_method_of_its_payload() {
    struct Payload;
    impl Payload {
        fn downgrade(&mut self) -> &str {
            "the payload's"
        }
    }
    let lock = RwLock::new(Payload);
    let mut guard = lock.write().unwrap();
    assert_eq!(guard.downgrade(), "the payload's");
}

#[test]
fn guards_borrow_their_lock_and_nothing_else() {
    fn held(lock: &Mutex<u8>) -> MutexGuard<'_, u8> {
        let borrowed = &lock;
        borrowed.lock().unwrap()
    }
    fn waited<'a>(lock: &'a Mutex<u8>, guard: MutexGuard<'a, u8>) -> MutexGuard<'a, u8> {
        // A guard does not borrow the condvar that it went through.
        let signal = Condvar::new();
        let guard = signal.wait_while(guard, |_| false).unwrap();
        assert!(lock.try_lock().is_err());
        guard
    }
    let lock = Mutex::new(5);
    assert_eq!(*waited(&lock, held(&lock)), 5);
}

#[test]
fn scopes_can_be_passed_to_functions_that_name_their_lifetimes() {
    fn start<'scope, 'env>(
        scope: &'scope thread::Scope<'scope, 'env>,
        text: &'env str,
    ) -> thread::ScopedJoinHandle<'scope, usize> {
        scope.spawn(move || text.len())
    }
    let text = String::from("four");
    let length = thread::scope(|scope| start(scope, &text).join().unwrap());
    assert_eq!(length, 4);
}

/// Every name of `std::sync` and `std::thread` is there; the ones that are not traced are used
/// somewhere, so that a type of the same name would not do.
#[test]
#[expect(deprecated, reason = "`ONCE_INIT`, `sleep_ms` and `park_timeout_ms` are deprecated")]
fn every_name_is_there() {
    use super::sync::mpsc::{
        IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender,
        TryIter, TryRecvError, TrySendError, channel, sync_channel,
    };
    use super::sync::{
        Barrier, BarrierWaitResult, LazyLock, LockResult, ONCE_INIT, Once, OnceLock, OnceState,
        PoisonError, TryLockError, TryLockResult, WaitTimeoutResult, Weak, atomic,
    };
    use super::thread::{
        AccessError, Builder, JoinHandle, LocalKey, Result, Scope, ScopedJoinHandle, Thread,
        ThreadId, available_parallelism, current, panicking, park, park_timeout, park_timeout_ms,
        scope, sleep, sleep_ms, spawn, yield_now,
    };
    static INITIALISED: Once = ONCE_INIT;
    type Types = (
        (Barrier, BarrierWaitResult, LazyLock<u8>, OnceLock<u8>, OnceState, WaitTimeoutResult),
        (LockResult<u8>, TryLockResult<u8>, PoisonError<u8>, TryLockError<u8>, Weak<u8>),
        (AccessError, Builder, JoinHandle<u8>, LocalKey<u8>, Result<u8>, Thread, ThreadId),
        (Scope<'static, 'static>, ScopedJoinHandle<'static, u8>, atomic::AtomicU8),
        (Sender<u8>, SyncSender<u8>, Receiver<u8>, IntoIter<u8>),
        (Iter<'static, u8>, TryIter<'static, u8>, SendError<u8>, TrySendError<u8>),
        (RecvError, RecvTimeoutError, TryRecvError),
    );
    fn done<T>(_: std::marker::PhantomData<T>) {}
    done::<Types>(std::marker::PhantomData);
    INITIALISED.call_once(|| ());
    let _ = (available_parallelism, current, panicking, park, park_timeout, park_timeout_ms);
    let _ = (scope::<'static, fn(&Scope<'_, 'static>), ()>, spawn::<fn(), ()>);
    let _ = (sleep, sleep_ms, yield_now, channel::<u8>, sync_channel::<u8>);
}
