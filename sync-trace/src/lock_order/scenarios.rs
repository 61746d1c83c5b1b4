//! The scenarios of `lockdep`'s self-test as label graphs, with writers assumed possible, and what
//! becomes of orders when locks are removed.

use super::graph::{Inserted, OrderGraph, Removed};
use super::label::Label;
use crate::finding::LockId;
use crate::op::Mode;

const MODES: [(char, Mode); 4] = [
    ('X', Mode::Exclusive),
    ('u', Mode::Upgradable),
    ('r', Mode::Read),
    ('R', Mode::RecursiveRead),
];

fn lock(name: char) -> LockId {
    LockId(name as u64)
}

/// `"X(A) r(B)"`: a lock of each access, and its mode.
fn accesses(segment: &str) -> Vec<(LockId, Mode)> {
    let access = |word: &str| {
        let letters: Vec<char> = word.chars().collect();
        let mode = MODES.iter().find(|mode| mode.0 == letters[0]).expect("a mode").1;
        (lock(letters[2]), mode)
    };
    segment.split_whitespace().map(access).collect()
}

/// Inserts an edge from every lock that is held at each access of a segment. Returns the first
/// strong cycle that this closes.
fn nest(graph: &mut OrderGraph, segment: &str) -> Option<String> {
    let accesses = accesses(segment);
    let mut found = None;
    for (position, &(to, wanted)) in accesses.iter().enumerate() {
        for &(from, held) in &accesses[..position] {
            if graph.insert(from, to, held, wanted) == Inserted::Closing {
                let cycle = graph.strong_cycle_through(from, to, held, wanted);
                found = found.or(cycle.map(|locks| names(&locks)));
            }
        }
    }
    graph.check_invariants();
    found
}

fn names(locks: &[LockId]) -> String {
    locks.iter().map(|lock| char::from(lock.0 as u8)).collect()
}

/// Runs the segments `"X(A) X(B) ; X(B) X(A)"`; the last one, and no other, has to close a
/// strong cycle of as many locks as expected.
#[track_caller]
fn check(segments: &str, expected: Option<usize>) {
    let mut graph = OrderGraph::new();
    let mut segments: Vec<&str> = segments.split(';').collect();
    let last = segments.pop().expect("a segment");
    for segment in &segments {
        assert_eq!(nest(&mut graph, segment), None, "`{segment}` is in order");
    }
    let found = nest(&mut graph, last);
    assert_eq!(found.as_deref().map(str::len), expected, "{segments:?} ; {last}: {found:?}");
}

/// The same in every order of the segments.
#[track_caller]
fn check_permuted(segments: &str, expected: Option<usize>) {
    let [a, b, c] = segments.split(';').collect::<Vec<_>>()[..] else { panic!("three") };
    for order in [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        check(&order.join(";"), expected);
    }
}

/// Replaces the accesses of a row of lockdep's table, such as `"AB ; BA"`.
fn in_mode(mode: char, row: &str) -> String {
    let access = |letter: char| match letter {
        'A'..='Z' => format!("{mode}({letter}) "),
        other => other.to_string(),
    };
    row.chars().map(access).collect()
}

/// LD02 to LD07 of lockdep's self-test.
#[test]
fn inverted_orders_are_strong_cycles_except_of_recursive_readers() {
    let rows = [
        ("AB ; BA", 2),
        ("AB ; BC ; CA", 3),
        ("AB ; CA ; BC", 3),
        ("AB ; BC ; CD ; DA", 4),
        ("AB ; CD ; BD ; DA", 3),
        ("AB ; CD ; BC ; DA", 4),
    ];
    for (row, length) in rows {
        check(&in_mode('X', row), Some(length));
        check(&in_mode('u', row), Some(length));
        check(&in_mode('r', row), Some(length));
        check(&in_mode('R', row), None);
    }
}

/// LD20 to LD23: another instance is another lock, and the same instance no edge.
#[test]
fn one_lock_alone_is_no_cycle() {
    for row in ["r(A) r(A)", "R(A) R(A)", "r(A) X(A)", "R(A) X(A)", "X(A) r(A)", "X(A) X(A)"] {
        check(row, None);
        check(&row.replace(" r(A)", " r(B)").replace(" X(A)", " X(B)"), None);
    }
    let mut graph = OrderGraph::new();
    let x = Mode::Exclusive;
    assert_eq!(graph.insert(lock('A'), lock('A'), x, x), Inserted::Known);
    assert_eq!((graph.len(), graph.edges()), (0, 0));
}

/// LD24 to LD27, and LD35, LD36 of ours.
#[test]
fn a_reader_and_a_writer_can_invert_an_order() {
    check("r(A) X(B) ; X(B) X(A)", Some(2));
    check("R(A) X(B) ; X(B) X(A)", Some(2));
    check("r(A) X(B) ; X(B) r(A)", Some(2));
    check("R(A) X(B) ; X(B) R(A)", None);
    check("r(A) X(B) ; X(B) R(A)", None);
    check("X(A) X(B) ; X(B) X(A)", Some(2));
    check("R(A) X(B) ; X(B) R(A) ; X(B) X(A)", Some(2));
    check("u(A) X(B) ; X(B) u(A)", Some(2));
    check("u(A) X(B) ; X(B) r(A)", Some(2));
    check("u(A) X(B) ; X(B) R(A)", None);
}

/// LD28 to LD31, each in all six orders.
#[test]
fn a_walk_is_weak_where_a_recursive_reader_meets_a_reader() {
    check_permuted("X(A) R(B) ; X(B) R(C) ; X(C) R(A)", Some(3));
    check_permuted("X(A) X(B) ; R(B) R(C) ; X(C) R(A)", Some(3));
    check_permuted("X(A) X(B) ; R(B) R(C) ; R(C) X(A)", None);
    check_permuted("X(A) R(B) ; R(B) R(C) ; X(C) X(A)", None);
}

/// LD32 of ours: the order of A before C must not rest on the one through B.
#[test]
fn an_order_over_a_recursive_reader_is_an_edge_of_its_own() {
    check("X(A) R(B) X(C) ; X(C) X(A)", Some(2));
    check("X(A) r(B) X(C) ; X(C) X(A)", Some(2));
}

/// LD39 of ours.
#[test]
fn new_modes_on_a_known_edge_are_judged() {
    check("R(A) R(B) ; R(B) R(A) ; X(A) X(B)", Some(2));
    check("R(A) R(B) ; R(B) X(A) ; X(A) X(B)", Some(2));
    let mut graph = OrderGraph::new();
    let (x, r) = (Mode::Exclusive, Mode::RecursiveRead);
    let [a, b] = ['A', 'B'].map(lock);
    assert_eq!(graph.insert(a, b, r, r), Inserted::Open);
    assert_eq!(graph.insert(b, a, r, r), Inserted::Closing);
    assert_eq!(graph.insert(b, a, r, r), Inserted::Known);
    assert_eq!(graph.insert(a, b, x, x), Inserted::Closing);
    assert_eq!(graph.edges(), 2);
}

/// The hold that a walk starts with has to be that of the request it went on with.
#[test]
fn a_cycle_is_strong_where_it_closes_in_one_pair() {
    check("X(A) R(B) ; R(A) X(B) ; R(B) R(A)", None);
    check("X(A) R(B) ; R(A) X(B) ; X(B) R(A)", Some(2));
}

/// How A comes before C after B was removed: `"X(A) R(B) ; R(B) X(C)"`.
fn bridged(segments: &str) -> Option<Label> {
    let mut graph = OrderGraph::new();
    segments.split(';').for_each(|segment| drop(nest(&mut graph, segment)));
    assert_eq!(graph.remove(lock('B')), Removed::Bridged);
    graph.check_invariants();
    graph.label(lock('A'), lock('C'))
}

#[test]
fn a_removed_lock_leaves_the_strong_orders_that_led_through_it() {
    let (x, r) = (Mode::Exclusive, Mode::Read);
    assert_eq!(bridged("X(A) X(B) ; X(B) X(C)"), Some(Label::of(x, x)));
    assert_eq!(bridged("r(A) X(B) ; X(B) r(C)"), Some(Label::of(r, r)));
    assert_eq!(bridged("X(A) r(B) ; r(B) X(C)"), Some(Label::of(x, x)), "through a writer");
    assert_eq!(bridged("X(A) R(B) ; r(B) X(C)"), None);
    let both = Label::of(x, x).union(Label::of(r, x));
    assert_eq!(bridged("X(A) R(B) ; r(A) X(B) ; X(B) X(C)"), Some(both));
    assert_eq!(bridged("X(A) R(B) ; r(A) X(B) ; r(B) X(C)"), Some(Label::of(r, x)));
    assert_eq!(bridged("X(A) X(B) ; X(B) X(C) ; r(A) X(C)"), Some(both), "added to the edge");
}

#[test]
fn an_order_of_three_survives_the_one_in_the_middle() {
    let mut graph = OrderGraph::new();
    assert_eq!(nest(&mut graph, "X(A) X(B)").or(nest(&mut graph, "X(B) X(C)")), None);
    assert_eq!(graph.remove(lock('B')), Removed::Bridged);
    assert_eq!(nest(&mut graph, "X(C) X(A)").as_deref(), Some("CA"));
    assert_eq!(graph.remove(lock('A')), Removed::Bridged, "C is not before itself");
    assert_eq!((graph.len(), graph.edges()), (1, 0));
}

#[test]
fn too_many_orders_through_one_lock_are_forgotten() {
    for (before, after, expected) in [
        (8, 8, Removed::Bridged),
        (64, 1, Removed::Bridged),
        (1, 65, Removed::Forgotten),
        (13, 5, Removed::Forgotten),
        (0, 1000, Removed::Bridged),
    ] {
        let mut graph = OrderGraph::new();
        let x = Mode::Exclusive;
        for other in 0..before {
            graph.insert(LockId(100 + other), LockId(1), x, x);
        }
        for other in 0..after {
            graph.insert(LockId(1), LockId(5000 + other), x, x);
        }
        assert_eq!(graph.remove(LockId(1)), expected);
        let edges = if expected == Removed::Bridged { before * after } else { 0 };
        assert_eq!(graph.edges() as u64, edges);
        graph.check_invariants();
    }
}

/// A slot belongs to the serial that is in it.
#[test]
fn a_recycled_slot_knows_nothing_of_its_last_owner() {
    let mut graph = OrderGraph::new();
    let x = Mode::Exclusive;
    let [a, b, c] = ['A', 'B', 'C'].map(lock);
    assert_eq!(graph.insert(a, b, x, x), Inserted::Open);
    let slot = graph.slot(a);
    assert_eq!(graph.remove(a), Removed::Bridged);
    assert_eq!(graph.insert(b, c, x, x), Inserted::Open);
    assert_eq!(graph.slot(c), slot);
    assert_eq!(graph.slot(a), None);
    assert_eq!(graph.strong_cycle(a, b), None);
    assert_eq!(graph.remove(a), Removed::Unknown);
    assert_eq!(graph.component_of(a).collect::<Vec<_>>(), [a]);
    assert_eq!(graph.len(), 2);
    assert_eq!(graph.insert(c, b, x, x), Inserted::Closing);
}

#[test]
fn a_component_falls_apart_when_a_lock_is_removed() {
    let mut graph = OrderGraph::new();
    for segment in ["X(A) X(B)", "X(B) X(C)", "X(C) X(A)", "X(B) X(A)", "X(C) X(D)"] {
        nest(&mut graph, segment);
    }
    let component = |graph: &OrderGraph, name| {
        let mut locks: Vec<LockId> = graph.component_of(lock(name)).collect();
        locks.sort_unstable();
        names(&locks)
    };
    assert_eq!(
        ["A", "B", "C", "D"].map(|name| component(&graph, name.chars().next().unwrap())),
        ["ABC", "ABC", "ABC", "D"]
    );
    graph.remove(lock('B'));
    assert_eq!(component(&graph, 'A'), "AC", "bridged");
    graph.remove(lock('C'));
    assert_eq!(component(&graph, 'A'), "A");
    assert_eq!(nest(&mut graph, "X(D) X(A)").as_deref(), Some("DA"), "A was before D");
}

/// The targets are in bytes and steps; only bytes can be tested on a busy machine.
#[test]
fn memory_is_proportional_to_locks_and_edges() {
    let mut graph = OrderGraph::new();
    let x = Mode::Exclusive;
    for leaf in 1..=100_000 {
        graph.insert(LockId(0), LockId(leaf), x, x);
    }
    assert!(graph.heap_bytes() <= 200 * 100_000, "{} bytes", graph.heap_bytes());
    for leaf in 1..=100_000 {
        graph.remove(LockId(leaf));
    }
    let peak = graph.heap_bytes();
    for leaf in 200_000..300_000 {
        graph.insert(LockId(0), LockId(leaf), x, x);
    }
    assert!(graph.heap_bytes() <= peak, "slots are used again");
}
