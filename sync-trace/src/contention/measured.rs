//! Which holds are measured: some, chosen at random before they begin.
//!
//! To read the clock twice costs more than all else that is done for a lock, so it is done for few. When a number of
//! holds at one place of the held stack have ended that was drawn at random, the next one there is measured. That
//! is decided before it begins and whatever it is of, so long holds are chosen no more often than short ones;
//! it counts for as many as there are on average from one measured hold to the next, so sums over many are
//! right. How many that are is adapted to how fast holds follow each other: measured is about one in
//! [`PACE_NS`], and each as long as they come more slowly.

use crate::held::{Held, INLINE};

/// So much time is to lie between two measured holds of an agent at one place: a hundred times what it takes to measure one.
const PACE_NS: u64 = 40_000;
/// At most so many holds are counted for one measured one.
const MEAN_MAX: u32 = 4096;
/// From this length of a hold on, the next one at the same place is compared with the time on the processor,
/// which costs a system call at each end.
const LONG_NS: u64 = 100_000;

/// How often something is chosen that happens again and again.
pub(crate) struct Pace {
    /// One of how many, on average.
    mean: u32,
    /// When that was last looked at.
    looked_ns: u64,
    random: u64,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { mean: 1, looked_ns: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// For how many the chosen one stands.
    pub(crate) fn weight(&self) -> u32 {
        self.mean
    }

    /// One was chosen: adapts, and draws how many others come before the next one.
    pub(crate) fn draw(&mut self, now_ns: u64, pace_ns: u64, mean_max: u32) -> u32 {
        let since = now_ns.saturating_sub(self.looked_ns);
        self.looked_ns = now_ns;
        if since < pace_ns / 2 {
            self.mean = (self.mean * 2).min(mean_max);
        } else if since > pace_ns * 2 {
            self.mean = (self.mean / 2).max(1);
        }
        // Marsaglia's xorshift; the clock tells threads apart.
        let mut random = self.random ^ now_ns;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        self.random = random | 1;
        // From 0 to twice the mean of the others, each as likely.
        let others = u64::from(self.mean - 1);
        (((random >> 32) * (2 * others + 1)) >> 32) as u32
    }
}

/// A hold that is being measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    /// For how many holds it stands.
    pub(crate) weight: u32,
    pub(crate) since_ns: u64,
    /// How long its thread had run then, if that is measured too.
    pub(crate) cpu_ns: Option<u64>,
    /// Whether somebody waited for the lock, which was had at once.
    pub(crate) bypassed: bool,
}

/// What the next hold at a place is, or the present one.
#[derive(Clone, Copy, Debug)]
enum State {
    Passes,
    /// To be measured, standing for so many.
    Armed(u32),
    Runs(Running),
}

/// An agent's, for each place of its held stack.
pub(crate) struct Measured {
    states: [State; INLINE],
    /// Where the last measured hold was a long one.
    was_long: [bool; INLINE],
    paces: [Pace; INLINE],
    /// What was removed from the stack and not popped.
    removed: Removed,
}

/// What there is to do about a hold that was removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Removed {
    /// It was measured.
    pub(crate) ended: Option<(Held, Running)>,
    /// The next one is to be, or it has to be decided which.
    pub(crate) is_due: bool,
}

impl Measured {
    pub(crate) const fn new() -> Self {
        Self {
            // An agent's first hold at each place is.
            states: [State::Armed(1); INLINE],
            was_long: [false; INLINE],
            paces: [const { Pace::new() }; INLINE],
            removed: Removed { ended: None, is_due: false },
        }
    }

    /// Whether the hold that begins at this place is to be measured.
    pub(crate) fn is_armed(&self, place: usize) -> bool {
        matches!(self.states.get(place), Some(State::Armed(_)))
    }

    /// The places where that is so, bit by bit.
    pub(crate) fn armed(&self) -> u32 {
        (0..INLINE).filter(|place| self.is_armed(*place)).map(|place| 1 << place).sum()
    }

    /// Whether its time on the processor is wanted too.
    pub(crate) fn wants_cpu(&self, place: usize) -> bool {
        self.was_long[place]
    }

    /// The hold at this place, which is armed, has begun.
    pub(crate) fn begin(&mut self, place: usize, running: Running) {
        if let State::Armed(weight) = self.states[place] {
            self.states[place] = State::Runs(Running { weight, ..running });
        }
    }

    /// The hold at this place has ended. Returns what was measured of it, if it was.
    pub(crate) fn end(&mut self, place: usize) -> Option<Running> {
        match self.states[place] {
            State::Runs(running) => {
                self.states[place] = State::Passes;
                Some(running)
            }
            State::Passes | State::Armed(_) => None,
        }
    }

    /// What was measured at this place took so long.
    pub(crate) fn took(&mut self, place: usize, ns: u64) {
        self.was_long[place] = ns >= LONG_NS;
    }

    /// How many holds at this place are not measured before the next one that is. None if `all` are.
    pub(crate) fn draw(&mut self, place: usize, now_ns: u64, all: bool) -> u32 {
        if all {
            self.paces[place].mean = 1;
            return 0;
        }
        self.paces[place].draw(now_ns, PACE_NS, MEAN_MAX)
    }

    /// The next hold at this place is to be measured.
    pub(crate) fn arm(&mut self, place: usize) {
        self.states[place] = State::Armed(self.paces[place].weight());
    }

    /// Nothing is measured at this place.
    pub(crate) fn disarm(&mut self, place: usize) {
        self.states[place] = State::Passes;
    }

    /// The entry at this place was removed, and those above it, of `count` in all, have moved down. `start`
    /// tells a place how many are left there, of what `left` tells.
    pub(crate) fn remove(
        &mut self,
        at: usize,
        count: usize,
        held: &Held,
        left: impl Fn(usize) -> u32,
        start: impl Fn(usize, u32),
    ) {
        let was = |state: &State| matches!(state, State::Runs(_));
        let ran: [bool; INLINE] = std::array::from_fn(|place| was(&self.states[place]));
        let ended = self.end(at);
        let mut due = ended.is_some();
        if !ran[at] {
            // It counts here, where no pop will.
            let left = left(at).saturating_sub(1);
            due = left == 0;
            start(at, left.max(1));
        }
        for (place, ran) in ran.into_iter().enumerate().take(count).skip(at) {
            let state = self.states.get(place + 1).filter(|_| place + 1 < count);
            let state = state.copied().unwrap_or(State::Passes);
            self.states[place] = state;
            match (was(&state), ran) {
                // Its end is due.
                (true, _) => start(place, 1),
                // That was another one's.
                (false, true) => start(place, self.paces[place].mean),
                (false, false) => {}
            }
        }
        self.removed = Removed { ended: ended.map(|running| (*held, running)), is_due: due };
    }

    /// The hold at this place has become another one.
    pub(crate) fn relabel(&mut self, place: usize, held: &Held, start: impl Fn(usize, u32)) {
        if let Some(running) = self.end(place) {
            start(place, self.paces[place].mean);
            self.removed.ended = Some((*held, running));
        }
    }

    /// What there is to do about what was removed last.
    pub(crate) fn take_removed(&mut self) -> Removed {
        std::mem::take(&mut self.removed)
    }

    /// Nothing is held any more, and nobody knows when that ended. The next agent's first holds are measured, at
    /// so many places.
    pub(crate) fn clear(&mut self, armed: usize) {
        (0..INLINE).for_each(|place| _ = self.end(place));
        self.removed = Removed::default();
        for place in 0..armed {
            self.paces[place].mean = 1;
            self.arm(place);
        }
    }
}
