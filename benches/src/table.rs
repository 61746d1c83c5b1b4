//! The table: a line for each kind of work, printed as soon as it is measured.

use std::io::Write;

use crate::budget::{Budget, Measure};
use crate::rounds::Samples;

/// What was measured for one row, all in the same unit.
pub struct Row<'r> {
    /// The kind of work.
    pub name: &'r str,
    /// What it may cost.
    pub budget: Budget,
    /// `std`'s samples, if the budget is relative to them or they are worth a look.
    pub std: Option<&'r Samples>,
    /// sync-trace's.
    pub traced: &'r Samples,
    /// The peers', in the order of the columns, if they do this work.
    pub peers: &'r [Samples],
}

/// Says what the columns mean, and prints their heads.
pub fn print_head() {
    print(
        "\
What tracing costs, in one run.

  median   of all turns; std, traced and peers take turns of 5 ms at most; in rows that begin
           with `order`, of 5 processes each, or of 1 if it takes longer than 2 seconds
  quiet    of the quietest tenth of the turns of each (10th percentile): less disturbed by
           others who share the machine, but it also hides what only happens now and then
  ratio    the traced time as a multiple of std's, taken column by column; in rows that begin
           with `throughput`, the work done in a given time as a share of std's
  budget   what the ratio (the time itself, the size) has to keep, and what is hoped for:
           `aim` reached in both columns, `ok` within the limit in both,
           `-` no limit, only for a look;
           `OVER?` over the limit in one column, `OVER!` over the limit in both
  peers    their ratios; their times and sizes where the budget is a time or a size: `pl dd` is
           parking_lot with its feature `deadlock_detection`, which does not check orders,
           `t-mutex` is tracing-mutex, `deloxide` has its feature `lock-order-graph`
",
    );
    print(&line(&GROUPS));
    print(&line(&HEADS));
}

/// Prints one row.
pub fn print_row(row: &Row<'_>) {
    let measure = row.budget.measure;
    let unit = match measure {
        Measure::Bytes => Measure::Bytes,
        _ => Measure::Nanoseconds,
    };
    let both = |samples: &Samples| [samples.median(), samples.quiet()];
    let show = |values: [f64; 2]| values.map(|value| unit.show(value));

    let std = row.std.map_or([f64::NAN; 2], both);
    let ratio = |samples: &Samples| {
        let values = both(samples);
        [0, 1].map(|at| measure.compare(values[at], std[at]))
    };
    let show_ratio = |samples: &Samples| match measure {
        Measure::Ratio | Measure::Throughput => {
            ratio(samples).map(|value| Measure::Ratio.show(value))
        }
        // A reader rather compares these as they are.
        Measure::Nanoseconds | Measure::Bytes => show(both(samples)),
    };
    let peer = |at: usize| row.peers.get(at).map(show_ratio).unwrap_or_default();
    let judged = match measure {
        Measure::Ratio | Measure::Throughput => ratio(row.traced),
        Measure::Nanoseconds | Measure::Bytes => both(row.traced),
    };

    let mut cells = vec![row.name.to_owned()];
    cells.extend(show(std));
    cells.extend(show(both(row.traced)));
    cells.extend(ratio(row.traced).map(|value| Measure::Ratio.show(value)));
    cells.extend([row.budget.to_string(), measure.show(row.budget.aim)]);
    cells.push(row.budget.judge(judged).to_string());
    cells.extend((0..3).flat_map(peer));
    print(&line(&cells));
}

#[rustfmt::skip]
const GROUPS: [&str; 16] = [
    "", "", "std", "", "traced", "", "ratio", "", "budget", "", "", "pl dd", "", "t-mutex",
    "", "deloxide",
];
#[rustfmt::skip]
const HEADS: [&str; 16] = [
    "work", "median", "quiet", "median", "quiet", "median", "quiet", "limit", "aim", "",
    "median", "quiet", "median", "quiet", "median", "quiet",
];
/// The work and the standing are aligned to the left, the numbers to the right.
const WIDTHS: [usize; 16] = [42, 9, 9, 9, 9, 7, 6, 12, 9, 5, 9, 9, 9, 9, 9, 9];

fn line(cells: &[impl AsRef<str>]) -> String {
    let columns = cells.iter().map(AsRef::as_ref).zip(WIDTHS).enumerate();
    let mut line: String = columns
        .map(|(at, (cell, width))| match at {
            0 | 9 => format!("{cell:<width$} "),
            _ => format!("{cell:>width$} "),
        })
        .collect();
    line.truncate(line.trim_end().len());
    line + "\n"
}

/// A reader who has gone, as in `| head`, is no error.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
