//! Programs: what they are, as text, and at random.

use std::fmt;

/// A program: one list of steps for each thread. A thread that nobody spawns runs from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(pub Vec<Vec<Step>>);

/// What a thread does next; the table in the [module](super) explains each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Take(Lock, Mode),
    Try(Lock, Mode, Vec<Step>),
    Release(Lock),
    Spawn(usize),
    Join(usize),
    Send(usize),
    Receive(usize),
    Scope(Vec<Step>),
}

/// `a`, `b` and `c` are mutexes; `l`, `m` and `n` are read-write locks. By its place among these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock(pub usize);

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// By `lock` or `write`.
    Alone,
    /// By `read`.
    Shared,
}

impl Mode {
    /// Whether one who holds a lock in this mode keeps another one waiting.
    pub fn blocks(self, wanted: Self) -> bool {
        self == Self::Alone || wanted == Self::Alone
    }
}

impl Lock {
    /// All names.
    pub(super) const NAMES: [&'static str; 6] = ["a", "b", "c", "l", "m", "n"];

    /// The lock of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|other| *other == name).map(Self)
    }

    /// Whether it can be shared.
    pub fn is_rwlock(self) -> bool {
        self.0 >= 3
    }
}

/// The greatest numbers, exclusive.
pub(super) const THREADS: usize = 3;
/// Of messages.
pub(super) const MESSAGES: usize = 4;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = tokens(self).into_iter().enumerate();
        let lines: Vec<String> =
            threads.map(|(at, tokens)| format!("t{}: {}", at + 1, tokens.join(" "))).collect();
        f.write_str(&lines.join("; "))
    }
}

/// The words of each thread, as the text form has them.
pub(super) fn tokens(program: &Program) -> Vec<Vec<String>> {
    let words = |steps: &Vec<Step>| {
        let mut words = Vec::new();
        write_steps(steps, &mut words);
        words
    };
    program.0.iter().map(words).collect()
}

fn write_steps(steps: &[Step], out: &mut Vec<String>) {
    let letter = |mode| if mode == Mode::Alone { 'X' } else { 'R' };
    let name = |lock: Lock| Lock::NAMES[lock.0];
    for step in steps {
        match step {
            Step::Take(lock, mode) => out.push(format!("{}({})", letter(*mode), name(*lock))),
            Step::Try(lock, mode, body) => {
                out.push(format!("?{}({}){{", letter(*mode), name(*lock)));
                write_steps(body, out);
                out.push("}".to_owned());
            }
            Step::Release(lock) => out.push(format!("U({})", name(*lock))),
            Step::Spawn(child) => out.push(format!("spawn(t{})", child + 1)),
            Step::Join(child) => out.push(format!("join(t{})", child + 1)),
            Step::Send(message) => out.push(format!("send({message})")),
            Step::Receive(message) => out.push(format!("recv({message})")),
            Step::Scope(body) => {
                out.push("scope{".to_owned());
                write_steps(body, out);
                out.push("}".to_owned());
            }
        }
    }
}

/// Reads a program: `"t1: X(a) spawn(t2) U(a); t2: X(a) U(a)"`.
///
/// # Panics
///
/// If the text is no program that can be run.
#[track_caller]
pub fn program(text: &str) -> Program {
    let threads: Vec<Vec<String>> = text
        .split(';')
        .enumerate()
        .map(|(at, thread)| {
            let (name, words) = thread.split_once(':').expect("a thread's name before its steps");
            assert_eq!(name.trim(), format!("t{}", at + 1), "threads are named in order");
            words.split_whitespace().map(str::to_owned).collect()
        })
        .collect();
    from_tokens(&threads).unwrap_or_else(|| panic!("no program: {text}"))
}

/// `None` if that is no program that can be run.
pub(super) fn from_tokens(threads: &[Vec<String>]) -> Option<Program> {
    let read = |words: &Vec<String>| {
        let mut words = words.iter().map(String::as_str);
        let steps = read_steps(&mut words, false)?;
        words.next().is_none().then_some(steps)
    };
    let program = Program(threads.iter().map(read).collect::<Option<_>>()?);
    program.is_sound().then_some(program)
}

fn read_steps<'t>(words: &mut impl Iterator<Item = &'t str>, inside: bool) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while let Some(word) = words.next() {
        if word == "}" {
            return inside.then_some(steps);
        }
        if word == "scope{" {
            steps.push(Step::Scope(read_steps(words, true)?));
            continue;
        }
        let (verb, rest) = word.split_once('(')?;
        let (name, rest) = rest.split_once(')')?;
        let lock = || Lock::named(name);
        let number = || name.parse().ok().filter(|&message| message < MESSAGES);
        let thread = || name.strip_prefix('t')?.parse::<usize>().ok()?.checked_sub(1);
        steps.push(match (verb, rest) {
            ("X", "") => Step::Take(lock()?, Mode::Alone),
            ("R", "") => Step::Take(lock()?, Mode::Shared),
            ("?X", "{") => Step::Try(lock()?, Mode::Alone, read_steps(words, true)?),
            ("?R", "{") => Step::Try(lock()?, Mode::Shared, read_steps(words, true)?),
            ("U", "") => Step::Release(lock()?),
            ("spawn", "") => Step::Spawn(thread()?),
            ("join", "") => Step::Join(thread()?),
            ("send", "") => Step::Send(number()?),
            ("recv", "") => Step::Receive(number()?),
            _ => return None,
        });
    }
    (!inside).then_some(steps)
}

impl Program {
    /// Whether any step tries.
    pub fn has_tries(&self) -> bool {
        self.0.iter().any(|steps| any(steps, &|step| matches!(step, Step::Try(..))))
    }

    /// Whether any step receives.
    pub fn has_messages(&self) -> bool {
        self.0.iter().any(|steps| any(steps, &|step| matches!(step, Step::Receive(_))))
    }

    /// Who spawns the thread.
    pub fn parent(&self, child: usize) -> Option<usize> {
        self.0.iter().position(|steps| any(steps, &|step| *step == Step::Spawn(child)))
    }

    /// Who sends the message.
    pub fn sender(&self, message: usize) -> Option<usize> {
        self.0.iter().position(|steps| any(steps, &|step| *step == Step::Send(message)))
    }

    /// Who receives it.
    pub fn receiver(&self, message: usize) -> Option<usize> {
        self.0.iter().position(|steps| any(steps, &|step| *step == Step::Receive(message)))
    }

    /// Whether it can be run: what is released is held, and by the same block; threads are spawned
    /// once, by earlier ones, and joined after that; messages are sent and received once.
    pub fn is_sound(&self) -> bool {
        let mut seen = Seen::default();
        let threads = self.0.len();
        (1..=THREADS).contains(&threads)
            && (0..threads).all(|thread| {
                let mut own = Vec::new();
                seen.check(&self.0[thread], &mut Vec::new(), &mut own, false)
                    && own.iter().all(|&child| child > thread && child < threads)
            })
            && seen.sent.len() == seen.received.len()
            && seen.received.iter().all(|message| seen.sent.contains(message))
    }
}

fn any(steps: &[Step], wanted: &dyn Fn(&Step) -> bool) -> bool {
    steps.iter().any(|step| {
        wanted(step)
            || match step {
                Step::Try(.., body) | Step::Scope(body) => any(body, wanted),
                _ => false,
            }
    })
}

#[derive(Default)]
struct Seen {
    spawned: Vec<usize>,
    joined: Vec<usize>,
    sent: Vec<usize>,
    received: Vec<usize>,
}

fn add(to: &mut Vec<usize>, new: usize) -> bool {
    let is_new = !to.contains(&new);
    to.push(new);
    is_new
}

impl Seen {
    /// `held` is what the innermost block has taken, `spawned` what can be joined there.
    fn check(
        &mut self,
        steps: &[Step],
        held: &mut Vec<Lock>,
        spawned: &mut Vec<usize>,
        in_try: bool,
    ) -> bool {
        let is_sound = steps.iter().all(|step| match step {
            Step::Take(lock, mode) => {
                held.push(*lock);
                *mode == Mode::Alone || lock.is_rwlock()
            }
            Step::Try(lock, mode, body) => {
                (*mode == Mode::Alone || lock.is_rwlock())
                    && self.check(body, &mut vec![*lock], spawned, true)
            }
            Step::Release(lock) => match held.iter().rposition(|other| other == lock) {
                Some(at) => {
                    held.remove(at);
                    true
                }
                None => false,
            },
            Step::Spawn(child) => {
                spawned.push(*child);
                !in_try && add(&mut self.spawned, *child)
            }
            Step::Join(child) => {
                !in_try && spawned.contains(child) && add(&mut self.joined, *child)
            }
            Step::Send(message) => !in_try && add(&mut self.sent, *message),
            Step::Receive(message) => !in_try && add(&mut self.received, *message),
            Step::Scope(body) => {
                let before = spawned.len();
                let is_sound = !in_try && self.check(body, &mut Vec::new(), spawned, false);
                // The threads of a scope cannot be joined after it; they are remembered all the same.
                self.joined.extend(&spawned[before..]);
                is_sound
            }
        });
        is_sound && held.is_empty()
    }
}

/// A generator of numbers below a bound; its state can be set.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A random program: nests of up to three of three locks, released in any order and now and then
/// early; and in some, threads that are spawned and joined, scopes, and messages.
pub(super) fn random_program(random: &mut Random, tries: bool) -> Program {
    let locks = match random.below(4) {
        0 => [0, 1, 2],
        1 => [3, 4, 5],
        2 => [0, 1, 3],
        _ => [0, 3, 4],
    };
    let mut nests = Nests { locks: locks.map(Lock), tries, random };
    let count = 2 + nests.random.below(THREADS - 1);
    let mut threads = vec![Vec::new(); count];
    for steps in &mut threads {
        for _ in 0..1 + nests.random.below(2) {
            nests.add_to(steps);
        }
    }
    let mut program = Program(threads);
    for child in 1..count {
        if random.one_in(3) {
            let parent = random.below(child);
            adopt(&mut program, parent, child, random);
        }
    }
    for message in 0..random.below(4).saturating_sub(1) {
        let (from, to) = (random.below(count), random.below(count));
        if from != to {
            insert(&mut program.0[from], Step::Send(message), random);
            let to = &mut program.0[to];
            let at = random.below(to.len() + 1);
            // Mostly between two nests.
            let at = if random.one_in(4) {
                at
            } else {
                (at..=to.len()).find(|&at| is_free(&to[..at])).unwrap_or(at)
            };
            to.insert(at, Step::Receive(message));
        }
    }
    assert!(program.is_sound(), "{program}");
    program
}

/// Has `child` started by `parent`, if the first attempt at it is sound.
fn adopt(program: &mut Program, parent: usize, child: usize, random: &mut Random) {
    let mut with = program.clone();
    let steps = &mut with.0[parent];
    let from = random.below(steps.len() + 1);
    let to = from + random.below(steps.len() + 1 - from);
    if random.one_in(3) {
        let mut body: Vec<Step> = steps.splice(from..to, []).collect();
        insert(&mut body, Step::Spawn(child), random);
        steps.insert(from, Step::Scope(body));
    } else {
        if random.one_in(2) {
            steps.insert(to, Step::Join(child));
        }
        steps.insert(from, Step::Spawn(child));
    }
    if with.is_sound() {
        *program = with;
    }
}

/// Whether nothing is held after these steps.
fn is_free(steps: &[Step]) -> bool {
    let sum: i32 = steps
        .iter()
        .map(|step| match step {
            Step::Take(..) => 1,
            Step::Release(_) => -1,
            _ => 0,
        })
        .sum();
    sum == 0
}

fn insert(steps: &mut Vec<Step>, step: Step, random: &mut Random) {
    let at = random.below(steps.len() + 1);
    steps.insert(at, step);
}

struct Nests<'r> {
    locks: [Lock; 3],
    tries: bool,
    random: &'r mut Random,
}

impl Nests<'_> {
    fn add_to(&mut self, steps: &mut Vec<Step>) {
        let (mut held, mut avoid) = (Vec::new(), Vec::new());
        let depth = 1 + self.random.below(3);
        self.nest(steps, depth, &mut held, &mut avoid);
        self.release_all(steps, &mut held);
    }

    /// `held` is what the block has taken, `avoid` what is held at all.
    fn nest(
        &mut self,
        steps: &mut Vec<Step>,
        depth: usize,
        held: &mut Vec<Lock>,
        avoid: &mut Vec<Lock>,
    ) {
        let mut free = self.locks.to_vec();
        if !self.random.one_in(20) {
            free.retain(|lock| !avoid.contains(lock));
        }
        if depth == 0 || free.is_empty() {
            return;
        }
        let lock = free[self.random.below(free.len())];
        let shared = lock.is_rwlock() && self.random.one_in(2);
        let mode = if shared { Mode::Shared } else { Mode::Alone };
        avoid.push(lock);
        if self.tries && self.random.one_in(2) {
            let (mut body, mut inner) = (Vec::new(), vec![lock]);
            self.nest(&mut body, depth - 1, &mut inner, avoid);
            self.release_all(&mut body, &mut inner);
            steps.push(Step::Try(lock, mode, body));
            avoid.pop();
            return;
        }
        steps.push(Step::Take(lock, mode));
        held.push(lock);
        if held.len() > 1 && self.random.one_in(5) {
            let early = held.remove(self.random.below(held.len()));
            steps.push(Step::Release(early));
            avoid.retain(|lock| *lock != early);
        }
        self.nest(steps, depth - 1, held, avoid);
    }

    fn release_all(&mut self, steps: &mut Vec<Step>, held: &mut Vec<Lock>) {
        while !held.is_empty() {
            let newest = held.len() - 1;
            let at = if self.random.one_in(2) { newest } else { self.random.below(held.len()) };
            steps.push(Step::Release(held.remove(at)));
        }
    }
}
