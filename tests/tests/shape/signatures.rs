//! Every function of the traced types, as a function pointer of exactly `std`'s signature, with
//! `std`'s turbofish where it has one.

use std::any::Any;
use std::io;
use std::num::NonZero;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::sync::mpsc::{
    self, IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender,
    TryIter, TryRecvError, TrySendError,
};
use super::sync::{
    Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once, OnceLock,
    OnceState, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockResult, WaitTimeoutResult,
};
use super::thread::{self, Builder, JoinHandle, Scope, ScopedJoinHandle, Thread, scope, spawn};

/// Coerces each function to the type before it, which is all there is to test.
macro_rules! signatures {
    ($($type:ty = $function:expr;)*) => {$({
        let function: $type = $function;
        // Used, so that it is not a needless binding.
        std::hint::black_box(function);
    })*};
}

#[test]
fn mutex() {
    signatures! {
        fn(u8) -> Mutex<u8> = Mutex::new;
        fn(u8) -> Mutex<u8> = Mutex::<u8>::from;
        fn() -> Mutex<u8> = Mutex::default;
        fn(&Mutex<str>) -> LockResult<MutexGuard<'_, str>> = Mutex::lock;
        fn(&Mutex<str>) -> TryLockResult<MutexGuard<'_, str>> = Mutex::try_lock;
        fn(&Mutex<str>) -> bool = Mutex::is_poisoned;
        fn(&Mutex<str>) = Mutex::clear_poison;
        fn(Mutex<u8>) -> LockResult<u8> = Mutex::into_inner;
        fn(&mut Mutex<str>) -> LockResult<&mut str> = Mutex::get_mut;
    }
}

#[test]
fn rwlock() {
    signatures! {
        fn(u8) -> RwLock<u8> = RwLock::new;
        fn(u8) -> RwLock<u8> = RwLock::<u8>::from;
        fn() -> RwLock<u8> = RwLock::default;
        fn(&RwLock<str>) -> LockResult<RwLockReadGuard<'_, str>> = RwLock::read;
        fn(&RwLock<str>) -> TryLockResult<RwLockReadGuard<'_, str>> = RwLock::try_read;
        fn(&RwLock<str>) -> LockResult<RwLockWriteGuard<'_, str>> = RwLock::write;
        fn(&RwLock<str>) -> TryLockResult<RwLockWriteGuard<'_, str>> = RwLock::try_write;
        fn(&RwLock<str>) -> bool = RwLock::is_poisoned;
        fn(&RwLock<str>) = RwLock::clear_poison;
        fn(RwLock<u8>) -> LockResult<u8> = RwLock::into_inner;
        fn(&mut RwLock<str>) -> LockResult<&mut str> = RwLock::get_mut;
        fn(RwLockWriteGuard<'static, str>) -> RwLockReadGuard<'static, str> =
            RwLockWriteGuard::downgrade;
    }
}

/// `wait_timeout_ms` is deprecated in `std`; were it not so here, the expectation would fail.
#[test]
#[expect(deprecated, reason = "`wait_timeout_ms` is")]
fn condvar() {
    type Condition = fn(&mut u8) -> bool;
    type Waited<'a> = LockResult<MutexGuard<'a, u8>>;
    type Timed<'a, R> = LockResult<(MutexGuard<'a, u8>, R)>;
    signatures! {
        fn() -> Condvar = Condvar::new;
        fn() -> Condvar = Condvar::default;
        for<'a> fn(&Condvar, MutexGuard<'a, u8>) -> Waited<'a> = Condvar::wait::<u8>;
        for<'a> fn(&Condvar, MutexGuard<'a, u8>, Condition) -> Waited<'a> =
            Condvar::wait_while::<u8, Condition>;
        for<'a> fn(&Condvar, MutexGuard<'a, u8>, u32) -> Timed<'a, bool> =
            Condvar::wait_timeout_ms::<u8>;
        for<'a> fn(&Condvar, MutexGuard<'a, u8>, Duration) -> Timed<'a, WaitTimeoutResult> =
            Condvar::wait_timeout::<u8>;
        for<'a> fn(
            &Condvar,
            MutexGuard<'a, u8>,
            Duration,
            Condition,
        ) -> Timed<'a, WaitTimeoutResult> = Condvar::wait_timeout_while::<u8, Condition>;
        fn(&Condvar) = Condvar::notify_one;
        fn(&Condvar) = Condvar::notify_all;
    }
}

#[test]
fn barrier() {
    signatures! {
        fn(usize) -> Barrier = Barrier::new;
        fn(&Barrier) -> BarrierWaitResult = Barrier::wait;
    }
}

#[test]
#[expect(deprecated, reason = "`ONCE_INIT` is")]
fn once() {
    type Forced = fn(&OnceState);
    signatures! {
        Once = super::sync::ONCE_INIT;
        fn() -> Once = Once::new;
        fn(&Once, fn()) = Once::call_once::<fn()>;
        fn(&Once, Forced) = Once::call_once_force::<Forced>;
        fn(&Once) -> bool = Once::is_completed;
        fn(&Once) = Once::wait;
        fn(&Once) = Once::wait_force;
    }
}

#[test]
fn once_lock() {
    type Init = fn() -> String;
    signatures! {
        fn() -> OnceLock<String> = OnceLock::new;
        fn() -> OnceLock<String> = OnceLock::default;
        fn(String) -> OnceLock<String> = OnceLock::<String>::from;
        fn(&OnceLock<String>) -> OnceLock<String> = OnceLock::clone;
        fn(&OnceLock<String>, &OnceLock<String>) -> bool = OnceLock::eq;
        fn(&OnceLock<String>) -> Option<&String> = OnceLock::get;
        fn(&mut OnceLock<String>) -> Option<&mut String> = OnceLock::get_mut;
        fn(&OnceLock<String>) -> &String = OnceLock::wait;
        fn(&OnceLock<String>, String) -> Result<(), String> = OnceLock::set;
        fn(&OnceLock<String>, Init) -> &String = OnceLock::get_or_init::<Init>;
        fn(OnceLock<String>) -> Option<String> = OnceLock::into_inner;
        fn(&mut OnceLock<String>) -> Option<String> = OnceLock::take;
    }
}

#[test]
fn lazy_lock() {
    type Init = Box<dyn FnOnce() -> String>;
    type Lazy = LazyLock<String, Init>;
    type Usual = LazyLock<String, fn() -> String>;
    type NotCallable = [u8; 3];
    signatures! {
        fn(Init) -> Lazy = LazyLock::new;
        fn() -> Usual = LazyLock::<String>::default;
        fn(&Lazy) -> &String = LazyLock::force;
        fn(&mut Lazy) -> &mut String = LazyLock::force_mut;
        fn(&Lazy) -> Option<&String> = LazyLock::get;
        fn(&mut Lazy) -> Option<&mut String> = LazyLock::get_mut;
        fn(&Lazy) -> &String = Lazy::deref;
        fn(&mut Lazy) -> &mut String = Lazy::deref_mut;
        // These two ask nothing of the initialiser.
        fn(&LazyLock<u8, NotCallable>) -> Option<&u8> = LazyLock::get;
        fn(&mut LazyLock<u8, NotCallable>) -> Option<&mut u8> = LazyLock::get_mut;
    }
}

#[test]
fn channels() {
    signatures! {
        fn() -> (Sender<u8>, Receiver<u8>) = mpsc::channel::<u8>;
        fn(usize) -> (SyncSender<u8>, Receiver<u8>) = mpsc::sync_channel::<u8>;
        fn(&Sender<u8>, u8) -> Result<(), SendError<u8>> = Sender::send;
        fn(&Sender<u8>) -> Sender<u8> = Sender::clone;
        fn(&SyncSender<u8>, u8) -> Result<(), SendError<u8>> = SyncSender::send;
        fn(&SyncSender<u8>, u8) -> Result<(), TrySendError<u8>> = SyncSender::try_send;
        fn(&SyncSender<u8>) -> SyncSender<u8> = SyncSender::clone;
        fn(&Receiver<u8>) -> Result<u8, TryRecvError> = Receiver::try_recv;
        fn(&Receiver<u8>) -> Result<u8, RecvError> = Receiver::recv;
        fn(&Receiver<u8>, Duration) -> Result<u8, RecvTimeoutError> = Receiver::recv_timeout;
        fn(&Receiver<u8>) -> Iter<'_, u8> = Receiver::iter;
        fn(&Receiver<u8>) -> TryIter<'_, u8> = Receiver::try_iter;
        fn(&'static Receiver<u8>) -> Iter<'static, u8> = IntoIterator::into_iter;
        fn(Receiver<u8>) -> IntoIter<u8> = IntoIterator::into_iter;
        fn(&mut Iter<'static, u8>) -> Option<u8> = Iterator::next;
        fn(&mut TryIter<'static, u8>) -> Option<u8> = Iterator::next;
        fn(&mut IntoIter<u8>) -> Option<u8> = Iterator::next;
    }
}

/// `sleep_ms` and `park_timeout_ms` are deprecated in `std`, each for itself.
#[test]
fn pauses() {
    #[expect(deprecated, reason = "`sleep_ms` is")]
    let sleep_ms = thread::sleep_ms;
    #[expect(deprecated, reason = "`park_timeout_ms` is")]
    let park_timeout_ms = thread::park_timeout_ms;
    signatures! {
        fn() = thread::park;
        fn(Duration) = thread::park_timeout;
        fn(u32) = park_timeout_ms;
        fn(Duration) = thread::sleep;
        fn(u32) = sleep_ms;
        fn() = thread::yield_now;
        fn() -> bool = thread::panicking;
        fn() -> Thread = thread::current;
        fn() -> io::Result<NonZero<usize>> = thread::available_parallelism;
    }
}

#[test]
fn threads() {
    type Body = fn() -> u8;
    type Ended = Result<u8, Box<dyn Any + Send + 'static>>;
    signatures! {
        fn(Body) -> JoinHandle<u8> = spawn::<Body, u8>;
        fn() -> Builder = Builder::new;
        fn(Builder, String) -> Builder = Builder::name;
        fn(Builder, usize) -> Builder = Builder::stack_size;
        fn(Builder, Body) -> io::Result<JoinHandle<u8>> = Builder::spawn::<Body, u8>;
        unsafe fn(Builder, Body) -> io::Result<JoinHandle<u8>> =
            Builder::spawn_unchecked::<Body, u8>;
        fn(&JoinHandle<u8>) -> &Thread = JoinHandle::thread;
        fn(JoinHandle<u8>) -> Ended = JoinHandle::join;
        fn(&JoinHandle<u8>) -> bool = JoinHandle::is_finished;
    }
}

#[test]
fn scoped_threads() {
    type Body = fn() -> u8;
    type InScope = for<'scope> fn(&'scope Scope<'scope, 'static>) -> u8;
    type Ended = Result<u8, Box<dyn Any + Send + 'static>>;
    type Static = &'static Scope<'static, 'static>;
    signatures! {
        fn(InScope) -> u8 = scope::<'static, InScope, u8>;
        fn(Static, Body) -> ScopedJoinHandle<'static, u8> = Scope::spawn::<Body, u8>;
        fn(Builder, Static, Body) -> io::Result<ScopedJoinHandle<'static, u8>> =
            Builder::spawn_scoped::<Body, u8>;
        for<'a> fn(&'a ScopedJoinHandle<'static, u8>) -> &'a Thread = ScopedJoinHandle::thread;
        fn(ScopedJoinHandle<'static, u8>) -> Ended = ScopedJoinHandle::join;
        fn(&ScopedJoinHandle<'static, u8>) -> bool = ScopedJoinHandle::is_finished;
    }
}
