//! Which of the agents that wait can never go on. Pure: indices in, indices out.
//!
//! A wait may need several things at once (all who hold a lock have to let go, a signal has to come *and*
//! its mutex be free), and each of them may be given by one of several agents. So this is the AND-OR
//! model of Chandy, Misra and Haas: an agent goes on if each of its needs is met, a need is met if one of
//! those who can meet it goes on, and what is not reached that way from the agents that run is stuck
//! (necessary and sufficient: the complement of the least fixpoint). Each need and each agent in it is
//! looked at once.

/// One thing that a wait needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// One of these agents has to go on.
    Of(Vec<usize>),
    /// Any agent that goes on may give it.
    Anybody,
    /// Nobody can give it.
    Nobody,
}

/// For each agent, by its needs, whether it is stuck. `others` says whether somebody goes on who is not
/// among them.
pub(crate) fn stuck(needs: &[Vec<Need>], others: bool) -> Vec<bool> {
    let mut unmet: Vec<usize> = needs.iter().map(Vec::len).collect();
    // Which needs, as (agent, which one), end with an agent's wait; and those that end with anybody's.
    let mut meets: Vec<Vec<(usize, usize)>> = vec![Vec::new(); needs.len()];
    let mut for_anybody = Vec::new();
    let mut is_met: Vec<Vec<bool>> = needs.iter().map(|needs| vec![false; needs.len()]).collect();
    for (agent, needs) in needs.iter().enumerate() {
        for (which, need) in needs.iter().enumerate() {
            match need {
                Need::Of(agents) => agents.iter().for_each(|&by| meets[by].push((agent, which))),
                Need::Anybody => for_anybody.push((agent, which)),
                Need::Nobody => {}
            }
        }
    }
    let mut is_stuck = vec![true; needs.len()];
    let mut going: Vec<usize> = (0..needs.len()).filter(|&agent| unmet[agent] == 0).collect();
    let mut anybody = others || !going.is_empty();
    let mut next = Vec::new();
    loop {
        if std::mem::take(&mut anybody) {
            next.append(&mut for_anybody);
        }
        if let Some(agent) = going.pop() {
            is_stuck[agent] = false;
            next.append(&mut meets[agent]);
        }
        if next.is_empty() && going.is_empty() {
            return is_stuck;
        }
        for (agent, which) in next.drain(..) {
            if !std::mem::replace(&mut is_met[agent][which], true) {
                unmet[agent] -= 1;
                if unmet[agent] == 0 {
                    going.push(agent);
                    anybody = true;
                }
            }
        }
    }
}

/// The shortest way from `start` along `leads` back to it, as the agents on it from `start` on.
pub(crate) fn circle(leads: &[Vec<usize>], start: usize) -> Option<Vec<usize>> {
    let mut way = shortest(leads, start, |to| to == start)?;
    way.pop();
    Some(way)
}

/// The shortest way from `start` along `leads` to one that is an end, as `start` may be itself.
pub(crate) fn path(
    leads: &[Vec<usize>],
    start: usize,
    is_end: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    if is_end(start) { Some(vec![start]) } else { shortest(leads, start, is_end) }
}

/// The shortest way of one step at least.
fn shortest(
    leads: &[Vec<usize>],
    start: usize,
    is_end: impl Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    let mut reached_from = vec![None; leads.len()];
    let mut frontier = std::collections::VecDeque::from([start]);
    while let Some(at) = frontier.pop_front() {
        for &to in &leads[at] {
            if is_end(to) {
                let mut way = vec![to, at];
                while let Some(from) = reached_from[*way.last()?] {
                    way.push(from);
                }
                way.reverse();
                return Some(way);
            }
            if reached_from[to].is_none() && to != start {
                reached_from[to] = Some(at);
                frontier.push_back(to);
            }
        }
    }
    None
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// `"1&2"` needs both, `"1|2"` one of them, `"*"` anybody, `"-"` nobody; empty: it runs.
    fn parse(text: &str) -> Vec<Need> {
        let need = |word: &str| match word {
            "*" => Need::Anybody,
            "-" => Need::Nobody,
            word => Need::Of(word.split('|').map(|one| one.parse().unwrap()).collect()),
        };
        text.split('&').filter(|word| !word.is_empty()).map(need).collect()
    }

    #[track_caller]
    fn check(agents: &[&str], others: bool, expected: &[usize]) {
        let needs: Vec<_> = agents.iter().map(|text| parse(text)).collect();
        let stuck = stuck(&needs, others);
        let stuck: Vec<_> = (0..agents.len()).filter(|&agent| stuck[agent]).collect();
        assert_eq!(stuck, expected, "{agents:?}");
    }

    #[test]
    fn a_circle_of_owners_is_stuck_and_who_waits_for_it_too() {
        check(&["1", "0"], true, &[0, 1]);
        check(&["1", "0", "1", ""], true, &[0, 1, 2]);
        check(&["1", ""], false, &[]);
    }

    /// Row OA1: a circle of which one member needs only one of two, the other of which runs.
    #[test]
    fn one_that_runs_breaks_a_circle_of_alternatives() {
        check(&["1", "0|2", ""], false, &[]);
        check(&["1", "0&2", ""], false, &[0, 1]);
    }

    /// Rows OA2 and OA3.
    #[test]
    fn a_circle_of_alternatives_is_stuck_only_if_none_leads_out_of_it() {
        check(&["1|2", "2|0", "0|3", ""], false, &[]);
        check(&["1|2", "2|0", "0|1"], true, &[0, 1, 2]);
        check(&["1|3", "2", "0", "3"], true, &[0, 1, 2, 3]);
    }

    #[test]
    fn what_anybody_can_give_comes_as_long_as_somebody_goes_on() {
        check(&["*", "*"], false, &[0, 1]);
        check(&["*", "*"], true, &[]);
        check(&["*", "*", ""], false, &[]);
        // Somebody goes on, but has what it takes only after the one that waits for it.
        check(&["*&1", "0"], true, &[0, 1]);
        check(&["*", "0", "*&1"], false, &[0, 1, 2]);
        check(&["-", "*"], false, &[0, 1]);
        check(&["-", "*"], true, &[0]);
    }

    #[test]
    fn a_circle_is_the_shortest_one() {
        assert_eq!(circle(&[vec![1], vec![2, 0], vec![0]], 0), Some(vec![0, 1]));
        assert_eq!(circle(&[vec![0]], 0), Some(vec![0]));
        assert_eq!(circle(&[vec![1], vec![]], 0), None);
        assert_eq!(circle(&[vec![1], vec![2], vec![1]], 0), None);
        assert_eq!(circle(&[vec![1], vec![2], vec![3], vec![0]], 0), Some(vec![0, 1, 2, 3]));
    }

    #[test]
    fn a_way_ends_at_the_nearest_end() {
        let leads = [vec![1], vec![0, 2, 3], vec![3], vec![4], vec![]];
        let way = |start, ends: &[usize]| path(&leads, start, |at| ends.contains(&at));
        assert_eq!(way(0, &[4]), Some(vec![0, 1, 3, 4]));
        assert_eq!(way(0, &[4, 2]), Some(vec![0, 1, 2]));
        assert_eq!(way(4, &[4]), Some(vec![4]));
        assert_eq!(way(4, &[0]), None);
        assert_eq!(way(0, &[]), None);
    }

    /// Random needs against rounds that go over everything until nothing changes.
    #[test]
    fn agrees_with_plain_rounds() {
        let mut seed = 11u64;
        let mut random = |bound: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % bound
        };
        let (mut stuck_ones, mut going_ones) = (0, 0);
        for _ in 0..5000 {
            let count = 1 + random(6) as usize;
            let others = random(2) == 0;
            let needs: Vec<Vec<Need>> = (0..count)
                .map(|_| {
                    let need = |random: &mut dyn FnMut(u64) -> u64| match random(8) {
                        0 => Need::Anybody,
                        1 => Need::Nobody,
                        _ => {
                            let of = 1 + random(3);
                            Need::Of((0..of).map(|_| random(count as u64) as usize).collect())
                        }
                    };
                    (0..random(3)).map(|_| need(&mut random)).collect()
                })
                .collect();
            let mut goes_on = vec![false; count];
            for _ in 0..=count {
                for agent in 0..count {
                    let anybody = others || goes_on.contains(&true);
                    goes_on[agent] = goes_on[agent]
                        || needs[agent].iter().all(|need| match need {
                            Need::Of(agents) => agents.iter().any(|&agent| goes_on[agent]),
                            Need::Anybody => anybody,
                            Need::Nobody => false,
                        });
                }
            }
            let stuck = stuck(&needs, others);
            for agent in 0..count {
                assert_eq!(stuck[agent], !goes_on[agent], "{needs:?} {others}");
            }
            stuck_ones += stuck.iter().filter(|stuck| **stuck).count();
            going_ones += stuck.iter().filter(|stuck| !**stuck).count();
        }
        assert!(stuck_ones > 2000 && going_ones > 2000, "{stuck_ones} {going_ones}");
    }
}
