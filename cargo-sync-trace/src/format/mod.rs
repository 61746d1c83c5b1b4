//! The forms in which a report is shown. Each reads the report and nothing else.
//!
//! [`term`] (with `snippet` and `colour`) is for people, [`json`] and [`sarif`] for programs, [`github`] and
//! [`markdown`] for CI, [`dot`] and [`mermaid`] draw the graph that [`graph`] makes, [`folded`] is for flame graphs.

pub mod colour;
pub mod dot;
pub mod folded;
pub mod github;
pub mod graph;
pub mod json;
pub mod markdown;
pub mod mermaid;
pub mod sarif;
pub mod snippet;
pub mod term;

use crate::report::Report;
use clap::ValueEnum;
use std::io::{self, Write};

/// In which form a report is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, in rustc's style
    #[default]
    Term,
    /// One JSON object a line; docs/report-format.md describes them
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions; the summary goes to $GITHUB_STEP_SUMMARY
    Github,
    /// A summary in Markdown, with Mermaid diagrams
    Markdown,
    /// The order graph and each circle, for Graphviz
    Dot,
    /// The order graph and each circle, for Mermaid
    Mermaid,
    /// Call stacks with the time that was waited, for flame graphs
    Folded,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// With colours, where the form has any.
    pub colour: bool,
    /// With the whole report of what fails nothing, too.
    pub notes: bool,
}

/// Writes a report.
pub fn write(format: Format, report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Term => term::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Github => github::write(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::Dot => dot::write(report, out),
        Format::Mermaid => mermaid::write(report, out),
        Format::Folded => folded::write(report, out),
    }
}
