//! The lines, compiled against `std`.

use std::{sync, thread};

mod lines;

fn main() {}
