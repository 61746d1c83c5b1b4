//! What is done about what could happen: it is raised where it was found, or later, told, accepted, or let be because it
//! is happening already.

use std::sync::Arc;

use crate::agent::{Agent, Cold};
use crate::config::{OnViolation, Policy};
use crate::current::Working;
use crate::finding::{Finding, Level, Outcome};
use crate::foresight::ledger::{Judged, Prospect};
use crate::foresight::news;
use crate::lock_order::clock::Section;
use crate::lock_order::hold::Hold;
use crate::reaction::{self, Place, Response};
use crate::registry::Resource;
use crate::run::RUN;
use crate::tracker::{self, Limits, Outlook, PATIENCE, PAUSE, Tracker};
use crate::waits::slot::Wait;

/// A section of `agent`'s has ended in which others may have done something: it is known now what was
/// inside it.
#[cold]
pub(crate) fn section_ended(agent: &Agent, section: &Arc<Section>) {
    let tracker = tracker::global();
    let reactions = Reactions { tracker, agent, own: None, wanted: None };
    reactions.defer(tracker.ledger.section_ended(section));
}

/// `agent` gives what others may wait for, and this is what that has shown.
#[cold]
pub(crate) fn pledged(agent: &Agent, judged: Judged) {
    let tracker = tracker::global();
    judged.withdrawn.iter().for_each(|gone| tracker.withdraw(gone));
    let reactions = Reactions { tracker, agent, own: None, wanted: None };
    let prospect = |finding| Prospect { finding, takes_part: false };
    reactions.defer(judged.found.into_iter().map(prospect).collect());
}

/// `agent` has joined a thread, and this is what that has shown.
#[cold]
#[track_caller]
pub(crate) fn joined(agent: &Agent, found: Option<Finding>, working: Working) {
    let tracker = tracker::global();
    let reactions = Reactions { tracker, agent, own: None, wanted: None };
    let prospect = |finding| Prospect { finding, takes_part: true };
    if let Some(found) = found {
        reactions.to(vec![prospect(found)], working);
    }
}

/// The wait that a request may lead to.
fn wait_for(wanted: Hold) -> Wait {
    let Hold { lock, access, created, site } = wanted;
    Wait { target: Resource::Lock(lock), access, site, created: Some(created) }
}

/// What `agent`, which asks for a lock with a reaction of its `own`, does about what could happen.
pub(super) struct Reactions<'t> {
    pub(super) tracker: &'t Tracker,
    pub(super) agent: &'t Agent,
    pub(super) own: Option<OnViolation>,
    /// What it asks for.
    pub(super) wanted: Option<Hold>,
}

impl Reactions<'_> {
    /// Reacts to what a request has brought to light.
    #[track_caller]
    #[cold]
    pub(super) fn to(&self, prospects: Vec<Prospect>, working: Working) {
        let outlook = self.wanted.map(|wanted| self.outlook(&wait_for(wanted), &prospects));
        if outlook == Some(Outlook::Stuck) {
            // It is happening, and is judged as such in a moment.
            return;
        }
        let mut raised = None;
        for prospect in prospects {
            let may_raise = prospect.takes_part
                && raised.is_none()
                && outlook != Some(Outlook::Suspect)
                && self.may_panic();
            raised = self.settle(prospect, may_raise).or(raised);
        }
        if let Some(finding) = raised {
            reaction::respond(self.tracker, self.agent, Response::Panic, &finding, working);
        }
    }

    /// Whether what is predicted is happening. Where it may be about to, it is given some time: a
    /// thread that is on its way to its wait is seen there in a moment, or has taken another way.
    fn outlook(&self, wait: &Wait, prospects: &[Prospect]) -> Outlook {
        self.tracker.publish(self.agent, wait);
        let is_imminent = |prospect: &Prospect| {
            prospect.finding.level == Level::Predicted
                && prospect.takes_part
                && self.tracker.is_imminent(&prospect.finding)
        };
        let mut outlook = self.tracker.outlook(self.agent);
        for _ in 0..PATIENCE {
            if outlook != Outlook::Live || !prospects.iter().any(is_imminent) {
                break;
            }
            std::thread::sleep(PAUSE);
            outlook = self.tracker.outlook(self.agent);
        }
        self.tracker.unpublish(self.agent, wait.target);
        outlook
    }

    /// Reacts where nothing may panic.
    fn defer(&self, prospects: Vec<Prospect>) {
        for prospect in prospects {
            self.settle(prospect, false);
        }
    }

    /// Makes a prospect a finding, or lets it be. Returns one that the agent has to raise.
    fn settle(&self, prospect: Prospect, may_raise: bool) -> Option<Arc<Finding>> {
        reaction::watch_exit();
        let mut finding = prospect.finding;
        let config = self.tracker.config();
        if finding.level == Level::Order && config.policy == Policy::Deadlock {
            let exempts = || self.agent.extents.exempts(finding.code);
            RUN.noted(&finding, || exempts() || self.tracker.accepts(&finding));
            return None;
        }
        if self.agent.extents.exempts(finding.code) {
            Limits::count(&self.tracker.limits.exempted);
            return None;
        }
        if self.tracker.is_allowed(&finding) {
            return None;
        }
        if finding.may_be_withdrawn() {
            finding.outcome = Outcome::Deferred;
            self.tracker.found(finding);
            return None;
        }
        let response = match self.own.unwrap_or(config.on_violation) {
            OnViolation::Panic if may_raise => Response::Panic,
            OnViolation::Panic => Response::Defer,
            OnViolation::Log => Response::Log,
            OnViolation::Abort => Response::Abort,
        };
        finding.outcome = response.outcome();
        finding.raised_in_root = self.agent.identity().started_by.is_none();
        let finding = self.tracker.found(finding)?;
        match response {
            Response::Panic => return Some(finding),
            Response::Defer => {
                RUN.found(&finding);
                // Whoever may raise it has to come by: the agent itself, and those who nest locks.
                self.agent.set_cold(Cold::Deferred);
                news::spread();
            }
            Response::Log | Response::Exit | Response::Abort => {
                let working = Working::begin();
                reaction::respond(self.tracker, self.agent, response, &finding, working);
            }
        }
        None
    }

    /// Raises a finding of the agent's that could not be raised before.
    #[track_caller]
    pub(super) fn raise_deferred(&self, working: Working) -> Working {
        if self.tracker.any_deferred()
            && self.may_panic()
            && let Some(finding) = self.tracker.take_deferred(self.agent, Outcome::Panicked)
        {
            reaction::respond(self.tracker, self.agent, Response::Panic, &finding, working);
            return Working::begin();
        }
        working
    }

    /// Whether a panic here does no harm: it would not meet another one, nor leave something that is
    /// being initialised poisoned for ever.
    fn may_panic(&self) -> bool {
        let mut initialises = false;
        self.agent.held.for_each(|held| initialises |= held.access.kind.is_once());
        !initialises && matches!(Place::here(None), Place::Free(_))
    }
}
