//! Scenarios that other checkers are known by, as a table: Linux lockdep's self-test, ThreadSanitizer,
//! Helgrind, Abseil, go-deadlock, and the classes of false and missing alarms of predictive tools.
//!
//! A row's segments are played in every order, by an agent each and all by one agent. What one agent
//! did alone never counts as a deadlock that could happen; in what order locks were taken counts
//! the same for both.

use super::play::outcome;

/// What is to come of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It could happen.
    Report,
    /// It could, with a writer that was not seen.
    Latent,
    /// It could not, but the order of locks is inconsistent.
    Order,
    /// There is nothing to tell.
    Silent,
}
use Verdict::{Latent, Order, Report, Silent};

struct Row {
    id: &'static str,
    segments: &'static [&'static str],
    verdict: Verdict,
}

const fn row(id: &'static str, segments: &'static [&'static str], verdict: Verdict) -> Row {
    Row { id, segments, verdict }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Lockdep, orders: exclusive, fair readers, recursive readers.
    row("LD02 X", &["X(a) X(b)", "X(b) X(a)"], Report),
    row("LD02 r", &["r(a) r(b)", "r(b) r(a)"], Latent),
    row("LD02 R", &["R(a) R(b)", "R(b) R(a)"], Silent),
    row("LD02w r", &["r(a) r(b)", "r(b) r(a)", "X(a)", "X(b)"], Report),
    row("LD02w R", &["R(a) R(b)", "R(b) R(a)", "X(a)", "X(b)"], Silent),
    row("LD03 X", &["X(a) X(b)", "X(b) X(c)", "X(c) X(a)"], Report),
    row("LD03 r", &["r(a) r(b)", "r(b) r(c)", "r(c) r(a)"], Latent),
    row("LD03 R", &["R(a) R(b)", "R(b) R(c)", "R(c) R(a)"], Silent),
    row("LD04 X", &["X(a) X(b)", "X(c) X(a)", "X(b) X(c)"], Report),
    row("LD05 X", &["X(a) X(b)", "X(b) X(c)", "X(c) X(d)", "X(d) X(a)"], Report),
    row("LD05 r", &["r(a) r(b)", "r(b) r(c)", "r(c) r(d)", "r(d) r(a)"], Latent),
    row("LD06 X", &["X(a) X(b)", "X(c) X(d)", "X(b) X(d)", "X(d) X(a)"], Report),
    row("LD06 r", &["r(a) r(b)", "r(c) r(d)", "r(b) r(d)", "r(d) r(a)"], Latent),
    row("LD07 X", &["X(a) X(b)", "X(c) X(d)", "X(b) X(c)", "X(d) X(a)"], Report),
    row("LD07 R", &["R(a) R(b)", "R(c) R(d)", "R(b) R(c)", "R(d) R(a)"], Silent),
    // Lockdep, readers.
    row("LD20 r", &["r(a) r(a)"], Latent),
    row("LD20 r, writer", &["r(a) r(a)", "X(a)"], Report),
    row("LD20 R", &["R(a) R(a)", "X(a)"], Silent),
    row("LD24 r", &["r(a) X(b)", "X(b) X(a)"], Report),
    row("LD24 R", &["R(a) X(b)", "X(b) X(a)"], Report),
    row("LD25 r", &["r(a) X(b)", "X(b) r(a)"], Latent),
    row("LD25 R", &["R(a) X(b)", "X(b) R(a)"], Silent),
    row("LD27", &["r(a) X(b)", "X(b) r(a)", "X(b) X(a)"], Report),
    row("LD28", &["X(a) R(b)", "X(b) R(c)", "X(c) R(a)"], Report),
    row("LD29", &["X(a) X(b)", "R(b) R(c)", "X(c) R(a)"], Report),
    row("LD30", &["X(a) X(b)", "R(b) R(c)", "R(c) X(a)"], Silent),
    row("LD31", &["X(a) R(b)", "R(b) R(c)", "X(c) X(a)"], Silent),
    row("LD32", &["X(a) R(b) X(c)", "X(c) X(a)"], Report),
    row("LD34", &["r(a) X(b)", "X(g) X(b) r(a)", "X(g) X(a)"], Order),
    row("LD35", &["u(a) X(b)", "X(b) u(a)"], Report),
    row("LD36", &["u(a) X(b)", "X(b) r(a)"], Latent),
    row("LD36 writer", &["u(a) X(b)", "X(b) r(a)", "X(a)"], Report),
    row("LD37", &["r(a) U(a) X(a)", "r(a) U(a) X(a)"], Silent),
    row("LD39", &["R(a) R(b)", "R(b) R(a)"], Silent),
    row("LD39 X", &["R(a) R(b)", "R(b) R(a)", "X(a) X(b)"], Report),
    // ThreadSanitizer.
    row("TS07a", &["X(a) try(b)", "try(b) X(a)"], Silent),
    row("TS07c", &["try(a) X(b)", "X(b) X(a)"], Report),
    row("TS07d", &["X(a) X(b)", "try(b) X(a)"], Report),
    row("TS08a", &["r(a) X(b)", "X(b) r(a)"], Latent),
    row("TS12", &["r(a) r(b) r(c) r(d)", "r(a) r(b) r(c) r(d)"], Silent),
    // Abseil, go-deadlock.
    row("AB1", &["X(a) X(b) X(c) U(a) U(b)", "X(b) X(c) X(d) U(b) U(c)"], Silent),
    row("GD11", &["X(a) X(b)", "X(b) X(c)", "X(c) X(a)"], Report),
    // Classes of wrong verdicts.
    row("PR01", &["X(a) X(b)", "X(b) X(a)"], Report),
    row("PR02", &["X(g) X(a) X(b)", "X(g) X(b) X(a)"], Order),
    row("PR03", &["X(g) X(a) X(b)", "X(b) X(a)"], Report),
    row("PR04", &["X(g) X(a) U(g) X(b)", "X(g) X(b) U(g) X(a)"], Report),
    row("PR05", &["X(a) X(g) X(b)", "X(b) X(g) X(a)"], Report),
    row("PR06", &["R(g) X(a) X(b)", "R(g) X(b) X(a)"], Report),
    row("PR07", &["X(g) X(a) X(b)", "R(g) X(b) X(a)"], Order),
    row("PR09 nested", &["X(a) X(b) X(c)", "X(c) X(a)"], Report),
    row("PR20", &["X(a) X(b)", "X(c) X(d)"], Silent),
];

#[test]
fn every_row_in_every_order_by_one_agent_and_by_several() {
    let (mut expected, mut unexpected) = (0, Vec::new());
    for row in ROWS {
        for order in orders(row.segments.len()) {
            let script = |agent: &dyn Fn(usize) -> String| {
                let segments =
                    order.iter().map(|&at| format!("{}: {}", agent(at), row.segments[at]));
                segments.collect::<Vec<_>>().join("; ")
            };
            let by_several = verdict(&outcome(&script(&|at| format!("t{at}"))));
            let by_one = verdict(&outcome(&script(&|_| "t".to_owned())));
            // Alone, an agent gives an order to tell of, or nothing, or what only a writer lacks.
            let alone_is_right = match row.verdict {
                Silent => by_one == Silent,
                Report | Order => by_one != Report && by_one != Silent,
                Latent => by_one != Report,
            };
            if by_several == row.verdict && alone_is_right {
                expected += 1;
            } else {
                unexpected.push((row.id, order, by_several, by_one));
            }
        }
    }
    println!("{expected} expected, {} unexpected", unexpected.len());
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

fn verdict(outcome: &str) -> Verdict {
    match outcome.split(' ').next() {
        Some("deadlock:") => Report,
        Some("no") => Latent,
        Some("") | None => Silent,
        Some(_) => Order,
    }
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, next);
                longer
            })
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}
