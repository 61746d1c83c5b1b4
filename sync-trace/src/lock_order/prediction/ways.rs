//! In which ways locks were wanted: the part of a request that the text of the program says, and that is the
//! same for very many locks.

use std::collections::HashMap;

use crate::finding::LockId;
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::hold::Hold;

/// Numbers for what [holds](Hold) say of locks but for which locks these are. There are no more of them than
/// lines in the program that make locks times lines that take them.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Of some lock.
    all: Vec<Hold>,
    by_addresses: HashMap<(usize, usize, usize), u32, QuickHash>,
}

impl Ways {
    /// The number of the way in which this is held.
    pub(super) fn number_of(&mut self, hold: &Hold) -> u32 {
        // The same lines mostly come again at once.
        if let Some(last) = self.all.last()
            && addresses(last) == addresses(hold)
        {
            return self.all.len() as u32 - 1;
        }
        let next = self.all.len() as u32;
        let number = *self.by_addresses.entry(addresses(hold)).or_insert(next);
        if number == next {
            self.all.push(*hold);
        }
        number
    }

    /// That way with this lock.
    pub(super) fn hold(&self, number: u32, lock: LockId) -> Hold {
        Hold { lock, ..self.all[number as usize] }
    }
}

/// All of a hold but the lock, which are addresses of statics.
fn addresses(hold: &Hold) -> (usize, usize, usize) {
    let access = std::ptr::from_ref(hold.access).addr();
    let site = std::ptr::from_ref(hold.site.0).addr();
    (access, hold.created.to_ptr().addr(), site)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::registry::tests::{ACCESS, DOWNGRADED};
    use crate::site::{Origin, Site};

    #[test]
    fn a_way_is_where_and_how_but_not_which() {
        let (here, there) = (Site::caller(), Site::caller());
        let hold = |lock, access, created, site| Hold {
            lock: LockId(lock),
            access,
            created: Origin::unnamed(created),
            site,
        };
        let all = [
            hold(1, ACCESS, here, here),
            hold(2, ACCESS, here, there),
            hold(3, ACCESS, there, here),
            hold(4, DOWNGRADED, here, here),
        ];
        let mut ways = Ways::default();
        let numbers = all.map(|hold| ways.number_of(&hold));
        assert_eq!(numbers, [0, 1, 2, 3]);
        for (number, hold) in numbers.into_iter().zip(all).rev() {
            let other = Hold { lock: LockId(9), ..hold };
            assert_eq!(ways.number_of(&other), number);
            assert_eq!(ways.hold(number, hold.lock), hold);
            assert_eq!(ways.hold(number, hold.lock).created.site(), hold.created.site());
        }
    }
}
