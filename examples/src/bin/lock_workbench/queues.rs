//! The second task: a queue with room for some items, into which writers put them and from which readers take them.

use std::collections::VecDeque;

use crossbeam_queue::ArrayQueue;
use sync_trace::named;
use sync_trace::sync::Mutex;

use crate::load::Load;
use crate::measure::{Entrant, Kind};

const TASK: &str = "queue";
pub(crate) const ROOM: usize = 1_024;

pub(crate) fn all() -> Vec<Entrant> {
    let queue = Mutex::new(VecDeque::with_capacity(ROOM));
    vec![
        Entrant::new(TASK, "queue in a Mutex", Locked(named!("queue in a Mutex", queue))),
        Entrant::new(TASK, "lock-free queue", LockFree(ArrayQueue::new(ROOM))),
    ]
}

/// What is left of what was put in.
fn left(writes: u64, reads: u64) -> u64 {
    writes - reads
}

/// A queue needs no lock for the work with its items, so neither kind holds one meanwhile.
struct Locked(Mutex<VecDeque<u64>>);

impl Kind for Locked {
    fn read(&self, _: usize, load: &Load) -> bool {
        let item = self.0.lock().unwrap().pop_front();
        item.map(|item| load.section(item)).is_some()
    }

    fn write(&self, key: usize, load: &Load) -> bool {
        let item = load.section(key as u64);
        let mut queue = self.0.lock().unwrap();
        let has_room = queue.len() < ROOM;
        if has_room {
            queue.push_back(item);
        }
        has_room
    }

    fn left(&self, writes: u64, reads: u64) -> u64 {
        left(writes, reads)
    }

    fn found(&self) -> u64 {
        self.0.lock().unwrap().len() as u64
    }
}

struct LockFree(ArrayQueue<u64>);

impl Kind for LockFree {
    fn read(&self, _: usize, load: &Load) -> bool {
        self.0.pop().map(|item| load.section(item)).is_some()
    }

    fn write(&self, key: usize, load: &Load) -> bool {
        self.0.push(load.section(key as u64)).is_ok()
    }

    fn left(&self, writes: u64, reads: u64) -> u64 {
        left(writes, reads)
    }

    fn found(&self) -> u64 {
        self.0.len() as u64
    }
}
