//! Small random programs, each explored in every interleaving, against what is predicted from one run.
//!
//! A program is a handful of agents that take and release a few locks, without branches. All its
//! interleavings are explored by brute force to know whether it can deadlock. Then it is run once, by
//! a random schedule that comes to an end, and what that run lets one predict is compared.

use std::collections::HashSet;

use super::clock::Parcel;
use super::play::Actor;
use super::predictor::Predictor;
use crate::finding::{LockId, LockKind};
use crate::held::Held;
use crate::op::Mode;
use crate::registry::Access;
use crate::registry::tests::ACCESS;
use crate::site::{Origin, Site};

static EXCLUSIVE: &Access = &Access { kind: LockKind::RwLock, ..*ACCESS };
static READ: Access = Access { mode: Mode::Read, ..*EXCLUSIVE };
static RECURSIVE: Access = Access { mode: Mode::RecursiveRead, ..*EXCLUSIVE };

const LOCKS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Take(usize, Mode),
    /// If the lock cannot be had at once, so many steps are left out.
    Try(usize, Mode, usize),
    Release(usize),
    Spawn(usize),
    Join(usize),
    Send(usize),
    Receive(usize),
}

/// One list of steps for each agent. The first agent runs from the start, and so do those that nobody
/// spawns.
#[derive(Clone, Debug)]
struct Program(Vec<Vec<Step>>);

/// Where every agent stands, and who holds what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    next: Vec<usize>,
    started: Vec<bool>,
    /// Whether the agent has asked for what its next step takes, and queues.
    queued: Vec<bool>,
    held: Vec<Vec<(usize, Mode)>>,
    sent: Vec<bool>,
}

impl State {
    fn new(program: &Program) -> Self {
        let count = program.0.len();
        let spawned: Vec<usize> = program
            .0
            .iter()
            .flatten()
            .filter_map(|step| if let Step::Spawn(child) = step { Some(*child) } else { None })
            .collect();
        Self {
            next: vec![0; count],
            started: (0..count).map(|agent| !spawned.contains(&agent)).collect(),
            queued: vec![false; count],
            held: vec![Vec::new(); count],
            sent: vec![false; 8],
        }
    }

    fn has_ended(&self, program: &Program, agent: usize) -> bool {
        self.next[agent] == program.0[agent].len()
    }

    /// Whether the lock can be had now: readers do not pass a writer that queues.
    fn is_free(&self, program: &Program, agent: usize, lock: usize, mode: Mode) -> bool {
        let blocked = |held: &(usize, Mode)| held.0 == lock && held.1.blocks(mode);
        let queues = |other: usize| {
            other != agent
                && self.queued[other]
                && program.0[other][self.next[other]] == Step::Take(lock, Mode::Exclusive)
        };
        let is_held = self.held.iter().flatten().any(blocked);
        let is_queued = mode == Mode::Read && (0..self.next.len()).any(queues);
        !is_held && !is_queued
    }

    /// What the agent can do next: nothing, its step, or begin to queue for it.
    fn advanced(&self, program: &Program, agent: usize) -> Option<Self> {
        if !self.started[agent] || self.has_ended(program, agent) {
            return None;
        }
        let mut after = self.clone();
        match program.0[agent][self.next[agent]] {
            Step::Take(lock, mode) => {
                if !self.is_free(program, agent, lock, mode) {
                    if self.queued[agent] {
                        return None;
                    }
                    after.queued[agent] = true;
                    return Some(after);
                }
                after.queued[agent] = false;
                after.held[agent].push((lock, mode));
            }
            Step::Try(lock, mode, steps) => {
                if self.is_free(program, agent, lock, mode) {
                    after.held[agent].push((lock, mode));
                } else {
                    after.next[agent] += steps;
                }
            }
            Step::Release(lock) => {
                let at = after.held[agent].iter().rposition(|held| held.0 == lock)?;
                after.held[agent].remove(at);
            }
            Step::Spawn(child) => after.started[child] = true,
            Step::Join(child) if !self.has_ended(program, child) => return None,
            Step::Receive(message) if !self.sent[message] => return None,
            Step::Send(message) => after.sent[message] = true,
            Step::Join(_) | Step::Receive(_) => {}
        }
        after.next[agent] += 1;
        Some(after)
    }

    fn successors(&self, program: &Program) -> Vec<(usize, Self)> {
        (0..program.0.len())
            .filter_map(|agent| Some((agent, self.advanced(program, agent)?)))
            .collect()
    }
}

/// Whether some interleaving gets stuck.
fn can_deadlock(program: &Program) -> bool {
    let mut seen = HashSet::new();
    let mut to_do = vec![State::new(program)];
    while let Some(state) = to_do.pop() {
        let successors = state.successors(program);
        let all_ended = (0..program.0.len()).all(|agent| state.has_ended(program, agent));
        if successors.is_empty() && !all_ended {
            return true;
        }
        to_do.extend(
            successors.into_iter().map(|(_, next)| next).filter(|next| seen.insert(next.clone())),
        );
    }
    false
}

/// What a run of the program, by a random schedule, lets one predict; `None` if the run gets stuck.
fn predicts_from_a_run(program: &Program, random: &mut impl FnMut(usize) -> usize) -> Option<bool> {
    let mut state = State::new(program);
    let mut actors: Vec<Actor> =
        (1..=program.0.len()).map(|agent| Actor::new(agent as u64)).collect();
    let mut messages: Vec<Parcel> = vec![Parcel::default(); 8];
    let mut predictor = Predictor::default();
    loop {
        let mut successors = state.successors(program);
        if successors.is_empty() {
            let all_ended = (0..program.0.len()).all(|agent| state.has_ended(program, agent));
            if !all_ended {
                return None;
            }
            let predicted = predictor.circles().any(|circle| circle.obstacle.is_none());
            return Some(predicted);
        }
        let (agent, next) = successors.swap_remove(random(successors.len()));
        if next.next[agent] != state.next[agent] {
            match program.0[agent][state.next[agent]] {
                Step::Take(lock, mode) => {
                    let wanted = held(lock, mode);
                    actors[agent].request(wanted, &mut predictor);
                    actors[agent].acquired(wanted);
                }
                Step::Try(lock, mode, _) => {
                    if next.next[agent] == state.next[agent] + 1 {
                        actors[agent].acquired(held(lock, mode));
                    }
                }
                Step::Release(lock) => {
                    actors[agent].released(id(lock), &mut predictor);
                }
                Step::Spawn(child) => {
                    let parcel = actors[agent].publish();
                    actors[child].observe(&parcel);
                }
                Step::Join(child) => {
                    let parcel = actors[child].publish();
                    actors[agent].observe(&parcel);
                }
                Step::Send(message) => messages[message] = actors[agent].publish(),
                Step::Receive(message) => actors[agent].observe(&messages[message]),
            }
        }
        state = next;
    }
}

fn id(lock: usize) -> LockId {
    LockId(lock as u64 + 1)
}

fn held(lock: usize, mode: Mode) -> Held {
    let access = match mode {
        Mode::Read => &READ,
        Mode::RecursiveRead => &RECURSIVE,
        _ => EXCLUSIVE,
    };
    let site = Site::caller();
    Held { lock: id(lock), stamp: 0, told: false, access, created: Origin::unnamed(site), site }
}

/// A random program: nests of up to three locks, none taken twice in a nest, and either tries or, in
/// some of them, ordering events. Nobody waits for such an event while holding a lock that was taken since the
/// event could happen: that would be a deadlock of another kind.
fn program(tries: bool, random: &mut impl FnMut(usize) -> usize) -> Program {
    let agents = 2 + random(2);
    let mut steps: Vec<Vec<Step>> = vec![Vec::new(); agents];
    for steps in &mut steps {
        (0..1 + random(2)).for_each(|_| nest(steps, tries, random));
    }
    if tries {
        return Program(steps);
    }
    let other = 1 + random(agents - 1);
    match random(4) {
        0 => {
            let at = random(steps[0].len() + 1);
            steps[0].insert(at, Step::Spawn(other));
            let held = |at: usize| holds_at(&steps[0], at);
            let joins: Vec<usize> = (at + 1..=steps[0].len())
                .filter(|&join| held(join).iter().all(|hold| held(at).contains(hold)))
                .collect();
            if random(2) == 0 && !joins.is_empty() {
                let at = joins[random(joins.len())];
                steps[0].insert(at, Step::Join(other));
            }
        }
        1 => {
            let at = random(steps[0].len() + 1);
            steps[0].insert(at, Step::Send(0));
            let at = boundary(&steps[other], random);
            steps[other].insert(at, Step::Receive(0));
        }
        _ => {}
    }
    Program(steps)
}

/// What is held before step `at`, each with the step that took it.
fn holds_at(steps: &[Step], at: usize) -> Vec<(usize, usize)> {
    let mut held: Vec<(usize, usize)> = Vec::new();
    for (when, step) in steps[..at].iter().enumerate() {
        match *step {
            Step::Take(lock, _) => held.push((lock, when)),
            Step::Release(lock) => held.retain(|hold| hold.0 != lock),
            _ => {}
        }
    }
    held
}

/// A place between nests: where nothing is held.
fn boundary(steps: &[Step], random: &mut impl FnMut(usize) -> usize) -> usize {
    let mut depth = 0;
    let mut places = vec![0];
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Take(..) => depth += 1,
            Step::Release(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            places.push(at + 1);
        }
    }
    places[random(places.len())]
}

fn nest(steps: &mut Vec<Step>, tries: bool, random: &mut impl FnMut(usize) -> usize) {
    let mut locks: Vec<usize> = (0..LOCKS).collect();
    let mut taken = Vec::new();
    let start = steps.len();
    for _ in 0..1 + random(LOCKS) {
        let lock = locks.swap_remove(random(locks.len()));
        let mode = match random(6) {
            0 => Mode::Read,
            1 => Mode::RecursiveRead,
            _ => Mode::Exclusive,
        };
        steps.push(Step::Take(lock, mode));
        taken.push(lock);
        // Now and then an outer lock is released early.
        if taken.len() > 1 && random(5) == 0 {
            steps.push(Step::Release(taken.remove(0)));
        }
    }
    while let Some(lock) = taken.pop() {
        steps.push(Step::Release(lock));
    }
    // Who tries the first lock in vain leaves the whole nest out.
    let rest = steps.len() - start - 1;
    if tries
        && random(2) == 0
        && let Step::Take(lock, mode) = steps[start]
    {
        steps[start] = Step::Try(lock, mode, rest);
    }
}

/// What came of runs of random programs.
#[derive(Default)]
struct Counts {
    right: usize,
    missed: Vec<Program>,
    wrong: Vec<Program>,
}

impl Counts {
    /// Of so many programs, each run once to its end.
    fn of(runs: usize, tries: bool) -> Self {
        let mut seed = 2026_u64;
        let mut random = |bound: usize| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as usize % bound
        };
        let (mut counts, mut done) = (Self::default(), 0);
        while done < runs {
            let program = program(tries, &mut random);
            let Some(predicted) = predicts_from_a_run(&program, &mut random) else { continue };
            done += 1;
            match (can_deadlock(&program), predicted) {
                (true, true) => counts.right += 1,
                (true, false) => counts.missed.push(program),
                (false, true) => counts.wrong.push(program),
                (false, false) => {}
            }
        }
        counts.tell(runs);
        counts
    }

    fn tell(&self, runs: usize) {
        let (right, missed, wrong) = (self.right, self.missed.len(), self.wrong.len());
        let percent = |whole: usize| 100.0 * right as f64 / whole.max(1) as f64;
        println!(
            "{runs} runs: {right} deadlocks predicted, {missed} missed, {wrong} wrong: \
             precision {:.2} %, recall {:.2} %",
            percent(right + wrong),
            percent(right + missed)
        );
        for program in self.wrong.iter().take(5) {
            println!("wrong: {program:?}");
        }
    }

    fn check_precision(&self) {
        assert!(self.wrong.len() * 100 <= self.right, "more than 1 %");
    }
}

#[test]
fn what_can_deadlock_is_predicted_and_little_else() {
    let counts = Counts::of(4000, false);
    let missed = &counts.missed;
    assert!(missed.is_empty(), "of {}: {:?}", missed.len(), &missed[..missed.len().min(3)]);
    counts.check_precision();
}

#[test]
fn who_tries_may_hide_a_deadlock_and_invents_none() {
    Counts::of(2000, true).check_precision();
}
