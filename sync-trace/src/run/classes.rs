//! The numbers of classes of locks in one file.

use std::collections::HashMap;

use super::record::{self, Class, ClassHold, ClassNumber, DeclaredClass};
use crate::declared::LockClass;
use crate::evidence::lock_of;
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::hold::Hold;
use crate::meaning::Stated;
use crate::report;

/// What is known of classes: as many as the program has names, levels, and places where locks are created.
#[derive(Default)]
pub(super) struct Classes {
    /// By what a lock's record says, which is the same for most locks of a class.
    by_record: HashMap<(usize, usize, u32), ClassNumber, QuickHash>,
    by_key: HashMap<String, ClassNumber>,
}

impl Classes {
    /// A hold with the number of its class. If that is new, it is described behind `out`.
    pub(super) fn hold(&mut self, hold: &Hold, stated: Stated, out: &mut String) -> ClassHold {
        ClassHold {
            class: self.number(hold, stated.level, out),
            lock: hold.lock,
            mode: hold.mode(),
            op: hold.access.op,
            site: hold.site,
            stated,
        }
    }

    /// The class of a lock that was taken at this level.
    pub(super) fn number(&mut self, hold: &Hold, level: u32, out: &mut String) -> ClassNumber {
        let created = hold.created.to_ptr().addr();
        let record = (created, hold.access.type_name as usize, level);
        if let Some(known) = self.by_record.get(&record) {
            return *known;
        }
        let number = self.named(hold, level, out);
        self.by_record.insert(record, number);
        number
    }

    /// The class of what was not asked for yet.
    #[cold]
    fn named(&mut self, hold: &Hold, level: u32, out: &mut String) -> ClassNumber {
        let lock = lock_of(hold.lock, hold.access, hold.created);
        let at_level = |key: String| match level {
            0 => key,
            _ => format!("level:{level}:{key}"),
        };
        let key = lock.class_key().map(at_level);
        // What comes from nowhere is told apart in this file only.
        let nowhere = || at_level(format!("{}:{}", lock.created, lock.type_name));
        let next = ClassNumber(self.by_key.len() as u64 + 1);
        let number = *self.by_key.entry(key.clone().unwrap_or_else(nowhere)).or_insert(next);
        if number == next {
            let class = Class {
                number,
                key,
                name: lock.name,
                label: report::lock_namer()(&lock),
                kind: lock.kind,
                type_name: lock.type_name,
                created: lock.created,
                level,
                declared: hold.created.class().map(declared),
            };
            record::line(&class, out);
        }
        number
    }
}

fn declared(class: &LockClass) -> DeclaredClass {
    let LockClass { declared, rank, leaf, first, multi, spin, .. } = *class;
    DeclaredClass { at: declared, rank, leaf, first, multi, spin }
}
