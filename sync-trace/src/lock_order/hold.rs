//! Locks that are held or wanted, as the lock order remembers them.

use std::sync::Arc;

use crate::finding::{AgentId, LockId, LockKind};
use crate::held::{Held, key};
use crate::meaning::{Meaning, Stated};
use crate::op::Mode;
use crate::registry::Access;
use crate::site::{Origin, Site};

/// A lock that somebody holds or wants: how, and where that was said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) lock: LockId,
    pub(crate) access: &'static Access,
    pub(crate) created: Origin,
    pub(crate) site: Site,
}

impl Hold {
    pub(crate) fn mode(&self) -> Mode {
        self.access.mode
    }

    /// Whether it is no lock but what somebody waits for and another one gives.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self.access.kind, LockKind::Condvar | LockKind::Channel | LockKind::Semaphore)
    }

    /// Whether who holds it may leave word for others there: not if it only reads, or if there is nothing.
    pub(crate) fn may_tell(&self) -> bool {
        self.mode() == Mode::Exclusive && (self.access.type_name)() != "()"
    }

    /// Whether others may share the lock.
    pub(crate) fn is_shared(&self) -> bool {
        self.access.kind == LockKind::RwLock
    }

    /// Whether readers may have to queue behind it.
    pub(crate) fn is_shared_write(&self) -> bool {
        self.is_shared() && self.mode() == Mode::Exclusive
    }

    /// As a held stack has it.
    pub(crate) fn record(&self) -> Held {
        let Self { lock, access, created, site } = *self;
        Held { lock, stamp: 0, told: false, access, created, site }
    }

    /// A number for the lock and its mode.
    pub(crate) fn key(&self) -> u64 {
        key::of(self.lock, self.mode())
    }
}

impl From<Held> for Hold {
    fn from(held: Held) -> Self {
        let Held { lock, access, created, site, .. } = held;
        Self { lock, access, created, site }
    }
}

impl PartialEq for Hold {
    fn eq(&self, other: &Self) -> bool {
        // A lock is created at one place.
        self.lock == other.lock
            && std::ptr::eq(self.access, other.access)
            && self.site == other.site
    }
}

/// A hold that a request was made inside of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guard {
    pub(crate) hold: Hold,
    /// Whose it was: the agent's own, or that of another one in whose section the request was made.
    pub(crate) by: AgentId,
    /// What was meant by it, if that was anything in particular.
    pub(crate) meant: Option<Arc<Meaning>>,
}

impl Guard {
    /// The place of the lock in its class, as far as that was stated.
    pub(crate) fn stated(&self) -> Stated {
        stated(self.meant.as_deref())
    }

    /// A number for what was meant by it: 0 if nothing was.
    pub(crate) fn number_meant(&self) -> u64 {
        self.meant.as_ref().map_or(0, |meant| meant.number_of(self.hold.lock))
    }

    /// A number for the lock, its mode and what was meant by it.
    pub(crate) fn key(&self) -> u64 {
        self.hold.key().wrapping_add(self.number_meant())
    }
}

/// What is stated by a meaning, or by none.
pub(crate) fn stated(meant: Option<&Meaning>) -> Stated {
    meant.map_or_else(Stated::default, |meant| meant.stated)
}
