//! Examines random programs; `tests/oracle.rs` runs it. A process of its own, because every finding
//! prints a report.
//!
//! `oracle SEED COUNT` examines so many; `oracle 'PROGRAM' RUNS` one program, so many times.

use std::process::ExitCode;

use sync_trace_tests::oracle::{Random, examine, hunt, program};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().expect("a seed or a program");
    let count = arguments.next().map_or(1, |count| count.parse().expect("a number"));
    // The panics of findings are many, and expected.
    std::panic::set_hook(Box::new(|_| {}));
    let Ok(seed) = what.parse() else {
        let program = program(&what);
        (0..count).for_each(|seed| println!("{:?}", examine(&program, &mut Random(seed as u64))));
        return ExitCode::SUCCESS;
    };
    let hunt = hunt(seed, count);
    for (counts, what) in hunt.counts.iter().zip(["without tries", "with tries"]) {
        println!("{what}: {counts}");
    }
    hunt.tolerated.iter().for_each(|text| println!("{text}"));
    hunt.failures.iter().for_each(|text| println!("failure: {text}"));
    // Threads that are stuck for good are no obstacle to that.
    if hunt.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
