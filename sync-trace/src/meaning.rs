//! What a program means by taking several locks of one class at once: see
//! [`order`](mod@crate::order).

use std::fmt;

use crate::finding::LockId;
use crate::held::key::chain;

/// A number by which the locks of one class are ordered: see [`keyed`](crate::order::keyed).
///
/// Made from any integer, and compared as integers are, whatever their types.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    // Compared in this order: negative ones come first. Among those, and among the others, the bits of
    // two's complement have the order of the numbers.
    is_not_negative: bool,
    bits: u128,
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Key {
            #[expect(
                clippy::allow_attributes,
                reason = "half of these integers have a sign"
            )]
            #[inline]
            fn from(number: $integer) -> Self {
                #[allow(unused_comparisons, clippy::cast_lossless, reason = "the others have none")]
                Self { is_not_negative: number >= 0, bits: number as u128 }
            }
        }
    )*};
}
from_integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_not_negative {
            fmt::Display::fmt(&self.bits, f)
        } else {
            fmt::Display::fmt(&(self.bits as i128), f)
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The place of a lock within its class, as the program stated it with [`order`](mod@crate::order) when
/// it took the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stated {
    /// The level of [`nested`](crate::order::nested); 0 if there was none.
    pub level: u32,
    /// The key of [`keyed`](crate::order::keyed).
    pub key: Option<Key>,
}

/// What is true of all locks that are taken in a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) stated: Stated,
    pub(crate) under: Option<Outer>,
}

/// A lock that keeps others away while several of one class are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outer {
    Lock(LockId),
    /// It is not recorded, so the guard is all there is to believe.
    Unrecorded,
}

impl Meaning {
    /// Nothing in particular.
    pub(crate) const PLAIN: Self = Self { stated: Stated { level: 0, key: None }, under: None };

    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::PLAIN
    }

    /// A number for it, which is 0 if it is plain.
    pub(crate) fn number(&self) -> u64 {
        if self.is_plain() {
            return 0;
        }
        let key = self.stated.key.map_or([0; 3], |key| {
            [u64::from(key.is_not_negative) + 1, (key.bits >> 64) as u64, key.bits as u64]
        });
        let under = match self.under {
            None => 0,
            Some(Outer::Unrecorded) => u64::MAX,
            Some(Outer::Lock(lock)) => lock.0,
        };
        key.into_iter().chain([under]).fold(u64::from(self.stated.level), chain)
    }

    /// The same for a hold of `lock` that it is true of.
    pub(crate) fn number_of(&self, lock: LockId) -> u64 {
        match self.number() {
            0 => 0,
            number => chain(number, lock.0),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn keys_of_all_types_are_compared_as_numbers() {
        let ascending = [
            Key::from(i128::MIN),
            Key::from(i64::MIN),
            Key::from(-2i8),
            Key::from(-1isize),
            Key::from(0u8),
            Key::from(1i32),
            Key::from(u64::MAX),
            Key::from(i128::MAX),
            Key::from(u128::MAX),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
        assert_eq!(Key::from(7u8), Key::from(7i128));
        let text: Vec<String> = ascending[2..6].iter().map(Key::to_string).collect();
        assert_eq!(text, ["-2", "-1", "0", "1"]);
        assert_eq!(ascending[0].to_string(), i128::MIN.to_string());
        assert_eq!(ascending[8].to_string(), u128::MAX.to_string());
    }

    #[test]
    fn each_meaning_has_a_number_of_its_own_and_the_plain_one_none() {
        let stated = |level, key: Option<i32>| Stated { level, key: key.map(Key::from) };
        let all = [
            Meaning::PLAIN,
            Meaning { stated: stated(1, None), under: None },
            Meaning { stated: stated(2, None), under: None },
            Meaning { stated: stated(0, Some(0)), under: None },
            Meaning { stated: stated(0, Some(1)), under: None },
            Meaning { stated: stated(0, Some(-1)), under: None },
            Meaning { stated: stated(1, Some(1)), under: None },
            Meaning { stated: stated(0, None), under: Some(Outer::Unrecorded) },
            Meaning { stated: stated(0, None), under: Some(Outer::Lock(LockId(1))) },
        ];
        let numbers: std::collections::BTreeSet<u64> = all.iter().map(Meaning::number).collect();
        assert_eq!(numbers.len(), all.len());
        assert_eq!(Meaning::PLAIN.number(), 0);
        assert_eq!(Meaning::PLAIN.number_of(LockId(3)), 0);
        assert_ne!(all[1].number_of(LockId(3)), all[1].number_of(LockId(4)));
    }
}
