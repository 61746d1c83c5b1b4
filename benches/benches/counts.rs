//! Instructions per operation, which do not depend on what else the machine does.
//!
//! ```text
//! cargo bench -p sync-trace-benches --bench counts -- all
//! cargo bench -p sync-trace-benches --bench counts --no-default-features -- check
//! ```
//!
//! The first one prints a table, for which the program runs itself under `valgrind --tool=callgrind` with nothing
//! and with [`TIMES`] operations to do; the difference is what the operations took. The second one, which is built
//! without the peers, counts what is traced and fails if one of the works takes more than the bound that is
//! written beside it. To look into one work with callgrind's own tools, give its family and name, and how often:
//!
//! ```text
//! cargo bench -p sync-trace-benches --bench counts --no-run     # prints the path of the program
//! SYNC_TRACE=contention=off valgrind --tool=callgrind --dump-instr=yes <program> traced mutex 100000
//! callgrind_annotate callgrind.out.*
//! ```
//!
//! The numbers count instructions only: an atomic one counts as much as a move, although it takes
//! twenty times as long. And they do not contain that some holds are measured, but for the work `measured`, of
//! which all are; usually that is one of 4096.

use std::process::{Command, ExitCode};

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

/// What is done, and how many instructions it may take.
#[derive(Clone, Copy)]
struct Counted {
    name: &'static str,
    twins: Twins,
    /// A little more than it takes when it is traced, so that another version of the compiler passes; what comes
    /// to every acquisition later is seen in those works that have many.
    bound: f64,
    /// `SYNC_TRACE` meanwhile. Which holds are measured is chosen by the clock, which goes on while the
    /// instructions of this process take fifty times as long as they should. So usually none is.
    settings: &'static str,
}

const fn work(name: &'static str, twins: Twins, bound: f64) -> Counted {
    Counted { name, twins, bound, settings: "contention=off" }
}

impl Counted {
    /// Every hold is measured.
    const fn with_all_measured(self) -> Self {
        Self { settings: "contention=full", ..self }
    }
}

const WORKS: [Counted; 20] = [
    work("mutex", on_locks!(LockUnlock), 93.0),
    work("nested", on_locks!(NestedPair), 212.0),
    work("four", on_locks!(FourDeep), 436.0),
    work("read", on_locks!(Read), 97.0),
    work("write", on_locks!(Write), 119.0),
    work("create", on_locks!(CreateLockDrop), 148.0),
    work("measured", on_locks!(LockUnlock), 1900.0).with_all_measured(),
    work("static16", drop_in::LAZY_STATIC, 70.0),
    work("lazy16", drop_in::LAZY_LOCAL, 70.0),
    work("get16", drop_in::ONCE_GET, 86.0),
    work("init16", drop_in::ONCE_GET_OR_INIT, 70.0),
    work("first", drop_in::ONCE_FIRST, 1950.0),
    work("message", drop_in::SEND_RECV, 358.0),
    work("no lock", drop_in::SEND_RECV_FIRST, 340.0),
    work("bounded", drop_in::SEND_RECV_OF_64, 374.0),
    work("working", drop_in::LOCK_SEND_RECV, 541.0),
    // Counted, as it is where contention is.
    work("notify", drop_in::NOTIFY, 910.0).with_all_measured(),
    work("in turn", drop_in::IN_TURN, 376.0),
    work("extent", declared::EMPTY, 720.0),
    work("declared", declared::BOTH, 935.0),
];
const TIMES: u64 = 100_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["all", ..] => report(print_all()),
        ["check", ..] => report(check()),
        [family, work, times, ..] => run_named(family, work, times),
        _ => print_usage(),
    }
}

fn run_named(family: &str, work: &str, times: &str) -> ExitCode {
    let named = WORKS.iter().find(|it| it.name == work);
    let (Some(Counted { twins, .. }), Ok(times)) = (named, times.parse()) else {
        return print_usage();
    };
    match family {
        "std" => _ = (twins.plain)(times),
        "traced" => _ = (twins.traced)(times),
        _ => return print_usage(),
    }
    ExitCode::SUCCESS
}

/// Status 0, as Cargo runs all programs with arguments that are meant for one of them.
fn print_usage() -> ExitCode {
    let names = WORKS.map(|work| work.name).join(", ");
    println!("counts: pass `all`, `check`, or `std` or `traced`, one of {names}, and a number");
    ExitCode::SUCCESS
}

fn report(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("counts: {why}");
            ExitCode::FAILURE
        }
    }
}

fn print_all() -> Result<(), String> {
    println!("work          std   traced     more    bound   instructions per operation");
    for work @ Counted { name, bound, .. } in WORKS {
        let (std, traced) = (per_operation("std", &work)?, per_operation("traced", &work)?);
        println!("{name:<8} {std:>8.1} {traced:>8.1} {:>8.1} {bound:>8.1}", traced - std);
    }
    Ok(())
}

fn check() -> Result<(), String> {
    let mut over = Vec::new();
    println!("work       traced    bound   instructions per operation");
    for work @ Counted { name, bound, .. } in WORKS {
        let traced = per_operation("traced", &work)?;
        println!("{name:<8} {traced:>8.1} {bound:>8.1}");
        if traced > bound {
            over.push(format!("`{name}` takes {traced:.1} instructions, and may take {bound:.1}"));
        }
    }
    if over.is_empty() { Ok(()) } else { Err(over.join("; ")) }
}

fn per_operation(family: &str, work: &Counted) -> Result<f64, String> {
    let [none, all] = [0, TIMES].map(|times| instructions(family, work, times));
    Ok((all? as f64 - none? as f64) / TIMES as f64)
}

/// How many instructions a whole run takes.
fn instructions(family: &str, work: &Counted, times: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([family, work.name, &times.to_string()])
        .env("SYNC_TRACE", work.settings)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .ok_or_else(|| format!("valgrind says: {text}"))
}
