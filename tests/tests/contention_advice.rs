//! For each piece of advice a program that deserves it, and one that just does not.
//!
//! The margins are wide enough for a machine that lets a thread wait for some hundred milliseconds. Where a number
//! is a rate, the program runs until it has been counted, or until the advice is given, or once more.
#![cfg(any(debug_assertions, feature = "always"))]

#[path = "contention_advice/readers.rs"]
mod readers;
#[path = "contention_advice/scene.rs"]
mod scene;
#[path = "contention_advice/sections.rs"]
mod sections;
#[path = "contention_advice/signals.rs"]
mod signals;
#[path = "contention_advice/starvation.rs"]
mod starvation;
#[path = "contention_advice/tries.rs"]
mod tries;
#[path = "contention_advice/turns.rs"]
mod turns;
#[path = "contention_advice/users.rs"]
mod users;
