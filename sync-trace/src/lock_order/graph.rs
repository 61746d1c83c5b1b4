//! The lock-order graph: what is asked of it, and what it answers.
//!
//! # Costs
//!
//! A known pair costs two or three hash look-ups; a new one that agrees with the order so far some
//! more steps. A new edge against it costs the smaller one of two searches. A removal costs the edges
//! of the lock. Memory is proportional to locks and edges.

use std::collections::{HashMap, HashSet};

use petgraph::Direction::{self, Incoming, Outgoing};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::adjacency::{Adjacency, QuickHash};
use super::components::Components;
use super::cycle;
use super::label::Label;
use super::search::Search;
use crate::finding::LockId;
use crate::op::Mode;

/// A removed lock is bridged if at most so many pairs of edges lead through it.
const BRIDGES_MAX: usize = 64;

/// What an insertion has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// Nothing: the order was known, in these modes.
    Known,
    /// The order is new, and no cycle leads through it.
    Open,
    /// The order is new, at least in these modes, and lies on a cycle, be it strong or not.
    Closing,
}

/// What became of the orders that led through a removed lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    /// There was no order with this lock.
    Unknown,
    /// They are kept: those before the lock are now before those after it.
    Bridged,
    /// They were too many and are lost.
    Forgotten,
}

/// The order in which locks were taken while others were held.
///
/// An edge A→B says that B was wanted while A was held, and its label in which modes.
#[derive(Default)]
pub(crate) struct OrderGraph {
    adjacency: Adjacency,
    components: Components,
    search: Search,
    /// The leaders of components that lost a member and may have to be split.
    torn: HashSet<NodeIndex, QuickHash>,
}

impl OrderGraph {
    #[cfg(all(test, not(loom)))]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// How many locks are in it.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn len(&self) -> usize {
        self.adjacency.node_count()
    }

    /// How many pairs of locks have an order.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn edges(&self) -> usize {
        self.adjacency.edge_count()
    }

    /// Adds that `to` was wanted in mode `wanted` while `from` was held in mode `held`.
    ///
    /// A lock that is wanted while it is held itself is another module's question: it is
    /// [`Known`](Inserted::Known).
    pub(crate) fn insert(
        &mut self,
        from: LockId,
        to: LockId,
        held: Mode,
        wanted: Mode,
    ) -> Inserted {
        if from == to {
            return Inserted::Known;
        }
        let label = Label::of(held, wanted);
        let [from, to] = self.nodes(from, to);
        match self.adjacency.edge(from, to) {
            Some(edge) if self.adjacency.label(edge).contains(label) => return Inserted::Known,
            Some(edge) => self.adjacency.add_label(edge, label),
            None => self.adjacency.add_edge(from, to, label),
        }
        self.restore_order(from, to)
    }

    /// Finds both nodes or adds them: a lock that is first seen on the outside goes in front of all
    /// others, one first seen on the inside behind them.
    fn nodes(&mut self, from: LockId, to: LockId) -> [NodeIndex; 2] {
        let from = self.adjacency.node(from).unwrap_or_else(|| {
            let node = self.add_node(from);
            self.components.ranks.put_first(node);
            node
        });
        let to = self.adjacency.node(to).unwrap_or_else(|| {
            let node = self.add_node(to);
            self.components.ranks.put_last(node);
            node
        });
        [from, to]
    }

    fn add_node(&mut self, lock: LockId) -> NodeIndex {
        let node = self.adjacency.add_node(lock);
        self.components.add(node);
        node
    }

    /// Makes the order of the components agree with a new edge.
    fn restore_order(&mut self, from: NodeIndex, to: NodeIndex) -> Inserted {
        if self.components.rank(from) < self.components.rank(to) {
            return Inserted::Open;
        }
        self.split_torn();
        let [first, second] = [from, to].map(|node| self.components.leader(node));
        if self.components.rank(first) > self.components.rank(second) {
            self.search.restore(&self.adjacency, &mut self.components, first, second);
        }
        if self.components.leader(from) == self.components.leader(to) {
            Inserted::Closing
        } else {
            Inserted::Open
        }
    }

    /// The shortest strong cycle that begins with the order `from` before `to`: its locks in order,
    /// `from` and `to` first; the last one comes before `from` again.
    ///
    /// It is strong if at each lock the hold can block the request, if need be
    /// [through a writer](super::label::Blocks::ThroughWriter); both come from observed pairs. The
    /// walk may lead through a lock twice.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn strong_cycle(&self, from: LockId, to: LockId) -> Option<Vec<LockId>> {
        self.strong_cycle_in(from, to, |label| label)
    }

    /// The same for cycles through one pair of modes of that order. After each
    /// [`Closing`](Inserted::Closing), this one shows only what is new.
    pub(crate) fn strong_cycle_through(
        &self,
        from: LockId,
        to: LockId,
        held: Mode,
        wanted: Mode,
    ) -> Option<Vec<LockId>> {
        let pair = Label::of(held, wanted);
        self.strong_cycle_in(from, to, |label| label.intersection(pair))
    }

    fn strong_cycle_in(
        &self,
        from: LockId,
        to: LockId,
        select: impl Fn(Label) -> Label,
    ) -> Option<Vec<LockId>> {
        let (from, to) = (self.adjacency.node(from)?, self.adjacency.node(to)?);
        let first = select(self.adjacency.label(self.adjacency.edge(from, to)?));
        let walk = cycle::shortest_strong(&self.adjacency, &self.components, [from, to], first)?;
        Some(walk.into_iter().map(|node| self.adjacency.lock(node)).collect())
    }

    /// Whether closed walks, strong or not, lead through both of these different locks.
    pub(crate) fn is_in_one_component(&self, one: LockId, other: LockId) -> bool {
        let (Some(one), Some(other)) = (self.adjacency.node(one), self.adjacency.node(other))
        else {
            return false;
        };
        let leader = self.components.leader(one);
        leader == self.components.leader(other)
            && (!self.torn.contains(&leader) || self.component_of_node(one).contains(&other))
    }

    /// The locks with which this one lies on cycles, strong or not, and itself.
    pub(crate) fn component_of(&self, lock: LockId) -> impl Iterator<Item = LockId> {
        let node = self.adjacency.node(lock);
        let component = node.map_or_else(Vec::new, |node| self.component_of_node(node));
        let others = component.into_iter().map(|node| self.adjacency.lock(node));
        std::iter::once(lock).chain(others.filter(move |&other| other != lock))
    }

    fn component_of_node(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let leader = self.components.leader(node);
        if !self.torn.contains(&leader) {
            return self.components.members(node).collect();
        }
        self.parts(leader).into_iter().find(|part| part.contains(&node)).unwrap_or_default()
    }

    /// Removes a lock that was dropped.
    ///
    /// What came before it now comes directly before what came after it, where the walk is strong at
    /// the removed lock: a weak one is part of no strong cycle.
    pub(crate) fn remove(&mut self, lock: LockId) -> Removed {
        let Some(node) = self.adjacency.node(lock) else { return Removed::Unknown };
        let removed = self.bridge(node);
        self.adjacency.remove_node(node);
        self.torn.remove(&self.components.leader(node));
        if let Some(leader) = self.components.remove(node)
            && self.components.next_member(leader) != leader
        {
            self.torn.insert(leader);
        }
        removed
    }

    /// Adds the edges from before the node to behind it. None is against the order.
    fn bridge(&mut self, node: NodeIndex) -> Removed {
        let degrees = [Incoming, Outgoing]
            .map(|direction| self.adjacency.edges(node, direction).take(BRIDGES_MAX + 1).count());
        match degrees[0] * degrees[1] {
            0 => return Removed::Bridged,
            1..=BRIDGES_MAX => {}
            _ => return Removed::Forgotten,
        }
        let [before, after] = [Incoming, Outgoing].map(|direction| self.ends(node, direction));
        for &(from, first) in &before {
            for &(to, second) in &after {
                let label = first.then(second);
                if from != to && !label.is_empty() {
                    match self.adjacency.edge(from, to) {
                        Some(edge) => self.adjacency.add_label(edge, label),
                        None => self.adjacency.add_edge(from, to, label),
                    }
                }
            }
        }
        Removed::Bridged
    }

    fn ends(&self, node: NodeIndex, direction: Direction) -> Vec<(NodeIndex, Label)> {
        let edges = self.adjacency.edges(node, direction);
        edges.map(|(edge, end)| (end, self.adjacency.label(edge))).collect()
    }

    /// Splits what removals may have left unconnected. To wait with it until somebody asks makes
    /// it cheap to drop many locks that lie on cycles.
    fn split_torn(&mut self) {
        for leader in std::mem::take(&mut self.torn) {
            let parts = self.parts(leader);
            if parts.len() > 1 {
                self.components.split(leader, &parts);
            }
        }
    }

    /// The strongly connected parts of a component, in topological order from the last to the first.
    fn parts(&self, leader: NodeIndex) -> Vec<Vec<NodeIndex>> {
        let mut copy = DiGraph::new();
        let members = self.components.members(leader).map(|node| (node, copy.add_node(node)));
        let members: HashMap<NodeIndex, NodeIndex, QuickHash> = members.collect();
        for (&node, &from) in &members {
            for (_, end) in self.adjacency.edges(node, Outgoing) {
                if let Some(&to) = members.get(&end) {
                    copy.add_edge(from, to, ());
                }
            }
        }
        // Not `tarjan_scc`, which recurses as deep as the longest path.
        let mut parts = kosaraju_scc(&copy);
        parts.iter_mut().flatten().for_each(|node| *node = copy[*node]);
        parts
    }

    /// About how much memory it has on the heap.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.adjacency.heap_bytes()
            + self.components.heap_bytes()
            + self.search.heap_bytes()
            + super::adjacency::map_bytes::<NodeIndex, ()>(self.torn.capacity())
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn slot(&self, lock: LockId) -> Option<NodeIndex> {
        self.adjacency.node(lock)
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn label(&self, from: LockId, to: LockId) -> Option<Label> {
        let edge = self.adjacency.edge(self.slot(from)?, self.slot(to)?)?;
        Some(self.adjacency.label(edge))
    }

    /// Checks what the module documentation promises.
    #[cfg(all(test, not(loom)))]
    pub(super) fn check_invariants(&self) {
        let Self { adjacency, components, .. } = self;
        let leaders: Vec<NodeIndex> = components.ranks.iter().collect();
        assert!(leaders.is_sorted_by_key(|&leader| components.ranks.rank(leader)));
        let nodes: Vec<NodeIndex> =
            leaders.iter().flat_map(|&leader| components.members(leader)).collect();
        assert_eq!(nodes.len(), self.len(), "each lock is in one component");
        for from in nodes {
            for (edge, to) in adjacency.edges(from, Outgoing) {
                assert!(from != to && !adjacency.label(edge).is_empty());
                let same = components.leader(from) == components.leader(to);
                assert!(same || components.rank(from) < components.rank(to), "in order");
                assert!(adjacency.edges(to, Incoming).any(|back| back == (edge, from)));
            }
        }
    }
}
