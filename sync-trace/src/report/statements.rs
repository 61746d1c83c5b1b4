//! What the program has stated of locks of one class, and what it could state.

use super::cast::Cast;
use super::orders::{Order, orders};
use crate::finding::{Finding, Stated, Statement};
use crate::order::Key;

/// The keys of two locks that were not taken in the order of their keys, the outer one first.
pub(super) fn keys(order: &Order<'_>) -> Option<[Key; 2]> {
    let Statement { held, wanted } = order.link.stated?;
    held.key.zip(wanted.key).map(|(held, wanted)| [held, wanted])
}

/// What was stated of the locks, a line for each order; empty if nothing was.
pub(super) fn stated(finding: &Finding, cast: &Cast<'_>) -> String {
    let line = |order: Order<'_>| {
        let Statement { held, wanted } = order.link.stated?;
        let (outer, inner) = (cast.lock(&order.hold?.lock), cast.lock(order.inner()?));
        let [of_outer, of_inner] = in_words([held, wanted]);
        Some(format!("{outer} was taken {of_outer}, and inside it {inner} {of_inner}"))
    };
    orders(finding).filter_map(line).collect::<Vec<_>>().join("\n")
}

/// What is not the same for both, and the keys.
fn in_words(both: [Stated; 2]) -> [String; 2] {
    let have_keys = both.iter().any(|stated| stated.key.is_some());
    let have_levels = both[0].level != both[1].level || !have_keys;
    both.map(|stated| {
        let level = have_levels.then(|| format!("at level {}", stated.level));
        let key = have_keys.then(|| match stated.key {
            Some(key) => format!("with key {key}"),
            None => "without a key".to_owned(),
        });
        level.into_iter().chain(key).collect::<Vec<_>>().join(" ")
    })
}

/// What to do where nothing was stated of two locks of `class`.
pub(super) fn missing(class: &str) -> String {
    format!(
        "take locks of `{class}` in one order and say which with `sync_trace::order`: `keyed` by a number \
         such as an id, `nested` by their roles, `under` if an outer lock keeps others away"
    )
}

/// What to do where locks of `class` were not taken as stated.
pub(super) fn broken(class: &str) -> String {
    format!(
        "take locks of `{class}` with the lowest key first, each key once, as `order::keyed` says that \
         they are taken"
    )
}
