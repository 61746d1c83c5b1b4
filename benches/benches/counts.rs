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

use sync_trace_benches::declared;
use sync_trace_benches::drop_in::{self, Twins};
use sync_trace_benches::family::{Std, Traced};
use sync_trace_benches::work::{
    CreateLockDrop, FourDeep, LockUnlock, NestedPair, Read, Work, Write,
};

/// The same work on the locks of both families.
macro_rules! on_locks {
    ($work:expr) => {
        Twins { plain: |times| $work.run::<Std>(times), traced: |times| $work.run::<Traced>(times) }
    };
}

const WORKS: [(&str, Twins); 18] = [
    ("mutex", on_locks!(LockUnlock)),
    ("nested", on_locks!(NestedPair)),
    ("four", on_locks!(FourDeep)),
    ("read", on_locks!(Read)),
    ("write", on_locks!(Write)),
    ("create", on_locks!(CreateLockDrop)),
    ("static16", drop_in::LAZY_STATIC),
    ("lazy16", drop_in::LAZY_LOCAL),
    ("get16", drop_in::ONCE_GET),
    ("init16", drop_in::ONCE_GET_OR_INIT),
    ("first", drop_in::ONCE_FIRST),
    ("message", drop_in::SEND_RECV),
    ("bounded", drop_in::SEND_RECV_OF_64),
    ("working", drop_in::LOCK_SEND_RECV),
    ("notify", drop_in::NOTIFY),
    ("in turn", drop_in::IN_TURN),
    ("extent", declared::EMPTY),
    ("declared", declared::BOTH),
];
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
    let named = WORKS.iter().find(|(name, _)| *name == work);
    let (Some((_, twins)), Ok(times)) = (named, times.parse()) else { return print_usage() };
    match family {
        "std" => _ = (twins.plain)(times),
        "traced" => _ = (twins.traced)(times),
        _ => print_usage(),
    }
}

fn print_usage() {
    let names = WORKS.map(|(name, _)| name).join(", ");
    println!("counts: pass `all`, or `std` or `traced`, one of {names}, and a number");
}

fn print_all() {
    println!(
        "{:<8} {:>8} {:>8} {:>8}   instructions per operation",
        "work", "std", "traced", "more"
    );
    for (work, _) in WORKS {
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
