//! The lines, compiled against `sync_trace`.

use sync_trace::{sync, thread};

mod lines;

fn main() {}
