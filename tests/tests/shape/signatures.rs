//! Every function of the traced types, as a function pointer of exactly `std`'s signature, with
//! `std`'s turbofish where it has one.

use std::any::Any;
use std::io;
use std::time::Duration;

use super::sync::{
    Condvar, LockResult, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    TryLockResult, WaitTimeoutResult,
};
use super::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle, Thread, scope, spawn};

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
