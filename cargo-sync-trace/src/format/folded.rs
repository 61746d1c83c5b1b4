//! Call stacks with the time that was waited there: `a;b;c 1234`, in nanoseconds.

use crate::report::Report;
use std::io::{self, Write};

/// Writes a line for each call stack. Where no process has told how long was waited, it says so and
/// writes none.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.run.contention.is_empty() {
        return Err(io::Error::other(
            "no contention data in this run, so there are no stacks to fold",
        ));
    }
    for (stack, wait_ns) in &report.run.contention {
        let frames: Vec<_> = stack.iter().map(|frame| frame.replace([';', '\n'], ":")).collect();
        writeln!(out, "{} {wait_ns}", frames.join(";"))?;
    }
    Ok(())
}
