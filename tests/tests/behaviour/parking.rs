//! Parking and its token, and sleeping.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::blocked::spawn_blocked;
use super::thread;
use crate::{in_time, panic_of};

/// Longer than any test may take.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(10);

/// Every way to park that lasts until the token comes.
#[expect(deprecated, reason = "`park_timeout_ms` is there, so it is tested")]
const WAYS: [fn(); 4] = [
    thread::park,
    || thread::park_timeout(LONG),
    || thread::park_timeout(Duration::MAX),
    || thread::park_timeout_ms(60_000),
];

/// Whether parking lasts as long as it may, so that there was no token.
fn parks_in_vain() -> bool {
    let start = Instant::now();
    thread::park_timeout(SHORT);
    start.elapsed() >= SHORT
}

/// Whether it happens at least sometimes: parking may end for no reason.
#[track_caller]
fn assert_parks_in_vain_after(mut prepare: impl FnMut()) {
    let mut in_vain = || {
        prepare();
        parks_in_vain()
    };
    assert!((0..10).any(|_| in_vain()), "there is always a token left");
}

#[test]
fn a_token_that_came_before_ends_the_parking_at_once() {
    in_time(|| {
        for way in WAYS {
            thread::current().unpark();
            way();
        }
    });
}

#[test]
fn tokens_do_not_add_up() {
    in_time(|| {
        for way in WAYS {
            assert_parks_in_vain_after(|| {
                (0..3).for_each(|_| thread::current().unpark());
                way();
            });
        }
    });
}

#[test]
fn parking_for_a_time_ends_without_a_token_and_leaves_none() {
    in_time(|| {
        thread::park_timeout(Duration::ZERO);
        assert_parks_in_vain_after(|| thread::park_timeout(Duration::ZERO));
        #[expect(deprecated, reason = "it is there, so it is tested")]
        assert_parks_in_vain_after(|| thread::park_timeout_ms(1));
        assert_parks_in_vain_after(|| ());
    });
}

#[test]
fn parking_for_no_time_takes_the_token() {
    in_time(|| {
        assert_parks_in_vain_after(|| {
            thread::current().unpark();
            thread::park_timeout(Duration::ZERO);
        });
    });
}

#[test]
fn unpark_ends_the_parking_of_that_thread_and_of_no_other() {
    in_time(|| {
        for way in WAYS {
            let goes_on = [const { AtomicBool::new(false) }; 2];
            thread::scope(|scope| {
                let parked = goes_on.each_ref().map(|goes_on| {
                    spawn_blocked(scope, move || {
                        while !goes_on.load(Ordering::Acquire) {
                            way();
                        }
                    })
                });
                for (goes_on, thread) in goes_on.iter().zip(parked) {
                    assert!(!thread.is_finished());
                    goes_on.store(true, Ordering::Release);
                    thread.thread().unpark();
                    thread.join().unwrap();
                }
            });
        }
    });
}

#[test]
fn a_thread_may_be_unparked_before_it_parks_or_even_begins() {
    in_time(|| {
        let thread = thread::spawn(thread::park);
        thread.thread().unpark();
        thread.join().unwrap();
        // And after it has ended.
        let ended = thread::spawn(|| ());
        let kept = ended.thread().clone();
        ended.join().unwrap();
        kept.unpark();
    });
}

#[test]
fn every_handle_of_a_thread_unparks_it() {
    in_time(|| {
        let parent = thread::current();
        let from_std = std::thread::current();
        thread::spawn(move || parent.unpark()).join().unwrap();
        thread::park();
        std::thread::spawn(move || from_std.unpark()).join().unwrap();
        thread::park();
        // `std`'s function and ours take the same token.
        thread::current().unpark();
        std::thread::park();
        assert_parks_in_vain_after(|| ());
    });
}

#[test]
fn scoped_threads_park_and_unpark_each_other() {
    const TURNS: usize = 100;
    in_time(|| {
        let turn = AtomicBool::new(false);
        thread::scope(|scope| {
            let play = |mine: bool, other: &thread::Thread| {
                for _ in 0..TURNS {
                    while turn.load(Ordering::Acquire) != mine {
                        thread::park();
                    }
                    turn.store(!mine, Ordering::Release);
                    other.unpark();
                }
            };
            let here = thread::current();
            let other = scope.spawn(move || play(true, &here));
            play(false, other.thread());
            other.join().unwrap();
        });
    });
}

/// `std`'s own locks keep their hands off the token on Linux; elsewhere some of them park. Channels
/// and the ends of scopes do so everywhere.
#[cfg(target_os = "linux")]
#[test]
fn locks_and_joins_leave_the_token_alone() {
    use super::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};

    in_time(|| {
        let (mutex, signal, rwlock) = (Mutex::new(0), Condvar::new(), RwLock::new(0));
        let (once, lock, barrier) = (Once::new(), OnceLock::new(), Barrier::new(2));
        let lazy = LazyLock::new(|| 1);
        thread::scope(|scope| {
            let guards = (mutex.lock().unwrap(), rwlock.write().unwrap());
            let waiter = spawn_blocked(scope, || {
                thread::current().unpark();
                let guard = mutex.lock().unwrap();
                drop(rwlock.read().unwrap());
                drop(signal.wait_while(guard, |n| *n == 0).unwrap());
                once.wait();
                lock.wait();
                barrier.wait();
                thread::spawn(|| ()).join().unwrap();
                assert_eq!(*lazy, 1);
                // Hangs if the token is gone.
                thread::park();
            });
            drop(guards);
            *mutex.lock().unwrap() = 1;
            signal.notify_one();
            once.call_once(|| ());
            lock.set(1).unwrap();
            barrier.wait();
            waiter.join().unwrap();
        });
    });
}

#[test]
fn parking_gives_no_thread_a_name_and_takes_none_away() {
    in_time(|| {
        let park = || {
            thread::current().unpark();
            thread::park();
            thread::park_timeout(Duration::ZERO);
            thread::sleep(Duration::ZERO);
            thread::current().name().map(str::to_owned)
        };
        assert_eq!(thread::spawn(park).join().unwrap(), None);
        let named = thread::Builder::new().name("parks".to_owned()).spawn(park);
        assert_eq!(named.unwrap().join().unwrap().as_deref(), Some("parks"));
        let foreign = std::thread::spawn(park).join().unwrap();
        assert_eq!(foreign, None);
    });
}

#[test]
fn a_thread_may_park_while_it_unwinds() {
    struct ParksInDrop;
    impl Drop for ParksInDrop {
        fn drop(&mut self) {
            thread::current().unpark();
            thread::park();
            thread::park_timeout(Duration::ZERO);
        }
    }
    in_time(|| {
        let text = panic_of(|| {
            let _parks = ParksInDrop;
            panic!("unwinding");
        });
        assert_eq!(text, "unwinding");
    });
}

#[test]
#[expect(deprecated, reason = "`sleep_ms` is there, so it is tested")]
fn a_sleep_lasts_as_long_as_it_should_whatever_the_token() {
    in_time(|| {
        thread::sleep(Duration::ZERO);
        thread::sleep_ms(0);
        thread::current().unpark();
        let start = Instant::now();
        thread::sleep(SHORT);
        assert!(start.elapsed() >= SHORT);
        thread::sleep_ms(10);
        assert!(start.elapsed() >= 2 * SHORT);
        // The token is there still.
        thread::park();
    });
}
