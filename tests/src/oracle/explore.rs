//! Every interleaving of a program, by brute force.
//!
//! The rules are those of `std`'s locks on platforms with a futex. A writer that cannot have its lock
//! at once may queue, and from then on keeps new readers out; when the lock is free it may be overtaken
//! again. Whoever tries fails if the lock cannot be had now.

use std::collections::HashSet;

use super::program::{Lock, MESSAGES, Mode, Program, Step, THREADS};

/// A step without the steps inside: where a block ends, its place says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Take(Lock, Mode),
    /// If it fails, goes on at that place.
    Try(Lock, Mode, usize),
    Release(Lock),
    Spawn(usize),
    Join(usize),
    Send(usize),
    Receive(usize),
    /// Leaves the scope of that number.
    Leave(usize),
}

/// A `thread::scope`: its threads, where it stands, and how much is held around it.
#[derive(Clone, Debug, Default)]
struct ScopeOf {
    threads: Vec<usize>,
    from: usize,
    to: usize,
    held: usize,
}

/// What one thread does.
#[derive(Clone, Debug, Default)]
struct Code {
    ops: Vec<Op>,
    scopes: Vec<ScopeOf>,
}

impl Code {
    fn add(&mut self, steps: &[Step], held: &mut usize) {
        for step in steps {
            match step {
                Step::Take(lock, mode) => {
                    self.ops.push(Op::Take(*lock, *mode));
                    *held += 1;
                }
                Step::Try(lock, mode, body) => {
                    let at = self.ops.len();
                    self.ops.push(Op::Try(*lock, *mode, 0));
                    let mut inside = *held + 1;
                    self.add(body, &mut inside);
                    self.ops[at] = Op::Try(*lock, *mode, self.ops.len());
                }
                Step::Release(lock) => {
                    self.ops.push(Op::Release(*lock));
                    *held -= 1;
                }
                Step::Spawn(child) => self.ops.push(Op::Spawn(*child)),
                Step::Join(child) => self.ops.push(Op::Join(*child)),
                Step::Send(message) => self.ops.push(Op::Send(*message)),
                Step::Receive(message) => self.ops.push(Op::Receive(*message)),
                Step::Scope(body) => {
                    let (number, from) = (self.scopes.len(), self.ops.len());
                    let spawned = |step: &Step| match step {
                        Step::Spawn(child) => Some(*child),
                        _ => None,
                    };
                    let threads = body.iter().filter_map(spawned).collect();
                    self.scopes.push(ScopeOf { threads, from, to: 0, held: *held });
                    self.add(body, held);
                    self.scopes[number].to = self.ops.len();
                    self.ops.push(Op::Leave(number));
                }
            }
        }
    }

    /// The innermost scope that a thread at this place is in, if it has left all inside `left`.
    fn scope_at(&self, at: usize, left: Option<usize>) -> Option<usize> {
        let scopes = 0..left.unwrap_or(self.scopes.len());
        scopes.rev().find(|&scope| self.scopes[scope].from <= at && at <= self.scopes[scope].to)
    }

    /// Where the newest hold of `lock` that there is at `at` was taken; without tries.
    fn taken_at(&self, lock: Lock, at: usize) -> Option<usize> {
        let mut taken = Vec::new();
        for (place, op) in self.ops[..at].iter().enumerate() {
            match *op {
                Op::Take(other, _) if other == lock => taken.push(place),
                Op::Release(other) if other == lock => drop(taken.pop()),
                _ => {}
            }
        }
        // With several holds of one lock the first one lasts longest.
        taken.first().copied()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    Absent,
    Runs,
    /// It has asked for what its step takes, and queues as a writer.
    Queues,
    /// A finding panicked in it, or its message will never come: it unwinds, and has left all scopes
    /// from this one on.
    Unwinds(Option<usize>),
    Ended,
}

const HOLDS: usize = 6;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Local {
    phase: Phase,
    at: usize,
    held: [Option<(Lock, Mode)>; HOLDS],
    count: usize,
}

impl Local {
    fn push(&mut self, lock: Lock, mode: Mode) {
        self.held[self.count] = Some((lock, mode));
        self.count += 1;
    }

    fn remove(&mut self, at: usize) {
        self.held[at..self.count].rotate_left(1);
        self.count -= 1;
        self.held[self.count] = None;
    }
}

/// Where all threads stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    threads: [Local; THREADS],
    sent: [bool; MESSAGES],
}

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// A lock.
    Lock(Lock),
    /// The end of one thread or of several.
    End,
    /// A message.
    Message,
}

/// Whether a finding's panic may end a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Panics {
    /// As without the tracker.
    Never,
    /// At any lock that is asked for and at any join.
    Anywhere,
}

/// How a deadlock can come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Waits for locks, and for the ends of threads that were started and are joined in a section:
    /// these wait as if they held its lock themselves.
    Locks,
    /// Also waits for ends of threads that were started before that.
    Joins,
    /// Also waits for messages.
    Messages,
}

/// All that can happen.
#[derive(Debug)]
pub(super) struct Explored {
    program: Program,
    codes: Vec<Code>,
    /// The states in which nothing can go on, and not all have ended.
    stuck: Vec<State>,
}

/// Explores `program`.
pub(super) fn explore(program: &Program, panics: Panics) -> Explored {
    let codes = program.0.iter().map(|steps| {
        let mut code = Code::default();
        code.add(steps, &mut 0);
        code
    });
    let mut explored =
        Explored { program: program.clone(), codes: codes.collect(), stuck: Vec::new() };
    let mut first = State { threads: [Local::default(); THREADS], sent: [false; MESSAGES] };
    for thread in 0..program.0.len() {
        if program.parent(thread).is_none() {
            first.threads[thread].phase = Phase::Runs;
        }
    }
    let mut seen = HashSet::from([first]);
    let mut to_do = vec![first];
    while let Some(state) = to_do.pop() {
        let mut after = Vec::new();
        for thread in 0..program.0.len() {
            explored.step(&state, thread, &mut after);
        }
        if after.is_empty() && (0..program.0.len()).any(|at| !explored.is_over(&state, at)) {
            explored.stuck.push(state);
        }
        if panics == Panics::Anywhere {
            after.extend((0..program.0.len()).filter_map(|at| explored.panicked(&state, at)));
        }
        to_do.extend(after.into_iter().filter(|state| seen.insert(*state)));
    }
    explored
}

impl Explored {
    /// Whether the thread has ended, or will never be started.
    fn is_over(&self, state: &State, thread: usize) -> bool {
        match state.threads[thread].phase {
            Phase::Ended => true,
            Phase::Absent => {
                let parent = self.program.parent(thread);
                parent.is_some_and(|parent| self.is_over(state, parent))
            }
            _ => false,
        }
    }

    /// Who keeps the thread from having a lock now.
    fn blockers(&self, state: &State, thread: usize, lock: Lock, mode: Mode) -> Vec<usize> {
        let others = 0..self.codes.len();
        others
            .filter(|&other| {
                let local = &state.threads[other];
                let holds = local.held[..local.count]
                    .iter()
                    .flatten()
                    .any(|held| held.0 == lock && held.1.blocks(mode));
                let queues = other != thread
                    && mode == Mode::Shared
                    && local.phase == Phase::Queues
                    && self.codes[other].ops[local.at] == Op::Take(lock, Mode::Alone);
                holds || queues
            })
            .collect()
    }

    fn is_held(&self, state: &State, lock: Lock) -> bool {
        let mut held = state.threads.iter().flat_map(|local| local.held).flatten();
        held.any(|held| held.0 == lock)
    }

    /// Those of the scope's threads that have not ended.
    fn running_in(&self, state: &State, thread: usize, scope: usize) -> Vec<usize> {
        let mut threads = self.codes[thread].scopes[scope].threads.clone();
        threads
            .retain(|&child| !matches!(state.threads[child].phase, Phase::Ended | Phase::Absent));
        threads
    }

    /// Adds all that the thread can do next.
    fn step(&self, state: &State, thread: usize, out: &mut Vec<State>) {
        let local = state.threads[thread];
        let code = &self.codes[thread];
        let with = |change: &dyn Fn(&mut Local)| {
            let mut after = *state;
            change(&mut after.threads[thread]);
            after
        };
        match local.phase {
            Phase::Absent | Phase::Ended => return,
            Phase::Unwinds(left) => {
                let scope = code.scope_at(local.at, left);
                let base = scope.map_or(0, |scope| code.scopes[scope].held);
                if local.count > base {
                    out.push(with(&|local| local.remove(base)));
                } else if let Some(scope) = scope {
                    if self.running_in(state, thread, scope).is_empty() {
                        out.push(with(&|local| local.phase = Phase::Unwinds(Some(scope))));
                    }
                } else {
                    out.push(with(&|local| local.phase = Phase::Ended));
                }
                return;
            }
            Phase::Runs | Phase::Queues => {}
        }
        let Some(&op) = code.ops.get(local.at) else {
            out.push(with(&|local| local.phase = Phase::Ended));
            return;
        };
        let unwind = |local: &mut Local| local.phase = Phase::Unwinds(None);
        match op {
            Op::Take(lock, mode) => {
                if self.blockers(state, thread, lock, mode).is_empty() {
                    out.push(with(&|local| {
                        local.phase = Phase::Runs;
                        local.push(lock, mode);
                        local.at += 1;
                    }));
                } else if mode == Mode::Alone && lock.is_rwlock() && local.phase == Phase::Runs {
                    out.push(with(&|local| local.phase = Phase::Queues));
                }
                if local.phase == Phase::Queues && !self.is_held(state, lock) {
                    // Woken up, and on its way.
                    out.push(with(&|local| local.phase = Phase::Runs));
                }
            }
            Op::Try(lock, mode, otherwise) => {
                let is_free = self.blockers(state, thread, lock, mode).is_empty();
                out.push(with(&|local| {
                    if is_free {
                        local.push(lock, mode);
                        local.at += 1;
                    } else {
                        local.at = otherwise;
                    }
                }));
            }
            Op::Release(lock) => out.push(with(&|local| {
                let held = &local.held[..local.count];
                let newest = held.iter().rposition(|held| held.is_some_and(|held| held.0 == lock));
                local.remove(newest.expect("a sound program holds it"));
                local.at += 1;
            })),
            Op::Spawn(child) => {
                let mut after = with(&|local| local.at += 1);
                after.threads[child].phase = Phase::Runs;
                out.push(after);
            }
            Op::Join(child) => {
                if self.is_over(state, child) {
                    out.push(with(&|local| local.at += 1));
                }
            }
            Op::Send(message) => {
                let mut after = with(&|local| local.at += 1);
                after.sent[message] = true;
                out.push(after);
            }
            Op::Receive(message) => {
                let sender = self.program.sender(message).expect("a sound program has one");
                if state.sent[message] {
                    out.push(with(&|local| local.at += 1));
                } else if self.is_over(state, sender) {
                    out.push(with(&unwind));
                }
            }
            Op::Leave(scope) => {
                if self.running_in(state, thread, scope).is_empty() {
                    out.push(with(&|local| local.at += 1));
                }
            }
        }
    }

    /// What comes of it if a finding panics in the thread.
    fn panicked(&self, state: &State, thread: usize) -> Option<State> {
        let local = state.threads[thread];
        let op = self.codes[thread].ops.get(local.at)?;
        let runs = matches!(local.phase, Phase::Runs | Phase::Queues);
        (runs && matches!(op, Op::Take(..) | Op::Join(_))).then(|| {
            let mut after = *state;
            after.threads[thread].phase = Phase::Unwinds(None);
            after
        })
    }

    /// What the thread waits for in a stuck state, and for whom.
    fn wait(&self, state: &State, thread: usize) -> Option<(Wait, Vec<usize>)> {
        let local = state.threads[thread];
        let code = &self.codes[thread];
        let scope_end = |scope| Some((Wait::End, self.running_in(state, thread, scope)));
        match local.phase {
            Phase::Absent | Phase::Ended => return None,
            Phase::Unwinds(left) => return scope_end(code.scope_at(local.at, left)?),
            Phase::Runs | Phase::Queues => {}
        }
        match code.ops[local.at] {
            Op::Take(lock, mode) => {
                Some((Wait::Lock(lock), self.blockers(state, thread, lock, mode)))
            }
            Op::Join(child) => Some((Wait::End, vec![child])),
            Op::Receive(message) => {
                Some((Wait::Message, self.program.sender(message).into_iter().collect()))
            }
            Op::Leave(scope) => scope_end(scope),
            _ => None,
        }
    }

    /// Whether some interleaving gets stuck.
    pub(super) fn can_get_stuck(&self) -> bool {
        !self.stuck.is_empty()
    }

    /// Whether each of these threads can be stuck, at the same time, in its wait.
    pub(super) fn can_wait(&self, waits: &[(usize, Wait)]) -> bool {
        self.stuck.iter().any(|state| {
            let is_so = |&(thread, wanted): &(usize, Wait)| {
                self.wait(state, thread).is_some_and(|(wait, _)| wait == wanted)
            };
            waits.iter().all(is_so)
        })
    }

    /// Whether a thread can wait for ever for a message.
    pub(super) fn can_miss_a_message(&self) -> bool {
        self.stuck.iter().any(|state| {
            let mut threads = 0..self.codes.len();
            threads.any(|at| self.wait(state, at).is_some_and(|(wait, _)| wait == Wait::Message))
        })
    }

    /// The simplest cause of any deadlock of a program without tries.
    pub(super) fn simplest_cause(&self) -> Option<Cause> {
        self.stuck.iter().filter_map(|state| self.cause(state)).min()
    }

    fn cause(&self, state: &State) -> Option<Cause> {
        let causes =
            (0..self.codes.len()).filter_map(|start| self.cause_through(state, &mut vec![start]));
        causes.min()
    }

    /// The simplest cause among the cycles that begin with this path.
    fn cause_through(&self, state: &State, path: &mut Vec<usize>) -> Option<Cause> {
        let (_, next) = self.wait(state, *path.last()?)?;
        let causes = next.into_iter().filter_map(|next| {
            if next == path[0] {
                return Some(self.cause_of(state, path));
            }
            if path.contains(&next) {
                return None;
            }
            path.push(next);
            let cause = self.cause_through(state, path);
            path.pop();
            cause
        });
        causes.min()
    }

    fn cause_of(&self, state: &State, cycle: &[usize]) -> Cause {
        let wait = |at: usize| {
            let wait = self.wait(state, cycle[at % cycle.len()]);
            wait.map_or(Wait::Message, |(wait, _)| wait)
        };
        if (0..cycle.len()).any(|at| wait(at) == Wait::Message) {
            return Cause::Messages;
        }
        // Of those who wait for the end of another, the first in a row holds the lock, and had it
        // before it started the next.
        let is_inherited = (0..cycle.len()).all(|at| {
            let (Wait::Lock(lock), Wait::End) = (wait(at), wait(at + 1)) else { return true };
            let holder = cycle[(at + 1) % cycle.len()];
            let child = cycle[(at + 2) % cycle.len()];
            let code = &self.codes[holder];
            let taken = code.taken_at(lock, state.threads[holder].at);
            let spawned = code.ops.iter().position(|op| *op == Op::Spawn(child));
            taken.is_some() && taken < spawned
        });
        if is_inherited { Cause::Locks } else { Cause::Joins }
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::program;
    use super::*;

    fn explored(text: &str) -> Explored {
        explore(&program(text), Panics::Never)
    }

    #[test]
    fn two_orders_can_deadlock_and_one_cannot() {
        let two = explored("t1: X(a) X(b) U(b) U(a); t2: X(b) X(a) U(a) U(b)");
        assert_eq!(two.simplest_cause(), Some(Cause::Locks));
        let [a, b] = ["a", "b"].map(|name| Wait::Lock(Lock::named(name).expect("a lock")));
        assert!(two.can_wait(&[(0, b), (1, a)]) && !two.can_wait(&[(0, a), (1, b)]));
        assert!(!explored("t1: X(a) X(b) U(b) U(a); t2: X(a) X(b) U(a) U(b)").can_get_stuck());
    }

    #[test]
    fn readers_can_be_stuck_behind_a_writer_only() {
        assert!(!explored("t1: R(l) R(l) U(l) U(l); t2: R(l) U(l)").can_get_stuck());
        assert!(explored("t1: R(l) R(l) U(l) U(l); t2: X(l) U(l)").can_get_stuck());
    }

    #[test]
    fn who_tries_gets_stuck_only_by_what_it_took() {
        assert!(!explored("t1: X(a) ?X(b){ U(b) } U(a); t2: X(b) X(a) U(a) U(b)").can_get_stuck());
        assert!(explored("t1: ?X(a){ X(b) U(b) U(a) }; t2: X(b) X(a) U(a) U(b)").can_get_stuck());
    }

    #[test]
    fn waits_for_ends_and_messages_are_told_apart() {
        let cause = |text: &str| explored(text).simplest_cause();
        let inherited = "t1: X(a) spawn(t2) join(t2) U(a); t2: X(b) U(b); t3: X(b) X(a) U(a) U(b)";
        assert_eq!(cause(inherited), Some(Cause::Locks));
        let scoped = "t1: X(a) scope{ spawn(t2) } U(a); t2: X(b) U(b); t3: X(b) X(a) U(a) U(b)";
        assert_eq!(cause(scoped), Some(Cause::Locks));
        assert_eq!(cause("t1: spawn(t2) X(a) join(t2) U(a); t2: X(a) U(a)"), Some(Cause::Joins));
        assert_eq!(cause("t1: X(a) recv(0) U(a); t2: X(a) send(0) U(a)"), Some(Cause::Messages));
        assert_eq!(cause("t1: X(a) U(a) recv(0); t2: X(a) send(0) U(a)"), None);
    }

    #[test]
    fn what_can_happen_can_happen_also_if_threads_may_panic() {
        let text = "t1: X(l) X(b) X(a) U(a) U(b) U(l); t2: X(a) X(b) U(a) X(l) U(l) U(b)";
        let waits = ["l", "b"].map(|name| Wait::Lock(Lock::named(name).expect("a lock")));
        for panics in [Panics::Never, Panics::Anywhere] {
            let explored = explore(&program(text), panics);
            assert!(explored.can_wait(&[(1, waits[0]), (0, waits[1])]), "{panics:?}");
        }
    }

    #[test]
    fn a_panic_leaves_the_scope_only_after_its_threads() {
        let text = "t1: X(a) scope{ spawn(t2) X(b) U(b) } U(a); t2: X(a) U(a)";
        assert!(explored(text).can_get_stuck());
        let freed = program("t1: X(a) U(a) send(0); t2: recv(0) X(a) X(a) U(a) U(a)");
        let freed = explore(&freed, Panics::Anywhere);
        assert!(!freed.can_miss_a_message() && freed.can_get_stuck());
    }
}
