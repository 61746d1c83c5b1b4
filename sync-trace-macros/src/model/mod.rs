//! What it means: the checks that need no types, and the numbers under which a call gives its locks.

mod class;
mod contradictions;
mod fields;
mod fit;
mod hierarchy;
mod order;
mod shape;
mod slots;

pub(crate) use class::check as check_class;
pub(crate) use contradictions::check;
pub(crate) use fields::{Field, Fields};
pub(crate) use fit::{check_fit, without_self};
pub(crate) use hierarchy::chains;
pub(crate) use shape::{Shape, each_return, tail_future};
pub(crate) use slots::{Slot, Slots};
