//! The search for the circle that comes closest to a deadlock.

use super::circle::{Circle, CircleLink, Obstacle};
use super::store::Dependencies;
use crate::finding::LockId;
use crate::lock_order::label::Blocks;

/// A search for circles is cut off after so many steps.
const STEPS_MAX: u32 = 50_000;
/// Circles of at most so many requests are looked for first: the shortest is wanted, and a search for
/// any among many locks loses its way.
const LENGTHS: [usize; 4] = [2, 4, 8, usize::MAX];

/// The shortest circle through dependency `start` that could happen, or else one that comes closest to
/// that; and how many searches for it were cut off.
pub(crate) fn circle_through(seen: &Dependencies, start: usize) -> (Option<Circle>, u64) {
    circle_of(seen, start, Of::Locks, Obstacle::LEVELS)
}

/// The same for a circle that could happen and may lead through what somebody waits for and another one
/// gives.
pub(crate) fn circle_of_waits(seen: &Dependencies, start: usize) -> (Option<Circle>, u64) {
    circle_of(seen, start, Of::LocksAndWaits, 0)
}

/// What a circle may consist of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Locks,
    LocksAndWaits,
}

fn circle_of(seen: &Dependencies, start: usize, of: Of, levels: u8) -> (Option<Circle>, u64) {
    let mut cut_off = 0;
    for level in 0..=levels {
        for longest in LENGTHS {
            let mut search = Search::new(seen, of, level, longest);
            search.extend(start);
            cut_off += u64::from(search.steps >= STEPS_MAX);
            if search.best.is_some() {
                return (search.best, cut_off);
            }
            if !search.was_too_long {
                break;
            }
        }
    }
    (None, cut_off)
}

/// A depth-first search for the shortest circle whose obstacle is not above a level.
struct Search<'a> {
    seen: &'a Dependencies,
    of: Of,
    level: u8,
    /// How many requests a circle may have, and whether one of more may have been missed.
    longest: usize,
    was_too_long: bool,
    steps: u32,
    path: Vec<CircleLink>,
    best: Option<Circle>,
}

impl<'a> Search<'a> {
    fn new(seen: &'a Dependencies, of: Of, level: u8, longest: usize) -> Self {
        Self {
            seen,
            of,
            level,
            longest,
            was_too_long: false,
            steps: 0,
            path: Vec::new(),
            best: None,
        }
    }

    /// Adds `next` to the path and goes on from there.
    fn extend(&mut self, next: usize) {
        self.steps += 1;
        let is_long =
            self.best.as_ref().is_some_and(|best| self.path.len() + 1 >= best.links.len());
        if self.steps >= STEPS_MAX || is_long {
            return;
        }
        self.path.push(CircleLink { dependency: next, writer: None });
        let first = self.path[0].dependency;
        if self.seen.get(first).blocks(self.seen.get(next)) != Blocks::No {
            self.close();
        }
        self.go_on_from(next);
        self.path.pop();
    }

    /// Goes on to whoever holds what `next`, the end of the path, wants.
    fn go_on_from(&mut self, next: usize) {
        let shortest = self.best.as_ref().map_or(usize::MAX, |best| best.links.len());
        if self.path.len() + 1 >= shortest {
            return;
        }
        if self.path.len() >= self.longest {
            self.was_too_long = true;
            return;
        }
        let wanted = self.seen.get(next).wanted.lock;
        for holder in self.seen.holding(wanted) {
            if self.of == Of::Locks && self.seen.get(holder).is_about_giving() {
                continue;
            }
            let blocks = || self.seen.get(holder).blocks(self.seen.get(next)) != Blocks::No;
            if self.is_another(holder) && blocks() && self.fits(holder) {
                self.extend(holder);
            }
        }
    }

    /// Whether `next` wants another lock than all of the path, and is another agent's if it has to be:
    /// what is quickly found out of most that do not fit.
    fn is_another(&self, next: usize) -> bool {
        let next = self.seen.get(next);
        let one_agent = Obstacle::OneAgent.level() <= self.level;
        self.path.iter().map(|link| self.seen.get(link.dependency)).all(|one| {
            one.wanted.lock != next.wanted.lock && (one_agent || one.agent() != next.agent())
        })
    }

    /// Whether nothing worse than the level keeps `next` from being there together with the path.
    fn fits(&self, next: usize) -> bool {
        let between = |link: &CircleLink| self.between(link.dependency, next);
        self.path.iter().filter_map(between).all(|found| found.level() <= self.level)
    }

    /// What keeps two dependencies apart.
    fn between(&self, one: usize, other: usize) -> Option<Obstacle> {
        let (one, other) = (self.seen.get(one), self.seen.get(other));
        if one.agent() == other.agent() {
            Some(Obstacle::OneAgent)
        } else if let Some(lock) = one.gate(other) {
            Some(Obstacle::Gate(lock))
        } else if !one.is_concurrent_with(other) {
            Some(Obstacle::Ordered)
        } else {
            one.open_gate(other).map(Obstacle::Open)
        }
    }

    /// The path is a circle: keeps it if it is the best so far.
    fn close(&mut self) {
        let pairs = self.path.iter().enumerate().flat_map(|(at, one)| {
            self.path[at + 1..].iter().map(move |other| (one.dependency, other.dependency))
        });
        let mut obstacle = pairs.filter_map(|(one, other)| self.between(one, other)).max();
        let mut links = self.path.clone();
        if let [only] = links[..] {
            let only = self.seen.get(only.dependency);
            if only.blocks(only) == Blocks::Directly {
                // That deadlock is certain to happen, and did: something has broken it since.
                return;
            }
        }
        if self.add_writers(&mut links, 0).is_err() {
            for at in 0..links.len() {
                if let Some(lock) = self.lock_queued_for(&links, at) {
                    let writer = self.writers(lock, &links).next();
                    links[at].writer = writer;
                    if writer.is_none() {
                        obstacle = obstacle.max(Some(self.lack_of_writer(lock, &links)));
                    }
                }
            }
        }
        if obstacle.is_none_or(|obstacle| obstacle.level() <= self.level) {
            self.best = Some(Circle { links, obstacle });
        }
    }

    /// The lock for which link `at` has to queue behind a writer, if it does.
    fn lock_queued_for(&self, links: &[CircleLink], at: usize) -> Option<LockId> {
        let from = self.seen.get(links[at].dependency);
        let to = self.seen.get(links[(at + 1) % links.len()].dependency);
        (to.blocks(from) == Blocks::ThroughWriter).then_some(from.wanted.lock)
    }

    /// Finds the writers behind which the links from `at` on queue, all at the same time.
    fn add_writers(&mut self, links: &mut [CircleLink], at: usize) -> Result<(), Lacking> {
        let queues = |&at: &usize| self.lock_queued_for(links, at).is_some();
        let Some(at) = (at..links.len()).find(queues) else { return Ok(()) };
        let lock = self.seen.get(links[at].dependency).wanted.lock;
        let writers: Vec<usize> = self.writers(lock, links).collect();
        for writer in writers {
            self.steps += 1;
            links[at].writer = Some(writer);
            if self.add_writers(links, at + 1).is_ok() {
                return Ok(());
            }
            links[at].writer = None;
            if self.steps >= STEPS_MAX {
                break;
            }
        }
        Err(Lacking)
    }

    /// Why no writer of `lock` could queue together with the others: one that was seen was kept away by
    /// those who wait, or there would have to be one more.
    fn lack_of_writer(&self, lock: LockId, links: &[CircleLink]) -> Obstacle {
        let apart = |writer: usize| {
            links.iter().filter_map(|link| self.between(link.dependency, writer)).max()
        };
        let obstacles = || self.seen.writing(lock).map(apart);
        let is_kept_away =
            |apart: Option<Obstacle>| apart.is_some_and(|by| by < Obstacle::OneAgent);
        if obstacles().all(|apart| apart.is_some()) && obstacles().any(is_kept_away) {
            Obstacle::WriterApart(lock)
        } else {
            Obstacle::NoWriter(lock)
        }
    }

    /// The writers of `lock` that could queue while all of the circle are where they are, the other
    /// writers too.
    fn writers(&self, lock: LockId, links: &[CircleLink]) -> impl Iterator<Item = usize> {
        self.seen
            .writing(lock)
            .filter(move |&writer| parts(links).all(|other| self.between(other, writer).is_none()))
    }
}

/// What takes part so far.
fn parts(links: &[CircleLink]) -> impl Iterator<Item = usize> {
    links.iter().flat_map(|link| [Some(link.dependency), link.writer]).flatten()
}

/// Not all writers can be there at the same time.
struct Lacking;

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::lock_order::play::outcome;

    #[track_caller]
    fn check(script: &str, expected: &str) {
        assert_eq!(outcome(script), expected, "{script}");
    }

    /// The same, in every order of the sections.
    #[track_caller]
    fn check_all_orders(script: &str, expected: &str) {
        let sections: Vec<&str> = script.split(';').collect();
        for order in permutations(sections.len()) {
            let script: Vec<&str> = order.iter().map(|&at| sections[at]).collect();
            check(&script.join(";"), expected);
        }
    }

    fn permutations(count: usize) -> Vec<Vec<usize>> {
        if count == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(count - 1);
        let longer = |rest: &Vec<usize>| {
            let rest = rest.clone();
            (0..count).map(move |at| {
                let mut order = rest.clone();
                order.insert(at, count - 1);
                order
            })
        };
        shorter.iter().flat_map(longer).collect()
    }

    #[test]
    fn two_orders_by_two_agents() {
        check_all_orders("t: X(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check_all_orders("t: X(a) X(b); u: X(a) X(b)", "");
        check("t: X(a) X(b); t: X(b) X(a)", "one agent: ab");
    }

    #[test]
    fn longer_circles_in_every_order_of_their_parts() {
        check_all_orders("t: X(a) X(b); u: X(b) X(c); v: X(c) X(a)", "deadlock: abc");
        check_all_orders("t: X(a) X(b); u: X(c) X(a); v: X(b) X(c)", "deadlock: abc");
        check_all_orders(
            "t: X(a) X(b); u: X(b) X(c); v: X(c) X(d); w: X(d) X(a)",
            "deadlock: abcd",
        );
        check_all_orders("t: X(a) X(b); u: X(c) X(d); v: X(b) X(d); w: X(d) X(a)", "deadlock: abd");
    }

    #[test]
    fn one_agent_cannot_be_in_two_places() {
        check("t: X(a) X(b); t: X(b) X(c); u: X(c) X(a)", "one agent: abc");
        check("t: X(a) X(b) X(c); u: X(c) X(a)", "deadlock: ac");
    }

    #[test]
    fn edges_start_at_every_lock_that_is_held() {
        check_all_orders("t: X(a) X(b) X(c); u: X(c) X(a)", "deadlock: ac");
        check("t: X(a) R(b) X(c); u: X(c) X(a)", "deadlock: ac");
    }

    #[test]
    fn a_lock_around_both_sides_is_a_gate_unless_both_read_it() {
        check_all_orders("t: X(g) X(a) X(b); u: X(g) X(b) X(a)", "gate g: ab");
        check_all_orders("t: X(g) X(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check_all_orders("t: R(g) X(a) X(b); u: R(g) X(b) X(a)", "deadlock: ab");
        check_all_orders("t: X(g) X(a) X(b); u: r(g) X(b) X(a)", "gate g: ab");
        check_all_orders("t: X(g) X(a) U(g) X(b); u: X(g) X(b) U(g) X(a)", "deadlock: ab");
        // The inner lock is a gate for what is taken inside it, and not for itself.
        let inner = outcome("t: X(a) X(g) X(b); u: X(b) X(g) X(a)");
        assert!(["deadlock: ag", "deadlock: bg"].contains(&&*inner), "{inner}");
    }

    #[test]
    fn ordering_events_keep_agents_apart() {
        check("t: X(a) X(b) U(b) U(a) spawn(u); u: X(b) X(a)", "ordered: ab");
        check("m: spawn(t); t: X(a) X(b); m: join(t) X(b) X(a)", "ordered: ab");
        check("t: X(a) X(b) U(a) U(b) send(m); u: recv(m) X(b) X(a)", "ordered: ab");
        check("t: send(m) X(a) X(b); u: recv(m) X(b) X(a)", "deadlock: ab");
        check("t: X(a) X(b); t: X(g); u: X(g); u: X(b) X(a)", "deadlock: ab");
    }

    #[test]
    fn what_was_ordered_once_may_be_concurrent_when_it_is_repeated() {
        check("t: X(a) X(b); t: spawn(u); u: X(b) X(a); t: X(a) X(b)", "deadlock: ab");
        check("t: X(a) X(b); t: spawn(u); t: X(a) X(b); u: X(b) X(a)", "deadlock: ab");
    }

    #[test]
    fn what_is_started_and_joined_in_a_section_happens_inside_it() {
        check("t: X(g) spawn(u) keep; u: X(a) X(b); t: join(u); v: X(g) X(b) X(a)", "gate g: ab");
        // Not joined: it may go on when the section has ended.
        check("t: X(g) spawn(u) keep; u: X(a) X(b); t: U(g); v: X(g) X(b) X(a)", "deadlock: ab");
        check("t: X(a) spawn(u) keep; u: X(b); t: join(u); v: X(b) X(a)", "deadlock: ab");
        check("t: X(a) spawn(u) keep; u: X(b); t: U(a) join(u); v: X(b) X(a)", "");
        // The section is one and the same for both.
        check(
            "t: X(g) spawn(u) keep; u: X(a) X(b); t: X(b) X(a) U(a) U(b) join(u)",
            "deadlock: ab",
        );
    }

    #[test]
    fn a_section_that_has_to_wait_for_the_one_it_was_started_in_comes_after_that() {
        check("t: X(g) spawn(u) X(a) X(b); u: X(g); u: X(b) X(a)", "ordered: ab");
        check("t: X(g) spawn(u) X(a) X(b); u: X(h); u: X(b) X(a)", "deadlock: ab");
        check("t: X(g) send(m) X(a) X(b); u: recv(m) X(g); u: X(b) X(a)", "ordered: ab");
        check("t: r(g) spawn(u) X(a) X(b); u: r(g); u: X(b) X(a)", "deadlock: ab");
        // Also if somebody else has told of it, when it had ended.
        check(
            "t: X(g) send(m) X(a) X(b); v: recv(m) spawn(u); u: X(g); u: X(b) X(a)",
            "ordered: ab",
        );
        check(
            "t: X(g) send(m) X(a) X(b); v: recv(m) spawn(u); u: X(h); u: X(b) X(a)",
            "deadlock: ab",
        );
    }

    #[test]
    fn a_try_waits_for_nothing_but_what_it_took_is_held() {
        check_all_orders("t: X(a) try(b); u: X(b) X(a)", "");
        check_all_orders("t: try(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check_all_orders("t: X(a) try(b); u: X(b) try(a)", "");
    }

    #[test]
    fn readers_wait_for_each_other_only_behind_a_writer() {
        check_all_orders("t: r(a) r(b); u: r(b) r(a)", "no writer of b: ab");
        check_all_orders("t: r(a) X(b); u: X(b) r(a)", "no writer of a: ab");
        check_all_orders("t: r(a) X(b); u: X(b) r(a); w: X(a)", "deadlock: ab");
        check_all_orders("t: R(a) R(b); u: R(b) R(a); w: X(a); x: X(b)", "");
        check_all_orders("t: R(a) X(b); u: X(b) R(a)", "");
        check_all_orders("t: r(a) X(b); u: X(b) X(a)", "deadlock: ab");
        check("t: r(a) X(b); u: X(b) r(a); t: X(a)", "no writer of a: ab");
    }

    #[test]
    fn the_writer_has_to_be_concurrent_and_outside_the_gates() {
        check("w: X(a) spawn(t) spawn(u); t: r(a) X(b); u: X(b) r(a)", "writer of a apart: ab");
        check_all_orders("t: r(a) X(b); u: X(g) X(b) r(a); w: X(g) X(a)", "writer of a apart: ab");
        // And one is enough.
        check_all_orders("t: r(a) X(b); u: X(g) X(b) r(a); w: X(g) X(a); x: X(a)", "deadlock: ab");
    }

    #[test]
    fn writers_have_to_queue_at_the_same_time() {
        let readers = "t: r(a) r(b); u: r(b) r(a)";
        check_all_orders(&format!("{readers}; v: X(a); w: X(b)"), "deadlock: ab");
        check_all_orders(&format!("{readers}; v: X(g) X(a); w: X(h) X(b)"), "deadlock: ab");
        // Each of them could, but not both.
        for writers in ["w: X(a) U(a) X(b)", "v: X(g) X(a); w: X(g) X(b)"] {
            let outcome = outcome(&format!("{readers}; {writers}"));
            assert!(outcome.starts_with("no writer of "), "{writers}: {outcome}");
        }
        // The first writer of `a` that comes to mind is the only one of `b`.
        check_all_orders(&format!("{readers}; w: X(a) U(a) X(b); v: X(a)"), "deadlock: ab");
    }

    #[test]
    fn reading_twice_needs_a_writer_in_between() {
        check("t: r(a) r(a)", "no writer of a: a");
        check_all_orders("t: r(a) r(a); w: X(a)", "deadlock: a");
        check_all_orders("t: R(a) R(a); w: X(a)", "");
        check("t: r(a); t: X(a)", "");
    }

    #[test]
    fn strong_and_weak_circles_of_recursive_readers() {
        check_all_orders("t: X(a) R(b); u: X(b) R(c); v: X(c) R(a)", "deadlock: abc");
        check_all_orders("t: X(a) X(b); u: R(b) R(c); v: X(c) R(a)", "deadlock: abc");
        check_all_orders("t: X(a) X(b); u: R(b) R(c); v: R(c) X(a)", "");
        check_all_orders("t: X(a) R(b); u: R(b) R(c); v: X(c) X(a)", "");
    }

    #[test]
    fn upgradable_readers_exclude_each_other() {
        check_all_orders("t: u(a) X(b); v: X(b) u(a)", "deadlock: ab");
        check_all_orders("t: u(a) X(b); v: X(b) r(a)", "no writer of a: ab");
        check_all_orders("t: u(a) X(b); v: X(b) R(a)", "");
    }

    #[test]
    fn philosophers_of_any_number() {
        for count in [2_u8, 3, 10, 20] {
            let name = |at: u8| char::from(b'a' + at % count);
            let sections =
                (0..count).map(|at| format!("t{at}: X({}) X({})", name(at), name(at + 1)));
            let outcome = outcome(&sections.collect::<Vec<_>>().join(";"));
            assert!(outcome.starts_with("deadlock: "), "{count}: {outcome}");
            assert_eq!(outcome.len(), "deadlock: ".len() + usize::from(count));
        }
    }
}
