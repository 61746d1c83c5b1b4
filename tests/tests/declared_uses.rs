//! Good uses of the attributes for declared orders, by a crate of this edition; `tests/edition-2021` has the
//! same ones.

#[path = "declared_uses/mod.rs"]
mod uses;
