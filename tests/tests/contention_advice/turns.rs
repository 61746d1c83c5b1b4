//! In which order threads get a lock.

use sync_trace::contention::Evidence;
use sync_trace::named;
use sync_trace::sync::Mutex;

use crate::scene::{
    MS, US, advised, again_and_again, assert_not_advised, counted, hand_around, is_advised, pass,
    wait_behind, work,
};

#[test]
fn a_lock_that_goes_from_waiter_to_waiter_makes_a_convoy() {
    let before = sync_trace::contention();
    let lock = named!("convoy", Mutex::new(()));
    hand_around("convoy", &lock, 3, 50, |_| pass(MS));
    let advised = advised("convoy", &before);
    let convoy = advised.iter().find_map(|evidence| match evidence {
        Evidence::Convoy { waits, handed_on } => Some((*waits, *handed_on)),
        _ => None,
    });
    let Some((waits, handed_on)) = convoy else { panic!("{advised:?}") };
    assert!((100..150).contains(&waits) && handed_on <= waits, "{handed_on} of {waits}");
}

#[test]
fn many_that_wait_behind_one_who_had_it_at_once_make_none() {
    let before = sync_trace::contention();
    let lock = named!("no convoy", Mutex::new(()));
    let mut line = 0;
    for _ in 0..30 {
        line = line!() + 1;
        let held = lock.lock().unwrap();
        wait_behind("no convoy", &lock, held, 4, MS);
    }
    let advised = advised("no convoy", &before);
    let is_convoy = |evidence: &Evidence| matches!(evidence, Evidence::Convoy { .. });
    assert!(!advised.iter().any(is_convoy), "{advised:?}");
    let holders = counted("no convoy", &before).holders();
    let [(Some(holder), 120, _)] = holders[..] else { panic!("{holders:?}") };
    assert_eq!(holder.line(), line);
}

#[test]
fn who_takes_a_lock_again_at_once_passes_over_those_who_wait() {
    if std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1) {
        eprintln!("not run: who is woken up gets the only processor at once, and with it the lock");
        return;
    }
    let before = sync_trace::contention();
    let lock = named!("barging", Mutex::new(0));
    // Who waits for that long sleeps, and when it is awake, the lock is taken again.
    let greedy = || {
        let mut held = lock.lock().unwrap();
        work(20 * US);
        *held += 1;
    };
    let meek = || {
        drop(lock.lock().unwrap());
        work(100 * US);
    };
    again_and_again(&[&greedy, &meek], || is_advised("barging", &before, "Barging"));
}

#[test]
fn who_waits_for_its_turn_passes_over_nobody() {
    let before = sync_trace::contention();
    let lock = named!("in turn", Mutex::new(()));
    hand_around("in turn", &lock, 3, 50, |_| pass(MS));
    assert!(counted("in turn", &before).waits.count() >= 100);
    assert_not_advised("in turn", &before, "Barging");
}
