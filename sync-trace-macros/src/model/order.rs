//! Which orders contradict each other.

use std::collections::VecDeque;

use proc_macro2::TokenStream;
use syn::Error;

use crate::attr::{Lock, Mode, Origin};

/// `from < to`, as one place of the source says.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Node,
    pub(crate) to: Node,
    /// What is underlined.
    pub(crate) shown: TokenStream,
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// A lock, or several that stand at one place of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) keys: Vec<String>,
    pub(crate) mode: Option<Mode>,
}

impl Node {
    pub(crate) fn of(lock: &Lock) -> Self {
        let keys = lock.references().iter().map(crate::attr::Reference::key).collect();
        Self { keys, mode: lock.mode }
    }

    fn shares_a_lock_with(&self, other: &Self) -> bool {
        self.keys.iter().any(|key| other.keys.contains(key))
    }

    /// Whether one lock in one mode can be meant by both.
    fn overlaps(&self, other: &Self) -> bool {
        self.shares_a_lock_with(other) && Mode::overlaps(self.mode, other.mode)
    }
}

impl Edge {
    pub(crate) fn between(from: &Lock, to: &Lock, origin: Origin) -> Self {
        let mut shown = from.written.0.clone();
        shown.extend(to.written.0.clone());
        let text = format!("{from} < {to}");
        Self { from: Node::of(from), to: Node::of(to), shown, text, origin }
    }
}

/// All that is at odds: each edge that cannot be true beside those before it.
pub(crate) fn errors(edges: &[Edge]) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut accepted: Vec<&Edge> = Vec::new();
    for edge in edges {
        if edge.from.shares_a_lock_with(&edge.to) {
            let text =
                format!("contradictory lock order: `{}` puts a lock before itself", edge.text);
            errors.push(Error::new_spanned(&edge.shown, text));
            continue;
        }
        let same = |earlier: &&&Edge| earlier.from == edge.from && earlier.to == edge.to;
        if let Some(first) = accepted.iter().find(same) {
            if first.origin == edge.origin {
                errors.push(declared_twice(edge, first));
            }
            continue;
        }
        match path(&accepted, &edge.to, &edge.from) {
            Some(path) => errors.push(contradiction(edge, &path)),
            None => accepted.push(edge),
        }
    }
    errors
}

fn declared_twice(edge: &Edge, first: &Edge) -> Error {
    let text = format!("`{}` is declared twice", edge.text);
    let mut error = Error::new_spanned(&edge.shown, text);
    error.combine(Error::new_spanned(&first.shown, "it was declared here before"));
    error
}

fn contradiction(edge: &Edge, path: &[&Edge]) -> Error {
    let before: Vec<_> = path.iter().map(|edge| format!("`{}`", edge.text)).collect();
    let were = if before.len() == 1 { "was" } else { "were" };
    let text = format!(
        "contradictory lock order: `{}` here, but {} {were} declared before",
        edge.text,
        before.join(" and "),
    );
    let mut error = Error::new_spanned(&edge.shown, text);
    for earlier in path {
        let text = format!("`{}` is declared here", earlier.text);
        error.combine(Error::new_spanned(&earlier.shown, text));
    }
    error
}

/// The shortest way along `edges` from `start` to `end`.
fn path<'e>(edges: &[&'e Edge], start: &Node, end: &Node) -> Option<Vec<&'e Edge>> {
    let mut came_from: Vec<Option<Option<usize>>> = vec![None; edges.len()];
    let mut queue = VecDeque::new();
    let next = |node: &Node,
                from: Option<usize>,
                came_from: &mut [Option<Option<usize>>],
                queue: &mut VecDeque<usize>| {
        for (index, edge) in edges.iter().enumerate() {
            if came_from[index].is_none() && node.overlaps(&edge.from) {
                came_from[index] = Some(from);
                queue.push_back(index);
            }
        }
    };
    next(start, None, &mut came_from, &mut queue);
    while let Some(index) = queue.pop_front() {
        if edges[index].to.overlaps(end) {
            let mut path = vec![edges[index]];
            let mut at = index;
            while let Some(Some(before)) = came_from[at] {
                path.insert(0, edges[before]);
                at = before;
            }
            return Some(path);
        }
        next(&edges[index].to, Some(index), &mut came_from, &mut queue);
    }
    None
}
