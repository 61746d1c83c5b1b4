//! What locks are called.
//!
//! A lock that was given no name is called after the field, static or variable that it was created
//! for, where the source shows that, or else after its type. This is for people only: nothing is
//! compared or counted by it.

use super::guess;
use super::source::{Sources, is_word};
use super::words::{line_of, tame};
use crate::finding::{Lock, LockId, LockKind, Mode};
use std::collections::BTreeMap;

/// The display name of each lock in a finding or dump.
pub(super) struct LockNames(BTreeMap<LockId, String>);

impl LockNames {
    /// Names that may be shared by several locks, for where numbers stand beside them anyway.
    pub(super) fn shared<'a>(locks: impl Iterator<Item = &'a Lock>, sources: &Sources) -> Self {
        // Thousands of locks may come from one line.
        let mut guesses = BTreeMap::new();
        let mut name = |lock: &Lock| match lock.name {
            Some(given) => tame(given),
            None => {
                let guess = guesses
                    .entry(lock.created)
                    .or_insert_with_key(|at| guess::name_of(*at, sources));
                guess.clone().unwrap_or_else(|| by_type(lock))
            }
        };
        Self(locks.map(|lock| (lock.id, name(lock))).collect())
    }

    /// Names that tell the locks apart.
    pub(super) fn distinct<'a>(locks: impl Iterator<Item = &'a Lock>, sources: &Sources) -> Self {
        let Self(shared) = Self::shared(locks, sources);
        let is_twice = |name: &String| shared.values().filter(|other| *other == name).count() > 1;
        let distinct = |(id, name): (&LockId, &String)| match is_twice(name) {
            true => (*id, format!("{name} {id}")),
            false => (*id, name.clone()),
        };
        Self(shared.iter().map(distinct).collect())
    }

    /// The name of `lock`.
    pub(super) fn of(&self, lock: &Lock) -> &str {
        self.0.get(&lock.id).map_or("an unknown lock", String::as_str)
    }
}

/// The lock's kind and what it protects, such as `std Mutex<Vec<Entry>>`.
pub(super) fn kind(lock: &Lock) -> String {
    let inner = short_type(lock.type_name);
    if inner.is_empty() { lock.kind.to_string() } else { format!("{}<{inner}>", lock.kind) }
}

/// How the lock is held or wanted.
pub(super) fn mode(lock: &Lock, mode: Mode) -> &'static str {
    match (mode, lock.kind) {
        (Mode::Exclusive, LockKind::RwLock) => "write",
        (Mode::Exclusive, _) => "exclusive",
        (Mode::Upgradable, _) => "upgradable",
        (Mode::Read | Mode::RecursiveRead, _) => "read",
    }
}

/// Such as `Mutex<HashMap<..>> (src/bank.rs:21)`.
fn by_type(lock: &Lock) -> String {
    let kind = lock.kind.to_string();
    let kind = kind.strip_prefix("std ").unwrap_or(&kind);
    let inner = without_inner_generics(&short_type(lock.type_name));
    let inner = if inner.is_empty() { inner } else { format!("<{inner}>") };
    match lock.created {
        site if site.is_unknown() => format!("{kind}{inner}"),
        site => format!("{kind}{inner} ({})", line_of(site)),
    }
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
        let locks = [lock(1, Some("a")), lock(2, Some("a")), lock(3, Some("b"))];
        let names = LockNames::distinct(locks.iter(), &Sources::below(Vec::new()));
        assert_eq!(locks.each_ref().map(|lock| names.of(lock)), ["a #1", "a #2", "b"]);
        assert_eq!(names.of(&lock(4, None)), "an unknown lock");
        assert!(by_type(&lock(5, None)).starts_with("Mutex<u8> ("));
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
