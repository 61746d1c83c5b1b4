//! The orders that are declared for more than one call: between locks with names, and between the
//! locks that functions have turned out to speak of.
//!
//! Its graph has a node for each lock that can be told from others over calls: by its name or class, or
//! else by the place where it was created. An edge leads from what is taken first to what is taken
//! later, and knows the clauses that say so. A pattern such as `bank.*` has two nodes, one that leads to
//! all names which fit and one that all those lead to: through one, names of a pattern would come
//! before each other.

use std::collections::{HashMap, HashSet, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use super::class::LockClass;
use super::frame::{Member, Which};
use super::model::{Clause, Declaration, Element, Rule, What};
use super::pattern;
use super::{CLASSES, DECLARATIONS};
use crate::atomics::{AtomicBool, Mutex, Ordering, lock};
use crate::finding::{Broken, Finding};
use crate::held::{Held, HeldStack};
use crate::lock_order::adjacency::QuickHash;
use crate::site::{Origin, Site};

/// All that is declared for more than one call.
///
/// The mutex is a leaf, but memory is allocated under it, as under that of the ledger.
#[derive(Default)]
pub(crate) struct Book {
    known: Mutex<Known>,
    /// Whether there is anything to look up. Relaxed: it is set once, before anything is looked for.
    is_used: AtomicBool,
    notes: Mutex<Vec<Finding>>,
}

#[derive(Default)]
struct Known {
    is_begun: bool,
    graph: DiGraph<Node, Step>,
    nodes: HashMap<Node, NodeIndex>,
    /// Edges that were added, so that none is twice.
    steps: HashSet<(NodeIndex, NodeIndex, *const Clause)>,
    /// The circles that were told of, by their clauses.
    told: HashSet<Vec<usize>>,
    /// Where locks were created of which the first may be taken while the second is held, whatever the
    /// calls: locks are many, and the places where they are made are few.
    in_order: HashSet<(usize, usize), QuickHash>,
}

// SAFETY: the pointers are only compared; they are those of statics.
unsafe impl Send for Known {}

/// What can be told from others over calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    /// A name, or a class.
    Name(&'static str),
    /// All names that fit, as what is taken later.
    Into(&'static str),
    /// The same as what is taken first.
    OutOf(&'static str),
    /// All locks without a name that were created here.
    Created(Site),
}

/// Why one comes before the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It is declared.
    Declared(Sentence),
    /// One is a pattern, and the other fits it.
    Fits,
}

/// One "before" of a declared order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sentence {
    pub(crate) declaration: &'static Declaration,
    pub(crate) clause: &'static Clause,
    pub(crate) first: &'static Element,
    pub(crate) then: &'static Element,
}

impl Sentence {
    /// Whether it holds for the whole program.
    fn is_global(&self) -> bool {
        matches!(self.clause.rule, Rule::Order { options, .. } if options.global)
    }
}

/// Declarations that cannot all be kept.
#[derive(Clone, Debug)]
pub(crate) enum Contradiction {
    /// Each says that its first lock comes before that of the next one.
    Circle(Vec<Sentence>),
    /// Two classes of one name.
    Classes([&'static LockClass; 2]),
}

/// What a request has shown to be against what is declared.
#[derive(Clone, Debug)]
pub(crate) enum Observed {
    Class(AgainstClass),
    Against(Inverse),
}

/// Something is held that forbids a request, or the other way round, whatever the calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgainstClass {
    pub(crate) class: &'static LockClass,
    pub(crate) broken: Broken,
    pub(crate) held: Held,
}

/// An order is declared by which the lock that is wanted comes before one that is held.
#[derive(Clone, Debug)]
pub(crate) struct Inverse {
    pub(crate) sentences: Vec<Sentence>,
    pub(crate) held: Held,
    /// Whether all of it is declared for the whole program.
    pub(crate) is_global: bool,
}

impl Book {
    /// A function with a declaration runs for the first time, with these locks. Returns what cannot be
    /// kept by now.
    pub(crate) fn ran(
        &self,
        declaration: &'static Declaration,
        members: &[Member],
    ) -> Vec<Contradiction> {
        if declaration.has_run.swap(true, Ordering::Relaxed) {
            return Vec::new();
        }
        let mut known = lock(&self.known);
        known.begin();
        known.add(declaration, members);
        self.is_used.store(true, Ordering::Relaxed);
        known.news()
    }

    /// What cannot be kept of all declarations, as far as is known what they speak of.
    pub(crate) fn contradictions(&self) -> Vec<Contradiction> {
        let mut known = lock(&self.known);
        known.begin();
        let mut all: Vec<_> = known.circles().into_iter().map(Contradiction::Circle).collect();
        all.extend(class_contradictions());
        all
    }

    /// What is against the declarations if `wanted` is taken while `holds` are held.
    pub(crate) fn observed(&self, wanted: &Held, holds: &[Held]) -> Vec<Observed> {
        // Taken again it is not taken later.
        if holds.iter().any(|held| held.lock == wanted.lock) {
            return Vec::new();
        }
        let mut observed: Vec<Observed> =
            against_classes(wanted, holds).into_iter().map(Observed::Class).collect();
        if !self.is_used.load(Ordering::Relaxed) && DECLARATIONS.is_empty() {
            return observed;
        }
        let mut known = lock(&self.known);
        known.begin();
        self.is_used.store(true, Ordering::Relaxed);
        let nothing_of_classes = observed.is_empty();
        for held in holds {
            match known.inverse(wanted, held) {
                Some(inverse) => observed.push(Observed::Against(inverse)),
                // `against_classes` looks at pairs too, so it has nothing against this one.
                None if nothing_of_classes => _ = known.in_order.insert(creations(wanted, held)),
                None => {}
            }
        }
        observed
    }

    /// Whether nothing can be [observed](Self::observed) that is against taking `wanted` while these are held,
    /// because the like was in order before.
    pub(crate) fn has_nothing_against(&self, wanted: &Held, holds: &HeldStack) -> bool {
        let mut is_in_order = true;
        if self.is_used.load(Ordering::Relaxed) || !DECLARATIONS.is_empty() {
            let known = lock(&self.known);
            holds.for_each(|held| {
                is_in_order &= known.in_order.contains(&creations(wanted, &held));
            });
        } else {
            let has_class = |lock: &Held| lock.created.class().is_some();
            holds.for_each(|held| is_in_order &= !has_class(&held));
            is_in_order &= !has_class(wanted);
        }
        is_in_order
    }

    /// Keeps a finding that is only listed.
    pub(crate) fn note(&self, note: Finding) {
        let mut notes = lock(&self.notes);
        if !notes.iter().any(|known| known.fingerprint == note.fingerprint) {
            notes.push(note);
        }
    }

    /// What is only listed.
    pub(crate) fn notes(&self) -> Vec<Finding> {
        lock(&self.notes).clone()
    }

    /// Forgets what was observed. What is declared stays.
    pub(crate) fn clear(&self) {
        let old = std::mem::take(&mut *lock(&self.notes));
        drop(old);
    }
}

impl Known {
    /// Enters what is known without a call.
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.is_begun, true) {
            DECLARATIONS.iter().for_each(|declaration| self.add(declaration, &[]));
        }
    }

    /// Enters a declaration. What its places stand for is known only with `members`.
    fn add(&mut self, declaration: &'static Declaration, members: &[Member]) {
        for clause in declaration.clauses {
            let Rule::Order { chains, options } = &clause.rule else { continue };
            // What counts only inside a call says nothing of what is held elsewhere.
            let chains = if options.local { &[][..] } else { chains };
            for chain in chains {
                for (at, then) in chain.iter().enumerate().skip(1) {
                    for first in &chain[..at] {
                        // The graph knows of locks, not of how they are taken.
                        if first.mode.is_some() || then.mode.is_some() {
                            continue;
                        }
                        let sentence = Sentence { declaration, clause, first, then };
                        self.add_sentence(sentence, members);
                    }
                }
            }
        }
    }

    fn add_sentence(&mut self, sentence: Sentence, members: &[Member]) {
        let firsts = nodes_of(sentence.first, members, Node::OutOf);
        let thens = nodes_of(sentence.then, members, Node::Into);
        for &first in &firsts {
            for &then in &thens {
                // Several locks of one class are told apart only within a call.
                if first != then {
                    let (from, to) = (self.node(first), self.node(then));
                    if self.steps.insert((from, to, std::ptr::from_ref(sentence.clause))) {
                        self.add_edge(from, to, Step::Declared(sentence));
                    }
                }
            }
        }
    }

    /// The node, with the edges between patterns and the names that fit them.
    fn node(&mut self, node: Node) -> NodeIndex {
        if let Some(&known) = self.nodes.get(&node) {
            return known;
        }
        let index = self.graph.add_node(node);
        self.nodes.insert(node, index);
        let others: Vec<(Node, NodeIndex)> = self.nodes.iter().map(|(n, i)| (*n, *i)).collect();
        for (other, at) in others {
            for (name, pattern) in [((node, index), (other, at)), ((other, at), (node, index))] {
                let Node::Name(text) = name.0 else { continue };
                match pattern.0 {
                    Node::Into(glob) if pattern::fits(glob, text) => {
                        self.add_edge(pattern.1, name.1, Step::Fits);
                    }
                    Node::OutOf(glob) if pattern::fits(glob, text) => {
                        self.add_edge(name.1, pattern.1, Step::Fits);
                    }
                    _ => {}
                }
            }
        }
        index
    }

    fn add_edge(&mut self, from: NodeIndex, to: NodeIndex, step: Step) {
        self.graph.add_edge(from, to, step);
        self.in_order.clear();
    }

    /// The shortest circles, one for each set of nodes that all lead to each other.
    fn circles(&self) -> Vec<Vec<Sentence>> {
        let components = tarjan_scc(&self.graph).into_iter().filter(|nodes| nodes.len() > 1);
        components
            .filter_map(|nodes| {
                let circles = nodes.iter().filter_map(|&node| self.path(node, node, false));
                circles.min_by_key(Vec::len)
            })
            .collect()
    }

    /// What has not been told yet.
    fn news(&mut self) -> Vec<Contradiction> {
        let circles = self.circles();
        let is_news = |circle: &Vec<Sentence>| {
            let address = |one: &Sentence| std::ptr::from_ref(one.clause).addr();
            let mut clauses: Vec<usize> = circle.iter().map(address).collect();
            clauses.sort_unstable();
            self.told.insert(clauses)
        };
        circles.into_iter().filter(is_news).map(Contradiction::Circle).collect()
    }

    /// The fewest sentences by which `from` comes before `to`; around a circle, if they are the same. With
    /// `only_global` only those that hold for the whole program.
    fn path(&self, from: NodeIndex, to: NodeIndex, only_global: bool) -> Option<Vec<Sentence>> {
        let mut reached: HashMap<NodeIndex, EdgeIndex> = HashMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            let counts = |step: &Step| match step {
                Step::Declared(sentence) => !only_global || sentence.is_global(),
                Step::Fits => true,
            };
            for edge in self.graph.edges(node).filter(|edge| counts(edge.weight())) {
                let next = edge.target();
                if next == to {
                    reached.insert(to, edge.id());
                    return Some(self.sentences(from, to, &reached));
                }
                if next != from && !reached.contains_key(&next) {
                    reached.insert(next, edge.id());
                    queue.push_back(next);
                }
            }
        }
        None
    }

    fn sentences(
        &self,
        from: NodeIndex,
        to: NodeIndex,
        reached: &HashMap<NodeIndex, EdgeIndex>,
    ) -> Vec<Sentence> {
        let mut sentences = Vec::new();
        let mut at = to;
        loop {
            let edge = reached[&at];
            if let Step::Declared(sentence) = self.graph[edge] {
                sentences.push(sentence);
            }
            at = self.graph.edge_endpoints(edge).map_or(from, |(source, _)| source);
            if at == from {
                sentences.reverse();
                return sentences;
            }
        }
    }

    /// The declarations by which `wanted` comes before `held`, if there are any.
    fn inverse(&mut self, wanted: &Held, held: &Held) -> Option<Inverse> {
        let (firsts, thens) = (nodes_of_lock(wanted.created), nodes_of_lock(held.created));
        if firsts.iter().any(|first| thens.contains(first)) {
            return None;
        }
        let pairs = firsts.iter().flat_map(|first| thens.iter().map(move |then| (*first, *then)));
        let pairs: Vec<_> =
            pairs.map(|(first, then)| (self.node(first), self.node(then))).collect();
        // What holds everywhere says more than what holds in places.
        [true, false].into_iter().find_map(|is_global| {
            let paths = pairs.iter().filter_map(|&(from, to)| self.path(from, to, is_global));
            let sentences = paths.min_by_key(Vec::len)?;
            Some(Inverse { sentences, held: *held, is_global })
        })
    }
}

/// What stands for an element, a pattern on the side that `pattern` says.
fn nodes_of(
    element: &'static Element,
    members: &[Member],
    of_pattern: fn(&'static str) -> Node,
) -> Vec<Node> {
    match element.what {
        What::Name(name) if pattern::is_glob(name) => vec![of_pattern(name)],
        What::Name(name) | What::Class(name) => vec![Node::Name(name)],
        What::Slot(slot) => {
            let mut nodes: Vec<Node> = Vec::new();
            for member in members.iter().filter(|member| member.slot == slot) {
                if let Which::Lock { origin, .. } = member.what {
                    let new = nodes_of_lock(origin).into_iter();
                    let new: Vec<Node> = new.filter(|node| !nodes.contains(node)).collect();
                    nodes.extend(new);
                }
            }
            nodes
        }
    }
}

/// What stands for a lock: its class and its name, or else its place; nothing, if it cannot be told from
/// others.
fn nodes_of_lock(origin: Origin) -> Vec<Node> {
    let class = origin.class().map(LockClass::name).map(Node::Name);
    let name = origin.name().map(Node::Name).filter(|name| Some(*name) != class);
    let nodes: Vec<Node> = class.into_iter().chain(name).collect();
    if !nodes.is_empty() {
        return nodes;
    }
    let created = Some(origin.site()).filter(|site| !site.is_unknown());
    created.map(Node::Created).into_iter().collect()
}

/// Where both were created, as what is declared for all calls tells locks apart.
fn creations(wanted: &Held, held: &Held) -> (usize, usize) {
    (wanted.created.to_ptr().addr(), held.created.to_ptr().addr())
}

/// What the classes of two locks say against each other.
fn against_classes(wanted: &Held, holds: &[Held]) -> Vec<AgainstClass> {
    let mine = wanted.created.class();
    let others = holds.iter().filter(|held| held.lock != wanted.lock);
    let against = |held: &Held| {
        let theirs = held.created.class();
        let against = |class, broken| Some(AgainstClass { class, broken, held: *held });
        match (theirs, mine) {
            (Some(theirs), _) if theirs.leaf => against(theirs, Broken::AfterLeaf),
            (_, Some(mine)) if mine.first => against(mine, Broken::NotFirst),
            (Some(theirs), Some(mine)) if theirs.name != mine.name => {
                let (held, wanted) = (theirs.rank?, mine.rank?);
                if held >= wanted { against(mine, Broken::RankDescends) } else { None }
            }
            _ => None,
        }
    };
    others.filter_map(against).take(1).collect()
}

/// Classes of one name about which different things are said.
fn class_contradictions() -> Vec<Contradiction> {
    let mut by_name: HashMap<&str, &'static LockClass> = HashMap::new();
    let mut contradictions = Vec::new();
    for &class in CLASSES.iter() {
        let first = *by_name.entry(class.name).or_insert(class);
        if !first.says_the_same_as(class) {
            contradictions.push(Contradiction::Classes([first, class]));
        }
    }
    contradictions
}
