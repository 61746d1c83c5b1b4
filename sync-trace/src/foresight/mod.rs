//! Looking ahead: what could come of a request for a lock, asked before the lock is.
//!
//! [`lock_order`](crate::lock_order) knows how to judge; here is what agents feed it with, and what is
//! done about its answers. A request travels so, and mostly ends at the first step that knows it:
//!
//! 1. [`forecast`]: was it made a moment ago? The memo of the newest hold knows.
//! 2. [`chains`]: has this agent ever made it, with all that it holds now? Its own cache knows.
//! 3. [`chronicle`]: the same as before, but the agent has heard from others meanwhile? Then it is
//!    evidence of another time, which only the agent's own record has to show.
//! 4. [`ledger`]: the one value for the process, behind a leaf mutex. [`findings`] tells what it knows.
//! 5. `reactions`: what is done about that.
//!
//! [`passage`] is where order passes from one agent to another, [`conditions`] where it does so unseen,
//! `pairs` finds those used with two mutexes, `pledges` brings waits for what nobody owns,
//! [`news`] two counts that tell everybody to look again, and [`meant`] what the program says of the
//! locks that it takes now.

pub(crate) mod chains;
pub(crate) mod chronicle;
pub(crate) mod conditions;
mod findings;
pub(crate) mod ledger;
pub(crate) mod meant;
mod meetings;
pub(crate) mod news;
pub(crate) mod passage;

#[cfg(not(loom))]
pub(crate) mod forecast;
#[cfg(not(loom))]
pub(crate) mod pairs;
pub(crate) mod pledges;
#[cfg(not(loom))]
pub(crate) mod reactions;
