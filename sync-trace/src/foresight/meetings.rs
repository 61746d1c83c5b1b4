//! Which waits have met somebody who gave what they were for, and what came of it: the part of the
//! [ledger](super::ledger) that knows of [pledges](super::pledges).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::pledges::{Awaiting, Pledge, Waiter};
use crate::finding::{AgentId, Finding, LockId};
use crate::lock_order::hold::{Guard, Hold};
use crate::lock_order::prediction::{Circle, Request};
use crate::lock_order::predictor::Predictor;
use crate::stretch::Met;

/// Waits and those who gave what they were for. What stands for them are numbers of dependencies.
#[derive(Default)]
pub(super) struct Meetings {
    /// What stands for a wait or for what came before a giving: its agent, what is wanted, and a number for
    /// what is held.
    noted: HashMap<(AgentId, LockId, u64), usize>,
    /// The last wait of each agent.
    waits: HashMap<AgentId, (usize, Awaiting)>,
    /// A wait that lasted and had been given nothing, and something that its giver had asked for before.
    met: HashSet<(usize, usize)>,
    /// A wait, and who gave what it is for, the last time after something that it keeps others from.
    stuck: HashSet<(usize, AgentId)>,
    /// A wait, and who gave what it was for and had not been kept from that.
    helped: HashSet<(usize, AgentId)>,
    /// Who was seen to give something; `None` if others may have, too.
    givers: HashMap<LockId, Option<BTreeSet<AgentId>>>,
    found: Vec<Found>,
    /// Joins under locks that the joined threads had needed, but that may have known of it.
    joins: Vec<Finding>,
}

/// So many joins are told of.
const JOINS_MAX: usize = 1_000;

/// A circle in which somebody waits for something that is given.
struct Found {
    circle: Circle,
    locks: BTreeSet<LockId>,
    /// Whether all who were seen to give it are stuck.
    is_certain: bool,
}

impl Meetings {
    /// `request`, for something that is given, is made while this is held.
    pub(super) fn awaited(
        &mut self,
        predictor: &mut Predictor,
        request: Request,
        held: &[Guard],
        awaiting: Awaiting,
    ) {
        let agent = request.now.agent;
        let wait = self.note(predictor, request, held);
        self.waits.insert(agent, (wait, awaiting));
    }

    /// Whether any of what was asked for before something is given could be a part of a circle.
    pub(super) fn is_of_interest(predictor: &Predictor, pledge: &Pledge) -> bool {
        !pledge.nested.is_empty()
            || pledge.asked.iter().any(|asked| is_possible(predictor, pledge, asked.lock))
    }

    /// `by` gives what was pledged. `request` is a model for what it has asked for; without one there is
    /// nothing. Returns the waits for it, and what stands for what was asked for.
    pub(super) fn given(
        &mut self,
        predictor: &mut Predictor,
        by: AgentId,
        request: Option<&Request>,
        pledge: &Pledge,
    ) -> (Vec<usize>, Vec<usize>) {
        self.note_givers(by, pledge);
        let given = pledge.given.lock;
        self.stuck.retain(|&(wait, stuck)| {
            stuck != by || predictor.dependency(wait).wanted.lock != given
        });
        let meets = |waiter: &Waiter| {
            let &(wait, awaiting) = self.waits.get(&waiter.agent)?;
            let is_it =
                awaiting.seq == waiter.seq && predictor.dependency(wait).wanted.lock == given;
            is_it.then_some((wait, has_left_alone(predictor, pledge, waiter.mutex, awaiting)))
        };
        let waits: Vec<(usize, bool)> = pledge.waiting.iter().filter_map(meets).collect();
        let all = waits.iter().map(|&(wait, _)| wait).collect();
        let Some(model) = request else { return (all, Vec::new()) };
        let mut noted = Vec::new();
        for (wanted, held) in errands(predictor, pledge, by) {
            let now = Arc::clone(&model.now);
            let is_met = |&&(wait, is_left_alone): &&(usize, bool)| {
                is_left_alone && !now.precedes(&predictor.dependency(wait).repeats.last())
            };
            let met: Vec<usize> = waits.iter().filter(is_met).map(|&(wait, _)| wait).collect();
            let around = model.around.clone();
            let request =
                Request { wanted, meant: None, held_meant: Vec::new(), around, now, known: None };
            let errand = self.note(predictor, request, &held);
            self.met.extend(met.into_iter().map(|wait| (wait, errand)));
            noted.push(errand);
        }
        (all, noted)
    }

    /// All is known of what `by` has given now to those who waited: those that it had to get nothing for which
    /// they hold were helped.
    pub(super) fn judged(&mut self, by: AgentId, waits: &[usize]) {
        let helped = waits.iter().map(|&wait| (wait, by));
        self.helped.extend(helped.filter(|meeting| !self.stuck.contains(meeting)));
    }

    fn note(&mut self, predictor: &mut Predictor, request: Request, held: &[Guard]) -> usize {
        let number = held.iter().map(Guard::key).fold(request.wanted.key(), u64::wrapping_add);
        let key = (request.now.agent, request.wanted.lock, number);
        match self.noted.get(&key) {
            Some(&known) if request.around.is_empty() => {
                predictor.note_again(known, request.now);
                known
            }
            _ => {
                let index = predictor.note(request, held);
                self.noted.insert(key, index);
                index
            }
        }
    }

    fn note_givers(&mut self, by: AgentId, pledge: &Pledge) {
        let known = self.givers.entry(pledge.given.lock).or_insert_with(|| Some(BTreeSet::new()));
        match (known.as_mut(), &pledge.givers) {
            (Some(known), Some(givers)) => known.extend(givers.iter().copied().chain([by])),
            _ => *known = None,
        }
    }

    /// Whether this request closes a circle with waits that met those who gave what they were for. Returns the
    /// circle if it is new that it could happen.
    pub(super) fn judge(&mut self, predictor: &mut Predictor, start: usize) -> Option<Circle> {
        if self.met.is_empty() {
            return None;
        }
        let circle = predictor.circle_of_waits(start)?;
        let meetings: Vec<(usize, usize)> = waits(predictor, &circle).collect();
        if !meetings.iter().all(|meeting| self.met.contains(meeting)) {
            return None;
        }
        for &(wait, errand) in &meetings {
            self.stuck.insert((wait, predictor.dependency(errand).agent()));
        }
        let wanted = |part| predictor.dependency(part).wanted.lock;
        let locks: BTreeSet<LockId> = circle.dependencies().map(wanted).collect();
        let is_certain = self.helped(predictor, &circle).is_none();
        let known = self.found.iter().position(|found| found.locks == locks);
        if known.is_some_and(|known| self.found[known].is_certain || !is_certain) {
            return None;
        }
        known.map(|known| self.found.swap_remove(known));
        self.found.push(Found { circle: circle.clone(), locks, is_certain });
        is_certain.then_some(circle)
    }

    /// A wait of `circle` for something that could be given by somebody who is not kept from that by it.
    fn helped(&self, predictor: &Predictor, circle: &Circle) -> Option<Hold> {
        let is_helped = |&(wait, errand): &(usize, usize)| {
            let dependency = predictor.dependency(wait);
            let parts = [dependency.agent(), predictor.dependency(errand).agent()];
            let is_stuck = |&by: &AgentId| {
                let meeting = (wait, by);
                parts.contains(&by)
                    || self.stuck.contains(&meeting) && !self.helped.contains(&meeting)
            };
            match self.givers.get(&dependency.wanted.lock) {
                Some(Some(givers)) => !givers.iter().all(is_stuck),
                Some(None) | None => true,
            }
        };
        let (wait, _) = waits(predictor, circle).find(is_helped)?;
        Some(predictor.dependency(wait).wanted)
    }

    /// Those of what was found that could not happen after all.
    pub(super) fn withdrawn(&mut self, predictor: &Predictor) -> Vec<Circle> {
        let is_helped = |found: &Found| self.helped(predictor, &found.circle).is_some();
        let gone: Vec<usize> = (0..self.found.len())
            .filter(|&at| self.found[at].is_certain && is_helped(&self.found[at]))
            .collect();
        let withdraw = |at: usize| {
            self.found[at].is_certain = false;
            self.found[at].circle.clone()
        };
        gone.into_iter().map(withdraw).collect()
    }

    /// What could not happen as far as is known, each with a wait for something that others could have given.
    pub(super) fn latent(&self, predictor: &Predictor) -> Vec<(&Circle, Hold)> {
        let latent = self.found.iter().filter(|found| !found.is_certain);
        latent
            .filter_map(|found| Some((&found.circle, self.helped(predictor, &found.circle)?)))
            .collect()
    }

    /// How many of those there are, and of joins.
    pub(super) fn count_latent(&self) -> usize {
        self.found.iter().filter(|found| !found.is_certain).count() + self.joins.len()
    }

    /// A thread was joined under a lock that it had needed.
    pub(super) fn note_join(&mut self, finding: &Finding) {
        let is_alike = |known: &Finding| {
            known.fingerprint == finding.fingerprint && known.sites() == finding.sites()
        };
        if self.joins.len() < JOINS_MAX && !self.joins.iter().any(is_alike) {
            self.joins.push(finding.clone());
        }
    }

    pub(super) fn joins(&self) -> &[Finding] {
        &self.joins
    }
}

/// The waits of a circle for something that is given, each with what its giver did before.
fn waits(predictor: &Predictor, circle: &Circle) -> impl Iterator<Item = (usize, usize)> {
    let next = circle.links.iter().cycle().skip(1);
    let steps = circle.links.iter().zip(next).map(|(one, next)| (one.dependency, next.dependency));
    steps.filter(|&(wait, _)| predictor.dependency(wait).wanted.is_given())
}

/// Whether a lock that was asked for could be a part of a circle: the mutex of the wait itself is one only if
/// others want something while they hold it.
fn is_possible(predictor: &Predictor, pledge: &Pledge, asked: LockId) -> bool {
    let is_of_wait = pledge.waiting.iter().any(|waiter| waiter.mutex == Some(asked));
    !is_of_wait || predictor.is_held(asked)
}

/// Whether the giver cannot have made the condition false for which a thread waits with this mutex: it has not
/// taken that in its stretch before the wait began.
fn has_left_alone(
    predictor: &Predictor,
    pledge: &Pledge,
    mutex: Option<LockId>,
    awaiting: Awaiting,
) -> bool {
    let Some(mutex) = mutex else { return true };
    let nested = pledge.nested.iter().filter_map(|repeats| predictor.find(repeats));
    let asked = pledge.asked.iter().map(|asked| asked.lock);
    let taken = asked.chain(nested.map(|nested| nested.wanted.lock)).filter(|&lock| lock == mutex);
    match pledge.met {
        // Before the first wait nobody knew that it was the mutex of a condition.
        Met::None => taken.count() == 0,
        Met::One(met, waits) => met == mutex && waits >= awaiting.number && taken.count() <= 1,
        Met::Several => false,
    }
}

/// What was asked for before something was given, each with what was held then and with what was to be given.
fn errands(predictor: &Predictor, pledge: &Pledge, by: AgentId) -> Vec<(Hold, Vec<Guard>)> {
    let given = || Guard { hold: pledge.given, by, meant: None };
    let asked = pledge.asked.iter().filter(|asked| is_possible(predictor, pledge, asked.lock));
    let asked = asked.map(|&wanted| (wanted, vec![given()]));
    let nested = pledge.nested.iter().filter_map(|repeats| {
        let dependency = predictor.find(repeats).filter(|known| !known.is_about_giving())?;
        let held: Vec<Guard> = dependency.guards().iter().cloned().chain([given()]).collect();
        predictor.is_held(dependency.wanted.lock).then_some((dependency.wanted, held))
    });
    asked.chain(nested).collect()
}
