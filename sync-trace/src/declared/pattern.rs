//! Names with wildcards.

/// Whether `name` is what `glob` says: `*` stands for any characters, also for none, `?` for any one.
pub(crate) fn fits(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut at, mut to) = (0, 0);
    // Where the last star stands, and up to where in the name it goes.
    let mut star: Option<(usize, usize)> = None;
    while to < name.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, to));
                at += 1;
            }
            Some(&c) if c == '?' || c == name[to] => {
                at += 1;
                to += 1;
            }
            _ => {
                let Some((after, end)) = star else { return false };
                star = Some((after, end + 1));
                (at, to) = (after + 1, end + 1);
            }
        }
    }
    glob[at..].iter().all(|c| *c == '*')
}

/// Whether it has wildcards.
pub(crate) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters_and_question_marks_for_one() {
        for (glob, name, expected) in [
            ("bank.accounts", "bank.accounts", true),
            ("bank.accounts", "bank.account", false),
            ("bank.*", "bank.accounts", true),
            ("bank.*", "bank.", true),
            ("bank.*", "banks.a", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("?", "ä", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.shard-?", "db.shard-7", true),
            ("*.shard-?", "db.shard-17", false),
            ("*a*b*", "xaxxbx", true),
            ("*ab", "aab", true),
            ("*ab", "aba", false),
            ("a**", "a", true),
        ] {
            assert_eq!(fits(glob, name), expected, "{glob} {name}");
        }
    }

    #[test]
    fn a_star_that_took_too_little_takes_more() {
        assert!(fits("*.b.*.c", "a.b.b.x.c"));
        assert!(!fits("*.b.*.c", "a.b.c"));
    }
}
