//! Classes of locks that the program names, and what is said of them once and for all.

use crate::site::Site;

/// A named class of locks, made by [`lock_class!`](crate::lock_class).
///
/// Locks join it where they are created: `named!(class(ACCOUNTS), Mutex::new(0))`.
#[derive(Debug)]
pub struct LockClass {
    pub(crate) name: &'static str,
    pub(crate) declared: Site,
    pub(crate) rank: Option<u32>,
    pub(crate) leaf: bool,
    pub(crate) first: bool,
    pub(crate) multi: bool,
    pub(crate) spin: bool,
    pub(crate) untracked: bool,
}

impl LockClass {
    /// A class of this name about which nothing else is said.
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            declared: Site::caller(),
            rank: None,
            leaf: false,
            first: false,
            multi: false,
            spin: false,
            untracked: false,
        }
    }

    /// Locks of a lower rank are taken before those of a higher one.
    #[must_use]
    pub const fn rank(self, rank: u32) -> Self {
        Self { rank: Some(rank), ..self }
    }

    /// While one is held, nothing else is taken.
    #[must_use]
    pub const fn leaf(self) -> Self {
        Self { leaf: true, ..self }
    }

    /// One is only taken while nothing else is held.
    #[must_use]
    pub const fn first(self) -> Self {
        Self { first: true, ..self }
    }

    /// Several may be held at once.
    #[must_use]
    pub const fn multi(self) -> Self {
        Self { multi: true, ..self }
    }

    /// While one is held, nothing blocks.
    #[must_use]
    pub const fn spin(self) -> Self {
        Self { spin: true, ..self }
    }

    /// Its locks are never recorded.
    #[must_use]
    pub const fn untracked(self) -> Self {
        Self { untracked: true, ..self }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the same is said of two classes that may stand at different places.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let options = |class: &Self| {
            (class.rank, class.leaf, class.first, class.multi, class.spin, class.untracked)
        };
        options(self) == options(other)
    }
}

/// Whether `left` may be declared to come before `right`.
///
/// # Panics
///
/// At compile time, if their ranks say otherwise.
pub const fn check_ranks(left: &LockClass, right: &LockClass) {
    if let (Some(before), Some(after)) = (left.rank, right.rank) {
        assert!(
            before < after,
            "the lock order contradicts the ranks of these classes: the left one must have the lower rank"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_rise_from_left_to_right() {
        const LOW: LockClass = LockClass::new("low").rank(1);
        const HIGH: LockClass = LockClass::new("high").rank(2);
        const NONE: LockClass = LockClass::new("none");
        check_ranks(&LOW, &HIGH);
        check_ranks(&HIGH, &NONE);
        check_ranks(&NONE, &LOW);
        assert!(std::panic::catch_unwind(|| check_ranks(&HIGH, &LOW)).is_err());
        assert!(std::panic::catch_unwind(|| check_ranks(&LOW, &LOW)).is_err());
    }

    #[test]
    fn classes_of_one_name_can_be_compared() {
        let class = || LockClass::new("a").rank(1).first();
        assert!(class().says_the_same_as(&class()));
        assert!(!class().says_the_same_as(&class().leaf()));
    }
}
