//! Locks where few people look: in thread-local destructors, during unwinding, in guards that leave
//! their thread.

use std::cell::RefCell;
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use super::sync::mpsc::{Sender, TryRecvError, channel, sync_channel};
use super::sync::{Condvar, LazyLock, Mutex, MutexGuard, Once, OnceLock, RwLock};
use super::thread;
use crate::{Smuggled, in_time, panic_of};

/// Locks in every way when it is dropped.
struct LocksInDrop {
    log: Arc<Mutex<Vec<&'static str>>>,
    table: Arc<RwLock<u8>>,
    name: &'static str,
}

impl Drop for LocksInDrop {
    fn drop(&mut self) {
        let mut log = self.log.lock().unwrap();
        log.push(self.name);
        drop(self.table.read().unwrap());
        *self.table.write().unwrap() += 1;
        drop(log);
        // A lock that nobody has used before.
        *Mutex::new(0).lock().unwrap() += 1;
        drop(self.log.try_lock());
        let (log, result) =
            Condvar::new().wait_timeout(self.log.lock().unwrap(), Duration::ZERO).unwrap();
        assert!(result.timed_out() && !log.is_empty());
    }
}

thread_local! {
    static EARLY: RefCell<Option<LocksInDrop>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<LocksInDrop>> = const { RefCell::new(None) };
    static KEPT: RefCell<Vec<MutexGuard<'static, u8>>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn locks_work_in_thread_local_destructors_made_before_and_after_the_threads_first_lock() {
    in_time(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let table = Arc::new(RwLock::new(0));
        let locks = |name| LocksInDrop { log: Arc::clone(&log), table: Arc::clone(&table), name };
        let (early, late) = (locks("early"), locks("late"));
        let clone = Arc::clone(&log);
        let thread = std::thread::spawn(move || {
            EARLY.set(Some(early));
            clone.lock().unwrap().push("running");
            LATE.set(Some(late));
        });
        thread.join().unwrap();
        let mut seen = log.lock().unwrap();
        seen.sort_unstable();
        assert_eq!(*seen, ["early", "late", "running"]);
        assert_eq!(*table.read().unwrap(), 2);
    });
}

/// The same in a thread of the library's own.
#[test]
fn locks_work_in_thread_local_destructors_of_threads_that_use_no_lock_otherwise() {
    in_time(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let table = Arc::new(RwLock::new(0));
        for _ in 0..20 {
            let locks = LocksInDrop { log: Arc::clone(&log), table: Arc::clone(&table), name: "" };
            thread::spawn(move || LATE.set(Some(locks))).join().unwrap();
        }
        assert_eq!(log.lock().unwrap().len(), 20);
        assert_eq!(*table.read().unwrap(), 20);
    });
}

/// Uses everything that is not a lock with guards when it is dropped.
struct WorksInDrop {
    send: Sender<usize>,
    filled: Arc<OnceLock<usize>>,
    lazy: Arc<LazyLock<usize>>,
    number: usize,
}

impl Drop for WorksInDrop {
    fn drop(&mut self) {
        self.filled.get_or_init(|| self.number);
        assert_eq!((self.filled.set(7), self.filled.wait()), (Err(7), &1));
        self.send.send(self.number * 10 + **self.lazy).unwrap();
        // Ones that nobody has used before.
        let once = Once::new();
        once.call_once(|| ());
        once.wait();
        assert_eq!(*LazyLock::new(|| 1_u8), 1);
        assert!(super::sync::Barrier::new(1).wait().is_leader());
        let (send, receive) = channel();
        assert!(receive.recv_timeout(Duration::from_millis(1)).is_err());
        send.send(Some(self.send.clone())).unwrap();
        assert!(receive.recv().unwrap().is_some());
        assert_eq!(receive.try_recv().err(), Some(TryRecvError::Empty));
        drop(send);
        assert!(receive.recv().is_err());
        let (send, receive) = sync_channel(1);
        send.send(1).unwrap();
        assert!(send.try_send(2).is_err());
        assert!(receive.try_iter().eq([1]));
        thread::park_timeout(Duration::ZERO);
    }
}

thread_local! {
    static WORKS: RefCell<Vec<WorksInDrop>> = const { RefCell::new(Vec::new()) };
    static ENDS: RefCell<Option<Sender<usize>>> = const { RefCell::new(None) };
}

#[test]
fn channels_and_what_is_made_once_work_in_thread_local_destructors() {
    in_time(|| {
        let (send, receive) = channel();
        let filled = Arc::new(OnceLock::new());
        let lazy: Arc<LazyLock<usize>> = Arc::new(LazyLock::new(|| 5));
        let works = |number| WorksInDrop {
            send: send.clone(),
            filled: Arc::clone(&filled),
            lazy: Arc::clone(&lazy),
            number,
        };
        // Made before and after the first use of anything, in threads of `std`'s and of ours.
        let (early, late) = (works(1), works(2));
        let another = works(3);
        let first = std::thread::spawn(move || {
            WORKS.with_borrow_mut(|works| works.push(early));
            WORKS.with_borrow_mut(|works| works.push(late));
        });
        first.join().unwrap();
        let uses_them = thread::spawn(move || {
            another.send.send(1).unwrap();
            WORKS.with_borrow_mut(|works| works.push(another));
        });
        uses_them.join().unwrap();
        drop(send);
        assert_eq!(receive.iter().collect::<Vec<_>>(), [15, 25, 1, 35]);
        assert_eq!((filled.get(), LazyLock::get(&lazy)), (Some(&1), Some(&5)));
    });
}

#[test]
fn a_sender_kept_in_a_thread_local_goes_with_its_thread() {
    in_time(|| {
        for _ in 0..20 {
            let (send, receive) = channel();
            thread::scope(|scope| {
                let keeps = scope.spawn(move || {
                    send.send(1).unwrap();
                    ENDS.set(Some(send));
                });
                assert_eq!(receive.iter().collect::<Vec<_>>(), [1]);
                keeps.join().unwrap();
            });
        }
    });
}

#[test]
fn guards_kept_in_a_thread_local_are_released_when_their_thread_ends() {
    in_time(|| {
        let locks: &'static [Mutex<u8>] = Box::leak((0..20).map(Mutex::new).collect());
        for _ in 0..3 {
            let thread = thread::spawn(|| {
                // The destructor is registered first, so it may run after the library's own.
                KEPT.with_borrow_mut(Vec::clear);
                locks.iter().for_each(|lock| {
                    KEPT.with_borrow_mut(|kept| kept.push(lock.lock().unwrap()));
                });
            });
            thread.join().unwrap();
            assert!(locks.iter().all(|lock| lock.try_lock().is_ok()));
        }
    });
}

#[test]
fn a_destructor_that_runs_during_unwinding_may_wait_for_a_lock() {
    in_time(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let table = Arc::new(RwLock::new(0));
        let (held, go) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = log.lock().unwrap();
                held.wait();
                go.wait();
            });
            held.wait();
            let text = panic_of(|| {
                let _locks =
                    LocksInDrop { log: Arc::clone(&log), table: Arc::clone(&table), name: "last" };
                go.wait();
                panic!("unwinding");
            });
            assert_eq!(text, "unwinding");
        });
        assert!(!log.is_poisoned() && !table.is_poisoned());
        assert_eq!(*log.lock().unwrap(), ["last"]);
    });
}

#[test]
fn guards_on_the_way_of_a_panic_are_released_from_the_inside_out() {
    struct Sees<'a>(&'a Mutex<u8>, &'a Mutex<u8>, mpsc::Sender<(bool, bool)>);
    impl Drop for Sees<'_> {
        fn drop(&mut self) {
            self.2.send((self.0.try_lock().is_err(), self.1.try_lock().is_err())).unwrap();
        }
    }
    in_time(|| {
        let (send, receive) = mpsc::channel();
        let (outer, inner) = (Mutex::new(0), Mutex::new(0));
        panic_of(|| {
            let _last = Sees(&outer, &inner, send.clone());
            let _outer = outer.lock().unwrap();
            let _first = Sees(&outer, &inner, send);
            let _inner = inner.lock().unwrap();
            panic!("unwinding");
        });
        // A poisoned lock is an error too, so the second answer says only that it is not fine.
        assert_eq!(receive.iter().collect::<Vec<_>>(), [(true, true), (true, true)]);
        outer.clear_poison();
        inner.clear_poison();
        assert!(outer.try_lock().is_ok() && inner.try_lock().is_ok());
    });
}

/// Takes a guard in this thread, drops it in another, and checks that both can use the lock then.
fn drops_elsewhere<L: Sync, G>(
    lock: &'static L,
    take: impl Fn(&'static L) -> G + Sync,
    free: impl Fn(&L) -> bool + Sync,
) {
    for _ in 0..3 {
        thread::scope(|scope| {
            let guard = Smuggled(take(lock));
            assert!(!free(lock));
            let other = scope.spawn(move || drop(guard.unpack()));
            other.join().unwrap();
            assert!(free(lock));
            drop(take(lock));
            assert!(scope.spawn(|| free(lock)).join().unwrap());
            let (take, free) = (&take, &free);
            scope.spawn(move || (drop(take(lock)), free(lock))).join().unwrap();
            assert!(free(lock));
        });
    }
}

#[test]
fn a_guard_dropped_in_another_thread_frees_its_lock_for_both() {
    in_time(|| {
        static MUTEX: Mutex<u8> = Mutex::new(0);
        static RWLOCK: RwLock<u8> = RwLock::new(0);
        drops_elsewhere(&MUTEX, |m| m.lock().unwrap(), |m| m.try_lock().is_ok());
        drops_elsewhere(&RWLOCK, |l| l.read().unwrap(), |l| l.try_write().is_ok());
        drops_elsewhere(&RWLOCK, |l| l.write().unwrap(), |l| l.try_write().is_ok());
        drops_elsewhere(&RWLOCK, |l| l.try_read().unwrap(), |l| l.try_write().is_ok());
    });
}

#[test]
fn a_guard_may_outlive_the_thread_that_took_it() {
    in_time(|| {
        let (mutex, rwlock, other) = (Mutex::new(0), RwLock::new(0), Mutex::new(0));
        thread::scope(|scope| {
            let taken = scope.spawn(|| {
                let _other = other.lock().unwrap();
                Smuggled((mutex.lock().unwrap(), rwlock.read().unwrap()))
            });
            let (mut guard, read) = taken.join().map(Smuggled::unpack).unwrap();
            *guard += 1;
            assert_eq!(*read, 0);
            assert!(mutex.try_lock().is_err() && rwlock.try_write().is_err());
            drop((guard, read));
            assert!(mutex.try_lock().is_ok() && rwlock.try_write().is_ok());
            assert!(scope.spawn(|| mutex.lock().is_ok()).join().unwrap());
        });
    });
}

/// Each thread drops its predecessor's guard, and passes on one of its own.
#[test]
fn a_ring_of_threads_may_drop_each_others_guards() {
    const THREADS: usize = 3;
    const ROUNDS: usize = 50;
    in_time(|| {
        let mutex = Mutex::new(0);
        thread::scope(|scope| {
            let mutex = &mutex;
            let (first, mut receive) = mpsc::channel::<Smuggled<MutexGuard<'_, usize>>>();
            for _ in 0..THREADS {
                let (send, next) = mpsc::channel();
                let previous = std::mem::replace(&mut receive, next);
                scope.spawn(move || {
                    for guard in previous {
                        *guard.unpack() += 1;
                        send.send(Smuggled(mutex.lock().unwrap())).unwrap();
                    }
                });
            }
            for _ in 0..ROUNDS {
                first.send(Smuggled(mutex.lock().unwrap())).unwrap();
                *receive.recv().unwrap().unpack() += 1;
            }
        });
        assert_eq!(mutex.into_inner().unwrap(), (THREADS + 1) * ROUNDS);
    });
}

#[test]
fn a_guard_that_came_from_another_thread_can_wait_on_a_condvar() {
    in_time(|| {
        let (mutex, signal) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            let guard = Smuggled(mutex.lock().unwrap());
            let waiter = scope.spawn(|| {
                // The whole of it is moved in, not its field.
                let guard = guard;
                let guard = signal.wait_while(guard.unpack(), |value| *value == 0).unwrap();
                assert!(mutex.try_lock().is_err());
                *guard
            });
            // Not by `lock`: until the guard is dropped or waits, this thread is taken for its owner.
            let mut guard = loop {
                match mutex.try_lock() {
                    Ok(guard) => break guard,
                    Err(_) => thread::yield_now(),
                }
            };
            *guard = 5;
            drop(guard);
            signal.notify_one();
            assert_eq!(waiter.join().unwrap(), 5);
        });
        assert!(mutex.try_lock().is_ok());
    });
}

#[test]
fn a_mutex_may_guard_the_handle_of_the_thread_that_uses_it() {
    in_time(|| {
        let slot = Arc::new(Mutex::new(None));
        let clone = Arc::clone(&slot);
        let handle = thread::spawn(move || {
            while clone.lock().unwrap().is_none() {
                thread::yield_now();
            }
        });
        *slot.lock().unwrap() = Some(handle);
        // Taken out first: joining with the lock held would be a deadlock.
        while !slot.lock().unwrap().as_ref().unwrap().is_finished() {
            thread::yield_now();
        }
        let handle = slot.lock().unwrap().take().unwrap();
        handle.join().unwrap();
    });
}
