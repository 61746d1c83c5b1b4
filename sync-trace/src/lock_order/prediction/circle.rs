//! What is looked for: requests that want in a circle what the next one holds.

use std::collections::HashMap;

use crate::finding::LockId;

/// What keeps a circle of dependencies from being a deadlock, as far as is known. In the order in which
/// circles are preferred for showing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Obstacle {
    /// A reader would have to queue behind a writer of this lock, and none was seen that has not
    /// another part.
    NoWriter(LockId),
    /// The same; one was seen, but a gate or ordering events keep it from being there with those who
    /// wait.
    WriterApart(LockId),
    /// Two of them exclude each other if a section on this lock, which is still open, cannot end before
    /// one of them.
    Open(LockId),
    /// Ordering events keep two of them apart.
    Ordered,
    /// Two of them exclude each other by this lock.
    Gate(LockId),
    /// Two of them are one agent.
    OneAgent,
}

impl Obstacle {
    /// The level of the last one.
    pub(super) const LEVELS: u8 = 6;

    /// Whether it could be gone the next time that the same agents do the same.
    pub(crate) fn may_be_gone_another_time(self) -> bool {
        match self {
            Self::NoWriter(_) | Self::WriterApart(_) | Self::Open(_) | Self::Ordered => true,
            Self::Gate(_) | Self::OneAgent => false,
        }
    }

    pub(super) fn level(self) -> u8 {
        match self {
            Self::NoWriter(_) => 1,
            Self::WriterApart(_) => 2,
            Self::Open(_) => 3,
            Self::Ordered => 4,
            Self::Gate(_) => 5,
            Self::OneAgent => 6,
        }
    }
}

/// A circle of dependencies: each wants what the next one holds, and the last what the first holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    pub(crate) links: Vec<CircleLink>,
    /// `None` if it could happen.
    pub(crate) obstacle: Option<Obstacle>,
}

/// One step of a circle, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CircleLink {
    pub(crate) dependency: usize,
    /// The writer that queues between this one's request and the next one's hold, if it takes one.
    pub(crate) writer: Option<usize>,
}

impl Circle {
    /// What takes part in it, writers too.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = usize> {
        self.links.iter().flat_map(|link| [Some(link.dependency), link.writer]).flatten()
    }

    /// Everything that takes part has a new number.
    pub(crate) fn renumber(&mut self, moved: &HashMap<usize, usize>) {
        for link in &mut self.links {
            link.dependency = moved[&link.dependency];
            link.writer = link.writer.map(|writer| moved[&writer]);
        }
    }
}
