//! The table.

use std::fmt;
use std::time::Duration;

use super::super::names;
use super::super::words::{duration, in_thousands};
use super::{advice, class_namer, line};
use crate::contention::{ClassStats, Histogram, Snapshot, Table};
use crate::finding::{LockKind, Site};

/// So many lines are shown of who keeps others waiting, and of who waits.
const LINES: usize = 4;

impl fmt::Display for Snapshot {
    /// As [`table`](Self::table).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(self))
    }
}

/// A line for each class, the lines of the worst, and what to do.
fn render(table: &Table<'_>) -> String {
    let snapshot = table.snapshot;
    let name = class_namer();
    let (classes, more) = table.classes();
    let total = snapshot.total_wait();
    let elapsed = duration(snapshot.elapsed);
    let mut paragraphs = vec![match snapshot.classes.is_empty() {
        true => format!("no lock was waited for in {elapsed}\n"),
        false => {
            format!("waited for locks in {elapsed}: {} by all threads together\n", duration(total))
        }
    }];
    if !classes.is_empty() {
        let rows: Vec<_> = classes.iter().map(|class| row(class, &name(class), total)).collect();
        paragraphs.push(grid(&HEADINGS, &rows));
    }
    if more > 0 {
        paragraphs.push(format!("and {} more\n", in_thousands(more as u64)));
    }
    let waited = classes.iter().filter(|class| class.is_lock() && !class.stats.waits.is_empty());
    paragraphs.extend(waited.take(table.details).map(|class| who(class, &name(class))));
    let mut notes: Vec<String> = snapshot
        .advice()
        .iter()
        .filter(|advice| classes.iter().any(|class| std::ptr::eq(*class, advice.class)))
        .map(|advice| format!("help: {}\n", advice::sentence(advice, &name(advice.class))))
        .collect();
    notes.extend(note(
        snapshot.folded,
        "events are not told apart by lock or line: there were too many of those",
    ));
    notes.extend(note(snapshot.lost, "waits inside the memory allocator are not counted"));
    notes.extend(snapshot.overhead_ns.filter(|_| !classes.is_empty()).map(|ns| {
        let ns = in_thousands(ns);
        format!("note: tracing costs about {ns} ns for each lock and unlock, estimated on this machine\n")
    }));
    if !notes.is_empty() {
        paragraphs.push(notes.concat());
    }
    paragraphs.join("\n")
}

fn note(count: u64, what: &str) -> Option<String> {
    (count > 0).then(|| format!("note: {} {what}\n", in_thousands(count)))
}

const HEADINGS: [&str; 12] = [
    "lock",
    "kind",
    "mode",
    "waits",
    "total",
    "p50",
    "p99",
    "max",
    "timeouts",
    "tries failed",
    "notified, in vain",
    "",
];
/// The columns that are words.
const WORDS: usize = 3;

fn row(class: &ClassStats, name: &str, total: Duration) -> [String; 12] {
    let stats = &class.stats;
    let waits = &stats.waits;
    let time = |time: Option<Duration>| time.map_or_else(String::new, duration);
    let some = |count: u64| if count == 0 { String::new() } else { in_thousands(count) };
    let lock = class.as_lock();
    let notified = match class.kind {
        LockKind::Condvar => {
            format!("{}, {}", in_thousands(stats.notifies), in_thousands(stats.notifies_in_vain))
        }
        _ => String::new(),
    };
    [
        name.to_owned(),
        class.kind.to_string(),
        match class.kind {
            LockKind::RwLock => names::mode(&lock, class.mode).to_owned(),
            _ => String::new(),
        },
        in_thousands(waits.count()),
        time((!waits.is_empty()).then(|| waits.total())),
        time(waits.quantile(0.5)),
        time(waits.quantile(0.99)),
        time(waits.max()),
        some(stats.timeouts),
        some(stats.try_failures),
        notified,
        share(class, waits, total),
    ]
}

/// Which part of all waiting for locks it is, if that is a large one.
fn share(class: &ClassStats, waits: &Histogram, total: Duration) -> String {
    let share = waits.total().as_secs_f64() / total.as_secs_f64();
    match class.is_lock() && share >= 0.1 {
        true => format!("<- {:.0} % of all waiting", share * 100.0),
        false => String::new(),
    }
}

/// The lines at which it was held, and at which it was waited for.
fn who(class: &ClassStats, name: &str) -> String {
    let cells = |sites: Vec<(Option<Site>, u64, Duration)>| {
        let more = sites.len().saturating_sub(LINES);
        let mut cells: Vec<[String; 2]> = sites
            .into_iter()
            .take(LINES)
            .map(|(site, _, total)| [line(site), duration(total)])
            .collect();
        if more > 0 {
            cells.push([format!("and {more} more"), String::new()]);
        }
        cells
    };
    let (holders, waiters) = (cells(class.stats.holders()), cells(class.stats.waiters()));
    let heading = format!("who keeps `{name}`, held since");
    let none = || [String::new(), String::new()];
    let rows: Vec<[String; 5]> = (0..holders.len().max(waiters.len()))
        .map(|at| {
            let [held, blamed] = holders.get(at).cloned().unwrap_or_else(none);
            let [waits, waited] = waiters.get(at).cloned().unwrap_or_else(none);
            [format!("  {held}"), blamed, "|".to_owned(), waits, waited]
        })
        .collect();
    aligned([&heading, "others wait", "|", "who waits for it", "waits"], &rows, |column| {
        matches!(column, 1 | 4)
    })
}

fn grid<const N: usize>(headings: &[&str; N], rows: &[[String; N]]) -> String {
    aligned(*headings, rows, |column| column >= WORDS && column + 1 < N)
}

/// Rows under their headings; a column without any text in its rows is left out.
fn aligned<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
    is_number: impl Fn(usize) -> bool,
) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        match cells.max() {
            None | Some(0) => 0,
            Some(width) => width.max(headings[column].chars().count()),
        }
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: &[String; N]| {
        let shown = (0..N).filter(|column| widths[*column] > 0);
        let padded: Vec<_> = shown
            .map(|column| {
                let (cell, width) = (&cells[column], widths[column]);
                if is_number(column) { format!("{cell:>width$}") } else { format!("{cell:width$}") }
            })
            .collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let headings = headings.map(str::to_owned);
    std::iter::once(&headings).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::cases::at_root;
    use super::*;
    use crate::contention::Column;

    #[test]
    fn it_shows_the_numbers_the_lines_and_what_to_do() {
        let text = at_root(&super::super::example().to_string());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "waited for locks in 1.00 s: 21.5 ms by all threads together");
        assert_eq!(
            lines[2].split_whitespace().collect::<Vec<_>>(),
            ["lock", "kind", "waits", "total", "p50", "p99", "max"]
        );
        assert!(lines[3].starts_with("accounts  std Mutex    211  21.5 ms"), "{text}");
        assert!(lines[3].ends_with("<- 100 % of all waiting"), "{text}");
        assert!(lines[5].starts_with("who keeps `accounts`, held since"), "{text}");
        assert_eq!(lines.iter().filter(|line| line.starts_with("help: ")).count(), 3);
    }

    #[test]
    fn what_is_below_a_threshold_is_left_out_with_its_advice() {
        let snapshot = super::super::example();
        let shown = |table: Table<'_>| table.to_string().contains("accounts");
        assert!(shown(snapshot.table().min_waits(211).sort_by(Column::Max)));
        assert!(!shown(snapshot.table().min_waits(212)));
        assert!(!shown(snapshot.table().min_total(Duration::from_secs(1))));
        assert!(snapshot.table().rows(0).to_string().contains("and 1 more"));
        let measured = Snapshot { overhead_ns: Some(7), ..super::super::example() };
        let note = "\nnote: tracing costs about 7 ns for each lock and unlock, estimated on this machine\n";
        assert!(measured.to_string().ends_with(note), "{measured}");
        assert!(!snapshot.to_string().contains("note: "));
        let empty = Snapshot { elapsed: Duration::from_secs(2), ..Snapshot::default() };
        assert_eq!(empty.to_string(), "no lock was waited for in 2.00 s\n");
    }

    #[test]
    fn columns_of_numbers_are_flush_right_and_empty_ones_are_left_out() {
        let row = |a: &str, b: &str| [a, "", b].map(str::to_owned);
        let text =
            aligned(["name", "none", "n"], &[row("é", "7"), row("b", "10")], |column| column > 0);
        assert_eq!(text, "name   n\né      7\nb     10\n");
    }
}
