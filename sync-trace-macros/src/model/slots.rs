//! The numbers under which a call gives the locks that have no name of their own.

use crate::attr::{By, Clause, Lock, Reference, Target};

/// One number for each place or type; `each` has its own, because it keeps an order beside it.
#[derive(Default)]
pub(crate) struct Slots<'c> {
    list: Vec<(String, Slot<'c>)>,
}

#[derive(Clone, Copy)]
pub(crate) struct Slot<'c> {
    pub(crate) lock: &'c Lock,
    /// What ascends in it.
    pub(crate) by: Option<&'c By>,
}

impl<'c> Slots<'c> {
    pub(crate) fn of(clauses: &'c [Clause]) -> Self {
        let mut slots = Self::default();
        for lock in clauses.iter().flat_map(Clause::locks) {
            let Some(key) = key(lock) else { continue };
            if !slots.list.iter().any(|(known, _)| *known == key) {
                let by = match &lock.target {
                    Target::Each(each) if !matches!(each.members[..], [Reference::Of(_)]) => {
                        Some(&each.by)
                    }
                    _ => None,
                };
                slots.list.push((key, Slot { lock, by }));
            }
        }
        slots
    }

    /// The number of `lock`; `None` if its name says all.
    pub(crate) fn number(&self, lock: &Lock) -> Option<usize> {
        let key = key(lock)?;
        self.list.iter().position(|(known, _)| *known == key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Slot<'c>)> + '_ {
        self.list.iter().map(|(_, slot)| *slot).enumerate()
    }
}

fn key(lock: &Lock) -> Option<String> {
    let named =
        |reference: &Reference| matches!(reference, Reference::Name(_) | Reference::Class(_));
    if lock.references().iter().any(named) {
        return None;
    }
    let keys: Vec<_> = lock.references().iter().map(Reference::key).collect();
    Some(match &lock.target {
        Target::One(_) => keys.concat(),
        Target::Each(_) => match lock.references() {
            [Reference::Of(_)] => keys.concat(),
            // With the closure, as written.
            _ => format!("each {}", lock.written.text()),
        },
    })
}
