//! Guards: kept, forgotten, dropped in any order, many at a time.

use std::collections::VecDeque;
use std::mem::forget;
use std::sync::TryLockError;

use super::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use super::thread;
use crate::in_time;

/// More than the held stack keeps in place, and more than twice that.
const MANY: usize = 40;

fn mutexes() -> Vec<Mutex<usize>> {
    (0..MANY).map(Mutex::new).collect()
}

/// Whether another thread finds each lock free.
fn free(locks: &[Mutex<usize>]) -> Vec<bool> {
    thread::scope(|scope| {
        let look = scope.spawn(|| locks.iter().map(|lock| lock.try_lock().is_ok()).collect());
        look.join().unwrap()
    })
}

#[test]
fn forty_guards_dropped_first_in_first_out_free_their_locks_one_by_one() {
    in_time(|| {
        let locks = mutexes();
        let mut guards: VecDeque<_> = locks.iter().map(|lock| lock.lock().unwrap()).collect();
        assert_eq!(free(&locks), [false; MANY]);
        for freed in 0..MANY {
            assert_eq!(*guards.pop_front().unwrap(), freed);
            let expected: Vec<bool> = (0..MANY).map(|lock| lock <= freed).collect();
            assert_eq!(free(&locks), expected);
        }
    });
}

#[test]
fn forty_guards_dropped_in_a_scattered_order_and_taken_again_guard_what_they_should() {
    in_time(|| {
        let locks = mutexes();
        let mut guards: Vec<_> = locks.iter().map(|lock| Some(lock.lock().unwrap())).collect();
        for step in 0..10 * MANY {
            // 17 and 40 have no common factor, so every lock has its turns.
            let at = step * 17 % MANY;
            guards[at] = match guards[at].take() {
                Some(guard) => {
                    assert_eq!(*guard, at);
                    None
                }
                None => Some(locks[at].lock().unwrap()),
            };
            let expected: Vec<bool> = guards.iter().map(Option::is_none).collect();
            if step % 10 == 0 {
                assert_eq!(free(&locks), expected);
            }
        }
        drop(guards);
        assert_eq!(free(&locks), [true; MANY]);
    });
}

#[test]
fn read_and_write_guards_of_many_locks_leave_in_the_order_they_came() {
    in_time(|| {
        let locks: Vec<RwLock<usize>> = (0..MANY).map(RwLock::new).collect();
        let (even, odd): (Vec<usize>, Vec<usize>) = (0..MANY).partition(|at| at % 2 == 0);
        let reads: Vec<_> = even.iter().map(|&at| locks[at].read().unwrap()).collect();
        let writes: Vec<_> = odd.iter().map(|&at| locks[at].write().unwrap()).collect();
        for (guard, at) in reads.into_iter().zip(even) {
            assert_eq!(*guard, at);
            drop(guard);
            assert!(locks[at].try_write().is_ok());
        }
        for (guard, at) in writes.into_iter().zip(odd) {
            assert_eq!(*guard, at);
            drop(guard);
            assert!(locks[at].try_write().is_ok());
        }
    });
}

#[test]
fn a_thread_may_read_a_lock_many_times_at_once() {
    in_time(|| {
        let lock = RwLock::new(7);
        let mut reads: VecDeque<_> = (0..MANY).map(|_| lock.read().unwrap()).collect();
        while let Some(read) = reads.pop_front() {
            assert_eq!(*read, 7);
            assert!(lock.try_write().is_err());
        }
        assert!(lock.try_write().is_ok());
    });
}

#[test]
fn guards_in_a_struct_may_be_moved_out_one_by_one() {
    struct Session<'a> {
        name: MutexGuard<'a, String>,
        _table: RwLockReadGuard<'a, [u8]>,
        log: RwLockWriteGuard<'a, Vec<u8>>,
    }
    impl Session<'_> {
        fn rename(&mut self, name: &str) {
            name.clone_into(&mut self.name);
            self.log.push(1);
        }
    }
    in_time(|| {
        let (name, log) = (Mutex::new(String::new()), RwLock::new(Vec::new()));
        let table = RwLock::new([1, 2, 3]);
        let table: &RwLock<[u8]> = &table;
        let mut session = Session {
            log: log.write().unwrap(),
            name: name.lock().unwrap(),
            _table: table.read().unwrap(),
        };
        session.rename("first");
        // Taken apart, the rest lives on.
        let Session { name: moved_out, .. } = session;
        assert_eq!(*moved_out, "first");
        assert!(name.try_lock().is_err());
        assert!(table.try_write().is_err() && log.try_write().is_err());
        drop(moved_out);
        assert!(name.try_lock().is_ok() && log.try_write().is_err());
    });
}

#[test]
fn a_guard_given_to_a_function_is_released_there() {
    fn consume(guard: MutexGuard<'_, u8>, lock: &Mutex<u8>) {
        assert!(lock.try_lock().is_err());
        drop(guard);
        assert!(lock.try_lock().is_ok());
    }
    let lock = Mutex::new(0);
    consume(lock.lock().unwrap(), &lock);
    // A temporary lives to the end of its statement.
    let seen = (*lock.lock().unwrap(), lock.try_lock().is_err());
    assert_eq!(seen, (0, true));
    assert!(lock.try_lock().is_ok());
}

#[test]
fn a_guard_replaced_by_its_successor_is_released_after_that_was_taken() {
    in_time(|| {
        // Hand over hand along a list, as in a lock-coupled structure.
        let locks = mutexes();
        let mut guard = locks[0].lock().unwrap();
        for lock in &locks[1..] {
            guard = lock.lock().unwrap();
        }
        assert_eq!(*guard, MANY - 1);
        let expected: Vec<bool> = (0..MANY).map(|at| at != MANY - 1).collect();
        assert_eq!(free(&locks), expected);
    });
}

#[test]
fn a_forgotten_guard_keeps_its_lock_for_ever_and_no_other() {
    in_time(|| {
        let (mutex, other, rwlock) = (Mutex::new(1), Mutex::new(2), RwLock::new(3));
        forget(mutex.lock().unwrap());
        forget(rwlock.read().unwrap());
        let kept = other.lock().unwrap();
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(rwlock.try_read().is_ok() && rwlock.try_write().is_err());
        drop(kept);
        assert!(other.try_lock().is_ok());
        thread::scope(|scope| {
            let elsewhere = scope.spawn(|| {
                mutex.try_lock().is_err()
                    && other.try_lock().is_ok()
                    && rwlock.try_read().is_ok()
                    && rwlock.try_write().is_err()
            });
            assert!(elsewhere.join().unwrap());
        });
    });
}

#[test]
fn a_guard_forgotten_by_a_thread_that_has_ended_keeps_its_lock() {
    in_time(|| {
        let mutex = Mutex::new(1);
        thread::scope(|scope| {
            scope.spawn(|| forget(mutex.lock().unwrap())).join().unwrap();
            assert!(mutex.try_lock().is_err());
        });
    });
}

#[test]
fn locks_inside_locks_are_taken_from_the_outside_in() {
    in_time(|| {
        let nested = Mutex::new(RwLock::new(Mutex::new(1)));
        *nested.lock().unwrap().read().unwrap().lock().unwrap() += 1;
        let outer = nested.lock().unwrap();
        let middle = outer.write().unwrap();
        let inner = middle.lock().unwrap();
        assert_eq!(*inner, 2);
        drop(inner);
        drop(middle);
        drop(outer);
        assert_eq!(nested.into_inner().unwrap().into_inner().unwrap().into_inner().unwrap(), 2);
    });
}
