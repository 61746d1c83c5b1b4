//! How sure a finding is, and from which level on it fails a run.

use clap::ValueEnum;
use std::fmt;

/// How sure a finding is, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It has happened.
    Actual,
    /// It can happen.
    Predicted,
    /// A declaration is broken.
    Declared,
    /// Orders are inconsistent, and something kept that from being a deadlock, or nobody saw it whole.
    Order,
    /// Something is used in a way of which nobody says that it works.
    Misuse,
}

impl Level {
    /// From the word in a record. One of a later version is not called surer than it may be.
    pub fn of(word: &str) -> Self {
        match word {
            "actual" => Self::Actual,
            "predicted" => Self::Predicted,
            "declared" => Self::Declared,
            "misuse" => Self::Misuse,
            _ => Self::Order,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Actual => "actual",
            Self::Predicted => "predicted",
            Self::Declared => "declared",
            Self::Order => "order",
            Self::Misuse => "misuse",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Up to which level findings fail a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// Nothing fails but the command itself
    Nothing,
    /// Deadlocks that have happened
    Actual,
    /// Also those that can happen
    Predicted,
    /// Also broken declarations
    #[default]
    Declared,
    /// Also orders that are only inconsistent, and other warnings
    Order,
}

impl Deny {
    /// Whether a finding of this level fails the run.
    pub fn denies(self, level: Level) -> bool {
        match self {
            Self::Nothing => false,
            Self::Actual => level <= Level::Actual,
            Self::Predicted => level <= Level::Predicted,
            Self::Declared => level <= Level::Declared,
            Self::Order => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_denied_from_its_own_name_on() {
        let levels =
            [Level::Actual, Level::Predicted, Level::Declared, Level::Order, Level::Misuse];
        for (deny, expected) in [
            (Deny::Nothing, 0),
            (Deny::Actual, 1),
            (Deny::Predicted, 2),
            (Deny::Declared, 3),
            (Deny::Order, 5),
        ] {
            assert_eq!(levels.iter().filter(|level| deny.denies(**level)).count(), expected);
        }
        for level in levels {
            assert_eq!(Level::of(level.as_str()), level);
        }
        assert_eq!(Level::of("later"), Level::Order);
    }
}
