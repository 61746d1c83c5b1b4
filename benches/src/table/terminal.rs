//! The table on a terminal.

use super::{Row, both, machine};
use crate::budget::Measure;
use crate::each_family;
use crate::family::Family;
use crate::rounds::Measured;

pub(super) fn head() -> String {
    let machine = machine::describe();
    format!(
        "\
What tracing costs, in one run on
{machine}.

  median   of all turns; std, traced and peers take turns of 5 ms at most; in rows that begin
           with `order` or `many`, of 5 processes each, or of 1 if it takes longer than 2 seconds
  quiet    of the quietest tenth of the turns of each (10th percentile): less disturbed by
           others who share the machine, but it also hides what only happens now and then
  ratio    the traced time as a multiple of std's, taken column by column; in rows that begin
           with `throughput`, the work done in a given time as a share of std's
  budget   what the ratio (the time itself, the size) has to keep, and what is hoped for:
           `aim` reached in both columns, `ok` within the limit in both,
           `-` no limit, only for a look;
           `OVER?` over the limit in one column, `OVER!` over the limit in both

Below each line are those peers that can do the work: their ratios, median/quiet; their times and
sizes where the budget is a time or a size. `pl dd` is parking_lot with its feature `deadlock_detection`,
and no_deadlocks finds deadlocks, too: neither checks orders; `t-mutex` is tracing-mutex, which checks
them, and so does deloxide, with its feature `lock-order-graph`; locktick and hotpath keep statistics.

{}{}",
        line(&GROUPS),
        line(&HEADS)
    )
}

pub(super) fn row(row: &Row<'_>) -> String {
    let measure = row.budget.measure;
    let show = |values: [f64; 2]| values.map(|value| row.unit().show(value));
    let mut cells = vec![row.name.to_owned()];
    cells.extend(show(row.std.map_or([f64::NAN; 2], both)));
    cells.extend(show(both(row.traced)));
    cells.extend(row.ratio(row.traced).map(|value| Measure::Ratio.show(value)));
    cells.extend([row.budget.to_string(), measure.show(row.budget.aim)]);
    cells.push(row.budget.judge(row.judged(row.traced).0).to_string());
    let peers: String = row.peers.iter().map(|it| format!("{:<21}", peer(row, it))).collect();
    match peers.trim_end() {
        "" => line(&cells),
        peers => format!("{}    {peers}\n", line(&cells)),
    }
}

fn peer(row: &Row<'_>, peer: &Measured) -> String {
    let (values, unit) = row.judged(&peer.samples);
    let [median, quiet] = values.map(|value| unit.show(value));
    let median = match (median.split_once(' '), quiet.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => number,
        _ => &median,
    };
    format!("{} {median}/{quiet} ", short(peer.name))
}

fn short(name: &'static str) -> &'static str {
    let names = each_family!(F => (F::NAME, F::SHORT));
    names.into_iter().find(|(long, _)| *long == name).map_or(name, |(_, short)| short)
}

#[rustfmt::skip]
const GROUPS: [&str; 10] = ["", "", "std", "", "traced", "", "ratio", "", "budget", ""];
#[rustfmt::skip]
const HEADS: [&str; 10] = [
    "work", "median", "quiet", "median", "quiet", "median", "quiet", "limit", "aim", "",
];
/// The work and the standing are aligned to the left, the numbers to the right.
const WIDTHS: [usize; 10] = [42, 9, 9, 9, 9, 7, 6, 11, 8, 5];

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
