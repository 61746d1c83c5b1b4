//! Orders that were seen, as declarations to paste.

use std::collections::{BTreeMap, BTreeSet};

use super::names::LockNames;
use super::source::{Sources, place_before};
use super::words::{line_of, times};
use crate::finding::{Hold, Lock, Nesting, Site};

/// The text for `nestings`.
pub(crate) fn render(nestings: &[Nesting]) -> String {
    let sources = Sources::new();
    let locks = || nestings.iter().flat_map(|one| [&one.outer.lock, &one.inner.lock]);
    let names = LockNames::shared(locks(), &sources);
    let mut functions: BTreeMap<Function, Orders> = BTreeMap::new();
    let mut program = Orders::default();
    for nesting in nestings {
        match in_one_function(nesting, &sources) {
            Some((function, first, then)) => {
                functions.entry(function).or_default().add(first, then, nesting);
            }
            None => {
                let name = |lock: &Lock| format!("\"{}\"", names.class_of(lock));
                program.add(name(&nesting.outer.lock), name(&nesting.inner.lock), nesting);
            }
        }
    }
    let mut text = String::from("// Orders of locks that were seen, as declarations.\n");
    for (Function { file, line, name }, orders) in &functions {
        let (chains, both) = orders.chains();
        text += &format!("\n// {file}:{line}, on `fn {name}`, {}\n", orders.seen());
        text += &remarks(&both);
        if !chains.is_empty() {
            text += &format!("#[lock_order({})]\n", chains.join(", "));
        }
    }
    let (chains, both) = program.chains();
    if !chains.is_empty() || !both.is_empty() {
        text += &format!(
            "\n// Over several functions, {}.\n// Give the locks these names first, with \
             #[derive(LockFields)] or named!.\n",
            program.seen()
        );
        text += &remarks(&both);
        if !chains.is_empty() {
            text += &format!("lock_hierarchy! {{\n    {},\n}}\n", chains.join(",\n    "));
        }
    }
    text
}

fn remarks(both: &[String]) -> String {
    both.iter().map(|remark| format!("// both orders were seen: {remark}\n")).collect()
}

/// A function in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Function {
    file: &'static str,
    line: usize,
    name: String,
}

/// The function in which both locks were taken, and how it calls them.
fn in_one_function(nesting: &Nesting, sources: &Sources) -> Option<(Function, String, String)> {
    let (outer, inner) = (nesting.outer.site, nesting.inner.site);
    if outer.file() != inner.file() {
        return None;
    }
    let text = sources.at(outer)?.text;
    let head = |site: Site| enclosing(&text, site.line() as usize);
    let function = head(outer).filter(|function| head(inner).as_ref() == Some(function))?;
    let place = |hold: &Hold| {
        let spot = sources.at(hold.site)?;
        let place = place_before(&spot.text[..spot.span.start])?;
        is_known_at_entry(&place, &function.signature).then_some(place)
    };
    let (first, then) = (place(&nesting.outer)?, place(&nesting.inner)?);
    let Head { line, name, .. } = function;
    (first != then).then_some((Function { file: outer.file(), line, name }, first, then))
}

/// The beginning of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    /// Its line, counted from 1.
    line: usize,
    name: String,
    /// What stands before its body.
    signature: String,
}

/// The function around line `line`, which is counted from 1: the nearest one above that is indented
/// less, as rustfmt does it.
fn enclosing(text: &str, line: usize) -> Option<Head> {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut limit = indent(lines.last()?);
    for (at, &candidate) in lines.iter().enumerate().rev().skip(1) {
        if candidate.trim().is_empty() || indent(candidate) >= limit {
            continue;
        }
        if let Some(name) = function_name(candidate) {
            let rest: String = text.lines().skip(at).take(32).collect::<Vec<_>>().join("\n");
            let signature = rest.split('{').next().unwrap_or_default().to_owned();
            return Some(Head { line: at + 1, name, signature });
        }
        // The last lines of a signature are indented as its first one is.
        let is_end_of_signature = candidate.trim_start().starts_with([')', '}']);
        limit = if is_end_of_signature { limit } else { indent(candidate) };
    }
    None
}

/// The name of the function that begins on this line.
fn function_name(line: &str) -> Option<String> {
    let mut words = line.split(|c: char| c.is_whitespace()).filter(|word| !word.is_empty());
    let is_before = |word: &str| {
        matches!(word, "const" | "async" | "unsafe" | "extern" | "default" | "safe")
            || word.starts_with("pub")
            || word.starts_with('"')
    };
    let name = loop {
        match words.next()? {
            "fn" => break words.next()?,
            word if is_before(word) || word.ends_with(')') => {}
            _ => return None,
        }
    };
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
    (end > 0).then(|| name[..end].to_owned())
}

/// Whether a place can be named before the body runs: it begins with an argument or a static.
fn is_known_at_entry(place: &str, signature: &str) -> bool {
    let root = place.split(['.', '[']).next().unwrap_or_default();
    let last = root.rsplit("::").next().unwrap_or_default();
    let is_static = !last.is_empty() && !last.contains(|c: char| c.is_lowercase());
    let arguments = signature.split_once('(').map_or("", |(_, arguments)| arguments);
    let words = arguments.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    is_static || words.into_iter().any(|word| word == root)
}

/// Pairs of locks, in the words of a declaration.
#[derive(Default)]
struct Orders {
    pairs: BTreeMap<(String, String), String>,
    count: u64,
}

impl Orders {
    fn add(&mut self, first: String, then: String, nesting: &Nesting) {
        let place = || {
            let (outer, inner) = (nesting.outer.site, nesting.inner.site);
            format!("{} then {}", line_of(outer), line_of(inner))
        };
        self.count += nesting.times;
        self.pairs.entry((first, then)).or_insert_with(place);
    }

    fn seen(&self) -> String {
        format!("seen {}", times(self.count))
    }

    /// The chains that say it with the fewest pairs, and what was seen in both orders.
    fn chains(&self) -> (Vec<String>, Vec<String>) {
        let is_both = |(first, then): &(String, String)| self.leads(then, first, None);
        let mut remarks = Vec::new();
        let mut pairs: BTreeSet<&(String, String)> = BTreeSet::new();
        for (pair, place) in &self.pairs {
            if is_both(pair) {
                remarks.push(format!("{} before {} at {place}", pair.0, pair.1));
            } else if !self.leads(&pair.0, &pair.1, Some(pair)) {
                // What others say together need not be said.
                pairs.insert(pair);
            }
        }
        let mut chains: Vec<Vec<&str>> = Vec::new();
        while let Some(start) = pairs
            .iter()
            .find(|pair| !pairs.iter().any(|other| other.1 == pair.0))
            .or_else(|| pairs.iter().next())
            .copied()
        {
            pairs.remove(start);
            let mut chain = vec![start.0.as_str(), start.1.as_str()];
            while let Some(next) = pairs.iter().find(|pair| Some(&pair.0.as_str()) == chain.last())
            {
                let next = *next;
                pairs.remove(next);
                chain.push(&next.1);
            }
            chains.push(chain);
        }
        (chains.into_iter().map(|chain| chain.join(" < ")).collect(), remarks)
    }

    /// Whether pairs other than `but` lead from one to the other.
    fn leads(&self, from: &str, to: &str, but: Option<&(String, String)>) -> bool {
        let mut reached = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for pair in self.pairs.keys().filter(|pair| pair.0 == at && Some(*pair) != but) {
                if pair.1 == to {
                    return true;
                }
                if reached.insert(&pair.1) {
                    open.push(&pair.1);
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
impl Bank {
    pub(crate) fn transfer(&self, from: u32) {
        let mut accounts = self.accounts.lock().unwrap();
        if from > 0 {
            self.audit.lock().unwrap();
        }
    }

    async fn long(
        &self,
        log: &Mutex<u8>,
    ) -> u8 {
        log.lock().unwrap();
        0
    }
}

fn free() { LOG.lock(); }
";

    #[test]
    fn the_function_around_a_line_is_found() {
        let name = |line| enclosing(SOURCE, line).map(|head| head.name);
        assert_eq!(name(3).as_deref(), Some("transfer"));
        assert_eq!(name(5).as_deref(), Some("transfer"));
        assert_eq!(name(13).as_deref(), Some("long"));
        assert_eq!(name(1), None);
        assert_eq!(enclosing(SOURCE, 5).unwrap().line, 2);
    }

    #[test]
    fn a_name_is_that_of_a_function() {
        for (line, expected) in [
            ("fn f() {", Some("f")),
            ("    pub(in crate::a) const unsafe fn g<T>(t: T) {", Some("g")),
            ("    extern \"C\" fn h()", Some("h")),
            ("    let fn_ = 1;", None),
            ("    if x { fn_() }", None),
            ("// a fn of this kind", None),
        ] {
            assert_eq!(function_name(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn only_arguments_and_statics_are_known_at_entry() {
        let signature = enclosing(SOURCE, 13).unwrap().signature;
        for (place, expected) in [
            ("self.accounts", true),
            ("log", true),
            ("crate::db::POOL", true),
            ("LOG", true),
            ("guard", false),
            ("shard", false),
        ] {
            assert_eq!(is_known_at_entry(place, &signature), expected, "{place}");
        }
    }

    fn orders(pairs: &[(&str, &str)]) -> Orders {
        let pairs = pairs.iter().map(|(a, b)| ((a.to_string(), b.to_string()), format!("{a}{b}")));
        Orders { pairs: pairs.collect(), count: 1 }
    }

    #[test]
    fn chains_say_it_once() {
        let check = |pairs: &[(&str, &str)], chains: &[&str], both: usize| {
            let (found, remarks) = orders(pairs).chains();
            assert_eq!(
                (found.as_slice(), remarks.len()),
                (&chains.iter().map(|c| c.to_string()).collect::<Vec<_>>()[..], both)
            );
        };
        check(&[("a", "b")], &["a < b"], 0);
        check(&[("a", "b"), ("b", "c"), ("a", "c")], &["a < b < c"], 0);
        check(&[("a", "c"), ("b", "c")], &["a < c", "b < c"], 0);
        check(&[("a", "b"), ("b", "a")], &[], 2);
        check(&[("a", "b"), ("b", "a"), ("b", "c")], &["b < c"], 2);
        check(&[("a", "b"), ("c", "d")], &["a < b", "c < d"], 0);
    }
}
