//! Which locks are in one strongly connected component, and the order of the components.
//!
//! One member of a component speaks for it, its *leader*; the members are linked in a ring. Most
//! components have one member.

use petgraph::graph::NodeIndex;

use super::ranks::Ranks;

/// A partition of the nodes into components, in topological order.
#[derive(Default)]
pub(crate) struct Components {
    members: Vec<Member>,
    pub(super) ranks: Ranks,
    /// The number of the search that marks are from.
    search: u32,
}

#[derive(Clone, Copy)]
struct Member {
    leader: NodeIndex,
    next: NodeIndex,
    previous: NodeIndex,
    /// Of a leader: a search, and in the lowest bits what that search found out.
    mark: u32,
}

/// What a search found out about a component.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    /// It was met along the edges.
    Forward = 1,
    /// It was met against the edges.
    Backward = 2,
    /// It lies on a cycle through the new edge.
    OnCycle = 4,
}

const MARK_BITS: u32 = 3;

impl Components {
    pub(crate) fn leader(&self, node: NodeIndex) -> NodeIndex {
        self.members[node.index()].leader
    }

    /// The place of the node's component in the order.
    pub(crate) fn rank(&self, node: NodeIndex) -> u64 {
        self.ranks.rank(self.leader(node))
    }

    /// The next member of the component; after the last one comes the first again.
    pub(crate) fn next_member(&self, node: NodeIndex) -> NodeIndex {
        self.members[node.index()].next
    }

    /// All members of the node's component, it first.
    pub(crate) fn members(&self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        let others =
            std::iter::successors(Some(self.next_member(node)), |&at| Some(self.next_member(at)));
        std::iter::once(node).chain(others.take_while(move |&at| at != node))
    }

    /// Makes the node a component of its own, which has no rank yet.
    pub(crate) fn add(&mut self, node: NodeIndex) {
        let alone = Member { leader: node, next: node, previous: node, mark: 0 };
        if node.index() >= self.members.len() {
            self.members.resize(node.index() + 1, alone);
        }
        self.members[node.index()] = alone;
    }

    /// Makes the component of the leader `other` part of that of `leader`.
    pub(crate) fn merge(&mut self, leader: NodeIndex, other: NodeIndex) {
        self.ranks.take_out(other);
        self.lead(leader, other);
        let [last, other_last] = [leader, other].map(|at| self.members[at.index()].previous);
        self.link(last, other);
        self.link(other_last, leader);
    }

    /// Takes a node out of its component. Returns the leader of the others, if there are any.
    pub(crate) fn remove(&mut self, node: NodeIndex) -> Option<NodeIndex> {
        let Member { leader, next, previous, .. } = self.members[node.index()];
        if next == node {
            self.ranks.take_out(node);
            return None;
        }
        self.link(previous, next);
        if leader != node {
            return Some(leader);
        }
        // Locks are often dropped in the order of their creation: the one linked in last stays
        // longest.
        self.lead(previous, previous);
        self.ranks.replace(node, previous);
        Some(previous)
    }

    /// Splits a component into parts, given in topological order from the last to the first.
    pub(crate) fn split(&mut self, leader: NodeIndex, parts: &[Vec<NodeIndex>]) {
        let mut later = leader;
        for (position, part) in parts.iter().enumerate() {
            for &node in part {
                self.add(node);
            }
            for (&node, &next) in part.iter().zip(part.iter().cycle().skip(1)) {
                self.link(node, next);
                self.members[node.index()].leader = part[0];
            }
            match position {
                0 => self.ranks.replace(leader, part[0]),
                _ => self.ranks.put_before(part[0], later),
            }
            later = part[0];
        }
    }

    fn link(&mut self, node: NodeIndex, next: NodeIndex) {
        self.members[node.index()].next = next;
        self.members[next.index()].previous = node;
    }

    /// Makes `leader` speak for the ring that `node` is in.
    fn lead(&mut self, leader: NodeIndex, node: NodeIndex) {
        let mut at = node;
        loop {
            let member = &mut self.members[at.index()];
            member.leader = leader;
            at = member.next;
            if at == node {
                break;
            }
        }
    }

    /// Makes all marks void.
    pub(crate) fn begin_search(&mut self) {
        self.search += 1;
        if self.search >> (u32::BITS - MARK_BITS) != 0 {
            self.members.iter_mut().for_each(|member| member.mark = 0);
            self.search = 1;
        }
    }

    /// Marks a component by its leader. Whether that is new.
    pub(crate) fn mark(&mut self, leader: NodeIndex, mark: Mark) -> bool {
        let new = !self.is_marked(leader, mark);
        let member = &mut self.members[leader.index()];
        if member.mark >> MARK_BITS != self.search {
            member.mark = self.search << MARK_BITS;
        }
        member.mark |= mark as u32;
        new
    }

    pub(crate) fn is_marked(&self, leader: NodeIndex, mark: Mark) -> bool {
        let found = self.members[leader.index()].mark;
        found >> MARK_BITS == self.search && found & mark as u32 != 0
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn heap_bytes(&self) -> usize {
        super::adjacency::vec_bytes(&self.members) + self.ranks.heap_bytes()
    }
}
