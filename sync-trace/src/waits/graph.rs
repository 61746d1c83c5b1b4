//! The search for a cycle in a copy of all waits. Pure: ids in, hops out.
//!
//! Every wait here is an AND-wait: it ends only after all of its blockers have let go. So one cycle
//! is enough for a deadlock, and the shortest one through the agent that is about to wait is what
//! a reader wants to see. Waits that any one of several agents can end will need the fixpoint of
//! Chandy, Misra and Haas' OR model instead of a path; they fit in as another kind of node.

use std::collections::{HashMap, HashSet, VecDeque};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::finding::AgentId;
use crate::op::Mode;
use crate::registry::{Resource, ScopeId};
use crate::waits::slot::Behind;

/// One waiting agent.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) agent: AgentId,
    /// The scope that the agent runs in, whose end therefore waits for it.
    pub(crate) scope: Option<ScopeId>,
    pub(crate) wants: Resource,
    pub(crate) mode: Mode,
    /// It waits for an initialiser, unless that has panicked before: then it is not waiting but on its
    /// way out.
    pub(crate) fails_if_poisoned: bool,
    pub(crate) holds: Vec<HeldNow>,
    /// It waits for what nobody owns, whoever holds some of it.
    pub(crate) has_no_owner: bool,
    /// Readers that are known to keep this reader out, through a queued writer.
    pub(crate) behind: Vec<Behind>,
}

/// One lock that a waiting agent holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldNow {
    pub(crate) resource: Resource,
    pub(crate) mode: Mode,
    pub(crate) stamp: u64,
    /// It is an initialiser that runs again after it has panicked.
    pub(crate) recovers: bool,
}

/// Why one agent keeps another waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// It holds what is wanted: the index into its holds.
    Hold(usize),
    /// It has not ended, and its end is wanted.
    Runs,
    /// A writer queues until its read ends, and the waiting reader queues behind that writer.
    Queue(usize),
}

/// One step of a cycle: node `from` waits for node `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) via: Via,
}

/// Which hops through a queued writer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queues {
    /// Those that the waiting reader has confirmed itself.
    Confirmed,
    /// Also those that would follow if a published wait were a real one: to be confirmed.
    Suspected,
}

/// The shortest cycle through `start`, in wait order, if there is one.
pub(crate) fn cycle_through(nodes: &[Node], start: usize, queues: Queues) -> Option<Vec<Hop>> {
    let graph = wait_for_graph(nodes, start, queues);
    let start = NodeIndex::new(start);
    let mut reached_by: HashMap<NodeIndex, Hop> = HashMap::new();
    let mut frontier = VecDeque::from([start]);
    while let Some(at) = frontier.pop_front() {
        for edge in graph.edges(at) {
            let hop = Hop { from: at.index(), to: edge.target().index(), via: *edge.weight() };
            if edge.target() == start {
                return Some(path_ending_in(hop, start, &reached_by));
            }
            reached_by.entry(edge.target()).or_insert_with(|| {
                frontier.push_back(edge.target());
                hop
            });
        }
    }
    None
}

fn path_ending_in(last: Hop, start: NodeIndex, reached_by: &HashMap<NodeIndex, Hop>) -> Vec<Hop> {
    let mut path = vec![last];
    let mut at = last.from;
    while at != start.index() {
        let hop = reached_by[&NodeIndex::new(at)];
        path.push(hop);
        at = hop.from;
    }
    path.reverse();
    path
}

fn wait_for_graph(nodes: &[Node], start: usize, queues: Queues) -> DiGraph<AgentId, Via> {
    let mut graph = DiGraph::with_capacity(nodes.len(), nodes.len());
    for node in nodes {
        graph.add_node(node.agent);
    }
    let holders = Holders::of(nodes);
    for (from, node) in nodes.iter().enumerate() {
        for (to, via) in holders.blockers(nodes, node, queues) {
            // It may have come while the initialiser's panic was all there was; not so the one that is
            // judged, which comes only now.
            if from != start && node.fails_if_poisoned && recovers(nodes, to, via) {
                continue;
            }
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), via);
        }
    }
    graph
}

pub(crate) fn recovers(nodes: &[Node], holder: usize, via: Via) -> bool {
    matches!(via, Via::Hold(which) if nodes[holder].holds[which].recovers)
}

/// Who holds what, and who ends whose wait by ending.
pub(crate) struct Holders {
    holds: HashMap<Resource, Vec<(usize, usize)>>,
    runs: HashMap<Resource, Vec<usize>>,
    queued_writers: HashSet<Resource>,
}

impl Holders {
    pub(crate) fn of(nodes: &[Node]) -> Self {
        let mut holds: HashMap<_, Vec<_>> = HashMap::new();
        let mut runs: HashMap<_, Vec<_>> = HashMap::new();
        let mut queued_writers = HashSet::new();
        for (at, node) in nodes.iter().enumerate() {
            for (which, held) in node.holds.iter().enumerate() {
                holds.entry(held.resource).or_default().push((at, which));
            }
            runs.entry(Resource::End(node.agent)).or_default().push(at);
            if let Some(scope) = node.scope {
                runs.entry(Resource::Scope(scope)).or_default().push(at);
            }
            if node.mode == Mode::Exclusive {
                queued_writers.insert(node.wants);
            }
        }
        Self { holds, runs, queued_writers }
    }

    /// The nodes that `node` waits for.
    pub(crate) fn blockers<'a>(
        &'a self,
        nodes: &'a [Node],
        node: &'a Node,
        queues: Queues,
    ) -> impl Iterator<Item = (usize, Via)> + 'a {
        let wanted = self.holds.get(&node.wants).filter(|_| !node.has_no_owner);
        let holders = wanted.into_iter().flatten();
        let held = holders.filter_map(move |&(at, which)| {
            let held = &nodes[at].holds[which];
            if held.mode.blocks(node.mode) {
                return Some((at, Via::Hold(which)));
            }
            self.queue_hop(&nodes[at], held, node, queues).then_some((at, Via::Queue(which)))
        });
        let running = self.runs.get(&node.wants).into_iter().flatten();
        held.chain(running.map(|&at| (at, Via::Runs)))
    }

    /// Whether `reader`'s hold `held` keeps the reader `node` out through a queued writer.
    fn queue_hop(&self, reader: &Node, held: &HeldNow, node: &Node, queues: Queues) -> bool {
        if node.mode != Mode::Read {
            return false;
        }
        let hold = Behind { reader: reader.agent, stamp: held.stamp };
        node.behind.contains(&hold)
            || (queues == Queues::Suspected && self.queued_writers.contains(&node.wants))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::LockId;

    const MODES: [Mode; 4] = [Mode::Exclusive, Mode::Upgradable, Mode::Read, Mode::RecursiveRead];

    fn lock(name: char) -> Resource {
        Resource::Lock(LockId(name as u64))
    }

    fn mode(letter: char) -> Mode {
        match letter {
            'X' => Mode::Exclusive,
            'u' => Mode::Upgradable,
            'r' => Mode::Read,
            'R' => Mode::RecursiveRead,
            other => panic!("no mode `{other}`"),
        }
    }

    /// `"X(A) r(B) -> X(C)"`: holds A and reads B, waits to have C alone. `-> join 2` waits for the
    /// second agent, `-> scope` for the scope that the agents marked with `in` run in. `X(A)!` is an
    /// initialiser that runs again, and an agent marked with `fails` would not wait for its first run.
    fn parse(agent: usize, text: &str) -> Node {
        let (held, wanted) = text.split_once("->").expect("holds -> wants");
        let access = |word: &str| {
            let mut letters = word.chars();
            let mode = mode(letters.next().unwrap());
            (lock(letters.nth(1).unwrap()), mode)
        };
        let holds =
            held.split_whitespace().filter(|word| !["in", "fails"].contains(word)).enumerate();
        let scope = ScopeId(std::num::NonZeroU64::MIN);
        let (wants, mode) = match wanted.trim().split_once(' ') {
            Some(("join", other)) => {
                (Resource::End(AgentId(other.parse().unwrap())), Mode::Exclusive)
            }
            _ if wanted.trim() == "scope" => (Resource::Scope(scope), Mode::Exclusive),
            _ => access(wanted.trim()),
        };
        Node {
            agent: AgentId(agent as u64 + 1),
            scope: held.contains("in").then_some(scope),
            wants,
            mode,
            has_no_owner: false,
            fails_if_poisoned: held.contains("fails"),
            holds: holds
                .map(|(stamp, word)| {
                    let (resource, mode) = access(word);
                    let recovers = word.ends_with('!');
                    HeldNow { resource, mode, stamp: stamp as u64, recovers }
                })
                .collect(),
            behind: Vec::new(),
        }
    }

    fn nodes(agents: &[&str]) -> Vec<Node> {
        agents.iter().enumerate().map(|(at, text)| parse(at, text)).collect()
    }

    /// The cycle through the last agent, as `"3 1 2"`.
    fn cycle(nodes: &[Node], queues: Queues) -> Option<String> {
        let hops = cycle_through(nodes, nodes.len() - 1, queues)?;
        for (hop, next) in hops.iter().zip(hops.iter().cycle().skip(1)) {
            assert_eq!(hop.to, next.from, "hops join up");
        }
        let names: Vec<_> = hops.iter().map(|hop| (hop.from + 1).to_string()).collect();
        Some(names.join(" "))
    }

    #[track_caller]
    fn check(agents: &[&str], expected: Option<&str>) {
        assert_eq!(cycle(&nodes(agents), Queues::Confirmed).as_deref(), expected, "{agents:?}");
    }

    #[test]
    fn who_may_be_on_its_way_out_of_a_poisoned_once_does_not_wait_for_its_next_run() {
        check(&["fails X(A) -> X(O)", "X(O)! -> X(A)"], None);
        check(&["X(A) -> X(O)", "X(O)! -> X(A)"], Some("2 1"));
        check(&["fails X(A) -> X(O)", "X(O) -> X(A)"], Some("2 1"));
        // The one that is judged has not called yet.
        check(&["X(O)! -> X(A)", "fails X(A) -> X(O)"], Some("2 1"));
    }

    #[test]
    fn exclusive_owners_in_a_ring_are_a_cycle_of_any_length() {
        check(&["X(A) -> X(A)"], Some("1"));
        check(&["X(A) -> X(B)", "X(B) -> X(A)"], Some("2 1"));
        check(&["X(A) -> X(B)", "X(B) -> X(C)", "X(C) -> X(A)"], Some("3 1 2"));
    }

    #[test]
    fn a_chain_that_ends_at_a_running_agent_is_none() {
        check(&["X(A) -> X(B)", "X(C) -> X(A)"], None);
        check(&["X(B) -> X(A)", "X(C) -> X(B)", "-> X(C)"], None);
    }

    #[test]
    fn a_cycle_that_the_newcomer_only_waits_behind_is_not_its_own() {
        check(&["X(A) -> X(B)", "X(B) -> X(A)", "X(C) -> X(A)"], None);
    }

    #[test]
    fn readers_own_a_lock_together_against_a_writer_only() {
        check(&["r(A) -> X(B)", "X(B) -> X(A)"], Some("2 1"));
        check(&["r(A) -> X(C)", "r(A) -> X(B)", "X(B) -> X(A)"], Some("3 2"));
        check(&["r(A) -> X(B)", "X(B) -> r(A)"], None);
        check(&["R(A) -> X(B)", "X(B) -> R(A)"], None);
        check(&["u(A) -> X(B)", "X(B) -> u(A)"], Some("2 1"));
        check(&["u(A) -> X(B)", "X(B) -> r(A)"], None);
    }

    #[test]
    fn upgrades_by_relocking_are_self_cycles() {
        check(&["r(A) -> X(A)"], Some("1"));
        check(&["X(A) -> r(A)"], Some("1"));
        check(&["r(A) -> r(A)"], None);
    }

    #[test]
    fn ends_of_threads_and_scopes_are_held_by_those_who_run() {
        check(&["-> join 1"], Some("1"));
        check(&["-> join 2", "-> join 1"], Some("2 1"));
        check(&["X(A) -> join 2", "-> X(A)"], Some("2 1"));
        check(&["X(A) -> join 2", "-> X(B)"], None);
        check(&["X(A) -> scope", "in -> X(A)"], Some("2 1"));
        check(&["X(A) -> scope", "-> X(A)"], None);
    }

    #[test]
    fn a_queued_writer_counts_only_where_the_reader_confirmed_it() {
        let mut agents = nodes(&["r(L) -> X(M)", "-> X(L)", "X(M) -> r(L)"]);
        assert_eq!(cycle(&agents, Queues::Confirmed), None);
        assert_eq!(cycle(&agents, Queues::Suspected).as_deref(), Some("3 1"));
        agents[2].behind = vec![Behind { reader: AgentId(1), stamp: 0 }];
        assert_eq!(cycle(&agents, Queues::Confirmed).as_deref(), Some("3 1"));
        agents[2].behind[0].stamp = 5;
        assert_eq!(cycle(&agents, Queues::Confirmed), None, "the reader has left meanwhile");
    }

    #[test]
    fn without_a_writer_in_the_queue_nothing_is_suspected() {
        let agents = nodes(&["r(L) -> X(M)", "X(M) -> r(L)"]);
        assert_eq!(cycle(&agents, Queues::Suspected), None);
        let recursive = nodes(&["r(L) -> X(M)", "-> X(L)", "X(M) -> R(L)"]);
        assert_eq!(cycle(&recursive, Queues::Suspected), None);
    }

    #[test]
    fn the_shortest_cycle_is_shown() {
        let agents = ["X(A) r(S) -> X(B)", "X(B) -> X(C)", "X(C) r(S) -> X(D)", "X(D) -> X(S)"];
        check(&agents, Some("4 3"));
    }

    /// Every small random state against reachability by brute force.
    #[test]
    fn agrees_with_brute_force_on_random_waits() {
        let mut seed = 7u64;
        let mut random = |bound: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % bound
        };
        let mut found = 0;
        for _ in 0..3000 {
            let count = 1 + random(5);
            let agents: Vec<Node> = (0..count)
                .map(|agent| Node {
                    fails_if_poisoned: false,
                    has_no_owner: false,
                    agent: AgentId(agent + 1),
                    scope: None,
                    wants: if random(5) == 0 {
                        Resource::End(AgentId(1 + random(count)))
                    } else {
                        Resource::Lock(LockId(1 + random(4)))
                    },
                    mode: MODES[random(4) as usize],
                    holds: (0..random(3))
                        .map(|stamp| HeldNow {
                            recovers: false,
                            resource: Resource::Lock(LockId(1 + random(4))),
                            mode: MODES[random(4) as usize],
                            stamp,
                        })
                        .collect(),
                    behind: Vec::new(),
                })
                .collect();
            let blocks = |from: &Node, to: &Node| {
                from.wants == Resource::End(to.agent)
                    || to
                        .holds
                        .iter()
                        .any(|held| held.resource == from.wants && held.mode.blocks(from.mode))
            };
            let mut reach = vec![vec![false; agents.len()]; agents.len()];
            for (i, from) in agents.iter().enumerate() {
                for (j, to) in agents.iter().enumerate() {
                    reach[i][j] = blocks(from, to);
                }
            }
            for k in 0..agents.len() {
                for i in 0..agents.len() {
                    for j in 0..agents.len() {
                        reach[i][j] |= reach[i][k] && reach[k][j];
                    }
                }
            }
            for (start, reached) in reach.iter().enumerate() {
                let cycle = cycle_through(&agents, start, Queues::Confirmed);
                assert_eq!(cycle.is_some(), reached[start], "{agents:?} from {start}");
                found += usize::from(cycle.is_some());
                for hop in cycle.into_iter().flatten() {
                    assert!(blocks(&agents[hop.from], &agents[hop.to]));
                }
            }
        }
        assert!(found > 500, "the states are dense enough to mean something");
    }
}
