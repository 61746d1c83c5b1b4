//! Deadlocks that could happen with a join, a message, a permit or a condition variable as one of the waits: rows CV1 to
//! CV9, CH2 and JN1 of the scenario tables, and what is like them and could not happen.
//!
//! The programs are placed by channels of `std`'s, of which the tracker hears nothing: so each of them gets
//! through, and no order is stated by that.
#![cfg(any(debug_assertions, feature = "always"))]

#[expect(dead_code, reason = "other suites use the rest")]
mod programs;

#[path = "waits/channels.rs"]
mod channels;
#[path = "waits/conditions.rs"]
mod conditions;
#[path = "waits/joins.rs"]
mod joins;
#[path = "waits/permits.rs"]
mod permits;
#[path = "waits/scene.rs"]
mod scene;
