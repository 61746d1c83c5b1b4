//! All dependencies that were seen, and the lists that lead from locks to them.
//!
//! Most are seen once, of locks that are held by nobody who wants another one, and there may be very many. So
//! little is kept of each: which lock it was, and where the rest stands, which it has in common with others
//! that were made in the same [context](Context), in the same [way](Ways).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::by_lock::{ByLock, END};
use super::circle::Circle;
use super::dependency::{Context, Dependency, Request};
use super::repeats::{Line, Noted, Sheet};
use super::search;
use super::ways::Ways;
use crate::finding::{LockId, Sightings};
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::clock::Section;
use crate::lock_order::hold::{Guard, Hold};
use crate::meaning::Meaning;
use crate::op::Mode;

/// All dependencies seen.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    all: Vec<Entry>,
    ways: Ways,
    contexts: Vec<Shared>,
    sheets: Vec<Arc<Sheet>>,
    /// Those that were made inside others' sections or may have been. What all others have in common
    /// with a repeat, their agent knows.
    inside: HashMap<u64, u32, QuickHash>,
    /// Those that hold a lock, and those that want it.
    by_lock: ByLock,
    /// Those that want to write a lock that can be shared, and those that want to share it and may
    /// have to queue behind a writer.
    by_shared_lock: HashMap<LockId, SharedHeads, QuickHash>,
    links: Vec<Link>,
    /// Those for which a section, by its number, is still open.
    inside_open: HashMap<NonZeroU64, Vec<usize>, QuickHash>,
    /// How many searches were cut off.
    pub(crate) cut_off: u64,
}

/// A dependency as it is kept.
#[derive(Debug)]
struct Entry {
    wanted: LockId,
    way: u32,
    context: u32,
    /// The one before it in its context.
    next: u32,
    /// The one before it that wants a lock which nobody holds.
    waiting: u32,
    sheet: u32,
    line: u32,
}

/// What dependencies were made in.
#[derive(Debug)]
struct Shared {
    context: Context,
    /// The newest one of them.
    newest: u32,
}

/// Where the lists of a lock begin that can be shared, the newest first.
#[derive(Clone, Copy, Debug)]
struct SharedHeads {
    writing: u32,
    sharing: u32,
}

/// A context or a dependency, and the next one of its list.
#[derive(Clone, Copy, Debug)]
struct Link {
    what: u32,
    next: u32,
}

/// So many contexts that hold the same lock are looked at for one that is the same.
const ALIKE_MAX: usize = 4;

/// What became of a dependency.
pub(crate) struct Added {
    /// What stands for it.
    pub(crate) index: usize,
    /// Whether there was none like it.
    pub(crate) is_new: bool,
    /// Whether anybody was seen to hold the lock that it wants while wanting something.
    pub(crate) wants_what_is_held: bool,
    /// Those that want a lock which nobody held before this one.
    pub(crate) met: Vec<usize>,
}

/// Where contexts are that were taken over from another store.
pub(crate) type Moved = HashMap<u32, u32, QuickHash>;

impl Dependencies {
    pub(crate) fn get(&self, index: usize) -> Dependency<'_> {
        let entry = &self.all[index];
        let wanted = self.ways.hold(entry.way, entry.wanted);
        Dependency::new(wanted, &self.contexts[entry.context as usize].context, self.line(entry))
    }

    fn line(&self, entry: &Entry) -> Line<'_> {
        Line::new(&self.sheets[entry.sheet as usize], entry.line as usize)
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = Dependency<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The number of the one of which an agent remembers this.
    pub(crate) fn find(&self, noted: &Noted) -> Option<usize> {
        let index = noted.line().repeats().index();
        let known = self.all.get(index)?;
        self.line(known).is(noted.line()).then_some(index)
    }

    /// Those that hold `lock`.
    pub(super) fn holding(&self, lock: LockId) -> impl Iterator<Item = usize> {
        self.contexts_holding(lock).flat_map(|context| self.made_in(context))
    }

    fn contexts_holding(&self, lock: LockId) -> impl Iterator<Item = usize> {
        list(&self.links, self.by_lock.get(lock).holding)
    }

    /// Those that were made in a context.
    fn made_in(&self, context: usize) -> impl Iterator<Item = usize> {
        self.list(self.contexts[context].newest, |entry| entry.next)
    }

    /// Those of a list that leads through the entries themselves.
    fn list(&self, head: u32, next: fn(&Entry) -> u32) -> impl Iterator<Item = usize> {
        let valid = |at: u32| (at != END).then_some(at as usize);
        std::iter::successors(valid(head), move |&at| valid(next(&self.all[at])))
    }

    /// The writes of `lock`, if it can be shared.
    pub(super) fn writing(&self, lock: LockId) -> impl Iterator<Item = usize> {
        list(&self.links, self.by_shared_lock.get(&lock).map_or(END, |heads| heads.writing))
    }

    /// The requests that a writer of `lock` may keep waiting by queueing for it.
    pub(crate) fn sharing(&self, lock: LockId) -> impl Iterator<Item = usize> {
        list(&self.links, self.by_shared_lock.get(&lock).map_or(END, |heads| heads.sharing))
    }

    /// Whether anybody was seen to hold `lock` while it wanted something.
    pub(crate) fn is_held(&self, lock: LockId) -> bool {
        self.by_lock.get(lock).holding != END
    }

    /// How often, and by whom and where, `wanted` was wanted while `held` was held.
    pub(crate) fn sightings(&self, held: LockId, wanted: LockId) -> Sightings {
        let all = self.holding(held).map(|index| self.get(index));
        let (mut times, mut threads, mut sites) = (0, BTreeSet::new(), BTreeSet::new());
        // What is done before something is given was counted when it was done.
        let is_counted = |dependency: &Dependency<'_>| {
            dependency.wanted.lock == wanted
                && dependency.gives().is_none_or(|gives| gives.lock == held)
        };
        for dependency in all.filter(is_counted) {
            times += dependency.repeats.count();
            threads.insert(dependency.agent());
            sites.insert(dependency.wanted.site);
        }
        Sightings { times, threads: threads.len() as u64, sites: sites.len() as u64 }
    }

    /// From here on, what holds and wants these locks, or writes one of them, matters whenever it is
    /// repeated at another time.
    pub(crate) fn watch(&self, locks: &HashSet<LockId>) {
        for &lock in locks {
            let is_inside = |index: &usize| locks.contains(&self.all[*index].wanted);
            let inside = self.holding(lock).filter(is_inside);
            inside.chain(self.writing(lock)).for_each(|index| {
                self.line(&self.all[index]).repeats().set_matter();
            });
        }
    }

    /// Adds what is made of a request while this was held, or adds it to what is known: then the request has
    /// the line of that.
    pub(crate) fn request(&mut self, request: &mut Request, held: &[Guard]) -> Added {
        let is_inside = !request.around.is_empty();
        let known = match is_inside {
            true => self.known_inside(request, held),
            false => self.find(&request.noted),
        };
        if let Some(index) = known {
            let line = self.line(&self.all[index]);
            line.add(1, &request.now);
            if !line.is(request.noted.line()) {
                let Entry { sheet, line, .. } = self.all[index];
                request.noted = Noted::of(&self.sheets[sheet as usize], line as usize);
            }
            let wants_what_is_held = self.is_held(request.wanted.lock);
            return Added { index, is_new: false, wants_what_is_held, met: Vec::new() };
        }
        request.noted.line().see(&request.now, is_inside);
        let (meant, around) = (request.meant.take(), std::mem::take(&mut request.around));
        let (context, met) = match self.context_alike(held, &around, meant.as_deref()) {
            Some(known) => (known, Vec::new()),
            None => self.add_context(Context { held: held.to_vec(), around, meant }),
        };
        self.add(&request.wanted, context, &request.noted, met)
    }

    /// The one that was made inside the same sections as `request`, or may have been; if there is none, it will be
    /// that one.
    fn known_inside(&mut self, request: &Request, held: &[Guard]) -> Option<usize> {
        let index = self.len() as u32;
        let key = super::dependency::key(request, held);
        let known = *self.inside.entry(key).or_insert(index);
        (known != index).then_some(known as usize)
    }

    /// A context that is the same as this one. Who holds the same lock again often holds the same as then.
    fn context_alike(
        &self,
        held: &[Guard],
        around: &[Arc<Section>],
        meant: Option<&Meaning>,
    ) -> Option<u32> {
        let newest = held.last().filter(|_| around.is_empty())?;
        let is_alike = |&at: &usize| {
            let context = &self.contexts[at].context;
            context.around.is_empty() && context.held == held && context.meant.as_deref() == meant
        };
        let alike = self.contexts_holding(newest.hold.lock).take(ALIKE_MAX).find(is_alike);
        alike.map(|at| at as u32)
    }

    /// Adds a context. Returns its number and those that want a lock which nothing held before it.
    fn add_context(&mut self, context: Context) -> (u32, Vec<usize>) {
        let number = self.contexts.len() as u32;
        let mut met = Vec::new();
        for guard in &context.held {
            self.hang(guard.hold.lock, number, &mut met);
        }
        self.contexts.push(Shared { context, newest: END });
        (number, met)
    }

    /// Notes that a context holds `lock`. If it is the first one, those that want it have `met` it.
    fn hang(&mut self, lock: LockId, context: u32, met: &mut Vec<usize>) {
        let heads = self.by_lock.get_mut(lock);
        push(&mut heads.holding, &mut self.links, context);
        // From here on nobody has to wait for it any more.
        let waiting = std::mem::replace(&mut heads.wanting, END);
        met.extend(self.list(waiting, |entry| entry.waiting));
    }

    /// Adds a dependency; there is none like it. Those that want what its context holds have `met` it.
    fn add(&mut self, wanted: &Hold, context: u32, noted: &Noted, met: Vec<usize>) -> Added {
        let index = self.len();
        noted.line().repeats().set_index(index);
        let Shared { context: Context { around, .. }, newest } =
            &mut self.contexts[context as usize];
        let next = std::mem::replace(newest, index as u32);
        for section in around {
            self.inside_open.entry(section.number).or_default().push(index);
        }
        let (wants_what_is_held, waiting) = self.want(wanted, index as u32);
        self.all.push(Entry {
            wanted: wanted.lock,
            way: self.ways.number_of(wanted),
            context,
            next,
            waiting,
            sheet: number_of(&mut self.sheets, noted.sheet()),
            line: noted.at() as u32,
        });
        Added { index, is_new: true, wants_what_is_held, met }
    }

    /// Puts a dependency into the lists of what it wants. Returns whether that is held by anybody; if not, also
    /// the one before it that waits for that.
    fn want(&mut self, wanted: &Hold, index: u32) -> (bool, u32) {
        if wanted.is_shared() {
            let none = SharedHeads { writing: END, sharing: END };
            let heads = self.by_shared_lock.entry(wanted.lock).or_insert(none);
            let head = match wanted.mode() {
                Mode::Exclusive => &mut heads.writing,
                Mode::Upgradable | Mode::Read | Mode::RecursiveRead => &mut heads.sharing,
            };
            push(head, &mut self.links, index);
        }
        let heads = self.by_lock.get_mut(wanted.lock);
        let is_held = heads.holding != END;
        let waiting = if is_held { END } else { std::mem::replace(&mut heads.wanting, index) };
        (is_held, waiting)
    }

    /// Adds dependency `index` of `old`, of which there is none like it here, with this key. Its context moves,
    /// unless it has already.
    pub(crate) fn take_over(
        &mut self,
        old: &mut Self,
        index: usize,
        key: u64,
        moved: &mut Moved,
    ) -> Added {
        let Entry { wanted, way, context, sheet, line, .. } = old.all[index];
        let noted = Noted::of(&old.sheets[sheet as usize], line as usize);
        if noted.line().repeats().is_inside() {
            self.inside.insert(key, self.len() as u32);
        }
        let (context, met) = match moved.get(&context) {
            Some(&known) => (known, Vec::new()),
            None => {
                let added =
                    self.add_context(std::mem::take(&mut old.contexts[context as usize].context));
                moved.insert(context, added.0);
                added
            }
        };
        self.add(&old.ways.hold(way, wanted), context, &noted, met)
    }

    /// Adds what is known of dependency `same` of `old`, which is the same as `index`.
    pub(crate) fn merge(&mut self, index: usize, old: &Self, same: usize) {
        let (line, same) = (self.line(&self.all[index]), old.line(&old.all[same]));
        if !line.is(same) {
            line.add(same.count(), &same.last());
        }
    }

    /// `section` has ended: finds out which dependencies happened inside it. Returns all for which that
    /// was open, and those that want a lock which nobody held before these.
    pub(crate) fn section_ended(&mut self, section: &Arc<Section>) -> (Vec<usize>, Vec<usize>) {
        let settled = self.inside_open.remove(&section.number).unwrap_or_default();
        let mut met = Vec::new();
        for &index in &settled {
            let was_inside = self.get(index).was_inside(section);
            // Where sections are around it, a context is of one dependency alone.
            let number = self.all[index].context;
            let context = &mut self.contexts[number as usize].context;
            context.around.retain(|one| !Arc::ptr_eq(one, section));
            if was_inside {
                context.held.push(section.guard().clone());
                self.hang(section.guard().hold.lock, number, &mut met);
            }
        }
        (settled, met)
    }

    /// The shortest circle through dependency `start` that could happen, or else one that comes
    /// closest to that.
    pub(crate) fn circle_through(&mut self, start: usize) -> Option<Circle> {
        let (circle, cut_off) = search::circle_through(self, start);
        self.cut_off += cut_off;
        circle
    }

    /// The shortest circle through dependency `start` that could happen and that waits may take part in.
    pub(crate) fn circle_of_waits(&mut self, start: usize) -> Option<Circle> {
        let (circle, cut_off) = search::circle_of_waits(self, start);
        self.cut_off += cut_off;
        circle
    }
}

/// The contexts or dependencies of a list.
fn list(links: &[Link], head: u32) -> impl Iterator<Item = usize> {
    let link = |at: u32| links.get(at as usize).copied();
    std::iter::successors(link(head), move |of| link(of.next)).map(|link| link.what as usize)
}

/// Puts a context or a dependency in front of a list.
fn push(head: &mut u32, links: &mut Vec<Link>, what: u32) {
    let next = std::mem::replace(head, links.len() as u32);
    links.push(Link { what, next });
}

/// The number of a sheet, which is added if it is not there.
fn number_of(sheets: &mut Vec<Arc<Sheet>>, sheet: &Arc<Sheet>) -> u32 {
    if sheets.get(sheet.number()).is_none_or(|known| !Arc::ptr_eq(known, sheet)) {
        sheet.set_number(sheets.len());
        sheets.push(Arc::clone(sheet));
    }
    sheet.number() as u32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::AgentId;
    use crate::lock_order::clock::{Moment, Timeline};
    use crate::registry::tests::ACCESS;
    use crate::site::{Origin, Site};

    const SITE: Site = Site::caller();

    fn hold(lock: u64) -> Hold {
        Hold { lock: LockId(lock), access: ACCESS, created: Origin::unnamed(SITE), site: SITE }
    }

    fn moment(agent: u64) -> Arc<Moment> {
        Timeline::new(AgentId(agent), 1).now(0)
    }

    /// `agent` wants a lock while it holds these, and notes that.
    fn wants(seen: &mut Dependencies, agent: u64, held: &[u64], wanted: u64) -> (Added, Noted) {
        let by = AgentId(agent);
        let guard = |&lock: &u64| Guard { hold: hold(lock), by, meant: None };
        let held: Vec<Guard> = held.iter().map(guard).collect();
        let noted = Noted::alone(by);
        let (meant, held_meant, around) = (None, Vec::new(), Vec::new());
        let now = moment(agent);
        let mut request = Request { wanted: hold(wanted), meant, held_meant, around, now, noted };
        (seen.request(&mut request, &held), request.noted)
    }

    #[test]
    fn what_is_held_is_kept_once_for_all_that_is_wanted_meanwhile() {
        let mut seen = Dependencies::default();
        for wanted in 10..110 {
            // Some agents take turns, and one has another lock in between.
            wants(&mut seen, wanted % 3, &[1], wanted);
            wants(&mut seen, 7, &[1, 2], wanted);
        }
        assert_eq!(
            (seen.len(), seen.contexts.len(), seen.ways.hold(0, LockId(1))),
            (200, 4, hold(1))
        );
        let holding = |lock| seen.holding(LockId(lock)).collect::<BTreeSet<_>>();
        assert_eq!(holding(1), (0..200).collect());
        assert_eq!(holding(2), (0..200).skip(1).step_by(2).collect());
        let dependency = seen.get(100);
        assert_eq!((dependency.wanted.lock, dependency.agent()), (LockId(60), AgentId(0)));
        assert_eq!(seen.sightings(LockId(1), LockId(60)).times, 2);
        assert_eq!(seen.sightings(LockId(2), LockId(60)).threads, 1);
    }

    #[test]
    fn who_wants_what_nobody_holds_is_met_by_the_first_that_does() {
        let mut seen = Dependencies::default();
        for agent in 1..=3 {
            let (added, _) = wants(&mut seen, agent, &[1], 5);
            assert!(added.is_new && !added.wants_what_is_held && added.met.is_empty());
        }
        let (added, _) = wants(&mut seen, 1, &[5], 6);
        assert_eq!(added.met, [2, 1, 0]);
        let (added, _) = wants(&mut seen, 2, &[5], 7);
        assert!(added.met.is_empty());
        assert!(wants(&mut seen, 4, &[1], 5).0.wants_what_is_held);
    }

    #[test]
    fn what_an_agent_has_noted_is_found_also_after_a_move() {
        let mut old = Dependencies::default();
        let noted: Vec<Noted> =
            (0..10).map(|at| wants(&mut old, at % 2, &[1], 10 + at).1).collect();
        assert_eq!(noted.iter().map(|noted| old.find(noted)).collect::<Vec<_>>().len(), 10);
        let mut new = Dependencies::default();
        let mut moved = Moved::default();
        for index in [9, 3, 5] {
            let key = old.get(index).key();
            new.take_over(&mut old, index, key, &mut moved);
        }
        // Those of one agent, in one context.
        assert_eq!((new.len(), new.contexts.len()), (3, 1));
        let found: Vec<_> = noted.iter().map(|noted| new.find(noted)).collect();
        let expected = |at| [9, 3, 5].iter().position(|&kept| kept == at);
        assert_eq!(found, (0..10).map(expected).collect::<Vec<_>>());
        assert_eq!(new.get(1).wanted.lock, LockId(13));
    }
}
