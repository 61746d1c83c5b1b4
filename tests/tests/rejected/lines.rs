//! Lines that `std` rejects, among lines that it accepts.
#![allow(dead_code, unused)]

use std::cell::Cell;

use super::sync::mpsc::{
    IntoIter, Iter, Receiver, Sender, SyncSender, TryIter, channel, sync_channel,
};
use super::sync::{
    Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use super::thread::{self, JoinHandle, Scope, ScopedJoinHandle};

/// Looks at what it borrows when it is dropped.
struct Looks<'a>(&'a str);

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

// A payload that looks at what it borrows must go first, ...

fn mutex_outlives() {
    let lock = Mutex::new(None);
    let text = String::new();
    *lock.lock().unwrap() = Some(Looks(&text)); //~ E0597
}

fn rwlock_outlives() {
    let lock = RwLock::new(None);
    let text = String::new();
    *lock.write().unwrap() = Some(Looks(&text)); //~ E0597
}

fn once_lock_outlives() {
    let lock = OnceLock::new();
    let text = String::new();
    lock.get_or_init(|| Looks(&text)); //~ E0597
}

// ... while one that does not look may go later, ...

fn accepted() {
    let (mutex, rwlock, once_lock) = (Mutex::new(""), RwLock::new(""), OnceLock::new());
    let text = String::new();
    *mutex.lock().unwrap() = &text;
    *rwlock.write().unwrap() = &text;
    once_lock.set(&text).unwrap();
}

// ... but not from a `LazyLock` or a channel.

fn lazy_lock_of_a_reference_outlives() {
    let lazy: LazyLock<Cell<&str>> = LazyLock::new(|| Cell::new(""));
    let text = String::new();
    lazy.set(&text); //~ E0597
}

fn lazy_lock_whose_initialiser_borrows_outlives() {
    let (lazy, text);
    text = String::new();
    lazy = LazyLock::new(|| text.len()); //~ E0597
}

fn sender_outlives() {
    let send;
    let text = String::new();
    let (new, receive) = channel();
    new.send(&text).unwrap(); //~ E0597
    send = new;
}

fn sync_sender_outlives() {
    let send;
    let text = String::new();
    let (new, receive) = sync_channel(1);
    new.send(&text).unwrap(); //~ E0597
    send = new;
}

fn receiver_outlives() {
    let receive;
    let text = String::new();
    let (send, new) = channel();
    send.send(&text).unwrap(); //~ E0597
    receive = new;
}

fn owning_iterator_outlives() {
    let iter;
    let text = String::new();
    let (send, receive) = channel();
    send.send(&text).unwrap(); //~ E0597
    iter = receive.into_iter();
}

// No borrow outlives its lock, its receiver or its scope.

fn mutex_guard() {
    let kept;
    {
        let lock = Mutex::new(1);
        kept = lock.lock().unwrap(); //~ E0597
    }
    drop(kept);
}

fn read_guard() {
    let kept;
    {
        let lock = RwLock::new(1);
        kept = lock.read().unwrap(); //~ E0597
    }
    drop(kept);
}

fn write_guard() {
    let kept;
    {
        let lock = RwLock::new(1);
        kept = lock.write().unwrap(); //~ E0597
    }
    drop(kept);
}

fn once_lock_value() {
    let kept;
    {
        let lock = OnceLock::new();
        kept = lock.get_or_init(|| 1); //~ E0597
    }
    drop(kept);
}

fn once_lock_waited_for() {
    let kept;
    {
        let lock = OnceLock::from(1);
        kept = lock.wait(); //~ E0597
    }
    drop(kept);
}

fn lazy_lock_value() {
    let kept;
    {
        let lazy = LazyLock::new(|| 1);
        kept = LazyLock::force(&lazy); //~ E0597
    }
    drop(kept);
}

fn iterator() {
    let kept;
    {
        let (send, receive) = channel::<u8>();
        kept = receive.iter(); //~ E0597
    }
    drop(kept);
}

fn iterator_without_waiting() {
    let kept;
    {
        let (send, receive) = channel::<u8>();
        kept = receive.try_iter(); //~ E0597
    }
    drop(kept);
}

fn what_a_thread_borrows() {
    let text = String::new();
    thread::spawn(|| println!("{text}")); //~ E0373
    thread::Builder::new().spawn(|| println!("{text}")); //~ E0373
}

fn what_a_scoped_thread_borrows() {
    thread::scope(|scope| {
        let text = String::new();
        scope.spawn(|| println!("{text}")); //~ E0373
    });
}

// What is borrowed by a value stays as it is while that lives.

fn once_lock_taken() {
    let mut lock = OnceLock::from(1);
    let value = lock.get();
    lock.take(); //~ E0502
    println!("{value:?}");
}

fn lazy_lock_changed() {
    let mut lazy = LazyLock::new(|| 1);
    let value = LazyLock::get(&lazy);
    LazyLock::force_mut(&mut lazy); //~ E0502
    println!("{value:?}");
}

fn lazy_lock_changed_twice() {
    let mut lazy = LazyLock::new(|| 1);
    let value = LazyLock::get_mut(&mut lazy);
    LazyLock::get_mut(&mut lazy); //~ E0499
    println!("{value:?}");
}

fn guard_given_to_a_condvar(signal: &Condvar, lock: &Mutex<u8>) {
    let guard = lock.lock().unwrap();
    drop(signal.wait(guard));
    println!("{guard}"); //~ E0382
}

fn receiver_used_up(receive: Receiver<u8>) {
    for _ in receive {}
    receive.try_recv(); //~ E0382
}

fn handle_joined(handle: JoinHandle<u8>) {
    handle.join();
    handle.is_finished(); //~ E0382
}

// Whatever can be written through is invariant, in either direction.

fn mutex<'a>(lock: &'a Mutex<&'static str>) -> &'a Mutex<&'a str> {
    lock //~ lifetime may not live long enough
}

fn rwlock<'a>(lock: RwLock<&'static str>) -> RwLock<&'a str> {
    lock //~ lifetime may not live long enough
}

fn mutex_guard_of<'a>(guard: MutexGuard<'a, &'static str>) -> MutexGuard<'a, &'a str> {
    guard //~ lifetime may not live long enough
}

fn write_guard_of<'a>(guard: RwLockWriteGuard<'a, &'static str>) -> RwLockWriteGuard<'a, &'a str> {
    guard //~ lifetime may not live long enough
}

fn read_guard_of_longer<'a>(
    guard: RwLockReadGuard<'a, &'a str>,
) -> RwLockReadGuard<'a, &'static str> {
    guard //~ lifetime may not live long enough
}

fn guard_of_longer<'a>(guard: MutexGuard<'a, u8>) -> MutexGuard<'static, u8> {
    guard //~ lifetime may not live long enough
}

fn once_lock<'a>(lock: OnceLock<&'static str>) -> OnceLock<&'a str> {
    lock //~ lifetime may not live long enough
}

fn once_lock_of_longer<'a>(lock: OnceLock<&'a str>) -> OnceLock<&'static str> {
    lock //~ lifetime may not live long enough
}

fn lazy_lock<'a, F>(lazy: LazyLock<&'static str, F>) -> LazyLock<&'a str, F> {
    lazy //~ lifetime may not live long enough
}

fn lazy_lock_of_longer<'a, F>(lazy: LazyLock<&'a str, F>) -> LazyLock<&'static str, F> {
    lazy //~ lifetime may not live long enough
}

fn initialiser<'a>(lazy: LazyLock<u8, &'static str>) -> LazyLock<u8, &'a str> {
    lazy //~ lifetime may not live long enough
}

fn sender<'a>(send: Sender<&'static str>) -> Sender<&'a str> {
    send //~ lifetime may not live long enough
}

fn sender_of_longer<'a>(send: Sender<&'a str>) -> Sender<&'static str> {
    send //~ lifetime may not live long enough
}

fn sync_sender<'a>(send: SyncSender<&'static str>) -> SyncSender<&'a str> {
    send //~ lifetime may not live long enough
}

fn receiver<'a>(receive: Receiver<&'static str>) -> Receiver<&'a str> {
    receive //~ lifetime may not live long enough
}

fn receiver_of_longer<'a>(receive: Receiver<&'a str>) -> Receiver<&'static str> {
    receive //~ lifetime may not live long enough
}

fn iterator_of<'r, 'a: 'r>(iter: Iter<'r, &'static str>) -> Iter<'r, &'a str> {
    iter //~ lifetime may not live long enough
}

fn iterator_of_longer<'a>(iter: Iter<'a, u8>) -> Iter<'static, u8> {
    iter //~ lifetime may not live long enough
}

fn try_iterator_of<'r, 'a: 'r>(iter: TryIter<'r, &'static str>) -> TryIter<'r, &'a str> {
    iter //~ lifetime may not live long enough
}

fn owning_iterator<'a>(iter: IntoIter<&'static str>) -> IntoIter<&'a str> {
    iter //~ lifetime may not live long enough
}

fn handle<'a>(handle: JoinHandle<&'static str>) -> JoinHandle<&'a str> {
    handle //~ lifetime may not live long enough
}

fn scoped_handle<'scope>(handle: ScopedJoinHandle<'scope, u8>) -> ScopedJoinHandle<'static, u8> {
    handle //~ lifetime may not live long enough
}

fn scope<'a>(scope: &'a Scope<'static, 'static>) -> &'a Scope<'a, 'static> {
    scope //~ lifetime may not live long enough
}

fn environment<'a>(scope: &'a Scope<'a, 'static>) -> &'a Scope<'a, 'a> {
    scope //~ lifetime may not live long enough
}
