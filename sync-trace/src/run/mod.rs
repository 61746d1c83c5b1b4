//! The run directory: what this process learns about locks, written where other programs find it.
//!
//! Under a runner that gives each test a process of its own, nobody sees all of a program's orders of locks.
//! So each process writes what it sees into a file of its own, and whoever wants to reads them together.
//! `docs/run-directory.md` describes these files.
//!
//! Only what is seen for the first time is written, and that at once: a process that is killed has
//! told all it knew. Who asks for what it has asked for before does not come here. All of it is the tracker's
//! own work; nothing is written by a thread that is inside the memory allocator, or under one of the
//! tracker's other mutexes.
//!
//! In reading order: [`record`] (what a line says), [`header`] (which process this is), [`classes`] (the
//! numbers of classes), `declarations`, [`journal`] (what is known to be written already), [`file`].

mod classes;
mod declarations;
mod file;
mod header;
mod journal;
mod record;

use std::path::PathBuf;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::agent::Agent;
use crate::allow::Acceptance;
use crate::current::{self, Working};
use crate::declared::Declaration;
use crate::declared::frame::Member;
use crate::finding::{Code, Finding, LockId};
use crate::lock_order::classes::Seen;
use crate::lock_order::hold::Guard;
use crate::lock_order::prediction::Request;
use journal::{Asked, Journal, Kind};
pub(crate) use record::Contention;

/// That of this process.
pub(crate) static RUN: Run = Run::new();

/// A directory to write to, if there is one, and what was written.
pub(crate) struct Run {
    /// Null if nothing is to be written. It points to what is never freed, as a journal does.
    dir: AtomicPtr<PathBuf>,
    /// The newest: that of this process, or of the one that this is a fork of.
    journal: AtomicPtr<Journal>,
}

/// A pointer to a journal says nothing of whether threads may share it.
const _: () = {
    const fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<Journal>();
};

impl Run {
    pub(crate) const fn new() -> Self {
        let dir = AtomicPtr::new(std::ptr::null_mut());
        Self { dir, journal: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// From now on, what is seen is written there. A directory that was given before keeps what it has.
    pub(crate) fn follow(&self, dir: Option<&'static PathBuf>) {
        let dir = dir.map_or(std::ptr::null_mut(), |dir| std::ptr::from_ref(dir).cast_mut());
        // Release pairs with the Acquire in `dir`: who finds the path finds what is in it.
        self.dir.store(dir, Ordering::Release);
    }

    /// Whether anything is written.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        !self.dir.load(Ordering::Relaxed).is_null()
    }

    fn dir(&self) -> Option<&'static PathBuf> {
        // SAFETY: only `follow` stores here, null or a `'static` reference.
        unsafe { self.dir.load(Ordering::Acquire).as_ref() }
    }

    /// The newest journal, whosever it is.
    fn newest(&self) -> Option<&'static Journal> {
        // SAFETY: only `journal` stores here, what it has leaked.
        unsafe { self.journal.load(Ordering::Acquire).as_ref() }
    }

    /// The journal of this process, begun now if there is none. A process that was forked begins its own:
    /// another thread may have been in the other one's mutex at that moment, and never comes back from there.
    fn journal(&self) -> Option<&'static Journal> {
        let dir = self.dir()?;
        if current::is_in_allocator() {
            return None;
        }
        let newest = self.newest();
        if let Some(own) = newest.filter(|journal| journal.is_of_this_process(dir)) {
            return Some(own);
        }
        let old = newest.map_or(std::ptr::null_mut(), |old| std::ptr::from_ref(old).cast_mut());
        let new = Box::into_raw(Box::new(Journal::new(dir, newest)));
        // Release pairs with the Acquire in `newest`: who finds the journal finds what is in it.
        match self.journal.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it was leaked above, and is never freed from here on.
            Ok(_) => Some(unsafe { &*new }),
            Err(_) => {
                // SAFETY: it was leaked above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
                // Another thread of this process was faster.
                self.newest()
            }
        }
    }

    /// `agent` is about to make a request, and will not hold `besides` any more when it does. It may have
    /// been made before.
    #[inline]
    pub(crate) fn requested(&self, agent: &Agent, request: &Request, besides: Option<LockId>) {
        if self.is_on() {
            self.tell_request(agent, request, besides);
        }
    }

    #[cold]
    fn tell_request(&self, agent: &Agent, request: &Request, besides: Option<LockId>) {
        let _working = Working::begin();
        let mut held = Vec::with_capacity(agent.held.depth());
        let mut meanings = request.held_meant.iter();
        agent.held.for_each(|hold| {
            // Those that it says nothing of are plain.
            let meant = meanings.next().cloned().flatten();
            if Some(hold.lock) != besides {
                held.push(Guard { hold: hold.into(), by: agent.id(), meant });
            }
        });
        if (!held.is_empty() || request.wanted.is_shared_write())
            && let Some(journal) = self.journal()
        {
            journal.requested(agent, &Asked { held: &held, request });
        }
    }

    /// A function with a declaration runs for the first time, with these locks.
    pub(crate) fn ran(&self, declaration: &'static Declaration, members: &[Member]) {
        if self.is_on() {
            let _working = Working::begin();
            self.journal().into_iter().for_each(|journal| journal.ran(declaration, members));
        }
    }

    /// Something was found, and is about to be told to a person or to be deferred.
    pub(crate) fn found(&self, finding: &Finding) {
        self.tell(finding, Kind::Finding, || false);
    }

    /// Something is inconsistent, and is only listed, unless it is accepted.
    pub(crate) fn noted(&self, note: &Finding, is_accepted: impl FnOnce() -> bool) {
        if self.is_on() && is_listed(note) {
            self.tell(note, Kind::Note, is_accepted);
        }
    }

    /// Something was found that the allow list accepts, for this reason.
    pub(crate) fn accepted(&self, finding: &Finding, acceptance: &Acceptance) {
        if self.is_on() {
            let _working = Working::begin();
            self.journal().into_iter().for_each(|journal| journal.accepted(finding, acceptance));
        }
    }

    /// The program has taken a finding: it knows of it.
    pub(crate) fn taken(&self, finding: &Finding) {
        if self.is_on() {
            let _working = Working::begin();
            self.journal().into_iter().for_each(|journal| journal.taken(finding));
        }
    }

    fn tell(&self, finding: &Finding, kind: Kind, is_accepted: impl FnOnce() -> bool) {
        if self.is_on() {
            let _working = Working::begin();
            if let Some(journal) = self.journal() {
                journal.found(finding, kind, is_accepted);
            }
        }
    }

    /// The process ends, with this status if that is known.
    pub(crate) fn ends(&self, status: Option<i32>, closing: impl FnOnce() -> Closing) {
        let Some(dir) = self.dir().filter(|_| !current::is_in_allocator()) else { return };
        let _working = Working::begin();
        let closing = closing();
        let journal = match closing.waits.is_empty() {
            // Who has said nothing so far need not begin now.
            true => self.newest().filter(|journal| journal.is_of_this_process(dir)),
            false => self.journal(),
        };
        if let Some(journal) = journal {
            journal.ends(status, closing);
        }
    }
}

/// What is known at the end.
pub(crate) struct Closing {
    /// How often each order was seen.
    pub(crate) orders: Vec<Seen>,
    /// What was not recorded, and why.
    pub(crate) limits: Vec<(&'static str, u64)>,
    /// How long was waited for locks.
    pub(crate) waits: Vec<Contention>,
}

/// Whether [`notes`](crate::notes) tells it: two locks of one class are nobody's concern before somebody says
/// so, unless there are keys.
fn is_listed(note: &Finding) -> bool {
    let has_keys = || {
        let stated = note.links.iter().filter_map(|link| link.stated);
        stated.into_iter().any(|stated| stated.held.key.is_some() && stated.wanted.key.is_some())
    };
    note.code != Code::SameClass || note.breach.is_some() || has_keys()
}
