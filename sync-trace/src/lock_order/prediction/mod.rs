//! From what agents have asked for while they held locks to deadlocks that could happen.
//!
//! Each nested request is a [`dependency`] (Havelund 2000; Bensalem and Havelund 2005): this agent,
//! holding these, wanted that. All that were seen are in the [`store`]; how often, and when, is counted by
//! their agents in [`repeats`]. Dependencies that want in a
//! [`circle`] what the next one holds are a deadlock that could happen, if nothing keeps their agents
//! from being there at the same time. The [`search`] looks for the circle that comes closest to that.

mod by_lock;
pub(crate) mod circle;
pub(crate) mod dependency;
pub(crate) mod repeats;
pub(crate) mod search;
pub(crate) mod store;
mod ways;

pub(crate) use circle::{Circle, CircleLink, Obstacle};
pub(crate) use dependency::{Dependency, Request};
pub(crate) use repeats::{Noted, Repeats, Sheet};
pub(crate) use store::{Dependencies, Moved};
