//! The parts of `cargo sync-trace`, for its program and for tests. As a library it promises nothing.
//!
//! In reading order: [`cli`] (what can be asked for), [`commands`] (a file for each subcommand) with [`exit`],
//! [`interrupt`] and [`workspace`]; then the way of a run: [`read`] (files of processes), [`merge`] (one run out of them), [`report`]
//! (what that comes to), [`mod@format`] (its forms). [`mod@level`], [`explain`], [`baseline`], [`source`], [`words`] and [`progress`] help.
//!
//! Arrows point down this list, and only `commands` prints.

pub mod baseline;
pub mod cli;
pub mod commands;
pub mod exit;
pub mod explain;
pub mod format;
pub mod interrupt;
pub mod level;
pub mod merge;
pub mod progress;
pub mod read;
pub mod report;
pub mod source;
pub mod words;
pub mod workspace;
