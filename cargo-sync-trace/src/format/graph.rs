//! What is drawn: the order of all classes, and each circle.

use crate::merge::classes::ClassId;
use crate::report::Report;
use crate::report::item::Item;
use std::collections::{BTreeMap, BTreeSet};

/// How many orders a graph of a whole run shows. More nobody can read; those in circles come first.
const MOST_EDGES: usize = 500;

/// A graph to draw.
#[derive(Debug, Default)]
pub struct Graph {
    /// What stands above it.
    pub title: String,
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// Its edges.
    pub edges: Vec<Edge>,
}

/// A node.
#[derive(Debug)]
pub struct Node {
    /// What stands in it.
    pub label: String,
    /// Whether it is a thread, and not a lock.
    pub is_thread: bool,
}

/// An edge.
#[derive(Debug)]
pub struct Edge {
    /// From which node.
    pub from: usize,
    /// To which.
    pub to: usize,
    /// What stands beside it.
    pub label: String,
    /// Whether it is part of what was found.
    pub is_found: bool,
}

impl Graph {
    fn node(&mut self, label: String, is_thread: bool) -> usize {
        let known = |node: &Node| node.label == label && node.is_thread == is_thread;
        match self.nodes.iter().position(known) {
            Some(at) => at,
            None => {
                self.nodes.push(Node { label, is_thread });
                self.nodes.len() - 1
            }
        }
    }
}

/// All graphs of a report: the order of classes, then one for each circle.
pub fn all(report: &Report) -> Vec<Graph> {
    let circles = report.open().filter_map(of_item);
    std::iter::once(orders(report)).chain(circles).collect()
}

/// The order of classes.
pub fn orders(report: &Report) -> Graph {
    let run = &report.run;
    let mut found = BTreeSet::new();
    for inversion in &run.inversions.inversions {
        found.extend(inversion.halves.iter().map(|half| half.pair));
    }
    let mut pairs: Vec<_> = run.orders.iter().collect();
    pairs.sort_by_key(|(pair, _)| (!found.contains(pair), *pair));
    let hidden = pairs.len().saturating_sub(MOST_EDGES);
    pairs.truncate(MOST_EDGES);
    let title = match hidden {
        0 => "the order of locks".to_owned(),
        _ => format!("the order of locks; {hidden} orders are not shown"),
    };
    let mut graph = Graph { title, ..Graph::default() };
    let mut nodes: BTreeMap<ClassId, usize> = BTreeMap::new();
    for (pair, evidence) in pairs {
        let mut node = |class: ClassId| {
            *nodes.entry(class).or_insert_with(|| {
                // Different classes may have one label.
                graph
                    .nodes
                    .push(Node { label: run.classes.get(class).label.clone(), is_thread: false });
                graph.nodes.len() - 1
            })
        };
        let (from, to) = (node(pair.held), node(pair.wanted));
        let site = evidence.witnesses.first().map(|witness| &witness.wanted.site);
        let label = site.map(|site| format!("{}:{}", site.file, site.line)).unwrap_or_default();
        graph.edges.push(Edge { from, to, label, is_found: found.contains(&pair) });
    }
    graph
}

/// A circle: threads, what they hold, and what they ask for. `None` of what is none.
pub fn of_item(item: &Item) -> Option<Graph> {
    let mut graph = Graph { title: format!("{}: {}", item.code, item.title), ..Graph::default() };
    for strand in &item.strands {
        let thread = graph.node(strand.who.clone(), true);
        let site = |at: Option<&crate::report::item::Step>| {
            at.map(|step| format!(" at {}:{}", step.site.file, step.site.line)).unwrap_or_default()
        };
        if let Some(lock) = &strand.holds {
            let lock = graph.node(lock.clone(), false);
            let first = strand.steps.iter().rev().nth(1);
            let label = format!("held by{}", site(first));
            graph.edges.push(Edge { from: lock, to: thread, label, is_found: true });
        }
        if let Some(lock) = &strand.wants {
            let lock = graph.node(lock.clone(), false);
            let label = format!("asks for{}", site(strand.steps.last()));
            graph.edges.push(Edge { from: thread, to: lock, label, is_found: true });
        }
    }
    (!graph.edges.is_empty()).then_some(graph)
}
