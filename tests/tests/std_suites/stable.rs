//! What of the tests can be had on a stable compiler.
//!
//! They also test what is unstable, or newer than the compiler. The compiler itself says where: what
//! it does not accept with `std` is taken out, until it accepts all that is left. So whatever fails
//! with the traced types after that is a difference.

use std::ops::Range;

use syn::{Item, UseTree};

use crate::outside::Crate;
use crate::suites::{self, Suite, range_of};

/// More rounds than any source needs.
const ROUNDS: u32 = 40;

/// Takes out of the suites what does not compile with `std`, and names the tests among it.
pub(crate) fn reduce(suites: &mut [Suite], in_crate: &Crate) -> Vec<String> {
    let mut tests = Vec::new();
    for _ in 0..ROUNDS {
        suites::write(suites, in_crate, "with_std", str::to_owned);
        let check = in_crate.cargo(&["check", "--message-format=short", "--test", "with_std"]);
        if check.is_success() {
            return tests;
        }
        let places: Vec<Place> = check.stderr.lines().filter_map(Place::of).collect();
        let mut is_shorter = false;
        for suite in &mut *suites {
            is_shorter |= take_out(suite, &places, &mut tests);
        }
        assert!(is_shorter, "nothing to take out\n{}", check.stderr);
    }
    panic!("after {ROUNDS} rounds std's tests do not compile with std");
}

/// Takes out what is at the places that are in this suite; whether that was anything.
fn take_out(suite: &mut Suite, places: &[Place], tests: &mut Vec<String>) -> bool {
    let module = suite.module();
    let here = places.iter().filter(|place| place.module == module);
    let offsets: Vec<usize> = here.map(|place| place.offset_in(&suite.text)).collect();
    let before = suite.text.len();
    // From the end, so that what is taken out moves nothing that is still to come.
    for item in suite.items().iter().rev() {
        if let Some(at) = offsets.iter().find(|at| range_of(item).contains(at)) {
            let part = part_at(item, *at, &suite.text);
            if part == range_of(item) {
                tests.extend(suites::tests_of(item));
            }
            suite.remove(part);
        }
    }
    suite.text.len() < before
}

/// Where an error is.
struct Place {
    module: String,
    line: usize,
    column: usize,
}

impl Place {
    /// Of a line such as `tests/with_std/tests_sync_mutex.rs:6:24: error[E0658]: …`.
    fn of(message: &str) -> Option<Self> {
        let (place, _) = message.split_once(": error")?;
        let mut parts = place.rsplitn(3, ':');
        let column = parts.next()?.parse().ok()?;
        let line = parts.next()?.parse().ok()?;
        let file = parts.next()?.rsplit(['/', '\\']).next()?;
        Some(Self { module: file.strip_suffix(".rs")?.to_owned(), line, column })
    }

    fn offset_in(&self, text: &str) -> usize {
        let before: usize = text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let in_line = text[before..].chars().take(self.column - 1).map(char::len_utf8);
        before + in_line.sum::<usize>()
    }
}

/// What goes with an error: of an import only the name that is meant, of an attribute (which asks
/// the compiler something unstable about the target) only that, else the whole item.
fn part_at(item: &Item, at: usize, text: &str) -> Range<usize> {
    let whole = range_of(item);
    if let Item::Fn(function) = item {
        let mut attributes = function.attrs.iter().map(range_of);
        return attributes.find(|range| range.contains(&at)).unwrap_or(whole);
    }
    let Item::Use(import) = item else { return whole };
    let Some(mut part) = imported_at(&import.tree, range_of(&import.tree), at) else {
        return whole;
    };
    if part == range_of(&import.tree) {
        return whole;
    }
    let rest = &text[part.end..];
    if rest.trim_start().starts_with(',') {
        part.end += rest.find(',').expect("it is there") + 1;
    }
    part
}

/// The part of an import that stands between commas and has an error `at` a byte; `part` is the one
/// that `tree` belongs to.
fn imported_at(tree: &UseTree, part: Range<usize>, at: usize) -> Option<Range<usize>> {
    match tree {
        UseTree::Path(path) if range_of(&path.ident).contains(&at) => Some(part),
        UseTree::Path(path) => imported_at(&path.tree, part, at),
        UseTree::Group(group) => {
            group.items.iter().find_map(|inner| imported_at(inner, range_of(inner), at))
        }
        leaf => range_of(leaf).contains(&at).then_some(part),
    }
}

#[test]
fn no_more_than_what_is_unstable_is_taken_out() {
    let check = |source: &str, name: &str, left: &str| {
        let mut suite = Suite { place: "std/tests/x.rs".to_owned(), text: source.to_owned() };
        let [item] = &suite.items()[..] else { panic!("one item") };
        let part = part_at(item, source.find(name).expect("it is there"), source);
        suite.remove(part);
        assert_eq!(suite.text, left);
    };
    check("use std::sync::{Arc, Odd, Mutex};", "Odd", "use std::sync::{Arc,  Mutex};");
    check("use std::{mem, sync::odd::{A, B}};", "odd", "use std::{mem, };");
    check("use std::sync::odd::A;", "odd", "");
    check("fn f() { odd() }", "odd", "");
    check("#[cfg(odd)] #[test] fn f() {}", "odd", " #[test] fn f() {}");
}
