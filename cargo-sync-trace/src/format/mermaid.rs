//! Graphs for Mermaid.

use super::graph::{self, Graph};
use crate::report::Report;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes all graphs of a report, with an empty line between them.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (at, graph) in graph::all(report).iter().enumerate() {
        let gap = if at == 0 { "" } else { "\n" };
        write!(out, "{gap}%% {}\n{}", graph.title.replace(['\n', '{', '}'], " "), text(graph))?;
    }
    Ok(())
}

/// A graph.
pub fn text(graph: &Graph) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (at, node) in graph.nodes.iter().enumerate() {
        let label = quoted(&node.label);
        let _ = match node.is_thread {
            true => writeln!(text, "    n{at}([{label}])"),
            false => writeln!(text, "    n{at}[{label}]"),
        };
    }
    for edge in &graph.edges {
        let arrow = if edge.is_found { "==>" } else { "-->" };
        let label = if edge.label.is_empty() {
            String::new()
        } else {
            format!("|{}|", quoted(&edge.label))
        };
        let _ = writeln!(text, "    n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    text
}

/// What Mermaid might take for its own goes in as entities.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | ';' | '`' | '|' | '\\' => {
                let _ = write!(quoted, "#{};", u32::from(c));
            }
            '\n' => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
