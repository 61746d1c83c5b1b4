//! The narrow waist: the few verbs that every front calls.
//!
//! A front owns the real primitive and decides when to call what; everything it has to say goes
//! through here, as ids, modes and sites. Nothing is generic over the protected type, so the fronts
//! stay thin shells in the user's crate and the work is compiled once, in this one.
//!
//! | verb | when |
//! |---|---|
//! | [`prepare`], [`prepare_write`], [`prepare_try`] | before the real lock is asked for, or tried |
//! | [`acquired_at_once`], [`acquired`] | the real lock was just taken, or the closure of a `Once` was just called |
//! | [`released`] | just before the real lock is given up, or that closure returns |
//! | [`wait_for_lock`] | the real lock could not be had at once |
//! | [`wait_for_once`] | a `Once` is not completed |
//! | [`suspend`] | around a condvar wait, which gives up its mutex |
//! | [`wait_for_end`], [`wait_for_scope`] | before threads are joined |
//! | [`wait_for_signal`], [`rest`] | before a wait for a message, a barrier, an unpark, the time |
//! | [`tried_in_vain`], [`notified`] | a try has failed; a condvar was notified, which is counted |
//! | [`before_wait`], [`give`] | before a condvar wait; when a signal, a message or room for one is given |
//! | [`mean`], [`outer`] | the program says what it means by taking several locks of one class |
//! | [`publish`], [`observe`] | an ordering event: spawn, join, message, barrier |
//! | [`signal`], [`waits_with`] | a condvar is notified; before it waits, or would |
//! | [`initialised`] | after [`released`], before a `Once` is marked as completed |
//! | [`used`], [`found`] | a `Once` is completed already |
//! | the methods of [`permits::Pool`] | a semaphore is used |
//! | [`point`] | before what has no other verb and may come before or after what others do |

mod holds;
mod meaning;
mod ordering;
pub(crate) mod permits;
mod timing;
mod waits;

use crate::finding::LockId;
use crate::held::{Entry, Held};
use crate::perturb::{self, Kind};
use crate::registry::{Access, LockHeader, Resource, word};
use crate::site::Site;
use crate::waits::slot::Wait;

#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use crate::perturb::{is_on as is_perturbed, let_others_in, point_of_wait};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use holds::{
    Hold, Recorded, Used, acquired, acquired_at_once, downgraded, prepare, prepare_again,
    prepare_try, prepare_write, released,
};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use meaning::{Meant, mean, outer};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use ordering::{
    Body, begin_stretch, cut_stretch, found, has_published, initialised, observe, observe_at,
    observe_everything, publish, publish_at, signal, used, waits_with,
};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use timing::{notified, tried_in_vain};
#[cfg(any(debug_assertions, feature = "always"))]
pub(crate) use waits::{
    Waiting, before_wait, give, gives, joined, rest, source, suspend, wait_for_end, wait_for_lock,
    wait_for_once, wait_for_scope, wait_for_signal, will_give,
};

/// The calling thread is about to do something that may come before or after what others do: where
/// threads are [held up at random](crate::perturb), here is one of the places.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn point() {
    if perturb::is_on() {
        perturb::point(Kind::Own);
    }
}

/// An acquisition as its front describes it.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) lock: &'a LockHeader,
    pub(crate) access: &'static Access,
    pub(crate) site: Site,
}

impl Request<'_> {
    #[inline]
    fn entry(&self) -> Entry {
        let Self { lock, access, site } = *self;
        Entry { word: word::usual(lock.word()), access, created: lock.origin(), site }
    }

    fn held(&self, lock: LockId) -> Held {
        let (access, created) = (self.access, self.lock.origin());
        Held { lock, stamp: 0, told: false, access, created, site: self.site }
    }

    fn wait(&self, lock: LockId) -> Wait {
        let created = Some(self.lock.origin());
        Wait { target: Resource::Lock(lock), access: self.access, site: self.site, created }
    }
}
