//! Declared orders and rules, through the attributes and real locks: each broken, and its near miss.
#![cfg(any(debug_assertions, feature = "always"))]

#[path = "declared/asserts.rs"]
mod asserts;
#[path = "declared/borders.rs"]
mod borders;
#[path = "declared/budgets.rs"]
mod budgets;
#[path = "declared/classes.rs"]
mod classes;
#[path = "declared/extents.rs"]
mod extents;
#[path = "declared/futures.rs"]
mod futures;
#[path = "declared/global.rs"]
mod global;
#[path = "declared/hard.rs"]
mod hard;
#[path = "declared/near_misses.rs"]
mod near_misses;
#[path = "declared/observed.rs"]
mod observed;
#[path = "declared/orders.rs"]
mod orders;
#[path = "declared/reports.rs"]
mod reports;
#[path = "declared/told.rs"]
mod told;
#[path = "declared/waits.rs"]
mod waits;

use sync_trace::catch_findings;
use sync_trace::finding::{Broken, Finding};

/// What `body` breaks. It has to panic where something is broken, and only there.
#[track_caller]
fn broken(body: impl FnOnce()) -> Vec<Broken> {
    let caught = catch_findings(body);
    assert_eq!(caught.result.is_err(), !caught.findings.is_empty(), "{:?}", caught.findings);
    let breach = |finding: &Finding| finding.breach.as_ref().map(|breach| breach.broken);
    let broken: Vec<_> = caught.findings.iter().filter_map(|finding| breach(finding)).collect();
    assert_eq!(broken.len(), caught.findings.len(), "{:?}", caught.findings);
    broken
}

/// The report on what `body` breaks.
#[track_caller]
fn report(body: impl FnOnce()) -> String {
    let caught = catch_findings(body);
    assert_eq!(caught.findings.len(), 1, "{:?}", caught.findings);
    caught.findings[0].to_string()
}
