//! What is counted of waits, on schedules that are always the same.
//!
//! Each wait is also measured by the thread that waits, from outside, with the same clock: what is counted lies
//! between the hold that it had to sit out and what was measured. There is no other tolerance.
#![cfg(any(debug_assertions, feature = "always"))]

use std::panic::Location;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use sync_trace::contention::{ClassStats, Stats};
use sync_trace::finding::{LockKind, Mode, Site, Target};
use sync_trace::sync::{Condvar, Mutex, OnceLock, RwLock, Semaphore};
use sync_trace::{named, thread};

const MS: Duration = Duration::from_millis(1);

/// What was counted of the locks with this name.
fn counted(name: &str) -> Vec<ClassStats> {
    let classes = sync_trace::contention().classes;
    classes.into_iter().filter(|class| class.name == Some(name)).collect()
}

/// The same, where one mode and kind is expected.
#[track_caller]
fn stats(name: &str) -> Stats {
    let mut classes = counted(name);
    assert_eq!(classes.len(), 1, "{classes:#?}");
    classes.remove(0).stats
}

/// Returns when so many threads wait for locks with this name, with at least one published each.
fn until_waiting(name: &str, threads: usize) {
    let waits_for_it = |agent: &sync_trace::finding::AgentState| {
        let wait = agent.wait.as_ref();
        wait.is_some_and(|(wait, _)| match &wait.target {
            Target::Lock(lock, _) => lock.name == Some(name),
            _ => false,
        })
    };
    while sync_trace::snapshot().agents.iter().filter(|agent| waits_for_it(agent)).count() < threads
    {
        std::thread::yield_now();
    }
}

/// Lets time pass: a message that nobody sends.
fn pass(time: Duration) {
    let (_sender, receiver) = channel::<()>();
    assert!(receiver.recv_timeout(time).is_err());
}

/// Runs `wait`, and says how long that took.
fn measured<R>(wait: impl FnOnce() -> R) -> (R, Duration) {
    let begun = Instant::now();
    (wait(), begun.elapsed())
}

/// The line of the caller.
#[track_caller]
fn here() -> u32 {
    Location::caller().line()
}

fn lines(sites: &[(Option<Site>, u64, Duration)]) -> Vec<(u32, u64)> {
    sites.iter().map(|(site, waits, _)| (site.map_or(0, Site::line), *waits)).collect()
}

#[test]
fn two_that_queue_behind_one_hold_wait_for_all_of_it() {
    let lock = named!("sc1", Mutex::new(()));
    let (held, holder) = (lock.lock().unwrap(), here());
    let waiter = here() + 1;
    let wait = || measured(|| drop(lock.lock().unwrap())).1;
    let waited: Vec<Duration> = thread::scope(|scope| {
        let threads = [scope.spawn(wait), scope.spawn(wait)];
        until_waiting("sc1", 2);
        pass(50 * MS);
        drop(held);
        threads.map(|thread| thread.join().unwrap()).into()
    });
    let stats = stats("sc1");
    assert_eq!((stats.acquisitions, stats.waits.count(), stats.owner_changes), (3, 2, 2));
    assert_eq!((stats.threads, stats.queue_max, stats.queued, stats.queues), (3, 2, 3, 2));
    assert!(stats.waits.min().unwrap() >= 50 * MS);
    assert!(stats.waits.max().unwrap() <= *waited.iter().max().unwrap());
    assert!(stats.waits.total() <= waited.iter().sum());
    assert_eq!(lines(&stats.holders()), [(holder, 2)]);
    assert_eq!(lines(&stats.waiters()), [(waiter, 2)]);
    assert_eq!(stats.holders()[0].2, stats.waits.total());
    // The first hold of each thread is measured.
    assert_eq!((stats.holds.count(), stats.samples()), (3, 3));
    assert!(stats.holds.max().unwrap() >= 50 * MS);
    let worst = stats.sections[0];
    assert_eq!((worst.site.map(|site| site.line()), worst.holds), (Some(holder), 1));
    assert_eq!(worst.never_mutable, 1);
}

#[test]
fn readers_do_not_wait_for_each_other_and_a_writer_waits_for_a_reader() {
    let lock = named!("sc2", RwLock::new(()));
    thread::scope(|scope| {
        let (go, gone) = channel::<()>();
        let gone = Arc::new(std::sync::Mutex::new(gone));
        let (come, came) = channel();
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (come, gone, lock) = (come.clone(), Arc::clone(&gone), &lock);
                scope.spawn(move || {
                    let _reads = lock.read().unwrap();
                    come.send(here() - 1).unwrap();
                    assert!(gone.lock().unwrap().recv().is_err());
                })
            })
            .collect();
        let holder = [(); 3].map(|()| came.recv().unwrap())[0];
        assert!(counted("sc2").is_empty(), "nobody has waited yet, and no hold has ended");
        let writer = scope.spawn(|| measured(|| drop(lock.write().unwrap())).1);
        until_waiting("sc2", 1);
        pass(10 * MS);
        drop(go);
        let waited = writer.join().unwrap();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        let both = counted("sc2");
        let of = |mode| both.iter().find(|class| class.mode == mode).unwrap();
        let (read, write) = (of(Mode::Read), of(Mode::Exclusive));
        assert_eq!((read.stats.acquisitions, read.stats.waits.count()), (3, 0));
        assert!(read.stats.holds.min().unwrap() >= 10 * MS, "they went on while the writer waited");
        assert_eq!((write.kind, write.stats.acquisitions), (LockKind::RwLock, 1));
        assert_eq!(write.stats.waits.count(), 1);
        assert!(write.stats.waits.total() >= 10 * MS && write.stats.waits.total() <= waited);
        assert_eq!(lines(&write.stats.holders()), [(holder, 1)]);
        // And the other way round.
        let (writes, holder) = (lock.write().unwrap(), here());
        let reader = scope.spawn(|| drop(lock.read().unwrap()));
        until_waiting("sc2", 1);
        drop(writes);
        reader.join().unwrap();
        let both = counted("sc2");
        assert_eq!(both.len(), 2);
        let read = both.iter().find(|class| class.mode == Mode::Read).unwrap();
        assert_eq!(lines(&read.stats.holders()), [(holder, 1)]);
    });
}

#[test]
fn a_wait_for_a_signal_counts_at_the_condition_variable_and_not_at_its_mutex() {
    let (lock, signal) = (named!("sc3", Mutex::new(false)), named!("sc3 signal", Condvar::new()));
    let waited = thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let ready = lock.lock().unwrap();
            measured(|| drop(signal.wait_while(ready, |ready| !*ready))).1
        });
        until_waiting("sc3", 1);
        pass(20 * MS);
        // The waiter has given it up, so this is had at once.
        *lock.lock().unwrap() = true;
        signal.notify_one();
        waiter.join().unwrap()
    });
    signal.notify_all();
    let signals = stats("sc3 signal");
    assert_eq!(signals.waits.count(), 1);
    assert!(signals.waits.total() >= 20 * MS && signals.waits.total() <= waited);
    assert_eq!((signals.notifies, signals.notifies_in_vain, signals.timeouts), (2, 1, 0));
    let holds = stats("sc3");
    assert_eq!((holds.acquisitions, holds.waits.count()), (3, 0), "one before the wait, one after");
    assert!(holds.holds.max().unwrap() < waited, "the wait is no part of a hold");
}

#[test]
fn tries_that_fail_are_counted_and_are_no_waits() {
    let lock = named!("sc4", Mutex::new(()));
    let held = lock.lock().unwrap();
    thread::scope(|scope| {
        let fails = scope.spawn(|| (0..5).filter(|_| lock.try_lock().is_err()).count());
        assert_eq!(fails.join().unwrap(), 5);
        drop(held);
        scope.spawn(|| assert!(lock.try_lock().is_ok())).join().unwrap();
    });
    let stats = stats("sc4");
    assert_eq!((stats.try_failures, stats.waits.count()), (5, 0));
    assert_eq!((stats.acquisitions, stats.try_successes), (2, 1));
}

#[test]
fn a_wait_whose_time_is_over_counts_with_its_time() {
    let (lock, signal) = (Mutex::new(()), named!("sc5", Condvar::new()));
    let timeout = 15 * MS;
    let (timed, waited) =
        measured(|| signal.wait_timeout(lock.lock().unwrap(), timeout).unwrap().1.timed_out());
    let (timed_while, waited_while) = measured(|| {
        signal.wait_timeout_while(lock.lock().unwrap(), timeout, |()| true).unwrap().1.timed_out()
    });
    assert!(timed_while);
    // `std` may wake up early.
    let timeouts = 1 + u64::from(timed);
    let signals = stats("sc5");
    assert_eq!(signals.timeouts, timeouts);
    assert!(signals.waits.count() >= 2 && signals.waits.max().unwrap() >= timeout);
    assert!(signals.waits.total() <= waited + waited_while);

    let permits = named!("sc5 permits", Semaphore::new(1));
    let permit = permits.acquire().unwrap();
    let (late, waited) = measured(|| permits.acquire_timeout(timeout).is_err());
    drop(permit);
    let permits = stats("sc5 permits");
    assert!(late && permits.waits.total() >= timeout && permits.waits.total() <= waited);
    assert_eq!((permits.timeouts, permits.waits.count()), (1, 1));
}

#[test]
fn a_message_that_does_not_come_in_time_is_a_timeout_and_one_that_comes_is_none() {
    let (sender, receiver) = named!("timed messages", sync_trace::sync::mpsc::channel());
    let (late, waited) = measured(|| receiver.recv_timeout(15 * MS));
    assert_eq!(late, Err(RecvTimeoutError::Timeout));
    let first = stats("timed messages");
    assert!(first.waits.total() >= 15 * MS && first.waits.total() <= waited);
    assert_eq!((first.timeouts, first.waits.count()), (1, 1));
    let long = Duration::from_secs(3600);
    thread::scope(|scope| {
        let receives = scope.spawn(move || {
            assert_eq!(receiver.recv_timeout(long), Ok(7));
            assert_eq!(receiver.recv_timeout(long), Err(RecvTimeoutError::Disconnected));
        });
        until_waiting("timed messages", 1);
        sender.send(7).unwrap();
        // It has come for the second time.
        while stats("timed messages").waits.count() < 2 {
            std::thread::yield_now();
        }
        until_waiting("timed messages", 1);
        drop(sender);
        receives.join().unwrap();
    });
    let both = stats("timed messages");
    assert_eq!((both.timeouts, both.waits.count()), (1, 3));
}

#[test]
fn a_try_for_a_permit_that_is_not_free_has_failed() {
    let permits = named!("tried permits", Semaphore::new(2));
    let permit = permits.try_acquire().unwrap();
    assert!(permits.try_acquire_many(2).is_err());
    let other = permits.try_acquire().unwrap();
    (0..3).for_each(|_| assert!(permits.try_acquire().is_err()));
    drop((permit, other));
    permits.close();
    assert!(permits.try_acquire().is_err(), "it is closed, which is another matter");
    let stats = stats("tried permits");
    assert_eq!((stats.try_failures, stats.waits.count()), (4, 0));
}

#[test]
fn who_parks_for_all_of_its_time_has_a_timeout_and_who_is_unparked_has_none() {
    let at = |line: u32| -> Option<(u64, u64, Duration)> {
        let classes = sync_trace::contention().classes;
        let class = classes.into_iter().find(|class| {
            class.kind == LockKind::Thread
                && class.created.line() == line
                && class.created.file() == file!()
        });
        class.map(|class| {
            assert!(!class.is_lock());
            (class.stats.waits.count(), class.stats.timeouts, class.stats.waits.total())
        })
    };
    let (park, line) = (|| thread::park_timeout(15 * MS), here());
    // `std` may wake up early: as often as it takes.
    let (mut parks, mut waited) = (0, Duration::ZERO);
    while at(line).is_none_or(|(_, timeouts, _)| timeouts == 0) {
        waited += measured(park).1;
        parks += 1;
    }
    let (waits, timeouts, total) = at(line).unwrap();
    assert_eq!((waits, timeouts), (parks, 1));
    assert!(total >= 15 * MS && total <= waited);

    let (unparked, line) = (|| thread::park_timeout(Duration::from_secs(3600)), here());
    let handle = thread::spawn(unparked);
    handle.thread().unpark();
    handle.join().unwrap();
    assert_eq!(at(line).map(|(waits, timeouts, _)| (waits, timeouts)), Some((1, 0)));
    let (slept, line) = (|| thread::sleep(MS), here());
    slept();
    assert_eq!(at(line), None, "who sleeps waits for nobody");
}

#[test]
fn whoever_holds_for_longer_is_charged_with_more() {
    let lock = named!("sc6", Mutex::new(()));
    let wait_behind = |held, time| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| measured(|| drop(lock.lock().unwrap())).1);
            until_waiting("sc6", 1);
            pass(time);
            drop(held);
            waiter.join().unwrap()
        })
    };
    let (short, short_line) = (wait_behind(lock.lock().unwrap(), 10 * MS), here());
    let (long, long_line) = (wait_behind(lock.lock().unwrap(), 90 * MS), here());
    let stats = stats("sc6");
    let holders = stats.holders();
    assert_eq!(lines(&holders), [(long_line, 1), (short_line, 1)]);
    assert!(holders[0].2 >= 90 * MS && holders[0].2 <= long);
    assert!(holders[1].2 >= 10 * MS && holders[1].2 <= short);
    assert_eq!(holders[0].2 + holders[1].2, stats.waits.total());
}

#[test]
fn a_hold_is_charged_with_the_time_of_everybody_who_waits_behind_it() {
    let lock = named!("sc8", Mutex::new(()));
    let held = lock.lock().unwrap();
    let waited: Vec<Duration> = thread::scope(|scope| {
        let wait = || measured(|| drop(lock.lock().unwrap())).1;
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(wait)).collect();
        until_waiting("sc8", 4);
        pass(10 * MS);
        drop(held);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let stats = stats("sc8");
    let [(_, 4, charged)] = stats.holders()[..] else { panic!("{:?}", stats.holders()) };
    assert!(charged >= 40 * MS && charged <= waited.iter().sum());
    assert!(stats.waits.min().unwrap() >= 10 * MS);
    assert_eq!(stats.handed_on, 0, "who held it had not waited for it");
}

#[test]
fn it_is_seen_how_often_a_lock_goes_to_another_thread() {
    const TURNS: usize = 50;
    let (alternates, stays) = (named!("sc7", Mutex::new(0)), named!("sc7 alone", Mutex::new(0)));
    thread::scope(|scope| {
        let (go, gone) = channel::<()>();
        let (come, came) = channel();
        let alternates = &alternates;
        let other = scope.spawn(move || {
            for () in gone {
                *alternates.lock().unwrap() += 1;
                come.send(()).unwrap();
            }
        });
        for _ in 0..TURNS {
            *alternates.lock().unwrap() += 1;
            *stays.lock().unwrap() += 1;
            go.send(()).unwrap();
            came.recv().unwrap();
        }
        drop(go);
        other.join().unwrap();
    });
    let changes = |name| {
        let stats = stats(name);
        (stats.acquisitions, stats.owner_changes, stats.threads)
    };
    let turns = TURNS as u64;
    assert_eq!(changes("sc7"), (2 * turns, 2 * turns - 1, 2));
    assert_eq!(changes("sc7 alone"), (turns, 0, 1));
}

#[test]
fn it_is_seen_that_a_section_only_reads() {
    let lock = named!("only read", Mutex::new(vec![1]));
    let read_line = here() + 1;
    let read = |lock: &Mutex<Vec<i32>>| assert_eq!(lock.lock().unwrap().len(), 1);
    let write_line = here() + 1;
    let write = |lock: &Mutex<Vec<i32>>| lock.lock().unwrap()[0] += 1;
    let shared = named!("only read, shared", RwLock::new(1));
    // A thread's first hold is always measured.
    for round in 0..20 {
        thread::scope(|scope| {
            scope.spawn(|| if round % 4 == 0 { write(&lock) } else { read(&lock) });
        });
        thread::scope(|scope| _ = scope.spawn(|| drop(shared.write().unwrap())));
    }
    let stats = stats("only read");
    let mut sections: Vec<_> = stats
        .sections
        .iter()
        .map(|section| (section.site.unwrap().line(), section.holds, section.never_mutable))
        .collect();
    sections.sort();
    assert_eq!(sections, [(read_line, 15, 15), (write_line, 5, 0)]);
    let [writes] = &counted("only read, shared")[..] else { panic!("it was never read") };
    assert_eq!(writes.stats.sections[0].never_mutable, 20);
}

#[test]
fn holds_that_end_in_any_order_and_at_any_depth_are_counted_each_in_its_mode() {
    const DEEP: usize = 20;
    let locks: [RwLock<()>; DEEP] = std::array::from_fn(|_| named!("any order", RwLock::new(())));
    for round in 0..50 {
        let mut held: Vec<_> = locks.iter().map(|lock| Some(lock.write().unwrap())).collect();
        (0..DEEP).for_each(|at| held[(at * 7 + round) % DEEP] = None);
        // Hand over hand.
        let mut last = None;
        locks.iter().for_each(|lock| last = Some(lock.read().unwrap()));
        drop(last);
    }
    let changed = sync_trace::sync::RwLockWriteGuard::downgrade(locks[0].write().unwrap());
    drop(changed);
    let classes = counted("any order");
    let of = |mode| classes.iter().find(|class| class.mode == mode).unwrap();
    let each = 50 * DEEP as u64;
    for (mode, all) in [(Mode::Exclusive, each + 1), (Mode::Read, each + 1)] {
        let class = of(mode);
        assert_eq!(class.stats.acquisitions, all, "{mode:?}");
        let own: u64 = class.locks.iter().map(|lock| lock.stats.acquisitions).sum();
        assert!(own <= all);
        assert!(
            class.stats.holds.count() > 0 && class.stats.samples() <= class.stats.holds.count()
        );
    }
}

#[test]
fn it_is_seen_that_a_holder_had_to_wait_itself() {
    let lock = named!("handed on", Mutex::new(()));
    let held = lock.lock().unwrap();
    thread::scope(|scope| {
        let (go, gone) = channel::<()>();
        let (come, came) = channel();
        let lock = &lock;
        scope.spawn(move || {
            let _held = lock.lock().unwrap();
            come.send(()).unwrap();
            assert!(gone.recv().is_err());
        });
        until_waiting("handed on", 1);
        drop(held);
        came.recv().unwrap();
        scope.spawn(|| drop(lock.lock().unwrap()));
        until_waiting("handed on", 1);
        drop(go);
    });
    let stats = stats("handed on");
    assert_eq!((stats.waits.count(), stats.handed_on), (2, 1));
}

#[test]
fn a_wait_for_an_initialiser_counts_and_running_it_does_not() {
    static CELL: OnceLock<u32> = named!("once", OnceLock::new());
    let (come, came) = channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            CELL.get_or_init(|| {
                come.send(()).unwrap();
                until_waiting("once", 1);
                7
            })
        });
        came.recv().unwrap();
        assert_eq!(*CELL.get_or_init(|| 8), 7);
    });
    assert_eq!(stats("once").waits.count(), 1);
}

#[test]
fn eight_threads_that_come_and_go_lose_nothing_and_count_nothing_twice() {
    const ROUNDS: u64 = 50;
    let lock = named!("eight", Mutex::new(0_u64));
    let mut measured_in_all = Duration::ZERO;
    for round in 1..=ROUNDS {
        let held = lock.lock().unwrap();
        thread::scope(|scope| {
            let wait = || {
                let (mut held, waited) = measured(|| lock.lock().unwrap());
                *held += 1;
                waited
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(wait)).collect();
            until_waiting("eight", 8);
            drop(held);
            let waited = threads.into_iter().map(|thread| thread.join().unwrap());
            measured_in_all += waited.sum::<Duration>();
        });
        let stats = stats("eight");
        assert_eq!(stats.waits.count(), 8 * round);
        let sum = |sites: Vec<(Option<Site>, u64, Duration)>| {
            sites
                .into_iter()
                .fold((0, Duration::ZERO), |sum, site| (sum.0 + site.1, sum.1 + site.2))
        };
        let all = (8 * round, stats.waits.total());
        assert_eq!([sum(stats.holders()), sum(stats.waiters())], [all, all]);
        assert!(stats.waits.total() <= measured_in_all);
    }
    assert_eq!(*lock.lock().unwrap(), 8 * ROUNDS);
}

#[test]
fn a_piece_of_code_is_told_what_its_own_threads_wait_for_and_not_what_others_do() {
    let lock = Arc::new(named!("attributed", Mutex::new(())));
    // Has another thread, which is none of that code's, wait for it.
    let wait_elsewhere = {
        let (ask, asked) = channel::<()>();
        let (end, ended) = channel();
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            for () in asked {
                let lock = Arc::clone(&lock);
                thread::spawn(move || drop(lock.lock().unwrap())).join().unwrap();
                end.send(()).unwrap();
            }
        });
        (ask, ended)
    };
    let one_waits = |begin: &dyn Fn()| {
        let held = lock.lock().unwrap();
        begin();
        until_waiting("attributed", 1);
        drop(held);
    };
    let one_waits_here = || {
        thread::scope(|scope| {
            one_waits(&|| drop(scope.spawn(|| drop(lock.lock().unwrap()))));
        });
    };
    let one_waits_elsewhere = || {
        one_waits(&|| wait_elsewhere.0.send(()).unwrap());
        wait_elsewhere.1.recv().unwrap();
    };
    one_waits_here();
    let caught = sync_trace::catch_findings(|| {
        // By turns, so that threads of the one kind use what those of the other kind have left.
        (0..3).for_each(|_| {
            one_waits_here();
            one_waits_elsewhere();
        });
        one_waits_here();
        let inner = sync_trace::catch_findings(one_waits_here).contention;
        one_waits_here();
        inner
    });
    one_waits_here();
    let waits = |contention: &sync_trace::contention::Snapshot| {
        let class = contention.classes.iter().find(|class| class.name == Some("attributed"));
        class.map_or(0, |class| class.stats.waits.count())
    };
    assert_eq!((waits(&caught.contention), waits(&caught.result.unwrap())), (5, 1));
    assert_eq!(stats("attributed").waits.count(), 5 + 1 + 3 + 2, "those of all");
    assert!(caught.contention.total_wait() <= stats("attributed").waits.total());
}
