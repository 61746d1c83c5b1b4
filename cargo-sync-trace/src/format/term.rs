//! For people: reports with source lines, and a line that sums up.

use super::Style;
use super::colour::paint;
use crate::report::Report;
use crate::report::item::{Item, Severity};
use crate::words::count;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// How many circles that no process saw whole are shown as a whole, if they fail nothing.
const MOST_SPLIT: usize = 20;

/// Writes the report.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (mut notes, mut split) = (Vec::new(), 0);
    for item in report.open() {
        split += usize::from(item.is_split);
        let is_whole = style.notes
            || report.severity(item) == Severity::Error
            || item.is_split && split <= MOST_SPLIT;
        if is_whole { whole(report, item, style, out)? } else { notes.push(item) }
    }
    for item in &notes {
        writeln!(out, "{}", line(item))?;
    }
    if !notes.is_empty() {
        writeln!(out, "  = help: `cargo sync-trace report --notes` shows the whole of it")?;
    }
    problems(report, out)?;
    unused(report, out)?;
    writeln!(out, "{}", summary(report))
}

fn whole(report: &Report, item: &Item, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut text = item.text.clone();
    if report.severity(item) == Severity::Error {
        // What the run is failed for is called so.
        if let Some(rest) = text.strip_prefix("warning") {
            text = format!("error{rest}");
        }
    }
    let seen = match (item.is_split, &item.seen_in[..]) {
        (true, _) | (_, []) => String::new(),
        (_, [one]) if item.times == 1 => format!("   = seen: {one}\n"),
        (_, [one, more @ ..]) => {
            let more =
                if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
            format!("   = seen: {} times, first by {one}{more}\n", item.times)
        }
    };
    let text = if style.colour { paint(&text) } else { text };
    writeln!(out, "{}\n{seen}", text.trim_end())
}

/// What fails nothing, in one line.
fn line(item: &Item) -> String {
    let at = item.main_site().map(|site| format!(" at {site}")).unwrap_or_default();
    let condition = item.condition.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{}[{}]: {}{at}{condition}", item.severity.as_str(), item.code, item.title)
}

fn problems(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let run = &report.run;
    for mistake in &report.mistakes {
        writeln!(out, "error: {mistake}")?;
    }
    for problem in &run.problems {
        writeln!(out, "warning: {problem}")?;
    }
    for (kind, count) in &run.unknown {
        writeln!(
            out,
            "warning: {count} records of the kind `{kind}` were passed over: this cargo-sync-trace does \
             not know them"
        )?;
    }
    if run.unwritten > 0 {
        writeln!(
            out,
            "warning: {} orders were too many to be told by their processes",
            run.unwritten
        )?;
    }
    let search = &run.inversions;
    if search.not_searched > 0 {
        writeln!(
            out,
            "warning: {} orders were not looked at for circles of more than two, because there are too many",
            search.not_searched
        )?;
    }
    if search.not_told > 0 {
        writeln!(out, "warning: {} further circles of orders are not told", search.not_told)?;
    }
    Ok(())
}

fn unused(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for origin in &report.unused {
        writeln!(out, "note: the [[allow]] at {origin} was of no use in this run")?;
    }
    if let [first, ..] = &report.unused_baseline[..] {
        let unused = report.unused_baseline.len();
        writeln!(
            out,
            "note: {} of the baseline {} not found in this run, such as that at {first}; `cargo sync-trace \
             baseline --prune` takes them out",
            count(unused, "entry"),
            if unused == 1 { "was" } else { "were" },
        )?;
    }
    Ok(())
}

/// One line about the whole run.
pub fn summary(report: &Report) -> String {
    let run = &report.run;
    let mut errors = 0;
    let mut warnings = 0;
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for item in report.open() {
        match report.severity(item) {
            Severity::Error => errors += 1,
            Severity::Warning => warnings += 1,
        }
        *codes.entry(&item.code).or_default() += item.times;
    }
    let codes: Vec<_> = codes.iter().map(|(code, times)| format!("{code} x{times}")).collect();
    let found = match (errors, warnings) {
        (0, 0) => "nothing found".to_owned(),
        _ => {
            let some = [count(errors, "error"), count(warnings, "warning")];
            let some: Vec<_> = some.into_iter().filter(|text| !text.starts_with("0 ")).collect();
            format!("{} ({})", some.join(", "), codes.join(", "))
        }
    };
    let mut parts = vec![found];
    let accepted = report.accepted().count();
    if accepted > 0 {
        parts.push(format!("{accepted} accepted"));
    }
    parts.push(format!("{} of locks", count(run.classes.len(), "class")));
    parts.push(count(run.orders.len(), "order"));
    parts.push(count(run.processes.len(), "process"));
    let dirs: Vec<_> = report.dirs.iter().map(|dir| dir.display().to_string()).collect();
    format!("sync-trace: {}; run: {}", parts.join(", "), dirs.join(", "))
}
