//! Which lock was wanted while which other was held, and the deadlocks that could come of it. Pure:
//! what agents did goes in, answers come out.
//!
//! A cycle in [`waits`](crate::waits) is a deadlock that has happened. Here are those that could happen
//! on another day. Three questions are asked of a request that is made while something is held:
//!
//! 1. Does it close a cycle in the order of locks? [`graph`] answers, mostly at once. It keeps the
//!    edges ([`adjacency`]) and the order of the strongly connected components ([`components`],
//!    [`ranks`]), which shows that most new edges close none; [`search`] restores that order for the
//!    few that might, and [`cycle`] finds one that is *strong*: each request in it can be kept waiting
//!    by the hold that comes next ([`label`]).
//! 2. Who would be in it, holding what? [`prediction`] looks for a circle of requests whose agents
//!    could be there together.
//! 3. What keeps them apart? [`clock`] knows what comes before what in every schedule, and what
//!    happens inside whose section.
//!
//! A signal or a message that somebody waits for stands beside the locks here, as something that is held by who will
//! give it; only the circles that are looked for with it lead through it.
//!
//! [`predictor`] puts the three together. [`classes`] looks at kinds of locks instead of locks. All of
//! them remember what is held and wanted as a [`hold`].
//!
//! # Invariants
//!
//! 1. Two locks are in one component if closed walks lead through both. (After a removal a
//!    component may be too large until the next new edge that asks for it.)
//! 2. An edge between two components leads from the lower rank to the higher one.
//! 3. No edge leads from a lock to itself, and no label is empty.
//!
//! # How it is checked
//!
//! `oracle` compares the graph with a naive one on random orders. `exhaustive` runs small random
//! programs once and compares what is predicted with all their interleavings: every one that can
//! deadlock has to be predicted, and at most one prediction in a hundred may be of what cannot happen.

pub(crate) mod adjacency;
pub(crate) mod classes;
pub(crate) mod clock;
pub(crate) mod components;
pub(crate) mod cycle;
pub(crate) mod graph;
pub(crate) mod hold;
pub(crate) mod label;
pub(crate) mod prediction;
pub(crate) mod predictor;
pub(crate) mod ranks;
pub(crate) mod search;

#[cfg(all(test, not(loom)))]
mod exhaustive;
#[cfg(all(test, not(loom)))]
mod oracle;
#[cfg(all(test, not(loom)))]
mod play;
#[cfg(all(test, not(loom)))]
mod rows;
#[cfg(all(test, not(loom)))]
mod scenarios;
