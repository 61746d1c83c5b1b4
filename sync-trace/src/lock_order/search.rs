//! Restores the order of the components after an edge against it.
//!
//! The algorithm is that of Pearce and Kelly ("A dynamic topological sort algorithm for directed
//! acyclic graphs", 2006) with three changes. It orders components instead of nodes, so that an
//! accepted cycle does not end the order. The search along the edges and the one against them take
//! turns, edge by edge, and the one that is through first is enough: what it found moves to the other
//! side of the other end of the new edge. For that, ranks have gaps ([`ranks`](super::ranks)). A lock
//! which nothing leads to, or which leads nowhere, thus takes one step; in the original, a chain that
//! is built from its inner end moves all of itself each time.

use petgraph::Direction::{self, Incoming, Outgoing};
use petgraph::graph::{EdgeIndex, NodeIndex};

use super::adjacency::Adjacency;
use super::components::{Components, Mark};

/// The memory of a search, kept for the next one.
#[derive(Default)]
pub(crate) struct Search {
    forward: Vec<NodeIndex>,
    backward: Vec<NodeIndex>,
}

impl Search {
    /// Makes the order agree with the new edge between these leaders, which leads from a higher
    /// rank to a lower one, or merges the components on the cycles that it closes.
    pub(crate) fn restore(
        &mut self,
        adjacency: &Adjacency,
        components: &mut Components,
        from: NodeIndex,
        to: NodeIndex,
    ) {
        components.begin_search();
        let mut forward = Side::new(&mut self.forward, adjacency, components, Outgoing, [to, from]);
        let mut backward =
            Side::new(&mut self.backward, adjacency, components, Incoming, [from, to]);
        let complete = loop {
            if !forward.step(adjacency, components) {
                break forward;
            }
            if !backward.step(adjacency, components) {
                break backward;
            }
        };
        complete.settle(adjacency, components);
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn heap_bytes(&self) -> usize {
        super::adjacency::vec_bytes(&self.forward) + super::adjacency::vec_bytes(&self.backward)
    }
}

/// One of the two searches: all components between its start and its goal that are reached in this
/// direction. Components are given by their leaders.
struct Side<'a> {
    direction: Direction,
    goal: NodeIndex,
    goal_rank: u64,
    /// Whether the goal was reached: then the new edge closes a cycle.
    reached: bool,
    found: &'a mut Vec<NodeIndex>,
    /// Which of the found components is looked at, which of its members, and its next edge.
    at: usize,
    member: NodeIndex,
    edge: EdgeIndex,
}

impl<'a> Side<'a> {
    fn new(
        found: &'a mut Vec<NodeIndex>,
        adjacency: &Adjacency,
        components: &mut Components,
        direction: Direction,
        [start, goal]: [NodeIndex; 2],
    ) -> Self {
        found.clear();
        found.push(start);
        components.mark(start, mark_of(direction));
        let (goal_rank, edge) = (components.rank(goal), adjacency.first(start, direction));
        Self { direction, goal, goal_rank, reached: false, found, at: 0, member: start, edge }
    }

    /// Follows one edge. Whether there was one left.
    fn step(&mut self, adjacency: &Adjacency, components: &mut Components) -> bool {
        if self.edge == EdgeIndex::end() {
            return self.next_member(adjacency, components);
        }
        let (next, node) = adjacency.follow(self.edge, self.direction);
        self.edge = next;
        let leader = components.leader(node);
        if leader == self.goal {
            self.reached = true;
        } else if self.is_between(components.rank(leader))
            && components.mark(leader, mark_of(self.direction))
        {
            self.found.push(leader);
        }
        true
    }

    fn next_member(&mut self, adjacency: &Adjacency, components: &Components) -> bool {
        self.member = components.next_member(self.member);
        if self.member == self.found[self.at] {
            self.at += 1;
            match self.found.get(self.at) {
                Some(&leader) => self.member = leader,
                None => return false,
            }
        }
        self.edge = adjacency.first(self.member, self.direction);
        true
    }

    /// Whether a component that was reached can still lead to the goal.
    fn is_between(&self, rank: u64) -> bool {
        match self.direction {
            Outgoing => rank < self.goal_rank,
            Incoming => rank > self.goal_rank,
        }
    }

    /// Merges what lies on a cycle into the goal, and moves the rest past it.
    ///
    /// All that the rest leads to, in this direction, lies past the goal already or is part of it.
    fn settle(self, adjacency: &Adjacency, components: &mut Components) {
        self.found.sort_unstable_by_key(|&leader| components.rank(leader));
        if self.direction == Outgoing {
            self.found.reverse();
        }
        if self.reached {
            self.mark_cycles(adjacency, components);
        }
        for &leader in &*self.found {
            if components.is_marked(leader, Mark::OnCycle) {
                components.merge(self.goal, leader);
                continue;
            }
            components.ranks.take_out(leader);
            match self.direction {
                Outgoing => components.ranks.put_after(leader, self.goal),
                Incoming => components.ranks.put_before(leader, self.goal),
            }
        }
    }

    /// Marks the components from which the goal is reached. They come nearest to the goal first, so
    /// each one comes after all it leads to.
    #[cold]
    fn mark_cycles(&self, adjacency: &Adjacency, components: &mut Components) {
        components.mark(self.goal, Mark::OnCycle);
        for &leader in &*self.found {
            let on_cycle = |to| components.is_marked(components.leader(to), Mark::OnCycle);
            let leads_to_cycle = components
                .members(leader)
                .any(|at| adjacency.edges(at, self.direction).any(|(_, to)| on_cycle(to)));
            if leads_to_cycle {
                components.mark(leader, Mark::OnCycle);
            }
        }
    }
}

fn mark_of(direction: Direction) -> Mark {
    match direction {
        Outgoing => Mark::Forward,
        Incoming => Mark::Backward,
    }
}
