//! With `std`'s names.

use std::{sync, thread};

#[path = "locks.rs"]
pub mod locks;
#[path = "messages.rs"]
pub mod messages;
#[path = "once.rs"]
pub mod once;
#[path = "threads.rs"]
pub mod threads;
