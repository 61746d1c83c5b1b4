//! Options of a class that exclude each other.

use syn::{Error, Result};

use crate::attr::{Class, ClassOption, combined};

pub(crate) fn check(class: &Class) -> Result<()> {
    let mut errors = Vec::new();
    for (index, (later, span)) in class.options.iter().enumerate() {
        for (earlier, first) in &class.options[..index] {
            let mut odd = |text: String, note: &str| {
                let mut error = Error::new(*span, text);
                error.combine(Error::new(*first, note));
                errors.push(error);
            };
            let (word, other) = (later.word(), earlier.word());
            match (earlier, later) {
                _ if word == other => {
                    odd(format!("`{word}` is given twice"), "it is given here before");
                }
                (ClassOption::First, ClassOption::Leaf)
                | (ClassOption::Leaf, ClassOption::First) => odd(
                    format!(
                        "`{word}` contradicts `{other}`: no order is left for a class that is both"
                    ),
                    "which is stated here",
                ),
                (ClassOption::Untracked, _) | (_, ClassOption::Untracked) => {
                    odd(
                        format!("`{word}` contradicts `{other}`: what is not tracked has no rules"),
                        "which is stated here",
                    );
                }
                _ => {}
            }
        }
    }
    combined(errors)
}
