//! Graphs for Graphviz.

use super::graph::{self, Graph};
use crate::report::Report;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes all graphs of a report, one `digraph` after the other.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (at, graph) in graph::all(report).iter().enumerate() {
        write!(out, "{}", text(graph, at))?;
    }
    Ok(())
}

/// A graph by its number.
pub fn text(graph: &Graph, number: usize) -> String {
    let mut text = format!("digraph sync_trace_{number} {{\n    label={};\n", quoted(&graph.title));
    text += "    rankdir=LR;\n    node [shape=box];\n";
    for (at, node) in graph.nodes.iter().enumerate() {
        let shape = if node.is_thread { ", shape=ellipse" } else { "" };
        let _ = writeln!(text, "    n{at} [label={}{shape}];", quoted(&node.label));
    }
    for edge in &graph.edges {
        let colour = if edge.is_found { ", color=red" } else { "" };
        let (from, to, label) = (edge.from, edge.to, quoted(&edge.label));
        let _ = writeln!(text, "    n{from} -> n{to} [label={label}{colour}];");
    }
    text + "}\n"
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
