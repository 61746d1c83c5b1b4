//! Five philosophers, five forks: one way to starve, and three to eat.
//!
//! Run it with `cargo run --bin dining_philosophers`, and the way to starve with
//! `cargo run --bin dining_philosophers wrong`.
//!
//! If everybody takes the left fork first, all may have it before anybody looks to the right. The last one
//! to reach for the right fork would close the circle. Its thread panics instead, with the report, and
//! lays its fork down, and the other four eat:
//!
//! ```text
//! error[ST0001]: deadlock: 5 threads wait in a circle, each for a lock that the next one holds
//!    --> examples/src/bin/dining_philosophers.rs:113:43
//!     |
//! 111 |     let mut left = forks[seat].lock().unwrap();
//!     |                                ----
//!     |                                |
//!     |                                'Arendt' (4310) took `fork 4` here and still holds it
//!     |                                'Aristotle' (4305) took `fork 0` here at least 2.60 ms ago and still holds it
//!     |                                'Hypatia' (4307) took `fork 1` here at least 1.50 ms ago and still holds it
//!     |                                'Kant' (4308) took `fork 2` here at least 1.22 ms ago and still holds it
//!     |                                'Confucius' (4309) took `fork 3` here at least 0.26 ms ago and still holds it
//! 112 |     between();
//! 113 |     let mut right = forks[right_of(seat)].lock().unwrap();
//!     |                                           ^^^^
//!     |                                           |
//!     |                                           'Arendt' would now wait for `fork 0`, held by 'Aristotle'
//!     |                                           'Aristotle' has been waiting here 2.60 ms for `fork 1`
//!     |                                           'Hypatia' has been waiting here 1.50 ms for `fork 2`
//!     |                                           'Kant' has been waiting here 1.22 ms for `fork 3`
//!     |                                           'Confucius' has been waiting here 0.26 ms for `fork 4`
//!     |
//!     = cycle: 'Arendt' -> fork 0 -> 'Aristotle' -> fork 1 -> 'Hypatia' -> fork 2 -> 'Kant' -> fork 3 -> 'Confucius' -> fork 4 -> 'Arendt'
//!     = locks: fork 0  std Mutex<Fork>  #1, created at examples/src/bin/dining_philosophers.rs:179:9
//!              fork 1  std Mutex<Fork>  #2, created at examples/src/bin/dining_philosophers.rs:180:9
//!              fork 2  std Mutex<Fork>  #3, created at examples/src/bin/dining_philosophers.rs:181:9
//!              fork 3  std Mutex<Fork>  #4, created at examples/src/bin/dining_philosophers.rs:182:9
//!              fork 4  std Mutex<Fork>  #5, created at examples/src/bin/dining_philosophers.rs:183:9
//!     = threads: 'Arendt'     (4310)  started by 'main' at examples/src/bin/dining_philosophers.rs:90:58
//!                'Aristotle'  (4305)  started by 'main' at examples/src/bin/dining_philosophers.rs:90:58
//!                'Hypatia'    (4307)  started by 'main' at examples/src/bin/dining_philosophers.rs:90:58
//!                'Kant'       (4308)  started by 'main' at examples/src/bin/dining_philosophers.rs:90:58
//!                'Confucius'  (4309)  started by 'main' at examples/src/bin/dining_philosophers.rs:90:58
//!     = note: this thread panics instead of waiting; unwinding releases its guards
//!     = help: always take these locks in one fixed order, such as by index or address: each thread takes one at examples/src/bin/dining_philosophers.rs:111 and its next at examples/src/bin/dining_philosophers.rs:113
//!     = note: fingerprint b6cad638cb13558e; SYNC_TRACE=on_violation=log reports without a panic, and the threads hang
//! ```
//!
//! Three cures:
//!
//! - [`in_order`]: everybody takes the fork with the lower number first, so that no circle can close.
//! - [`odd_and_even`]: every other one begins with the right fork. That is no order of all forks that
//!   anybody would have to know, and it has no circle either.
//! - [`with_patience`]: everybody waits for the second fork for a limited time only, lays the first one
//!   down then, and tries again a while later, each after a while of its own. A circle may close, and opens
//!   again. Forks are permits here, because a `Mutex` has no time limit.

use std::time::Duration;

use sync_trace::finding::Op;
use sync_trace::sync::{Arc, Barrier, Mutex, Semaphore};
use sync_trace::{named, thread};
use sync_trace_examples::{tell, until_asleep};

const NAMES: [&str; 5] = ["Aristotle", "Hypatia", "Kant", "Confucius", "Arendt"];
const ROUNDS: usize = 100;

#[derive(Default)]
struct Fork {
    meals: usize,
}

type Forks = [Mutex<Fork>; 5];

/// Lays the table, lets `dine` run with each seat in a thread of its own, and counts the meals.
fn dinner(forks: Forks, dine: impl Fn(&Forks, usize) + Send + Sync + 'static) -> usize {
    // In the order of the seats, so that reports list the forks in that order, too.
    forks.iter().for_each(|fork| fork.lock().unwrap().meals = 0);
    let forks = Arc::new(forks);
    let dining = Arc::clone(&forks);
    seat_all(move |seat| dine(&dining, seat));
    forks.iter().map(|fork| fork.lock().unwrap().meals).sum::<usize>() / 2
}

fn seat_all(dine: impl Fn(usize) + Send + Sync + 'static) {
    let dine = Arc::new(dine);
    let philosophers: Vec<_> = (0..)
        .zip(NAMES)
        .map(|(seat, name)| {
            let dine = Arc::clone(&dine);
            thread::Builder::new().name(name.to_owned()).spawn(move || dine(seat)).unwrap()
        })
        .collect();
    for (philosopher, name) in philosophers.into_iter().zip(NAMES) {
        if philosopher.join().is_err() {
            println!("{name} gave the fork back, so that the others could eat");
        }
    }
}

fn right_of(seat: usize) -> usize {
    (seat + 1) % NAMES.len()
}

fn eat(one: &mut Fork, other: &mut Fork) {
    one.meals += 1;
    other.meals += 1;
}

/// The wrong way: left, then right. `between` runs between the two.
fn left_first(forks: &Forks, seat: usize, between: impl FnOnce()) {
    let mut left = forks[seat].lock().unwrap();
    between();
    let mut right = forks[right_of(seat)].lock().unwrap();
    eat(&mut left, &mut right);
}

/// The lower number first.
fn in_order(forks: &Forks, seat: usize) {
    let (low, high) = (seat.min(right_of(seat)), seat.max(right_of(seat)));
    let mut low = forks[low].lock().unwrap();
    let mut high = forks[high].lock().unwrap();
    eat(&mut low, &mut high);
}

/// Left first on odd seats, right first on even ones.
fn odd_and_even(forks: &Forks, seat: usize) {
    let (first, second) =
        if seat % 2 == 1 { (seat, right_of(seat)) } else { (right_of(seat), seat) };
    let mut first = forks[first].lock().unwrap();
    let mut second = forks[second].lock().unwrap();
    eat(&mut first, &mut second);
}

/// Left first, and right only if it comes soon. `between` runs between the two of the first try.
fn with_patience(forks: &[Semaphore; 5], seat: usize, between: impl FnOnce()) {
    const PATIENCE: Duration = Duration::from_millis(2);
    let mut between = Some(between);
    let mut tries = 0;
    loop {
        let left = forks[seat].acquire().unwrap();
        if let Some(between) = between.take() {
            between();
        }
        if let Ok(right) = forks[right_of(seat)].acquire_timeout(PATIENCE) {
            drop((left, right));
            return;
        }
        drop(left);
        // Should all give up at the same moment, they do not come back at the same moment.
        tries += 1;
        thread::sleep(PATIENCE / 5 * (tries * (seat as u32 + 1)));
    }
}

fn cure() {
    let ways: [fn(&Forks, usize); 2] = [in_order, odd_and_even];
    for (way, name) in ways.into_iter().zip(["in order", "odd and even"]) {
        let forks = [(); 5].map(|()| Mutex::new(Fork::default()));
        let meals = dinner(forks, move |forks, seat| (0..ROUNDS).for_each(|_| way(forks, seat)));
        assert_eq!(meals, NAMES.len() * ROUNDS);
        println!("{name}: {meals} meals");
    }
    let forks: Arc<[Semaphore; 5]> = Arc::new([(); 5].map(|()| Semaphore::new(1)));
    let dining = Arc::clone(&forks);
    let all_have_one = Barrier::new(NAMES.len());
    seat_all(move |seat| {
        with_patience(&dining, seat, || {
            all_have_one.wait();
        });
    });
    assert!(forks.iter().all(|fork| fork.available_permits() == 1));
    println!("with patience: everybody had one fork, and {} meals all the same", NAMES.len());
    assert!(sync_trace::findings().is_empty());
}

fn wrong() {
    let all_have_one = Barrier::new(NAMES.len());
    let forks = [
        named!("fork 0", Mutex::default()),
        named!("fork 1", Mutex::default()),
        named!("fork 2", Mutex::default()),
        named!("fork 3", Mutex::default()),
        named!("fork 4", Mutex::default()),
    ];
    let meals = dinner(forks, move |forks, seat| {
        left_first(forks, seat, || {
            all_have_one.wait();
            // Those on lower seats come first.
            until_asleep(Op::Lock, seat);
        });
    });
    println!("{meals} meals");
}

fn main() {
    tell(cure, &[("wrong", wrong)]);
}
