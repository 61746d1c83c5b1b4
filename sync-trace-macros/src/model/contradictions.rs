//! What the clauses of one item cannot mean together.

use proc_macro2::Span;
use syn::{Error, Result};

use super::order::{Edge, errors};
use crate::attr::{Clause, Lock, Mode, Origin, Reference, Rule, Word, combined};

/// Finds all contradictions and repetitions.
pub(crate) fn check(clauses: &[Clause]) -> Result<()> {
    let mut found = Vec::new();
    orders(clauses, &mut found);
    lists(clauses, &mut found);
    for (index, later) in clauses.iter().enumerate() {
        for earlier in &clauses[..index] {
            found.extend(at_odds(earlier, later));
            found.extend(given_twice(earlier, later));
        }
    }
    combined(found)
}

fn orders(clauses: &[Clause], found: &mut Vec<Error>) {
    let mut edges = Vec::new();
    for clause in clauses {
        let Rule::Order(order) = &clause.rule else { continue };
        for chain in &order.chains {
            if order.is_list {
                let before = found.len();
                repeated(chain, found);
                if found.len() > before {
                    continue;
                }
            }
            let pairs = chain.windows(2);
            edges.extend(pairs.map(|pair| Edge::between(&pair[0], &pair[1], clause.origin)));
        }
    }
    found.extend(errors(&edges));
}

/// A lock that is listed twice in one kind of list of one item.
fn lists(clauses: &[Clause], found: &mut Vec<Error>) {
    let words = [Word::Requires, Word::Excludes, Word::Only, Word::Acquires, Word::Releases];
    for word in words {
        for origin in [Origin::Block, Origin::Own] {
            let of = clauses.iter().filter(|clause| clause.word == word && clause.origin == origin);
            repeated(of.flat_map(Clause::locks), found);
        }
    }
}

fn repeated<'c>(locks: impl IntoIterator<Item = &'c Lock>, found: &mut Vec<Error>) {
    let mut seen: Vec<&Lock> = Vec::new();
    for lock in locks {
        let same = |earlier: &&&Lock| earlier.mode == lock.mode && share_a_key(earlier, lock);
        if let Some(first) = seen.iter().find(same) {
            let text = format!("`{lock}` is listed twice");
            let mut error = Error::new_spanned(&lock.written, text);
            error.combine(Error::new_spanned(&first.written, "it is listed here before"));
            found.push(error);
        }
        seen.push(lock);
    }
}

fn share_a_key(left: &Lock, right: &Lock) -> bool {
    let keys: Vec<_> = right.references().iter().map(Reference::key).collect();
    left.references().iter().any(|reference| keys.contains(&reference.key()))
}

/// What two kinds of list say of one lock, if they cannot both be true.
struct Odds {
    words: [Word; 2],
    says: [&'static str; 2],
    hint: &'static str,
}

const ODDS: &[Odds] = &[
    Odds { words: [Word::Requires, Word::Excludes], says: ["required", "excluded"], hint: "" },
    Odds {
        words: [Word::Requires, Word::Acquires],
        says: ["required at entry", "acquired by the call"],
        hint: "",
    },
    Odds {
        words: [Word::Requires, Word::Releases],
        says: ["required at exit too", "released by the call"],
        hint: ": write `lock_requires(entry, ..)`",
    },
    Odds {
        words: [Word::Excludes, Word::Releases],
        says: ["excluded at entry", "released by the call"],
        hint: "",
    },
    Odds {
        words: [Word::Acquires, Word::Releases],
        says: ["acquired", "released"],
        hint: ": leave both out if the function gives back what it takes",
    },
];

fn at_odds(earlier: &Clause, later: &Clause) -> Vec<Error> {
    match (&earlier.rule, &later.rule) {
        (Rule::NoBlock, Rule::MayBlock) | (Rule::MayBlock, Rule::NoBlock) => {
            let text =
                format!("`{}` contradicts `{}`", later.word.attribute(), earlier.word.attribute());
            vec![pair(later.word_span, text, earlier.word_span, "which is stated here")]
        }
        (Rule::Only(only), Rule::Acquires(acquired)) if only.is_empty() => {
            acquired.iter().map(|lock| never(lock, earlier.word_span)).collect()
        }
        (Rule::Acquires(acquired), Rule::Only(only)) if only.is_empty() => {
            acquired.iter().map(|lock| never(lock, later.word_span)).collect()
        }
        // Held at entry alone, it may be gone at exit.
        (Rule::Requires { entry: true, .. }, Rule::Releases(_))
        | (Rule::Releases(_), Rule::Requires { entry: true, .. }) => Vec::new(),
        _ => {
            let odds = ODDS.iter().find_map(|odds| match odds.words {
                words if words == [earlier.word, later.word] => Some((odds, odds.says)),
                [second, first] if [first, second] == [earlier.word, later.word] => {
                    Some((odds, [odds.says[1], odds.says[0]]))
                }
                _ => None,
            });
            odds.map_or_else(Vec::new, |(odds, says)| both(earlier, later, says, odds.hint))
        }
    }
}

fn never(lock: &Lock, only: Span) -> Error {
    let text = format!("`{lock}` is acquired by the call, but no lock may be");
    let mut error = Error::new_spanned(&lock.written, text);
    error.combine(Error::new(only, "an empty `lock_only` forbids every lock"));
    error
}

/// Each lock that both clauses name.
fn both(earlier: &Clause, later: &Clause, says: [&str; 2], hint: &str) -> Vec<Error> {
    let mut errors = Vec::new();
    for second in later.locks() {
        for first in earlier.locks() {
            if !same_lock(first, second) || !excluded_in_mode(earlier, first, later, second) {
                continue;
            }
            let (one, other) = (first.to_string(), second.to_string());
            let text = if one == other {
                format!("`{other}` is both {} and {}{hint}", says[0], says[1])
            } else {
                format!("`{other}` is {}, but `{one}` is {}{hint}", says[1], says[0])
            };
            let mut error = Error::new_spanned(&second.written, text);
            error.combine(Error::new_spanned(
                &first.written,
                format!("`{}` names it here", earlier.word.attribute()),
            ));
            errors.push(error);
        }
    }
    errors
}

/// Whether the modes leave no way out: what must be held in one mode may be excluded in another.
fn excluded_in_mode(earlier: &Clause, first: &Lock, later: &Clause, second: &Lock) -> bool {
    let excluded = match (earlier.word, later.word) {
        (Word::Excludes, _) => first,
        (_, Word::Excludes) => second,
        _ => return Mode::overlaps(first.mode, second.mode),
    };
    excluded.mode.is_none() || first.mode == second.mode
}

fn same_lock(left: &Lock, right: &Lock) -> bool {
    let names = |lock: &Lock| -> Vec<String> {
        let names = lock.references().iter().filter_map(|reference| match reference {
            Reference::Name(name) => Some(name.value()),
            _ => None,
        });
        names.collect()
    };
    share_a_key(left, right)
        || names(left).iter().any(|left| {
            names(right).iter().any(|right| matches(left, right) || matches(right, left))
        })
}

/// Whether the plain `name` is one that `pattern` means.
fn matches(pattern: &str, name: &str) -> bool {
    fn rest(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', after)) => (0..=name.len()).any(|skipped| rest(after, &name[skipped..])),
            Some((one, after)) => name
                .split_first()
                .is_some_and(|(first, name)| (*one == '?' || one == first) && rest(after, name)),
        }
    }
    let (pattern, name): (Vec<_>, Vec<_>) = (pattern.chars().collect(), name.chars().collect());
    !name.iter().any(|c| matches!(c, '*' | '?')) && rest(&pattern, &name)
}

/// What an item can state once.
fn given_twice(earlier: &Clause, later: &Clause) -> Vec<Error> {
    if earlier.origin != later.origin {
        return Vec::new();
    }
    let twice = |name: &str, second, first| {
        pair(second, format!("`{name}` is given twice"), first, "it is given here before")
    };
    match (&earlier.rule, &later.rule) {
        (Rule::NoBlock, Rule::NoBlock)
        | (Rule::MayBlock, Rule::MayBlock)
        | (Rule::Only(_), Rule::Only(_)) => {
            vec![twice(later.word.attribute(), later.word_span, earlier.word_span)]
        }
        (Rule::Budget(first), Rule::Budget(second)) => {
            let limits = [
                ("hold", &first.hold, &second.hold),
                ("wait", &first.wait, &second.wait),
                ("await_hold", &first.await_hold, &second.await_hold),
            ];
            let both = limits.into_iter().filter_map(|(name, first, second)| {
                Some(twice(name, second.as_ref()?.word, first.as_ref()?.word))
            });
            both.collect()
        }
        (Rule::Exempt(first), Rule::Exempt(second)) => {
            let both = second.codes.iter().filter_map(|code| {
                let earlier = first.codes.iter().find(|earlier| earlier.text == code.text)?;
                Some(twice(code.text, code.span, earlier.span))
            });
            both.collect()
        }
        _ => Vec::new(),
    }
}

fn pair(second: Span, text: String, first: Span, note: &str) -> Error {
    let mut error = Error::new(second, text);
    error.combine(Error::new(first, note));
    error
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::{check as contradictions, matches};
    use crate::attr::{Attribute, Clauses, Origin};

    /// The errors in `own`, and in it beside `block`: each as its column and text.
    fn errors(block: &str, own: &str) -> Vec<String> {
        let clauses = |source: &str| {
            let tokens = source.parse().expect("tokens");
            Clauses::parse(Attribute::Several, Span::call_site(), tokens).expect("clauses").list
        };
        let mut all = Vec::new();
        if !block.is_empty() {
            all = clauses(block);
            all.iter_mut().for_each(|clause| clause.origin = Origin::Block);
        }
        all.extend(clauses(own));
        let Err(error) = contradictions(&all) else { return Vec::new() };
        error.into_iter().map(|error| format!("{}: {error}", error.span().start().column)).collect()
    }

    #[track_caller]
    fn check(own: &str, expected: &[&str]) {
        assert_eq!(errors("", own), expected, "{own}");
    }

    #[test]
    fn what_can_be_true_together_is_silent() {
        check("order(a < b < c, a < c, b < d, a < d)", &[]);
        check("order(a < b), order(b < c)", &[]);
        check("order(a, b, c), order(a < c)", &[]);
        check("order(read(a) < b, b < write(a))", &[]);
        check("order(a < \"a\" < class(a) < of(a))", &[]);
        check("order(self.a < self.b, other.b < other.a)", &[]);
        check("requires(a), excludes(b), order(b < a)", &[]);
        check("requires(write(a)), excludes(read(a))", &[]);
        check("requires(a), excludes(write(a))", &[]);
        check("requires(entry, a), releases(a)", &[]);
        check("excludes(a), acquires(a)", &[]);
        check("requires(\"bank.a\"), excludes(\"shop.*\")", &[]);
        check("only(a), acquires(b)", &[]);
        check("budget(hold = \"1ms\"), budget(wait = \"1ms\")", &[]);
        check("exempt(reason = \"x\", ST0101), exempt(reason = \"y\", ST0102)", &[]);
    }

    #[test]
    fn a_circle_is_found_at_the_edge_that_closes_it() {
        check(
            "order(a < b, b < a)",
            &[
                "13: contradictory lock order: `b < a` here, but `a < b` was declared before",
                "6: `a < b` is declared here",
            ],
        );
        check(
            "order(c < a), order(a < b), order(x < y, b < c)",
            &[
                "41: contradictory lock order: `b < c` here, but `c < a` and `a < b` were declared before",
                "6: `c < a` is declared here",
                "20: `a < b` is declared here",
            ],
        );
    }

    #[test]
    fn a_lock_in_any_mode_is_meant_by_one_without_a_mode() {
        check(
            "order(read(a) < b, b < a)",
            &[
                "19: contradictory lock order: `b < a` here, but `read(a) < b` was declared before",
                "6: `read(a) < b` is declared here",
            ],
        );
        check(
            "order(read(a) < write(a))",
            &["6: contradictory lock order: `read(a) < write(a)` puts a lock before itself"],
        );
    }

    #[test]
    fn each_circle_is_told_once() {
        check(
            "order(a < b, b < a, b < a)",
            &[
                "13: contradictory lock order: `b < a` here, but `a < b` was declared before",
                "6: `a < b` is declared here",
                "20: contradictory lock order: `b < a` here, but `a < b` was declared before",
                "6: `a < b` is declared here",
            ],
        );
    }

    #[test]
    fn what_is_said_twice_is_a_mistake_within_one_item() {
        check(
            "order(a < b, a < b)",
            &["13: `a < b` is declared twice", "6: it was declared here before"],
        );
        check("order(a, b, a)", &["12: `a` is listed twice", "6: it is listed here before"]);
        check(
            "requires(a), requires(read(a), a)",
            &["31: `a` is listed twice", "9: it is listed here before"],
        );
        check(
            "no_block, no_block",
            &["10: `no_block` is given twice", "0: it is given here before"],
        );
        assert_eq!(
            errors("order(a < b), no_block, only(a)", "order(a < b), no_block, only(b)"),
            [""; 0]
        );
    }

    #[test]
    fn what_contradicts_the_block_is_a_mistake() {
        assert_eq!(errors("no_block", "may_block").len(), 2);
        assert_eq!(errors("order(a < b)", "order(b < a)").len(), 2);
        assert_eq!(errors("excludes(a)", "requires(a)").len(), 2);
    }

    #[test]
    fn held_and_not_held_cannot_both_be() {
        let pairs = [
            ("requires(a)", "excludes(a)"),
            ("requires(\"bank.a\")", "excludes(\"bank.*\")"),
            ("requires(read(a))", "excludes(read(a))"),
            ("requires(read(a))", "excludes(a)"),
            ("requires(a)", "acquires(a)"),
            ("requires(entry, a)", "acquires(a)"),
            ("requires(a)", "releases(a)"),
            ("excludes(a)", "releases(a)"),
            ("acquires(a)", "releases(a)"),
            ("acquires(a)", "only()"),
            ("may_block", "no_block"),
        ];
        for (one, other) in pairs {
            assert_eq!(errors("", &format!("{one}, {other}")).len(), 2, "{one} {other}");
            assert_eq!(errors("", &format!("{other}, {one}")).len(), 2, "{other} {one}");
        }
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name) in [
            ("bank.*", "bank.accounts"),
            ("*", ""),
            ("b?nk", "bank"),
            ("*a*a*", "banana"),
            ("a", "a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("bank.*", "bank"), ("b?nk", "bnk"), ("a", "b"), ("*", "a*"), ("?", "")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
