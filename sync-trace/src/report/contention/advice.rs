//! Advice as a sentence.

use std::fmt;

use super::super::words::{duration, in_thousands};
use super::{class_namer, line};
use crate::contention::{Advice, Evidence};

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sentence(self, &class_namer()(self.class)))
    }
}

/// What to do about the locks that are called `name`, and why.
pub(super) fn sentence(advice: &Advice<'_>, name: &str) -> String {
    match advice.evidence {
        Evidence::OneHolder { holder, waits, total, share } => format!(
            "{:.0} % of the waiting for `{name}` ({} in {} waits) is behind what is held since {}: \
             shorten that section, or give what it does a lock of its own",
            share * 100.0,
            duration(total),
            in_thousands(waits),
            line(Some(holder)),
        ),
        Evidence::Convoy { waits, handed_on } => format!(
            "`{name}` goes from one waiter to the next: {} of {} waits began behind a thread that had \
             itself waited for it; take it less often, or split it",
            in_thousands(handed_on),
            in_thousands(waits),
        ),
        Evidence::Starvation { median, longest, waiter, holder } => format!(
            "one wait for `{name}` took {} at {}, and half of them take {} at most: a thread is passed \
             over, or what was held since {} was once very long",
            duration(longest),
            line(waiter),
            duration(median),
            holder.map_or_else(|| "then".to_owned(), |holder| line(Some(holder))),
        ),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_says_what_was_seen_and_what_to_do() {
        let snapshot = super::super::example();
        let text: Vec<_> = snapshot.advice().iter().map(ToString::to_string).collect();
        assert!(
            text[0]
                .starts_with("98 % of the waiting for `accounts` (21.0 ms in 201 waits) is behind")
        );
        assert!(
            text[1].starts_with("`accounts` goes from one waiter to the next: 210 of 211 waits")
        );
        assert!(text[2].starts_with("one wait for `accounts` took 11.0 ms at "));
        assert!(text[2].contains("half of them take 50.2 us at most"), "{}", text[2]);
    }
}
