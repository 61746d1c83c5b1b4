//! All dependencies that were seen, and the lists that lead from locks to them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use super::circle::Circle;
use super::dependency::{Dependency, Repeats, Request};
use super::search;
use crate::finding::{LockId, Sightings};
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::clock::Section;
use crate::lock_order::hold::Guard;
use crate::op::Mode;

/// All dependencies seen.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    all: Vec<Dependency>,
    /// Those that were made inside others' sections or may have been. What all others have in common
    /// with a repeat, their agent knows.
    inside: HashMap<u64, u32, QuickHash>,
    /// Those that hold a lock, and those that want it.
    by_lock: HashMap<LockId, Heads, QuickHash>,
    links: Vec<Link>,
    /// Those that want to write a lock that can be shared, and those that want to share it and may
    /// have to queue behind a writer.
    by_shared_lock: HashMap<LockId, SharedHeads, QuickHash>,
    /// Those for which a section, by its number, is still open.
    inside_open: HashMap<NonZeroU64, Vec<usize>, QuickHash>,
    /// How many searches were cut off.
    pub(crate) cut_off: u64,
}

/// Where the lists of a lock begin, the newest first.
#[derive(Clone, Copy, Debug)]
struct Heads {
    holding: u32,
    wanting: u32,
}

/// The same of a lock that can be shared.
#[derive(Clone, Copy, Debug)]
struct SharedHeads {
    writing: u32,
    sharing: u32,
}

/// A dependency, and the next one of its list.
#[derive(Clone, Copy, Debug)]
struct Link {
    dependency: u32,
    next: u32,
}

const END: u32 = u32::MAX;

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

impl Dependencies {
    pub(crate) fn get(&self, index: usize) -> &Dependency {
        &self.all[index]
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Dependency> {
        self.all.iter()
    }

    pub(crate) fn into_all(self) -> impl Iterator<Item = Dependency> {
        self.all.into_iter()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The one of which an agent remembers this.
    pub(crate) fn find(&self, repeats: &Arc<Repeats>) -> Option<&Dependency> {
        let known = self.all.get(repeats.index())?;
        Arc::ptr_eq(&known.repeats, repeats).then_some(known)
    }

    /// Those that hold `lock`.
    pub(super) fn holding(&self, lock: LockId) -> impl Iterator<Item = usize> {
        list(&self.links, self.by_lock.get(&lock).map_or(END, |heads| heads.holding))
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
        self.by_lock.get(&lock).is_some_and(|heads| heads.holding != END)
    }

    /// How often, and by whom and where, `wanted` was wanted while `held` was held.
    pub(crate) fn sightings(&self, held: LockId, wanted: LockId) -> Sightings {
        let all = self.holding(held).map(|index| &self.all[index]);
        let (mut times, mut threads, mut sites) = (0, BTreeSet::new(), BTreeSet::new());
        // What is done before something is given was counted when it was done.
        let is_counted = |dependency: &&Dependency| {
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
            let is_inside = |index: &usize| locks.contains(&self.all[*index].wanted.lock);
            let inside = self.holding(lock).filter(is_inside);
            inside.chain(self.writing(lock)).for_each(|index| self.all[index].repeats.set_matter());
        }
    }

    /// Adds what is made of a request while this was held, or adds it to what is known.
    pub(crate) fn request(&mut self, request: Request, held: &[Guard]) -> Added {
        let newest = held.last().and_then(|guard| self.holding(guard.hold.lock).next());
        // Who holds the same lock again often holds the same as then.
        let like = newest.map(|index| &self.all[index]);
        let dependency = Dependency::new(request, held, like);
        self.add(dependency)
    }

    /// Adds a dependency, or adds to what is known of it.
    pub(crate) fn add(&mut self, dependency: Dependency) -> Added {
        let index = self.all.len();
        if let Some(known) = self.known(&dependency, index) {
            self.all[known].merge(&dependency);
            let wants_what_is_held = self.is_held(self.all[known].wanted.lock);
            return Added { index: known, is_new: false, wants_what_is_held, met: Vec::new() };
        }
        dependency.repeats.set_index(index);
        let mut met = Vec::new();
        for hold in dependency.holds() {
            met.append(&mut hang(&mut self.by_lock, &mut self.links, hold.lock, index));
        }
        for section in dependency.around() {
            self.inside_open.entry(section.number).or_default().push(index);
        }
        let wants_what_is_held = self.want(&dependency, index);
        self.all.push(dependency);
        Added { index, is_new: true, wants_what_is_held, met }
    }

    /// Adds what is known of another dependency that is the same as `index`.
    pub(crate) fn merge(&mut self, index: usize, same: &Dependency) {
        self.all[index].merge(same);
    }

    /// The one that is the same; if there is none, `index` will be its place.
    fn known(&mut self, dependency: &Dependency, index: usize) -> Option<usize> {
        if dependency.repeats.is_inside() {
            let known = *self.inside.entry(dependency.key()).or_insert(index as u32) as usize;
            return (known != index).then_some(known);
        }
        self.find(&dependency.repeats).map(|known| known.repeats.index())
    }

    /// Puts a dependency into the lists of what it wants. Returns whether that is held by anybody.
    fn want(&mut self, dependency: &Dependency, index: usize) -> bool {
        let wanted = dependency.wanted.lock;
        if dependency.is_shared() {
            let none = SharedHeads { writing: END, sharing: END };
            let heads = self.by_shared_lock.entry(wanted).or_insert(none);
            let head = match dependency.mode() {
                Mode::Exclusive => &mut heads.writing,
                Mode::Upgradable | Mode::Read | Mode::RecursiveRead => &mut heads.sharing,
            };
            push(head, &mut self.links, index);
        }
        let heads = self.by_lock.entry(wanted).or_insert(Heads { holding: END, wanting: END });
        let is_held = heads.holding != END;
        if !is_held {
            push(&mut heads.wanting, &mut self.links, index);
        }
        is_held
    }

    /// `section` has ended: finds out which dependencies happened inside it. Returns all for which that
    /// was open, and those that want a lock which nobody held before these.
    pub(crate) fn section_ended(&mut self, section: &Arc<Section>) -> (Vec<usize>, Vec<usize>) {
        let settled = self.inside_open.remove(&section.number).unwrap_or_default();
        let mut met = Vec::new();
        for &index in &settled {
            if self.all[index].settle(section) {
                let lock = section.guard().hold.lock;
                met.append(&mut hang(&mut self.by_lock, &mut self.links, lock, index));
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

/// Notes that a dependency holds `lock`. Returns those that want it, if it is the first one.
fn hang(
    by_lock: &mut HashMap<LockId, Heads, QuickHash>,
    links: &mut Vec<Link>,
    lock: LockId,
    index: usize,
) -> Vec<usize> {
    let heads = by_lock.entry(lock).or_insert(Heads { holding: END, wanting: END });
    push(&mut heads.holding, links, index);
    // From here on nobody has to wait for it any more.
    let waiting = std::mem::replace(&mut heads.wanting, END);
    list(links, waiting).collect()
}

/// The dependencies of a list.
fn list(links: &[Link], head: u32) -> impl Iterator<Item = usize> {
    let link = |at: u32| links.get(at as usize).copied();
    std::iter::successors(link(head), move |of| link(of.next)).map(|link| link.dependency as usize)
}

/// Puts a dependency in front of a list.
fn push(head: &mut u32, links: &mut Vec<Link>, index: usize) {
    let next = std::mem::replace(head, links.len() as u32);
    links.push(Link { dependency: index as u32, next });
}
