//! A summary in Markdown, as CI shows it under a job.

use super::{graph, mermaid, term};
use crate::report::Report;
use crate::report::item::Item;
use std::io::{self, Write};

/// How many findings are shown with all that is known.
const MOST_DETAILS: usize = 50;

/// Writes the summary.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## sync-trace\n\n{}\n", escaped(&term::summary(report)))?;
    let open: Vec<&Item> = report.open().collect();
    if !open.is_empty() {
        writeln!(out, "| | code | what | where | seen |\n|---|---|---|---|---|")?;
    }
    for item in &open {
        let at = item.main_site().map(|site| format!("`{site}`")).unwrap_or_default();
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            report.severity(item).as_str(),
            item.code,
            escaped(&item.title),
            at.replace('|', "\\|"),
            item.times
        )?;
    }
    for item in open.iter().take(MOST_DETAILS) {
        details(item, out)?;
    }
    if open.len() > MOST_DETAILS {
        writeln!(out, "\n{} more are not shown.", open.len() - MOST_DETAILS)?;
    }
    let accepted: Vec<_> = report.accepted().collect();
    if !accepted.is_empty() {
        writeln!(out, "\nAccepted:\n")?;
    }
    for (item, accepted) in accepted {
        writeln!(out, "- {} {}: {}", item.code, escaped(&item.title), escaped(&accepted.reason))?;
    }
    for problem in &report.run.problems {
        writeln!(out, "\n> {}", escaped(&problem.to_string()))?;
    }
    Ok(())
}

fn details(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let title = html(&format!("{}: {}", item.code, item.title));
    writeln!(out, "\n<details><summary>{title}</summary>\n")?;
    let fence = fence(&item.text);
    writeln!(out, "{fence}text\n{}\n{fence}", item.text.trim_end())?;
    if let Some(graph) = graph::of_item(item) {
        writeln!(out, "\n```mermaid\n{}```", mermaid::text(&graph))?;
    }
    for seen in &item.seen_in {
        writeln!(out, "\n- {}", escaped(seen))?;
    }
    writeln!(out, "\n</details>")
}

/// A fence that is longer than any in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', " ")
}

/// Text in a table or a list. Code between backticks stays code.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for (at, part) in text.replace('\n', " ").split('`').enumerate() {
        if at > 0 {
            escaped.push('`');
        }
        let is_code = at % 2 == 1;
        for c in part.chars() {
            if c == '|' || !is_code && matches!(c, '<' | '*' | '_' | '[' | ']' | '\\') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_in_texts_stays_text() {
        assert_eq!(escaped("a|b `x_y|` Vec<u8>_"), "a\\|b `x_y\\|` Vec\\<u8>\\_");
        assert_eq!(fence("a ```` b"), "`````");
        assert_eq!(html("Vec<u8> & x"), "Vec&lt;u8&gt; &amp; x");
    }
}
