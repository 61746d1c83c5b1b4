//! The scenarios, and what is expected of each under the policy of the test that includes them.
//!
//! [`table`] has those that are nothing but locks taken in some order; the other modules those that
//! need more than that. [`scene`] plays them all. What cannot be written with `std`'s primitives, or is
//! no matter of orders, is listed in [`elsewhere`] with the reason.

mod elsewhere;
mod many;
mod order;
mod scene;
mod single;
mod stated;
mod table;

use sync_trace::Policy;

/// Rows that are known to come out wrong: the policy, the row, and why.
const KNOWN: &[(Policy, &str, &str)] = &[
    (Policy::Deadlock, "LD09", "nobody looks at what is dropped while it is held"),
    (Policy::Order, "LD09", "nobody looks at what is dropped while it is held"),
];

/// Why the row is known to come out wrong.
fn known(id: &str) -> Option<&'static str> {
    let entry = KNOWN.iter().find(|&&(policy, known, _)| policy == crate::POLICY && known == id);
    entry.map(|&(_, _, why)| why)
}
