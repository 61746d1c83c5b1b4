//! Five philosophers, five forks, and everybody takes the left fork first.
//!
//! Run it with `cargo run --bin dining_philosophers`. The barrier makes what is rare in life happen
//! every time: all take their left fork before any looks to the right. The last one to reach for the
//! right fork would close the circle; instead of hanging, its thread panics with the report, lays
//! its fork down, and the other four eat.

use sync_trace::sync::{Arc, Barrier, Mutex};
use sync_trace::thread;

const NAMES: [&str; 5] = ["Aristotle", "Hypatia", "Kant", "Confucius", "Arendt"];

struct Fork {
    meals: u32,
}

fn main() {
    if !sync_trace::is_on() {
        println!("this run is not traced, so they would wait for ever: not tried");
        return;
    }
    let forks: Arc<Vec<Mutex<Fork>>> =
        Arc::new(NAMES.iter().map(|_| Mutex::new(Fork { meals: 0 })).collect());
    let seated = Arc::new(Barrier::new(NAMES.len()));

    let philosophers: Vec<_> = NAMES
        .iter()
        .enumerate()
        .map(|(seat, name)| {
            let (forks, seated) = (Arc::clone(&forks), Arc::clone(&seated));
            let dine = move || {
                let mut left = forks[seat].lock().unwrap();
                seated.wait();
                let mut right = forks[(seat + 1) % forks.len()].lock().unwrap();
                left.meals += 1;
                right.meals += 1;
            };
            thread::Builder::new().name((*name).to_owned()).spawn(dine).unwrap()
        })
        .collect();

    for (philosopher, name) in philosophers.into_iter().zip(NAMES) {
        match philosopher.join() {
            Ok(()) => println!("{name} has eaten"),
            Err(_) => println!("{name} gave the fork back, so that the others could eat"),
        }
    }
    // The report was expected here: without this the process would end with status 66.
    assert_eq!(sync_trace::take_findings().len(), 1);
}
