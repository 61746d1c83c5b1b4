//! `did you mean`: the known word that is nearest to an unknown one.

/// `; did you mean …?` if one of `known` is near, else the list of them.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    match similar(word, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => {
            let known: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
            format!("; there are {}", known.join(", "))
        }
    }
}

/// The one of `known` that differs from `word` least, if it could have been meant.
pub(crate) fn similar<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let allowed = match word.chars().count() {
        0 | 1 => 0,
        length => (length / 3).clamp(1, 3),
    };
    let distances = known.iter().map(|known| (distance(&word, &known.to_lowercase()), *known));
    distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many characters have to be put in, left out, replaced, or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            let swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if swapped {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &[&str] = &["read", "write", "upgradable", "class", "of", "each"];

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        assert_eq!(similar("wirte", WORDS), Some("write"));
        assert_eq!(similar("upgradeable", WORDS), Some("upgradable"));
        assert_eq!(similar("Read", WORDS), Some("read"));
        assert_eq!(similar("st0120", &["ST0101", "ST0102"]), Some("ST0102"));
    }

    #[test]
    fn another_word_is_not_taken_for_a_slip() {
        assert_eq!(similar("account", WORDS), None);
        assert_eq!(similar("lock", WORDS), None);
        assert_eq!(similar("f", WORDS), None);
        assert_eq!(did_you_mean("x", &["a_word", "b_word"]), "; there are `a_word`, `b_word`");
    }
}
