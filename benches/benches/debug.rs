//! What a lock costs in a debug build, where it is mostly used, and what an override of the profile makes of it.
//!
//! ```text
//! cargo bench -p sync-trace-benches --bench debug -- all
//! ```
//!
//! prints a table in Markdown. For each of its columns the program is built once more by Cargo, in the profile
//! `dev`, with sync-trace alone optimised as the column says, and run. The loop, the shells of
//! the locks and what `std` has generic are compiled without optimisation each time, as they are in the
//! debug build of whoever uses the locks.

use std::process::Command;
use std::time::Duration;

use sync_trace_benches::drop_in::{self, Twins};
use sync_trace_benches::rounds::{Contestant, Measured, Plan, measure};

const WORKS: [(&str, Twins); 6] = [
    ("mutex lock+unlock", drop_in::MUTEX),
    ("mutex nested pair", drop_in::NESTED),
    ("mutex four deep", drop_in::FOUR_DEEP),
    ("rwlock read", drop_in::READ),
    ("rwlock write", drop_in::WRITE),
    ("mutex create+lock+drop", drop_in::CREATE),
];
const PLAN: Plan = Plan { turn: Duration::from_micros(250), rounds: 200 };
/// How much sync-trace is optimised.
const LEVELS: [&str; 4] = ["0", "1", "2", "3"];
/// The argument of a process that is to measure itself.
const FLAG: &str = "measure";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [FLAG, ..] => print_own(PLAN),
        ["all", ..] => print_all(),
        ["--bench", ..] => println!("debug: pass `all`, and wait for Cargo to build"),
        // As in `cargo test --benches`.
        _ => print_own(Plan { rounds: 2, ..PLAN }),
    }
}

/// A line for each work: what it takes with `std` and traced, in nanoseconds.
fn print_own(plan: Plan) {
    for (name, twins) in WORKS {
        let measured = measure(&mut Contestant::twins(twins), plan);
        let ns: Vec<_> =
            measured.iter().map(|Measured { samples, .. }| samples.median().to_string()).collect();
        println!("{name}: {}", ns.join(" "));
    }
}

fn print_all() {
    let columns: Result<Vec<_>, String> = LEVELS.into_iter().map(measure_elsewhere).collect();
    let columns = match columns {
        Ok(columns) => columns,
        Err(why) => return println!("cannot measure: {why}"),
    };
    let heads = LEVELS.map(|level| format!("sync-trace at opt-level {level}"));
    println!("| in a debug build | `std` | {} |\n|---|---|---|---|---|---|", heads.join(" | "));
    for (at, (name, _)) in WORKS.iter().enumerate() {
        let cells = columns.iter().map(|column| {
            let (std, traced) = column[at];
            format!("{traced:.0} ns, {:.1} ×", traced / std)
        });
        let cells = cells.collect::<Vec<_>>().join(" | ");
        println!("| {name} | {:.0} ns | {cells} |", columns[0][at].0);
    }
}

/// What each work takes with `std` and traced, where sync-trace is optimised that much.
fn measure_elsewhere(level: &str) -> Result<Vec<(f64, f64)>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["bench", "--profile", "dev", "--bench", "debug", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .args(["--config", &format!("profile.dev.package.sync-trace.opt-level={level}")])
        .args(["--", FLAG])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |(name, _): &(&str, Twins)| {
        let values = text.lines().find_map(|line| line.strip_prefix(*name)?.strip_prefix(": "))?;
        let (std, traced) = values.split_once(' ')?;
        Some((std.parse().ok()?, traced.parse().ok()?))
    };
    WORKS.iter().map(line).collect::<Option<_>>().ok_or_else(|| format!("it says: {text}"))
}
