//! Plays scripts of agents that take locks, without threads, and says what is predicted.
//!
//! `t1: X(a) X(b); t2: X(b) r(a)`: one agent after another does a section each, and gives up what it
//! took, newest first, at its end. Nothing but the steps below orders the sections.
//!
//! | step | what the agent does |
//! |---|---|
//! | `X(a)`, `u(a)`, `r(a)`, `R(a)` | takes `a` alone, as upgradable reader, as reader, as recursive reader |
//! | `try(a)` | takes `a` alone, without waiting for it |
//! | `U(a)` | gives `a` up |
//! | `spawn(t2)`, `join(t2)` | starts `t2`; waits for its end |
//! | `send(m)`, `recv(m)` | an ordering event that others can come after, and such another one |
//! | `keep` | gives nothing up at the end of this section |

use std::collections::{BTreeMap, HashMap};

use super::clock::{Parcel, Timeline};
use super::hold::Guard;
use super::prediction::{Circle, Noted, Obstacle, Request};
use super::predictor::Predictor;
use crate::finding::{AgentId, LockId, LockKind};
use crate::held::{Held, key};
use crate::op::Mode;
use crate::registry::Access;
use crate::registry::tests::ACCESS;
use crate::site::{Origin, Site};

static EXCLUSIVE: &Access = &Access { kind: LockKind::RwLock, ..*ACCESS };
static UPGRADABLE: Access = Access { mode: Mode::Upgradable, ..*EXCLUSIVE };
static READ: Access = Access { mode: Mode::Read, ..*EXCLUSIVE };
static RECURSIVE: Access = Access { mode: Mode::RecursiveRead, ..*EXCLUSIVE };

/// An agent that is played: what its record would know.
pub(super) struct Actor {
    line: Timeline,
    held: Vec<Held>,
    /// What it asked for before, holding what.
    chains: HashMap<u64, Noted>,
}

impl Actor {
    pub(super) fn new(number: u64) -> Self {
        let line = Timeline::new(AgentId(number), 1);
        Self { line, held: Vec::new(), chains: HashMap::new() }
    }

    /// Asks for a lock. Returns the circles of which that is news.
    pub(super) fn request(&mut self, wanted: Held, predictor: &mut Predictor) -> Vec<Circle> {
        let held = self.held.iter().map(|held| key::of(held.lock, held.access.mode));
        let wanted_key = key::of(wanted.lock, wanted.access.mode);
        let key = key::chain(held.fold(0, u64::wrapping_add), wanted_key);
        let by = self.line.now(0).agent;
        let held: Vec<Guard> =
            self.held.iter().map(|&held| Guard { hold: held.into(), by, meant: None }).collect();
        let (around, now) = (self.line.around(), self.line.now(0));
        let known = self.chains.get(&key);
        let same = known.filter(|known| around.is_empty() && !known.line().repeats().is_inside());
        let noted = same.cloned().unwrap_or_else(|| Noted::alone(by));
        let (wanted, meant, held_meant) = (wanted.into(), None, Vec::new());
        let mut request = Request { wanted, meant, held_meant, around, now, noted };
        if !request.is_relevant(&held) {
            return Vec::new();
        }
        let answer = predictor.requested(&mut request, &held);
        self.chains.insert(key, request.noted);
        answer.news
    }

    /// Forgets what it asked for before.
    pub(super) fn forget(&mut self) {
        self.chains.clear();
    }

    pub(super) fn acquired(&mut self, held: Held) {
        self.line.came_to(held.lock, held.access.mode);
        self.held.push(held);
    }

    /// Gives its newest hold of `lock` up. Returns the circles of which that is news.
    pub(super) fn released(&mut self, lock: LockId, predictor: &mut Predictor) -> Vec<Circle> {
        let at = self.held.iter().rposition(|held| held.lock == lock).expect("it is held");
        if !self.held.remove(at).told {
            return Vec::new();
        }
        let section = self.line.end_hold(at).expect("it was told of because of an event");
        predictor.section_ended(&section)
    }

    /// Does something that others can come after.
    pub(super) fn publish(&mut self) -> Parcel {
        for held in self.held.iter_mut().filter(|held| !held.told) {
            self.line.begin_hold(*held);
            held.told = true;
        }
        self.line.publish()
    }

    /// Comes after what others did.
    pub(super) fn observe(&mut self, parcel: &Parcel) {
        self.line.observe(parcel);
    }

    fn newest(&self) -> Option<LockId> {
        self.held.last().map(|held| held.lock)
    }
}

/// The agents of a script and what is known of them.
#[derive(Default)]
struct Stage {
    agents: BTreeMap<String, Actor>,
    messages: BTreeMap<String, Parcel>,
    predictor: Predictor,
}

/// What `script` leads to: empty if there is no circle, else what keeps it from happening, or
/// `deadlock`; and the agents in it.
pub(super) fn outcome(script: &str) -> String {
    let mut stage = Stage::default();
    for section in script.split(';').map(str::trim).filter(|section| !section.is_empty()) {
        let (agent, steps) = section.split_once(':').expect("agent: steps");
        let steps: Vec<&str> = steps.split_whitespace().collect();
        steps.iter().for_each(|step| stage.step(agent, step));
        if !steps.contains(&"keep") {
            stage.release_all(agent);
        }
    }
    stage.describe()
}

impl Stage {
    fn actor(&mut self, name: &str) -> &mut Actor {
        let number = name.bytes().fold(0, |number, byte| number * 256 + u64::from(byte));
        self.agents.entry(name.to_owned()).or_insert_with(|| Actor::new(number))
    }

    fn step(&mut self, agent: &str, step: &str) {
        let (verb, name) = step.trim_end_matches(')').split_once('(').unwrap_or((step, ""));
        match verb {
            "X" => self.take(agent, name, EXCLUSIVE, true),
            "u" => self.take(agent, name, &UPGRADABLE, true),
            "r" => self.take(agent, name, &READ, true),
            "R" => self.take(agent, name, &RECURSIVE, true),
            "try" => self.take(agent, name, EXCLUSIVE, false),
            "U" => self.release(agent, lock(name)),
            "send" => {
                let parcel = self.actor(agent).publish();
                self.messages.insert(name.to_owned(), parcel);
            }
            "spawn" => {
                let parcel = self.actor(agent).publish();
                self.actor(name).observe(&parcel);
            }
            "recv" => {
                let parcel = self.messages[name].clone();
                self.actor(agent).observe(&parcel);
            }
            "join" => {
                self.release_all(name);
                let parcel = self.actor(name).publish();
                self.actor(agent).observe(&parcel);
            }
            "keep" => {}
            other => panic!("no step `{other}`"),
        }
    }

    fn take(&mut self, agent: &str, name: &str, access: &'static Access, waits: bool) {
        let site = Site::caller();
        let held = Held {
            lock: lock(name),
            stamp: 0,
            told: false,
            access,
            created: Origin::unnamed(site),
            site,
        };
        self.actor(agent);
        let Self { agents, predictor, .. } = self;
        let actor = agents.get_mut(agent).expect("it was made");
        if waits {
            actor.request(held, predictor);
        }
        actor.acquired(held);
    }

    fn release_all(&mut self, agent: &str) {
        while let Some(lock) = self.actor(agent).newest() {
            self.release(agent, lock);
        }
    }

    fn release(&mut self, agent: &str, lock: LockId) {
        self.actor(agent);
        let Self { agents, predictor, .. } = self;
        agents.get_mut(agent).expect("it was made").released(lock, predictor);
    }

    fn describe(&self) -> String {
        let best =
            self.predictor.circles().min_by_key(|circle| (circle.obstacle, circle.links.len()));
        let Some(circle) = best else { return String::new() };
        let name = |id: LockId| char::from_u32(id.0 as u32).expect("a letter");
        let what = match circle.obstacle {
            None => "deadlock".to_owned(),
            Some(Obstacle::NoWriter(lock)) => format!("no writer of {}", name(lock)),
            Some(Obstacle::WriterApart(lock)) => format!("writer of {} apart", name(lock)),
            Some(Obstacle::Open(lock)) => format!("open {}", name(lock)),
            Some(Obstacle::Ordered) => "ordered".to_owned(),
            Some(Obstacle::Gate(lock)) => format!("gate {}", name(lock)),
            Some(Obstacle::OneAgent) => "one agent".to_owned(),
        };
        let mut locks: Vec<_> = circle
            .links
            .iter()
            .map(|link| name(self.predictor.dependency(link.dependency).wanted.lock))
            .collect();
        let first = (0..locks.len()).min_by_key(|&at| locks[at]).unwrap_or(0);
        locks.rotate_left(first);
        format!("{what}: {}", locks.into_iter().collect::<String>())
    }
}

fn lock(name: &str) -> LockId {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => LockId(letter as u64),
        _ => panic!("a lock is one letter: `{name}`"),
    }
}
