//! How often each dependency was seen, and when: what its agent adds to without a look at anything global.
//!
//! There are very many, and what is done with most of them is done once. So they are short and stand side by
//! side, on [sheets](Sheet) that only grow: an agent owns its sheets together with the
//! [store](super::store), and nothing has to be counted or allocated for each line. What many have in common,
//! such as the moment of the only time that they were seen, is on the sheet once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::atomics::{Mutex, lock};
use crate::finding::AgentId;
use crate::lock_order::clock::Moment;

/// How often a dependency was seen, and the numbers of the moments when first and last: a line of a [`Sheet`].
///
/// Only the agent writes, and whoever has the store if it has to add what was seen twice. Relaxed: a count says
/// nothing about other memory, and the line is handed on through the store's mutex.
#[derive(Debug)]
pub(crate) struct Repeats {
    /// The chain of which this is; see [`Chains`](crate::foresight::chains::Chains). The agent's own.
    key: AtomicU64,
    /// When it was judged last, as the agent tells that from other times. The agent's own.
    stamp: AtomicU64,
    /// 0 in a line that is not in use.
    count: AtomicU64,
    first: AtomicU32,
    last: AtomicU32,
    /// Where the dependency is in the store, if it is there. Only who has the store reads and writes.
    index: AtomicU32,
    /// Whether a repeat at another time could make a circle possible.
    matter: AtomicBool,
    /// Whether it was made where others' sections may turn out to be around it: a repeat may not be.
    is_inside: AtomicBool,
}

impl Repeats {
    fn unused() -> Self {
        Self {
            key: AtomicU64::new(0),
            stamp: AtomicU64::new(0),
            count: AtomicU64::new(0),
            first: AtomicU32::new(0),
            last: AtomicU32::new(0),
            index: AtomicU32::new(u32::MAX),
            matter: AtomicBool::new(false),
            is_inside: AtomicBool::new(false),
        }
    }

    /// Of which chain it is.
    #[inline]
    pub(crate) fn key(&self) -> u64 {
        self.key.load(Ordering::Relaxed)
    }

    /// When it was judged last.
    #[inline]
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Relaxed)
    }

    pub(crate) fn set_stamp(&self, stamp: u64) {
        self.stamp.store(stamp, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Once more, at a moment that need not be told from the last one.
    #[inline]
    pub(crate) fn add_one(&self) {
        self.add_count(1);
    }

    #[inline]
    fn add_count(&self, count: u64) {
        self.count.store(self.count() + count, Ordering::Relaxed);
    }

    pub(crate) fn is_inside(&self) -> bool {
        self.is_inside.load(Ordering::Relaxed)
    }

    /// Whether a repeat at another time has to be judged.
    pub(crate) fn matter(&self) -> bool {
        self.matter.load(Ordering::Relaxed)
    }

    pub(super) fn set_matter(&self) {
        self.matter.store(true, Ordering::Relaxed);
    }

    pub(super) fn index(&self) -> usize {
        self.index.load(Ordering::Relaxed) as usize
    }

    pub(super) fn set_index(&self, index: usize) {
        self.index.store(index as u32, Ordering::Relaxed);
    }
}

/// Lines of one agent.
#[derive(Debug)]
pub(crate) struct Sheet<L: ?Sized = [Repeats]> {
    agent: AgentId,
    /// Its place in the store, if it is there. Only who has the store reads and writes.
    number: AtomicU32,
    /// When the lines were seen, one after another; the lines have the numbers of what stands here. Who writes
    /// those does so while it has this. Nobody waits for it long, and nothing else is done meanwhile but to get
    /// memory.
    moments: Mutex<Vec<Arc<Moment>>>,
    lines: L,
}

/// An agent's first sheet has so many lines, and each one twice as many as the one before, up to the largest.
const LINES_MIN: usize = 2;
pub(crate) const LINES_MAX: usize = 64;

impl Sheet {
    /// An empty one that follows on one of so many lines.
    pub(crate) fn after(lines: usize, agent: AgentId) -> Arc<Self> {
        match lines {
            0..LINES_MIN => Sheet::<[Repeats; LINES_MIN]>::empty(agent),
            2..4 => Sheet::<[Repeats; 4]>::empty(agent),
            4..8 => Sheet::<[Repeats; 8]>::empty(agent),
            8..16 => Sheet::<[Repeats; 16]>::empty(agent),
            16..32 => Sheet::<[Repeats; 32]>::empty(agent),
            _ => Sheet::<[Repeats; LINES_MAX]>::empty(agent),
        }
    }

    /// How many lines it has, used or not.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    #[inline]
    pub(crate) fn line(&self, at: usize) -> &Repeats {
        &self.lines[at]
    }

    pub(super) fn number(&self) -> usize {
        self.number.load(Ordering::Relaxed) as usize
    }

    pub(super) fn set_number(&self, number: usize) {
        self.number.store(number as u32, Ordering::Relaxed);
    }

    /// Makes sure that `now` is among `moments`, as the last one. Those that no line needs any more give way.
    fn have(&self, moments: &mut Vec<Arc<Moment>>, now: &Arc<Moment>) -> u32 {
        if moments.last().is_none_or(|last| !Arc::ptr_eq(last, now)) {
            // Up to half of that are needed.
            if moments.len() > 4 * self.lines.len() {
                self.drop_unneeded(moments);
            }
            moments.push(Arc::clone(now));
        }
        moments.len() as u32 - 1
    }

    fn drop_unneeded(&self, moments: &mut Vec<Arc<Moment>>) {
        let mut kept: Vec<(u32, Arc<Moment>)> = Vec::with_capacity(moments.len());
        let used = self.lines.iter().filter(|line| line.count() > 0);
        for number in used.flat_map(|line| [&line.first, &line.last]) {
            let old = number.load(Ordering::Relaxed);
            let new = kept.iter().position(|&(known, _)| known == old).unwrap_or_else(|| {
                kept.push((old, Arc::clone(&moments[old as usize])));
                kept.len() - 1
            });
            number.store(new as u32, Ordering::Relaxed);
        }
        *moments = kept.into_iter().map(|(_, moment)| moment).collect();
    }
}

impl<const LINES: usize> Sheet<[Repeats; LINES]> {
    fn empty(agent: AgentId) -> Arc<Sheet> {
        Arc::new(Self {
            agent,
            number: AtomicU32::new(u32::MAX),
            moments: Mutex::default(),
            lines: std::array::from_fn(|_| Repeats::unused()),
        })
    }
}

/// A line and its sheet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'s> {
    sheet: &'s Sheet,
    repeats: &'s Repeats,
}

impl<'s> Line<'s> {
    pub(super) fn new(sheet: &'s Sheet, at: usize) -> Self {
        Self { sheet, repeats: sheet.line(at) }
    }

    /// Whose it is.
    pub(crate) fn agent(self) -> AgentId {
        self.sheet.agent
    }

    /// What may be asked of it and done to it without a look at the sheet.
    pub(crate) fn repeats(self) -> &'s Repeats {
        self.repeats
    }

    pub(crate) fn count(self) -> u64 {
        self.repeats.count()
    }

    pub(crate) fn first(self) -> Arc<Moment> {
        self.moment(&self.repeats.first)
    }

    pub(crate) fn last(self) -> Arc<Moment> {
        self.moment(&self.repeats.last)
    }

    fn moment(self, number: &AtomicU32) -> Arc<Moment> {
        let moments = lock(&self.sheet.moments);
        Arc::clone(&moments[number.load(Ordering::Relaxed) as usize])
    }

    /// So often more, the last time at that moment.
    pub(crate) fn add(self, count: u64, last: &Arc<Moment>) {
        let mut moments = lock(&self.sheet.moments);
        let number = self.sheet.have(&mut moments, last);
        self.repeats.last.store(number, Ordering::Relaxed);
        self.repeats.add_count(count);
    }

    /// For the first time, or once more. A line that was begun inside others' sections is not used for what is
    /// not, nor the other way round.
    pub(crate) fn see(self, now: &Arc<Moment>, is_inside: bool) {
        if self.count() > 0 {
            return self.add(1, now);
        }
        let mut moments = lock(&self.sheet.moments);
        let number = self.sheet.have(&mut moments, now);
        self.repeats.first.store(number, Ordering::Relaxed);
        self.repeats.last.store(number, Ordering::Relaxed);
        self.repeats.is_inside.store(is_inside, Ordering::Relaxed);
        self.repeats.add_count(1);
    }

    /// Whether both are the same one.
    pub(super) fn is(self, other: Line<'_>) -> bool {
        std::ptr::eq(self.repeats, other.repeats)
    }
}

/// A line for whoever keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    sheet: Arc<Sheet>,
    at: u32,
}

impl Noted {
    /// Line `at` of `sheet`, which is of this chain from here on.
    pub(crate) fn begin(sheet: &Arc<Sheet>, at: usize, key: u64) -> Self {
        sheet.line(at).key.store(key, Ordering::Relaxed);
        Self::of(sheet, at)
    }

    /// Line `at` of `sheet`.
    pub(crate) fn of(sheet: &Arc<Sheet>, at: usize) -> Self {
        Self { sheet: Arc::clone(sheet), at: at as u32 }
    }

    /// A line of the agent's for something else than a request of its chain cache.
    pub(crate) fn alone(agent: AgentId) -> Self {
        Self { sheet: Sheet::after(0, agent), at: 0 }
    }

    pub(crate) fn line(&self) -> Line<'_> {
        Line::new(&self.sheet, self.at())
    }

    pub(crate) fn sheet(&self) -> &Arc<Sheet> {
        &self.sheet
    }

    pub(crate) fn at(&self) -> usize {
        self.at as usize
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::lock_order::clock::Timeline;

    #[test]
    fn a_line_is_short() {
        assert_eq!(size_of::<Repeats>(), 40);
    }

    #[test]
    fn sheets_grow_up_to_the_largest() {
        let mut lines = 0;
        let sizes = std::iter::repeat_with(|| {
            lines = Sheet::after(lines, AgentId(1)).len();
            lines
        });
        assert_eq!(sizes.take(7).collect::<Vec<_>>(), [2, 4, 8, 16, 32, 64, 64]);
    }

    /// The moments of a line are its first and its last one, however many there were.
    #[test]
    fn moments_that_no_line_needs_give_way() {
        let sheet = Sheet::after(0, AgentId(1));
        let mut time = Timeline::new(AgentId(1), 1);
        let lines = [0, 1].map(|at| Line::new(&sheet, at));
        let mut next = |news| time.now(news);
        let first = [next(0), next(1)];
        lines.iter().zip(&first).for_each(|(line, first)| line.see(first, false));
        let mut last = first.clone();
        for news in 2..1000 {
            let at = news as usize % 3 % 2;
            last[at] = next(news);
            lines[at].see(&last[at], true);
        }
        for (at, line) in lines.into_iter().enumerate() {
            assert!(Arc::ptr_eq(&line.first(), &first[at]) && Arc::ptr_eq(&line.last(), &last[at]));
            assert!(!line.repeats().is_inside());
        }
        assert_eq!(lines.map(Line::count).iter().sum::<u64>(), 1000);
        assert!(lock(&sheet.moments).len() <= 9);
    }
}
