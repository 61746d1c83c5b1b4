//! The edges as they are stored: two doubly linked lists through each edge, one at either end.
//!
//! The lists are those of [`petgraph::graph`], of which the indices are taken too, with links in both
//! directions. With its singly linked ones an edge is found, and unlinked, by walking a list: to drop
//! one of 100 000 locks that were nested under one root takes petgraph 170 to 290 µs, and this 0.3.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use petgraph::Direction::{self, Incoming, Outgoing};
use petgraph::graph::{EdgeIndex, NodeIndex};

use super::label::Label;
use crate::finding::LockId;

/// The locks, by number, and the labelled edges between them.
#[derive(Default)]
pub(crate) struct Adjacency {
    by_lock: HashMap<LockId, NodeIndex, QuickHash>,
    by_ends: HashMap<Ends, EdgeIndex, QuickHash>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    free_nodes: Vec<NodeIndex>,
    free_edges: Vec<EdgeIndex>,
}

struct Node {
    /// The lock that has the slot. Its serial is the version of the slot: whoever comes with the
    /// number of an earlier owner is not found.
    lock: LockId,
    first: [EdgeIndex; 2],
}

struct Edge {
    ends: [NodeIndex; 2],
    next: [EdgeIndex; 2],
    previous: [EdgeIndex; 2],
    label: Label,
}

impl Adjacency {
    pub(crate) fn node(&self, lock: LockId) -> Option<NodeIndex> {
        self.by_lock.get(&lock).copied()
    }

    pub(crate) fn lock(&self, node: NodeIndex) -> LockId {
        self.nodes[node.index()].lock
    }

    pub(crate) fn edge(&self, from: NodeIndex, to: NodeIndex) -> Option<EdgeIndex> {
        self.by_ends.get(&Ends::of(from, to)).copied()
    }

    pub(crate) fn label(&self, edge: EdgeIndex) -> Label {
        self.edges[edge.index()].label
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn node_count(&self) -> usize {
        self.by_lock.len()
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn edge_count(&self) -> usize {
        self.by_ends.len()
    }

    /// The latest edge in this direction, or [`EdgeIndex::end`].
    pub(crate) fn first(&self, node: NodeIndex, direction: Direction) -> EdgeIndex {
        self.nodes[node.index()].first[direction.index()]
    }

    /// The edge that was added before this one, and the node that this one leads to.
    pub(crate) fn follow(&self, edge: EdgeIndex, direction: Direction) -> (EdgeIndex, NodeIndex) {
        let edge = &self.edges[edge.index()];
        (edge.next[direction.index()], edge.ends[direction.opposite().index()])
    }

    /// The edges in this direction, latest first, and where they lead.
    pub(crate) fn edges(
        &self,
        node: NodeIndex,
        direction: Direction,
    ) -> impl Iterator<Item = (EdgeIndex, NodeIndex)> {
        let mut edge = self.first(node, direction);
        std::iter::from_fn(move || {
            let this = edge;
            (this != EdgeIndex::end()).then(|| {
                let (next, node) = self.follow(this, direction);
                edge = next;
                (this, node)
            })
        })
    }

    pub(crate) fn add_node(&mut self, lock: LockId) -> NodeIndex {
        let node = Node { lock, first: [EdgeIndex::end(); 2] };
        let index = put(&mut self.nodes, self.free_nodes.pop(), NodeIndex::index, node);
        self.by_lock.insert(lock, index);
        index
    }

    pub(crate) fn add_label(&mut self, edge: EdgeIndex, label: Label) {
        let edge = &mut self.edges[edge.index()];
        edge.label = edge.label.union(label);
    }

    /// Adds the edge; there is none between the two yet.
    pub(crate) fn add_edge(&mut self, from: NodeIndex, to: NodeIndex, label: Label) {
        let [out, into] = [self.first(from, Outgoing), self.first(to, Incoming)];
        let edge =
            Edge { ends: [from, to], next: [out, into], previous: [EdgeIndex::end(); 2], label };
        let index = put(&mut self.edges, self.free_edges.pop(), EdgeIndex::index, edge);
        self.by_ends.insert(Ends::of(from, to), index);
        for (direction, next) in [(Outgoing, out), (Incoming, into)] {
            self.set_previous(next, direction, index);
            self.set_next(EdgeIndex::end(), direction, index, [from, to]);
        }
    }

    /// Removes the lock and its edges, in time proportional to their number.
    pub(crate) fn remove_node(&mut self, node: NodeIndex) {
        for direction in [Outgoing, Incoming] {
            loop {
                let edge = self.first(node, direction);
                if edge == EdgeIndex::end() {
                    break;
                }
                self.remove_edge(edge);
            }
        }
        self.by_lock.remove(&self.lock(node));
        self.free_nodes.push(node);
    }

    fn remove_edge(&mut self, index: EdgeIndex) {
        let Edge { ends, next, previous, .. } = self.edges[index.index()];
        for direction in [Outgoing, Incoming] {
            let side = direction.index();
            self.set_previous(next[side], direction, previous[side]);
            self.set_next(previous[side], direction, next[side], ends);
        }
        self.by_ends.remove(&Ends::of(ends[0], ends[1]));
        self.free_edges.push(index);
    }

    fn set_previous(&mut self, edge: EdgeIndex, direction: Direction, previous: EdgeIndex) {
        if edge != EdgeIndex::end() {
            self.edges[edge.index()].previous[direction.index()] = previous;
        }
    }

    /// Sets what comes after `edge`; where that is the end, what its node's list begins with.
    fn set_next(
        &mut self,
        edge: EdgeIndex,
        direction: Direction,
        next: EdgeIndex,
        ends: [NodeIndex; 2],
    ) {
        let side = direction.index();
        if edge == EdgeIndex::end() {
            self.nodes[ends[side].index()].first[side] = next;
        } else {
            self.edges[edge.index()].next[side] = next;
        }
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn heap_bytes(&self) -> usize {
        vec_bytes(&self.nodes)
            + vec_bytes(&self.edges)
            + vec_bytes(&self.free_nodes)
            + vec_bytes(&self.free_edges)
            + map_bytes::<LockId, NodeIndex>(self.by_lock.capacity())
            + map_bytes::<Ends, EdgeIndex>(self.by_ends.capacity())
    }
}

/// Puts `item` into the free slot, if there is one, or else behind all others.
fn put<T, I: Copy + From<u32>>(
    slots: &mut Vec<T>,
    free: Option<I>,
    position: impl Fn(I) -> usize,
    item: T,
) -> I {
    match free {
        Some(index) => {
            slots[position(index)] = item;
            index
        }
        None => {
            slots.push(item);
            I::from(slots.len() as u32 - 1)
        }
    }
}

/// An edge by its two nodes, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Ends(u64);

impl Ends {
    fn of(from: NodeIndex, to: NodeIndex) -> Self {
        Self((from.index() as u64) << 32 | to.index() as u64)
    }
}

/// A hash of one number by one multiplication, for keys that nobody outside chooses.
pub(crate) type QuickHash = BuildHasherDefault<QuickHasher>;

#[derive(Default)]
pub(crate) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    /// Fibonacci hashing (Knuth, volume 3, 6.4), the two halves of the product folded: the map
    /// looks at the lowest bits and at the highest.
    #[inline]
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

#[cfg(all(test, not(loom)))]
pub(crate) fn vec_bytes<T>(vec: &Vec<T>) -> usize {
    vec.capacity() * size_of::<T>()
}

/// What a map of this capacity has on the heap: it fills seven eighths of a power of two, with a byte
/// beside each slot.
#[cfg(all(test, not(loom)))]
pub(crate) fn map_bytes<K, V>(capacity: usize) -> usize {
    match capacity {
        0 => 0,
        capacity => (capacity * 8 / 7).next_power_of_two() * (size_of::<(K, V)>() + 1),
    }
}
