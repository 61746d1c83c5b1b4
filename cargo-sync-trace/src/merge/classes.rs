//! Classes of locks, the same in all processes by their keys.

use crate::read::record::{Class, Site};
use std::collections::HashMap;

/// The number of a class in a merged run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

/// A class of locks, as all processes saw it.
#[derive(Clone, Debug)]
pub struct MergedClass {
    /// What identifies it.
    pub key: String,
    /// The name given.
    pub name: Option<String>,
    /// What reports call it.
    pub label: String,
    /// Which primitive, as records say it.
    pub kind: String,
    /// What it protects.
    pub type_name: String,
    /// Where the first lock of it was created.
    pub created: Option<Site>,
    /// In how many processes it was met.
    pub processes: u32,
    /// Whether it was seen to be written, so that readers may have to queue.
    pub is_written: bool,
}

impl MergedClass {
    /// The kind and type as reports show them, such as `std Mutex<Vec<u8>>`.
    pub fn kind_and_type(&self) -> String {
        let kind = kind_in_words(&self.kind);
        let inner = short_type(&self.type_name);
        if inner.is_empty() { kind.to_owned() } else { format!("{kind}<{inner}>") }
    }

    /// Whether somebody who holds a lock of it keeps others waiting until it is released.
    pub fn is_held_by_somebody(&self) -> bool {
        !matches!(&*self.kind, "semaphore" | "barrier" | "channel" | "condvar" | "thread")
    }
}

/// All classes of a run.
#[derive(Debug, Default)]
pub struct Classes {
    all: Vec<MergedClass>,
    by_key: HashMap<String, ClassId>,
}

impl Classes {
    /// The number of the class of this key, which one more process has met.
    pub fn meet(&mut self, key: String, class: Class) -> ClassId {
        if let Some(&id) = self.by_key.get(&key) {
            self.all[id.0 as usize].processes += 1;
            return id;
        }
        let id = ClassId(self.all.len() as u32);
        let Class { name, label, kind, type_name, created, .. } = class;
        let label = if label.is_empty() { key.clone() } else { label };
        self.by_key.insert(key.clone(), id);
        self.all.push(MergedClass {
            key,
            name,
            label,
            kind,
            type_name,
            created,
            processes: 1,
            is_written: false,
        });
        id
    }

    /// A class by its number.
    pub fn get(&self, id: ClassId) -> &MergedClass {
        &self.all[id.0 as usize]
    }

    /// It was written.
    pub fn mark_written(&mut self, id: ClassId) {
        self.all[id.0 as usize].is_written = true;
    }

    /// All, by their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ClassId, &MergedClass)> {
        self.all.iter().enumerate().map(|(at, class)| (ClassId(at as u32), class))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// A kind as reports say it.
pub fn kind_in_words(kind: &str) -> &str {
    match kind {
        "mutex" => "std Mutex",
        "rwlock" => "std RwLock",
        "condvar" => "std Condvar",
        "once" => "std Once",
        "once_lock" => "std OnceLock",
        "lazy_lock" => "std LazyLock",
        "barrier" => "std Barrier",
        "channel" => "std channel",
        "semaphore" => "Semaphore",
        other => other,
    }
}

/// `alloc::vec::Vec<bank::Entry>` as `Vec<Entry>`.
pub fn short_type(full: &str) -> String {
    let mut short = String::new();
    let mut word = 0;
    let mut rest = full.chars().peekable();
    while let Some(c) = rest.next() {
        if c == ':' && rest.next_if_eq(&':').is_some() {
            short.truncate(word);
            continue;
        }
        short.push(c);
        if !c.is_alphanumeric() && c != '_' {
            word = short.len();
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_called_as_the_library_calls_them() {
        use sync_trace::finding::LockKind;
        for (word, kind) in [
            ("mutex", LockKind::Mutex),
            ("rwlock", LockKind::RwLock),
            ("condvar", LockKind::Condvar),
            ("once", LockKind::Once),
            ("once_lock", LockKind::OnceLock),
            ("lazy_lock", LockKind::LazyLock),
            ("barrier", LockKind::Barrier),
            ("channel", LockKind::Channel),
            ("semaphore", LockKind::Semaphore),
            ("thread", LockKind::Thread),
        ] {
            assert_eq!(kind_in_words(word), kind.to_string());
        }
    }

    #[test]
    fn types_are_shown_without_their_modules() {
        assert_eq!(short_type("alloc::vec::Vec<bank::Entry>"), "Vec<Entry>");
        assert_eq!(short_type("(a::B, [c::D; 2])"), "(B, [D; 2])");
        assert_eq!(short_type(""), "");
    }
}
