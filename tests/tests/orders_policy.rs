//! Scenarios that other checkers are known by, with real locks and threads, judged as
//! [`Policy::Order`] does.
#![cfg(any(debug_assertions, feature = "always"))]

use sync_trace::Policy;

const POLICY: Policy = Policy::Order;

mod rows;
