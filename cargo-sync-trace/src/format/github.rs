//! Annotations of GitHub Actions. The summary of the job goes where the environment says.

use super::markdown;
use crate::report::Report;
use crate::report::item::Severity;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

/// The variable that names the file for summaries.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Writes the annotations, and the summary if its file is named.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    annotations(report, out)?;
    if let Some(path) = std::env::var_os(SUMMARY).filter(|path| !path.is_empty()) {
        let mut file = OpenOptions::new().create(true).append(true).open(PathBuf::from(path))?;
        markdown::write(report, &mut file)?;
    }
    Ok(())
}

/// Writes an annotation for each finding.
pub fn annotations(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for item in report.open() {
        let command = match report.severity(item) {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut properties =
            format!("title={}", property(&format!("{}: {}", item.code, item.title)));
        if let Some(site) = item.main_site() {
            properties = format!(
                "file={},line={},col={},{properties}",
                property(&site.file),
                site.line,
                site.column
            );
        }
        let steps = item.strands.iter().flat_map(|strand| {
            let who = &strand.who;
            strand.steps.iter().map(move |step| format!("{who}: {} ({})", step.what, step.site))
        });
        let mut message: Vec<_> = steps.collect();
        message.extend(item.condition.iter().map(|condition| format!("condition: {condition}")));
        message.push(format!("help: {}", item.help));
        writeln!(out, "::{command} {properties}::{}", data(&message.join("\n")))?;
    }
    for problem in &report.run.problems {
        writeln!(out, "::warning title=sync-trace::{}", data(&problem.to_string()))?;
    }
    Ok(())
}

/// The text of a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runner_takes_for_its_own_is_escaped() {
        assert_eq!(data("100%\na"), "100%25%0Aa");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
