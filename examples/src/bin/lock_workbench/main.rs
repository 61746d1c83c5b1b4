//! Which lock for this mix of readers and writers? The same work over a `Mutex`, a `RwLock`, striped mutexes and atomics,
//! and over a queue with and without a lock.
//!
//! Run it with `cargo run --bin lock_workbench`; `--help` says what can be changed:
//!
//! ```text
//! cargo run --bin lock_workbench -- --readers 7 --writers 1 --section 5us
//! ```
//!
//! Where the run is traced, the table has the waits of each kind, and what [`sync_trace::contention()`] says of them
//! follows: who waits at which line, behind which, and what to do. That costs something itself, and a debug build
//! costs more. Numbers to choose by are those of a release build, with tracing compiled out or kept on:
//!
//! ```text
//! cargo run --release --bin lock_workbench
//! cargo run --release --features always --bin lock_workbench
//! ```
//!
//! What is compared with what is said below the table. The two lists of kinds are never compared with each other: a
//! queue hands each item to one reader, and a counter is read by all.

mod counters;
mod load;
mod measure;
mod options;
mod outcome;
mod queues;

use std::io::IsTerminal;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use load::Load;
use measure::{Entrant, ROUNDS};
use options::{Command, HELP, Options};

fn main() -> ExitCode {
    match options::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => print!("{HELP}"),
        Ok(Command::Run(options)) => run(&options),
        Err(mistake) => {
            eprintln!("error: {mistake}\nhelp: `--help` lists what there is");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) {
    let load = Load::calibrated(options);
    let mut entrants = counters::all();
    // With one side alone a queue is soon full, or empty, and nothing happens any more.
    if options.readers > 0 && options.writers > 0 {
        entrants.extend(queues::all());
    }
    let before = sync_trace::contention();
    in_turns(&mut entrants, &load, options);
    let contention = sync_trace::contention().since(&before);
    entrants.iter().for_each(Entrant::check);
    print!("{}", outcome::told(&entrants, contention, options));
}

/// Each has its turn in each round, so that whatever else the machine does meets all of them.
fn in_turns(entrants: &mut [Entrant], load: &Load, options: &Options) {
    let turns = ROUNDS * entrants.len();
    let bar = ProgressBar::new(turns as u64);
    if !std::io::stderr().is_terminal() {
        let seconds = options.turn().as_secs_f64() * turns as f64;
        eprintln!("measuring {} kinds for {seconds:.1} s", entrants.len());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} turns, {msg}, {eta} left");
    bar.set_style(style.expect("the template is a good one"));
    for _ in 0..ROUNDS {
        for entrant in &mut *entrants {
            bar.set_message(entrant.name);
            entrant.take_a_turn(load, options);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
}
