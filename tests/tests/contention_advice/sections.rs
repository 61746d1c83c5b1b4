//! One line is to blame.

use std::time::{Duration, Instant};

use sync_trace::contention::Evidence;
use sync_trace::sync::Mutex;
use sync_trace::{named, thread};

use crate::scene::{
    MS, advised, all, assert_advised, assert_not_advised, counted, is_advised, one_waits_behind,
    pass, until_waiting, wait_behind, work,
};

#[test]
fn a_line_that_holds_for_most_of_the_time_others_wait_is_to_be_shortened() {
    let before = sync_trace::contention();
    let lock = named!("one line", Mutex::new(()));
    let mut line = 0;
    for _ in 0..10 {
        line = line!() + 1;
        let held = lock.lock().unwrap();
        wait_behind("one line", &lock, held, 1, 40 * MS);
    }
    wait_behind("one line", &lock, lock.lock().unwrap(), 2, Duration::ZERO);
    let advised = advised("one line", &before);
    let one = advised.iter().find_map(|evidence| match *evidence {
        Evidence::OneHolder { holder, waits, total, share } => Some((holder, waits, total, share)),
        _ => None,
    });
    let Some((holder, waits, total, share)) = one else { panic!("{advised:?}") };
    assert_eq!((holder.line(), waits), (line, 10));
    assert!(total >= 400 * MS && (Evidence::HOLDER_SHARE_MIN..1.0).contains(&share));
    let text = sync_trace::contention().since(&before).to_string();
    assert!(text.contains("% of the waiting for `one line`"), "{text}");
}

#[test]
fn lines_that_hold_for_as_long_as_each_other_are_not() {
    let before = sync_trace::contention();
    let lock = named!("three lines", Mutex::new(()));
    for _ in 0..5 {
        wait_behind("three lines", &lock, lock.lock().unwrap(), 1, 40 * MS);
        wait_behind("three lines", &lock, lock.lock().unwrap(), 1, 40 * MS);
        wait_behind("three lines", &lock, lock.lock().unwrap(), 1, 40 * MS);
    }
    let mut advised = advised("three lines", &before);
    // None of them writes anything, which is another matter.
    advised.retain(|evidence| !matches!(evidence, Evidence::MostlyReads { .. }));
    assert_eq!(advised, []);
}

/// One line holds the lock for a moment, until somebody waits. Then another line holds it for long, either before that
/// one gets it, or after that. That 25 times, or until it is enough, for a minute at most. Returns the second line.
fn short_and_long(
    name: &str,
    lock: &Mutex<()>,
    is_waited_for: bool,
    is_enough: impl Fn() -> bool,
) -> u32 {
    let (mut short_ones, mut long_ones, mut line) = (Duration::ZERO, Duration::ZERO, 0);
    let (mut rounds, begun) = (0, Instant::now());
    let is_over = || is_enough() || begun.elapsed() > Duration::from_secs(60);
    while rounds < 25 || long_ones < 8 * short_ones || !is_over() {
        rounds += 1;
        thread::scope(|scope| {
            let begun = Instant::now();
            let short = lock.lock().unwrap();
            let waiter = scope.spawn(|| drop(lock.lock().unwrap()));
            until_waiting(name, 1);
            drop(short);
            // Who is woken up comes later than who runs.
            if !is_waited_for {
                waiter.join().unwrap();
            }
            // It takes as long as it takes until somebody waits.
            short_ones += begun.elapsed();
            let time = (8 * short_ones / rounds).max(10 * MS);
            line = line!() + 1;
            let long = lock.lock().unwrap();
            pass(time);
            drop(long);
            long_ones += time;
        });
    }
    line
}

#[test]
fn a_long_section_is_told_also_where_the_waits_are_charged_to_a_short_one() {
    let before = sync_trace::contention();
    let lock = named!("long section", Mutex::new(()));
    let is_told = || is_advised("long section", &before, "OneSection");
    let long = short_and_long("long section", &lock, true, is_told);
    let told = advised("long section", &before).into_iter().find_map(|evidence| match evidence {
        Evidence::OneSection { site, share, mean, others, .. } => Some((site, share, mean, others)),
        _ => None,
    });
    let Some((site, share, mean, others)) = told else { panic!("{:#?}", all(&before)) };
    assert_eq!(site.line(), long);
    assert!(share >= 0.6 && mean >= 10 * MS && others < mean, "{share} {mean:?} {others:?}");
}

#[test]
fn a_long_section_that_nobody_waits_for_is_not() {
    let before = sync_trace::contention();
    let lock = named!("long section alone", Mutex::new(()));
    short_and_long("long section alone", &lock, false, || true);
    assert_not_advised("long section alone", &before, "OneSection");
}

/// Thirty times, somebody waits behind a hold at one line during which `meanwhile` is done, which is told how long
/// that has taken so far.
fn wait_meanwhile(name: &str, lock: &Mutex<()>, meanwhile: impl Fn(Duration)) {
    for _ in 0..30 {
        let begun = Instant::now();
        let held = lock.lock().unwrap();
        let meanwhile = || meanwhile(begun.elapsed());
        one_waits_behind(name, held, || drop(lock.lock().unwrap()), meanwhile);
    }
}

#[test]
fn who_sleeps_while_others_wait_for_the_lock_is_told() {
    let before = sync_trace::contention();
    let lock = named!("asleep", Mutex::new(()));
    // It is awake until the other one waits.
    wait_meanwhile("asleep", &lock, |awake| pass((20 * awake).max(10 * MS)));
    assert_advised("asleep", &before, "OffProcessor");
    let text = sync_trace::contention().since(&before).to_string();
    assert!(text.contains("do input, output and sleeping before or after that section"), "{text}");
}

#[test]
fn who_works_meanwhile_is_not() {
    let before = sync_trace::contention();
    let lock = named!("at work", Mutex::new(()));
    wait_meanwhile("at work", &lock, |_| work(4 * MS));
    assert!(counted("at work", &before).sections.iter().any(|section| section.clocked >= 10));
    assert_not_advised("at work", &before, "OffProcessor");
}
