//! What locks are called.
//!
//! A lock that was given no name is called after the field, static or variable that it was created
//! for, where the source shows that, or else after its type. This is for people only: nothing is
//! compared or counted by it.

use super::guess;
use super::source::{Sources, is_word};
use super::words::tame;
use crate::finding::{Lock, LockId, LockKind, Mode};
use std::collections::BTreeMap;

/// The display name of each lock in a finding or dump.
pub(super) struct LockNames(BTreeMap<LockId, String>);

/// A name, and whether a single lock may be expected to have it.
type Name = (String, bool);

impl LockNames {
    /// Names that may be shared by several locks, for where numbers stand beside them anyway.
    pub(super) fn shared<'a>(locks: impl Iterator<Item = &'a Lock>, sources: &Sources) -> Self {
        let names = called(locks, sources).into_iter().map(|(id, (name, _))| (id, name));
        Self(names.collect())
    }

    /// Names that tell the locks apart.
    pub(super) fn distinct<'a>(locks: impl Iterator<Item = &'a Lock>, sources: &Sources) -> Self {
        let names = called(locks, sources);
        let mut bearers = BTreeMap::new();
        names.values().for_each(|(name, _)| *bearers.entry(name).or_insert(0) += 1);
        let distinct = |(id, (name, is_own)): (&LockId, &Name)| match *is_own && bearers[name] == 1
        {
            true => (*id, name.clone()),
            false => (*id, format!("{name} {id}")),
        };
        Self(names.iter().map(distinct).collect())
    }

    /// The name of `lock`.
    pub(super) fn of(&self, lock: &Lock) -> &str {
        self.0.get(&lock.id).map_or("an unknown lock", String::as_str)
    }

    /// The name of `lock`, also of one that is not among those that were named.
    pub(super) fn any_of(&self, lock: &Lock) -> String {
        match (self.0.get(&lock.id), lock.name) {
            (Some(known), _) => known.clone(),
            (None, Some(given)) => tame(given),
            (None, None) => by_type(lock),
        }
    }

    /// The name that `lock` shares with others of its kind: without its number.
    pub(super) fn class_of(&self, lock: &Lock) -> &str {
        let name = self.of(lock);
        name.strip_suffix(&format!(" {}", lock.id)).unwrap_or(name)
    }
}

fn called<'a>(locks: impl Iterator<Item = &'a Lock>, sources: &Sources) -> BTreeMap<LockId, Name> {
    // Thousands of locks may come from one line.
    let mut guesses = BTreeMap::new();
    let mut name = |lock: &Lock| {
        if let Some(given) = lock.name {
            return (tame(given), true);
        }
        let guess = guesses.entry(lock.created);
        match guess.or_insert_with_key(|at| guess::name_of(*at, sources)) {
            Some(guess) => (guess.clone(), !guess.ends_with(guess::ELEMENT)),
            None => (by_type(lock), false),
        }
    };
    locks.map(|lock| (lock.id, name(lock))).collect()
}

/// The lock's kind and what it protects, such as `std Mutex<Vec<Entry>>`.
pub(crate) fn kind(lock: &Lock) -> String {
    kind_of(lock, &short_type(lock.type_name))
}

/// How the lock is held or wanted; empty where there is only one way.
pub(super) fn mode(lock: &Lock, mode: Mode) -> &'static str {
    match (mode, lock.kind) {
        (Mode::Exclusive, LockKind::RwLock) => "write",
        (Mode::Exclusive, LockKind::Barrier | LockKind::Channel) => "",
        (_, LockKind::Semaphore) => "",
        (Mode::Exclusive, kind) if kind.is_once() => "",
        (Mode::Exclusive, _) => "exclusive",
        (Mode::Upgradable, _) => "upgradable",
        (Mode::Read | Mode::RecursiveRead, _) => "read",
    }
}

/// Such as `Mutex<HashMap<..>>`.
fn by_type(lock: &Lock) -> String {
    let kind = kind_of(lock, &without_inner_generics(&short_type(lock.type_name)));
    kind.strip_prefix("std ").unwrap_or(&kind).to_owned()
}

fn kind_of(lock: &Lock, inner: &str) -> String {
    if inner.is_empty() { lock.kind.to_string() } else { format!("{}<{inner}>", lock.kind) }
}

/// `alloc::vec::Vec<bank::Entry>` as `Vec<Entry>`.
fn short_type(full: &str) -> String {
    let mut short = String::new();
    let mut word_start = 0;
    let mut rest = full.chars().peekable();
    while let Some(c) = rest.next() {
        if c == ':' && rest.next_if_eq(&':').is_some() {
            short.truncate(word_start);
        } else {
            short.push(c);
            // A closure is `path::{{closure}}`.
            if !is_word(c) && !matches!(c, '{' | '}' | '#') {
                word_start = short.len();
            }
        }
    }
    short
}

/// `HashMap<String, u8>` as `HashMap<..>`.
fn without_inner_generics(short: &str) -> String {
    match (short.find('<'), short.rfind('>')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}<..{}", &short[..open], &short[close..])
        }
        _ => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_of_the_same_name_are_told_apart_by_number() {
        let lock = |id, name| Lock {
            id: LockId(id),
            kind: LockKind::Mutex,
            type_name: "u8",
            name,
            created: crate::finding::Site::caller(),
        };
        let locks = [lock(1, Some("a")), lock(2, Some("a")), lock(3, Some("b")), lock(4, None)];
        let names = LockNames::distinct(locks.iter(), &Sources::below(Vec::new()));
        assert_eq!(
            locks.each_ref().map(|lock| names.of(lock)),
            ["a #1", "a #2", "b", "Mutex<u8> #4"]
        );
        assert_eq!(locks.each_ref().map(|lock| names.class_of(lock)), ["a", "a", "b", "Mutex<u8>"]);
        assert_eq!(names.of(&lock(5, None)), "an unknown lock");
        let typed = Lock { type_name: "a::A<b::B, u8>", ..lock(6, None) };
        assert_eq!([by_type(&typed), kind(&typed)], ["Mutex<A<..>>", "std Mutex<A<B, u8>>"]);
    }

    #[test]
    fn types_lose_their_paths_and_keep_their_generics() {
        let check = |full, short: &str, elided: &str| {
            assert_eq!(short_type(full), short);
            assert_eq!(without_inner_generics(short), elided);
        };
        check("std::collections::HashMap<a::K, (b::V, u8)>", "HashMap<K, (V, u8)>", "HashMap<..>");
        check("dyn core::ops::Fn(a::B) -> [c::D; 2]", "dyn Fn(B) -> [D; 2]", "dyn Fn(B) -> [D; 2]");
        check("a::f::{{closure}}", "{{closure}}", "{{closure}}");
        check("()", "()", "()");
    }
}
