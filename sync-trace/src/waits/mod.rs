//! The wait-for graph: who waits for what, now.
//!
//! Each agent publishes its own wait in its [`slot`]; [`filter`] answers in a few loads whether
//! anybody waits for something at all; when somebody does, [`graph`] looks for a cycle in a copy of
//! all waits; [`cycle`] is what it finds. What is waited for and owned by nobody is a [`source`], and
//! [`stuck`] tells who can never go on where such waits take part. The last agent to publish sees every other wait of the cycle it closes; why that is
//! so is argued in `ARCHITECTURE.md` and checked with loom in `model.rs`.
//!
//! # Invariants
//!
//! 1. An agent has at most one wait.
//! 2. A wait is published before its agent can block, and taken back by the same agent.
//! 3. While a wait is published its agent's held stack does not change.

pub(crate) mod cycle;
pub(crate) mod filter;
pub(crate) mod graph;
pub(crate) mod slot;
pub(crate) mod source;
pub(crate) mod stuck;
