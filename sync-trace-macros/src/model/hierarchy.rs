//! The chains that a hierarchy stands for.

use syn::Result;

use super::order::{Edge, errors};
use crate::attr::{Group, Hierarchy, Level, Lock, Origin, combined};

/// Its chains, once nothing in it contradicts anything else.
///
/// Where there are groups, there is a chain of two for every pair that has an order.
pub(crate) fn chains(hierarchy: &Hierarchy) -> Result<Vec<Vec<&Lock>>> {
    let mut neighbours = Vec::new();
    walk(&hierarchy.chains, &mut neighbours);
    let edge = |(from, to): &(&Lock, &Lock)| Edge::between(from, to, Origin::Own);
    let edges: Vec<_> = neighbours.iter().map(edge).collect();
    combined(errors(&edges))?;
    let mut chains = Vec::new();
    for chain in &hierarchy.chains {
        let plain: Option<Vec<&Lock>> = chain
            .iter()
            .map(|level| match level {
                Level::Lock(lock) => Some(&**lock),
                Level::Group(_) => None,
            })
            .collect();
        match plain {
            Some(plain) => chains.push(plain),
            None => pairs(chain, &mut chains),
        }
    }
    Ok(chains)
}

/// The locks that nothing in the group comes before, and those that nothing in it comes after; each pair of neighbours
/// goes to `neighbours`.
fn walk<'h>(
    group: &'h Group,
    neighbours: &mut Vec<(&'h Lock, &'h Lock)>,
) -> (Vec<&'h Lock>, Vec<&'h Lock>) {
    let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
    for chain in group {
        let mut before: Option<Vec<&Lock>> = None;
        for level in chain {
            let (first, last) = match level {
                Level::Lock(lock) => (vec![&**lock], vec![&**lock]),
                Level::Group(group) => walk(group, neighbours),
            };
            match &before {
                None => firsts.extend(&first),
                Some(before) => {
                    neighbours
                        .extend(before.iter().flat_map(|from| first.iter().map(|to| (*from, *to))));
                }
            }
            before = Some(last);
        }
        lasts.extend(before.into_iter().flatten());
    }
    (firsts, lasts)
}

fn pairs<'h>(chain: &'h [Level], pairs_of: &mut Vec<Vec<&'h Lock>>) {
    let levels: Vec<Vec<&Lock>> = chain.iter().map(members).collect();
    for (index, later) in levels.iter().enumerate() {
        for earlier in &levels[..index] {
            pairs_of
                .extend(earlier.iter().flat_map(|from| later.iter().map(|to| vec![*from, *to])));
        }
    }
    for level in chain {
        let Level::Group(group) = level else { continue };
        for chain in group {
            pairs(chain, pairs_of);
        }
    }
}

fn members(level: &Level) -> Vec<&Lock> {
    match level {
        Level::Lock(lock) => vec![lock],
        Level::Group(group) => group.iter().flatten().flat_map(members).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::chains;
    use crate::attr::Hierarchy;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let hierarchy: Hierarchy = syn::parse_str(source).expect("a hierarchy");
        let text = match chains(&hierarchy) {
            Ok(chains) => {
                let text = |chain: &Vec<_>| {
                    chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(" < ")
                };
                chains.iter().map(text).collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected, "{source}");
    }

    #[test]
    fn a_chain_without_groups_is_one_chain() {
        check("A < B < \"c.*\"", "A < B < \"c.*\"");
        check("A < B, X < db::Y,", "A < B, X < db::Y");
    }

    #[test]
    fn a_group_gives_a_pair_for_each_order_in_it() {
        check("A < { B, C } < D", "A < B, A < C, A < D, B < D, C < D");
        check("{ A, B } < { C, D }", "A < C, A < D, B < C, B < D");
        check("A < { B < E, C }", "A < B, A < E, A < C, B < E");
        check("{ { A < B } } < C", "A < C, B < C, A < B");
    }

    #[test]
    fn what_a_group_leaves_open_is_no_contradiction() {
        check("A < { B, C }, C < B", "A < B, A < C, C < B");
        check(
            "A < { B < C, D } < E, E < C",
            "contradictory lock order: `E < C` here, but `C < E` was declared before",
        );
        check(
            "A < { B < C, D } < E, E < B",
            "contradictory lock order: `E < B` here, but `B < C` and `C < E` were declared before",
        );
    }
}
