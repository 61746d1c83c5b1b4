//! The real program, run on small crates that the tests make.

mod commands;
mod formats;
mod stories;
mod story;
