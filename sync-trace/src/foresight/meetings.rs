//! Which waits have met somebody who gave what they were for, and what came of it: the part of the
//! [ledger](super::ledger) that knows of [pledges](super::pledges).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::pledges::{Awaiting, Pledge, Waiter};
use crate::finding::{AgentId, Finding, LockId};
use crate::lock_order::clock::Moment;
use crate::lock_order::hold::{Guard, Hold};
use crate::lock_order::prediction::{Circle, Noted, Request};
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
        for (wanted, held, now) in errands(predictor, pledge, model) {
            let is_met = |&&(wait, is_left_alone): &&(usize, bool)| {
                is_left_alone && !now.precedes(&predictor.dependency(wait).repeats.last())
            };
            let met: Vec<usize> = waits.iter().filter(is_met).map(|&(wait, _)| wait).collect();
            let around = model.around.clone();
            let (meant, held_meant, line) = (None, Vec::new(), Noted::alone(by));
            let request = Request { wanted, meant, held_meant, around, now, noted: line };
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
    let nested = pledge.nested.iter().filter_map(|noted| predictor.find(noted));
    let asked = pledge.asked.iter().map(|asked| asked.lock);
    let taken = asked.chain(nested.map(|nested| nested.wanted.lock)).filter(|&lock| lock == mutex);
    match pledge.met {
        // Before the first wait nobody knew that it was the mutex of a condition.
        Met::None => taken.count() == 0,
        Met::One(met, waits) => met == mutex && waits >= awaiting.number && taken.count() <= 1,
        Met::Several => false,
    }
}

/// What was asked for before something was given: each with what was held then and what was to be given, and
/// with the moment.
fn errands(
    predictor: &Predictor,
    pledge: &Pledge,
    model: &Request,
) -> Vec<(Hold, Vec<Guard>, Arc<Moment>)> {
    let given = || Guard { hold: pledge.given, by: model.now.agent, meant: None };
    let asked = pledge.asked.iter().filter(|asked| is_possible(predictor, pledge, asked.lock));
    let asked = asked.map(|&wanted| (wanted, vec![given()], Arc::clone(&model.now)));
    let nested = pledge.nested.iter().filter_map(|noted| {
        let dependency = predictor.find(noted).filter(|known| !known.is_about_giving())?;
        let held: Vec<Guard> = dependency.guards().iter().cloned().chain([given()]).collect();
        let is_held = predictor.is_held(dependency.wanted.lock);
        is_held.then(|| (dependency.wanted, held, noted.line().last()))
    });
    asked.chain(nested).collect()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::LockKind;
    use crate::lock_order::clock::Timeline;
    use crate::registry::Access;
    use crate::registry::tests::ACCESS;
    use crate::site::{Origin, Site};

    static SIGNAL: Access = Access { kind: LockKind::Condvar, ..*ACCESS };

    /// What is waited for, and the mutex of that condition.
    const CONDITION: u64 = 100;
    const MUTEX: u64 = 101;

    fn hold(lock: u64, access: &'static Access) -> Hold {
        let site = Site::caller();
        Hold { lock: LockId(lock), access, created: Origin::unnamed(site), site }
    }

    fn request(agent: u64, wanted: Hold) -> Request {
        let now = Timeline::new(AgentId(agent), 1).now(0);
        Request {
            wanted,
            meant: None,
            held_meant: vec![],
            around: vec![],
            noted: Noted::alone(now.agent),
            now,
        }
    }

    fn guards(agent: u64, locks: &[u64]) -> Vec<Guard> {
        let guard = |&lock| Guard { hold: hold(lock, ACCESS), by: AgentId(agent), meant: None };
        locks.iter().map(guard).collect()
    }

    #[derive(Default)]
    struct Stage {
        predictor: Predictor,
        meetings: Meetings,
        waits: u64,
        waiting: Vec<(u64, u64)>,
        givers: Vec<AgentId>,
    }

    impl Stage {
        fn waits(&mut self, agent: u64, held: &[u64]) {
            self.waits += 1;
            let awaiting = Awaiting { seq: self.waits, number: self.waits };
            let request = request(agent, hold(CONDITION, &SIGNAL));
            let held = guards(agent, held);
            self.meetings.awaited(&mut self.predictor, request, &held, awaiting);
            self.waiting.push((agent, self.waits));
        }

        fn nests(&mut self, agent: u64, held: u64, wanted: u64) -> bool {
            let mut request = request(agent, hold(wanted, ACCESS));
            let answer = self.predictor.requested(&mut request, &guards(agent, &[held]));
            self.meetings.judge(&mut self.predictor, answer.dependency).is_some()
        }

        /// Gives, after it has asked for these, and has `met` some mutex. Returns whether that shows a
        /// deadlock that could happen.
        fn gives(&mut self, agent: u64, asked: &[u64], met: Met) -> bool {
            self.givers.push(AgentId(agent));
            let waiter = |&(agent, seq): &(u64, u64)| Waiter {
                agent: AgentId(agent),
                seq,
                mutex: Some(LockId(MUTEX)),
            };
            let pledge = Pledge {
                given: hold(CONDITION, &SIGNAL),
                asked: asked.iter().map(|&lock| hold(lock, ACCESS)).collect(),
                nested: Vec::new(),
                met,
                waiting: self.waiting.iter().map(waiter).collect(),
                givers: Some(self.givers.clone()),
            };
            let model = request(agent, pledge.given);
            let Self { predictor, meetings, .. } = self;
            let (waits, errands) = meetings.given(predictor, AgentId(agent), Some(&model), &pledge);
            let found: Vec<_> =
                errands.into_iter().filter_map(|one| meetings.judge(predictor, one)).collect();
            meetings.judged(AgentId(agent), &waits);
            !found.is_empty()
        }

        fn withdrawn(&mut self) -> usize {
            self.meetings.withdrawn(&self.predictor).len()
        }

        /// How many are only listed.
        fn listed(&self) -> usize {
            self.meetings.latent(&self.predictor).len()
        }
    }

    const LATE: Met = Met::One(LockId(MUTEX), u64::MAX - 1);

    #[test]
    fn who_gives_needed_what_who_waits_holds() {
        let mut stage = Stage::default();
        stage.waits(1, &[7]);
        assert!(stage.gives(2, &[7, MUTEX], LATE));
        assert_eq!((stage.withdrawn(), stage.listed()), (0, 0));
        // It is said once.
        assert!(!stage.gives(2, &[7, MUTEX], LATE));
        let mut stage = Stage::default();
        stage.waits(1, &[7]);
        assert!(!stage.gives(2, &[8, MUTEX], LATE));
        assert!(!stage.gives(1, &[7], LATE), "nobody helps itself");
    }

    #[test]
    fn a_wait_that_is_over_has_met_nobody() {
        let mut stage = Stage::default();
        stage.waits(1, &[7]);
        stage.waiting.clear();
        assert!(!stage.gives(2, &[7], Met::None));
        stage.waits(1, &[]);
        assert!(!stage.gives(2, &[7], Met::None), "it held nothing this time");
    }

    #[test]
    fn others_may_hold_what_who_gives_needed() {
        for comes_late in [false, true] {
            let mut stage = Stage::default();
            assert!(comes_late || !stage.nests(3, 8, 7));
            stage.waits(1, &[7]);
            assert_eq!(stage.gives(2, &[8], Met::None), !comes_late);
            assert!(!comes_late || stage.nests(3, 8, 7));
        }
    }

    #[test]
    fn who_could_help_takes_back_what_was_predicted() {
        let mut stage = Stage::default();
        stage.waits(1, &[7]);
        assert!(stage.gives(2, &[7], Met::None));
        assert!(!stage.gives(3, &[], Met::None));
        assert_eq!((stage.withdrawn(), stage.listed()), (1, 1));
        assert_eq!(stage.withdrawn(), 0, "once");
        // And who came before keeps it from being predicted.
        let mut stage = Stage::default();
        stage.gives(3, &[], Met::None);
        stage.waits(1, &[7]);
        assert!(!stage.gives(2, &[7], Met::None));
        assert_eq!(stage.listed(), 1);
        // Until it is kept from that, too.
        assert!(stage.gives(3, &[7], Met::None));
        assert_eq!(stage.listed(), 0);
    }

    #[test]
    fn what_counts_of_others_is_what_they_did_last_and_whether_they_helped() {
        let mut stage = Stage::default();
        stage.waits(1, &[7]);
        stage.gives(3, &[8], Met::None);
        assert!(!stage.gives(2, &[7], Met::None));
        assert_eq!(stage.listed(), 1);
        // The one that has helped is past that when it needs the lock, and the other one always does.
        assert!(stage.gives(3, &[7], Met::None));
        assert_eq!((stage.withdrawn(), stage.listed()), (0, 0));
        stage.gives(2, &[8], Met::None);
        assert_eq!((stage.withdrawn(), stage.listed()), (1, 1));
    }

    #[test]
    fn who_gives_may_have_made_the_condition_false() {
        let check = |expected, asked: &[u64], met| {
            let mut stage = Stage::default();
            stage.waits(1, &[7]);
            assert_eq!(stage.gives(2, asked, met), expected, "{asked:?}, {met:?}");
        };
        let met = |waits| Met::One(LockId(MUTEX), waits);
        check(true, &[7, MUTEX], met(1));
        check(false, &[7, MUTEX], met(0));
        check(false, &[7, MUTEX, MUTEX], met(1));
        check(false, &[7, MUTEX], Met::None);
        check(false, &[7], Met::Several);
        check(true, &[7], Met::None);
    }
}
