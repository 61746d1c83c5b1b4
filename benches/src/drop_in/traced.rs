//! With sync-trace's names.

use sync_trace::{sync, thread};

#[path = "locks.rs"]
pub mod locks;
#[path = "messages.rs"]
pub mod messages;
#[path = "once.rs"]
pub mod once;
#[path = "threads.rs"]
pub mod threads;
