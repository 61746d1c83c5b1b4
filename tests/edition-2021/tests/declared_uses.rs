//! The good uses of the attributes, by a crate of edition 2021.

#[path = "../../tests/declared_uses/mod.rs"]
mod uses;
