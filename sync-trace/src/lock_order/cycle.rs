//! The search for a strong cycle: one in which each request can be kept waiting by the next hold.
//!
//! Linux lockdep searches breadth first over locks and one bit, whether only recursive readers
//! arrive. With more than two modes the bit becomes a set of modes; and because the walk has to be
//! strong also where it closes, the set keeps for each mode the hold that the walk began with. That
//! set is a [`Label`], that of the walk so far.
//!
//! The search goes level by level from both ends of the new edge, always on the side that has less
//! to look at: where everything lies on cycles, one search alone would look at most of it.

use std::collections::HashMap;

use petgraph::Direction::{self, Incoming, Outgoing};
use petgraph::graph::NodeIndex;

use super::adjacency::{Adjacency, QuickHash};
use super::components::Components;
use super::label::Label;

/// The nodes of the shortest strong closed walk that begins with the edge between the two nodes, in
/// one of the pairs of `first`. It may come to a lock twice, in different modes.
pub(crate) fn shortest_strong(
    adjacency: &Adjacency,
    components: &Components,
    [from, to]: [NodeIndex; 2],
    first: Label,
) -> Option<Vec<NodeIndex>> {
    let in_component =
        |&(_, node): &(_, NodeIndex)| components.leader(node) == components.leader(from);
    let mut ahead = Half::new(Outgoing);
    let mut behind = Half::new(Incoming);
    ahead.arrive(to, first, None);
    for (edge, node) in adjacency.edges(from, Incoming).filter(in_component) {
        if let Some(last) = behind.arrive(node, adjacency.label(edge), None)
            && let Some(walk) = behind.joined(last, &ahead, from)
        {
            return Some(walk);
        }
    }
    loop {
        let (smaller, larger) = if ahead.to_expand().len() <= behind.to_expand().len() {
            (&mut ahead, &behind)
        } else {
            (&mut behind, &ahead)
        };
        let level = smaller.to_expand();
        if level.is_empty() {
            return None;
        }
        smaller.expanded = level.end;
        for at in level {
            let Arrival { node, walk, .. } = smaller.arrivals[at];
            for (edge, next) in adjacency.edges(node, smaller.direction).filter(in_component) {
                let walk = smaller.extend(walk, adjacency.label(edge));
                if let Some(last) = smaller.arrive(next, walk, Some(at))
                    && let Some(walk) = smaller.joined(last, larger, from)
                {
                    return Some(walk);
                }
            }
        }
    }
}

/// The search in one direction.
struct Half {
    direction: Direction,
    arrivals: Vec<Arrival>,
    /// How many of the arrivals have been followed.
    expanded: usize,
    /// All pairs that have arrived at a node.
    seen: HashMap<NodeIndex, Label, QuickHash>,
}

/// One way to come to a lock.
#[derive(Clone, Copy)]
struct Arrival {
    node: NodeIndex,
    /// What is new about it: pairs with which no earlier arrival came.
    walk: Label,
    /// The arrival that it came from.
    previous: Option<usize>,
}

impl Half {
    fn new(direction: Direction) -> Self {
        Self { direction, arrivals: Vec::new(), expanded: 0, seen: HashMap::default() }
    }

    fn to_expand(&self) -> std::ops::Range<usize> {
        self.expanded..self.arrivals.len()
    }

    /// The label of a walk of this half and one more edge.
    fn extend(&self, walk: Label, edge: Label) -> Label {
        match self.direction {
            Outgoing => walk.then(edge),
            Incoming => edge.then(walk),
        }
    }

    /// Records what is new about coming to a node. Returns its position.
    fn arrive(&mut self, node: NodeIndex, walk: Label, previous: Option<usize>) -> Option<usize> {
        let known = self.seen.entry(node).or_default();
        let walk = walk.without(*known);
        if walk.is_empty() {
            return None;
        }
        *known = known.union(walk);
        self.arrivals.push(Arrival { node, walk, previous });
        Some(self.arrivals.len() - 1)
    }

    /// The closed walk of the arrival at this position and one of the other half, if there is one.
    fn joined(&self, at: usize, other: &Self, from: NodeIndex) -> Option<Vec<NodeIndex>> {
        let Arrival { node, walk, .. } = self.arrivals[at];
        let closes = |other: Label| self.extend(walk, other).closes();
        if !closes(*other.seen.get(&node)?) {
            return None;
        }
        let partner = (0..other.arrivals.len()).find(|&position| {
            let arrival = &other.arrivals[position];
            arrival.node == node && closes(arrival.walk)
        })?;
        let (ahead, behind) = match self.direction {
            Outgoing => (self.path(at), other.path(partner)),
            Incoming => (other.path(partner), self.path(at)),
        };
        let ahead = ahead.into_iter().rev();
        Some([from].into_iter().chain(ahead).chain(behind.into_iter().skip(1)).collect())
    }

    /// The nodes from that of an arrival to that of the first.
    fn path(&self, at: usize) -> Vec<NodeIndex> {
        let positions = std::iter::successors(Some(at), |&at| self.arrivals[at].previous);
        positions.map(|at| self.arrivals[at].node).collect()
    }
}
