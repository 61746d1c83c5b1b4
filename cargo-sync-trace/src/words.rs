//! Words with numbers.

use std::fmt::Display;

/// `1 error`, `2 errors`, `2 classes`, `2 entries`.
pub fn count<N: Display + PartialEq + From<u8>>(count: N, what: &str) -> String {
    if count == N::from(1) {
        return format!("1 {what}");
    }
    match what.strip_suffix('y') {
        Some(stem) => format!("{count} {stem}ies"),
        None if what.ends_with('s') => format!("{count} {what}es"),
        None => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn many_are_counted_in_the_plural() {
        for (number, what, expected) in [
            (1, "class", "1 class"),
            (2, "class", "2 classes"),
            (0, "error", "0 errors"),
            (3, "entry", "3 entries"),
        ] {
            assert_eq!(count(number, what), expected);
        }
    }
}
