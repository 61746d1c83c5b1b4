//! The table as Markdown, to be pasted into a page.

use super::{Both, Row, both, machine};
use crate::budget::Measure;
use crate::family::peers;

pub(super) fn head() -> String {
    let [_, _, peers @ ..] = peers::names();
    let heads = ["work", "`std`", "sync-trace", "budget"].into_iter().chain(peers);
    let heads: Vec<_> = heads.collect();
    format!(
        "\
Measured on {machine}.
Medians of turns that all take in many rounds, and in brackets the calmest tenth of each one's turns. `×`
compares with `std` in the same run: of a time, less is better, and of a throughput, more. An empty field is
work that a crate cannot do, or not in this size.

| {heads} |
|{rules}
",
        machine = machine::describe(),
        heads = heads.join(" | "),
        rules = "---|".repeat(heads.len()),
    )
}

pub(super) fn row(row: &Row<'_>) -> String {
    let limit = if row.budget.limit.is_infinite() {
        String::new()
    } else {
        let sign = if row.budget.measure == Measure::Throughput { '≥' } else { '≤' };
        format!("{sign} {}", row.budget.measure.show(row.budget.limit))
    };
    let (traced, unit) = row.judged(row.traced);
    let [median, quiet] = shown(traced, unit);
    let time =
        if row.is_relative() { row.unit().show(row.traced.median()) + ", " } else { String::new() };
    let mut cells = vec![
        row.name.to_owned(),
        row.std.map(|std| row.unit().show(both(std)[0])).unwrap_or_default(),
        format!("{time}**{median}** ({quiet})"),
        limit,
    ];
    cells.extend(peers::names().iter().skip(2).map(|name| {
        let peer = row.peers.iter().find(|peer| peer.name == *name);
        peer.map(|peer| {
            let (values, unit) = row.judged(&peer.samples);
            let [median, quiet] = shown(values, unit);
            format!("{median} ({quiet})")
        })
        .unwrap_or_default()
    }));
    let mut line = String::from("|");
    for cell in cells {
        line += &if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") };
    }
    line + "\n"
}

/// The first one with its unit, the second one without if it is the same.
fn shown(values: Both, unit: Measure) -> [String; 2] {
    let [median, quiet] = values.map(|value| unit.show(value));
    if unit == Measure::Ratio {
        return [format!("{median} ×"), quiet];
    }
    let same =
        |(number, of): (&str, &str)| (median.split_once(' ')?.1 == of).then(|| number.to_owned());
    let quiet = quiet.split_once(' ').and_then(same).unwrap_or(quiet);
    [median, quiet]
}
