//! The tests of `std` for `std::sync` and `std::thread`.
//!
//! In newer versions they stand beside `std` and are written for its public paths, in older ones
//! (and some still) in modules of `std` itself.

use std::fs;
use std::ops::Range;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{Attribute, Item};

use crate::exclusions::Exclusions;
use crate::outside::Crate;
use crate::paths;
use crate::sources::{self, Library};

/// One file of tests.
pub(crate) struct Suite {
    /// Below `library`, such as `std/tests/sync/mutex.rs`.
    pub(crate) place: String,
    /// Its source, for use outside of `std`.
    pub(crate) text: String,
}

impl Suite {
    /// The module that it becomes.
    pub(crate) fn module(&self) -> String {
        let path = self.place.trim_start_matches("std/").trim_end_matches(".rs");
        path.replace(['/', '-'], "_")
    }

    pub(crate) fn items(&self) -> Vec<Item> {
        let file = syn::parse_file(&self.text);
        file.unwrap_or_else(|error| panic!("{} cannot be read: {error}", self.place)).items
    }

    /// Takes a part out. Its lines stay, as empty ones, so that messages show the line in the original.
    pub(crate) fn remove(&mut self, part: Range<usize>) {
        let blank: String =
            self.text[part.clone()].chars().filter(|character| *character == '\n').collect();
        self.text.replace_range(part, &blank);
    }
}

/// The bytes of the source that an item, or a part of it, takes up.
pub(crate) fn range_of(part: &impl Spanned) -> Range<usize> {
    part.span().byte_range()
}

/// All files of tests that `library` has.
pub(crate) fn read(library: &Library) -> Vec<Suite> {
    let mut found = Vec::new();
    for folder in ["std/tests/sync", "std/tests/thread_local", "std/tests/thread.rs"] {
        let path = library.folder.join(folder);
        let files = if path.is_file() { vec![path] } else { sources::files_below(&path, ".rs") };
        for file in files.iter().filter(|file| !file.ends_with("lib.rs")) {
            found.push(suite(library, file, |text| text.to_owned()));
        }
    }
    for folder in ["std/src/sync", "std/src/thread"] {
        for file in sources::files_below(&library.folder.join(folder), "tests.rs") {
            let parent = module_of_folder(library, file.parent().expect("a folder"));
            found.push(suite(library, &file, |text| paths::out_of_std(text, &parent)));
        }
    }
    found
}

fn suite(library: &Library, file: &Path, outside: impl FnOnce(&str) -> String) -> Suite {
    let place = file.strip_prefix(&library.folder).expect("a file of the library");
    let place = place.to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(file).expect("a file of the library can be read");
    let mut suite = Suite { place, text: paths::stable(&outside(&text)) };
    // What they say to the compiler holds for a whole crate, and unstable features cannot be had.
    let file =
        syn::parse_file(&suite.text).unwrap_or_else(|error| panic!("{}: {error}", suite.place));
    for attribute in file.attrs.iter().rev().filter(|it| !it.path().is_ident("doc")) {
        suite.remove(range_of(attribute));
    }
    suite
}

/// The path in `std` of the module whose files are in `folder`.
fn module_of_folder(library: &Library, folder: &Path) -> String {
    let inner = folder.strip_prefix(library.folder.join("std/src")).expect("a folder of std");
    let names = inner.iter().map(|name| name.to_string_lossy());
    names.fold("std".to_owned(), |path, name| format!("{path}::{name}"))
}

/// Takes out what the table says, and names it.
pub(crate) fn exclude(suites: &mut [Suite], exclusions: &mut Exclusions) -> Vec<String> {
    let mut excluded = Vec::new();
    for suite in suites {
        for item in suite.items().iter().rev() {
            for test in tests_of(item) {
                if exclusions.has(&suite.place, &test) {
                    suite.remove(range_of(item));
                    excluded.push(test);
                }
            }
        }
    }
    excluded
}

/// The names of the tests that an item makes.
pub(crate) fn tests_of(item: &Item) -> Vec<String> {
    match item {
        Item::Fn(function) if function.attrs.iter().any(is_test) => {
            vec![function.sig.ident.to_string()]
        }
        Item::Mod(module) => {
            module.content.iter().flat_map(|(_, items)| items).flat_map(tests_of).collect()
        }
        Item::Macro(call) => named(call.mac.tokens.clone()).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("test")
}

/// The name in `name: it, test_body: {…}`.
fn named(tokens: TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().take(3).collect();
    match tokens.as_slice() {
        [key, _, TokenTree::Ident(name)] if key.to_string() == "name" => Some(name.to_string()),
        _ => None,
    }
}

/// Writes all suites as one test binary of the crate.
pub(crate) fn write(suites: &[Suite], to: &Crate, binary: &str, paths: fn(&str) -> String) {
    let mut root = paths(ROOT);
    for suite in suites {
        let module = suite.module();
        root.push_str(&format!("mod {module};\n"));
        to.write(&format!("tests/{binary}/{module}.rs"), &paths(&suite.text));
    }
    to.write(&format!("tests/{binary}/main.rs"), &root);
}

/// What the files of tests expect around them.
///
/// The macro makes tests for locks with poison and for unstable ones without; here there is only the
/// first kind. Of the crate `rand` only a biased coin is used.
const ROOT: &str = r#"#![allow(warnings)]

extern crate self as rand;

pub trait Rng {}

pub struct Dice(u64);

impl Dice {
    pub fn random_bool(&mut self, probability: f64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 as f64) < probability * u64::MAX as f64
    }

    pub fn gen_bool(&mut self, probability: f64) -> bool {
        self.random_bool(probability)
    }
}

pub mod common {
    use std::hash::{BuildHasher, RandomState};

    pub fn test_rng() -> crate::Dice {
        crate::Dice(RandomState::new().hash_one(0) | 1)
    }
}

pub use common as test_helpers;

#[track_caller]
fn unpoisoned<T, E: std::fmt::Debug>(outcome: Result<T, E>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("{error:?}"),
    }
}

macro_rules! nonpoison_and_poison_unwrap_test {
    (name: $name:ident, test_body: { $($body:tt)* }) => {
        #[test]
        fn $name() {
            use crate::unpoisoned as maybe_unwrap;
            use ::std::sync as locks;
            $($body)*
        }
    };
}
use nonpoison_and_poison_unwrap_test;

"#;
