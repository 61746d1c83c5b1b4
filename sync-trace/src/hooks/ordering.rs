//! The verbs for ordering events.

use crate::agent::Agent;
use crate::current::{self, Working};
use crate::foresight::passage::{self, Passage};

/// An ordering event: what the calling thread has done so far comes before whatever those do who
/// [`observe`] the passage.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn publish(passage: &Passage) {
    if let Some(agent) = current::present().filter(|agent| agent.has_something_to_say()) {
        publish_slow(&|| passage.publish(agent));
    }
}

/// The same at a place that has no passage of its own.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn publish_at(place: passage::Place) {
    if let Some(agent) = current::present().filter(|agent| agent.has_something_to_say()) {
        publish_slow(&|| passage::publish_at(place, agent));
    }
}

/// The same for an event that others may come after, but not because of it alone.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn publish_weakly_at(place: passage::Place) {
    if let Some(agent) = current::present().filter(|agent| agent.has_something_to_say()) {
        publish_slow(&|| passage::publish_weakly_at(place, agent));
    }
}

#[cold]
#[inline(never)]
fn publish_slow(publish: &dyn Fn()) {
    if !current::is_in_allocator() {
        let _working = Working::begin();
        publish();
    }
}

/// What the calling thread does from here on comes after what was published.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn observe(passage: &Passage) {
    if passage.is_used() {
        observe_slow(&|agent| passage.observe(agent));
    }
}

/// The same at a place that has no passage of its own.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn observe_at(place: passage::Place) {
    if passage::is_any_used() {
        observe_slow(&|agent| passage::observe_at(place, agent));
    }
}

/// What the calling thread does from here on comes after everything so far: it was woken up, and not
/// even by whom is known.
#[cfg_attr(not(debug_assertions), inline)]
pub(crate) fn observe_everything() {
    if let Some(agent) = current::present() {
        let _working = Working::begin();
        agent.observe_everything();
    }
}

#[cold]
#[inline(never)]
fn observe_slow(observe: &dyn Fn(&Agent)) {
    if !current::is_in_allocator()
        && let Some(agent) = current::recording()
    {
        let _working = Working::begin();
        observe(agent);
    }
}
