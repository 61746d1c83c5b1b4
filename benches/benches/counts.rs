//! Instructions per operation, which do not depend on what else the machine does.
//!
//! ```text
//! cargo bench -p sync-trace-benches --bench counts -- all
//! ```
//!
//! prints a table, for which the program runs itself under `valgrind --tool=callgrind` with nothing
//! and with [`TIMES`] operations to do; the difference is what the operations took. To look into one
//! work with callgrind's own tools, give its family and name, and how often:
//!
//! ```text
//! cargo bench -p sync-trace-benches --bench counts --no-run     # prints the path of the program
//! valgrind --tool=callgrind --dump-instr=yes <program> traced mutex 100000
//! callgrind_annotate callgrind.out.*
//! ```
//!
//! The numbers count instructions only: an atomic one counts as much as a move, although it takes
//! twenty times as long.

use std::process::Command;

use sync_trace_benches::family::{Family, Std, Traced};
use sync_trace_benches::work::{
    CreateLockDrop, FourDeep, LockUnlock, NestedPair, Read, Work, Write,
};

const WORKS: [&str; 6] = ["mutex", "nested", "four", "read", "write", "create"];
const TIMES: u64 = 100_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["all", ..] => print_all(),
        [family, work, times, ..] => run_named(family, work, times),
        _ => print_usage(),
    }
}

fn run_named(family: &str, work: &str, times: &str) {
    match (family, times.parse()) {
        ("std", Ok(times)) => run::<Std>(work, times),
        ("traced", Ok(times)) => run::<Traced>(work, times),
        _ => print_usage(),
    }
}

fn print_usage() {
    println!("counts: pass `all`, or `std` or `traced`, one of {}, and a number", WORKS.join(", "));
}

fn run<F: Family>(work: &str, times: u64) {
    match work {
        "mutex" => LockUnlock.run::<F>(times),
        "nested" => NestedPair.run::<F>(times),
        "four" => FourDeep.run::<F>(times),
        "read" => Read.run::<F>(times),
        "write" => Write.run::<F>(times),
        "create" => CreateLockDrop.run::<F>(times),
        _ => {
            print_usage();
            std::time::Duration::ZERO
        }
    };
}

fn print_all() {
    println!(
        "{:<8} {:>8} {:>8} {:>8}   instructions per operation",
        "work", "std", "traced", "more"
    );
    for work in WORKS {
        match ["std", "traced"].map(|family| per_operation(family, work)) {
            [Ok(std), Ok(traced)] => {
                println!("{work:<8} {std:>8.1} {traced:>8.1} {:>8.1}", traced - std);
            }
            [Err(why), _] | [_, Err(why)] => return println!("cannot count: {why}"),
        }
    }
}

fn per_operation(family: &str, work: &str) -> Result<f64, String> {
    let [none, all] = [0, TIMES].map(|times| instructions(family, work, times));
    Ok((all? as f64 - none? as f64) / TIMES as f64)
}

/// How many instructions a whole run takes.
fn instructions(family: &str, work: &str, times: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([family, work, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .ok_or_else(|| format!("valgrind says: {text}"))
}
