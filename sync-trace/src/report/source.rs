//! The source files that a report shows pieces of.

use crate::finding::Passage;
use crate::op::Op;
use crate::site::Site;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The source files of one report, each read once.
pub(super) struct Sources {
    roots: Vec<PathBuf>,
    files: RefCell<BTreeMap<&'static str, Option<Rc<str>>>>,
}

/// A position in the text of a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// The whole file.
    pub(super) text: Rc<str>,
    /// What is pointed at: from the position to the end of the line, or a word in there.
    pub(super) span: Range<usize>,
}

/// A position that is pointed at, and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) file: &'static str,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) word: Word,
}

/// What stands at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A call.
    Call(Op),
    /// This text, maybe with other space in it and over several lines.
    Text(&'static str),
    /// A call of this macro.
    Macro(&'static str),
    /// This attribute without arguments, with or without its brackets in front, or the clause of
    /// that name.
    Attribute(&'static str),
}

#[cfg_attr(not(feature = "pretty"), expect(dead_code, reason = "only snippets need it"))]
impl At {
    /// Where `op` is called.
    pub(super) fn call(site: Site, op: Op) -> Self {
        let (file, line, column) = (site.file(), site.line(), site.column());
        Self { file, line, column, word: Word::Call(op) }
    }

    /// Where a part of a declaration stands.
    pub(super) fn passage(passage: Passage, text: &'static str) -> Self {
        let Passage { file, line, column, .. } = passage;
        Self { file, line, column, word: Word::Text(text) }
    }

    /// Where an attribute without arguments stands.
    pub(super) fn attribute(passage: Passage, name: &'static str) -> Self {
        Self { word: Word::Attribute(name), ..Self::passage(passage, name) }
    }

    /// Where a macro is called that declares or asserts something.
    pub(super) fn macro_call(passage: Passage, name: &'static str) -> Self {
        Self { word: Word::Macro(name), ..Self::passage(passage, name) }
    }

    /// Whether the user's own line is not known.
    pub(super) fn is_unknown(self) -> bool {
        crate::site::is_of_std(self.file)
    }
}

impl Sources {
    /// Files are looked for where the environment suggests.
    pub(super) fn new() -> Self {
        Self::below(roots())
    }

    /// Files are looked for below `roots`, in this order.
    pub(super) fn below(roots: Vec<PathBuf>) -> Self {
        Self { roots, files: RefCell::default() }
    }

    /// What stands at a position; `None` without the file, and if something else stands there, because
    /// then the file was edited after it was compiled.
    #[cfg_attr(not(feature = "pretty"), expect(dead_code, reason = "only snippets need it"))]
    pub(super) fn spot(&self, at: At) -> Option<Spot> {
        let text = if at.is_unknown() { None } else { self.text(at.file) };
        let spot = spot(text?, at.line, at.column)?;
        let code = &spot.text[spot.span.clone()];
        let word = match at.word {
            Word::Text(text) => written(code, text)?,
            Word::Attribute(name) => attribute(code, name)?,
            Word::Macro(name) => {
                let end = code.find('!').filter(|&end| code[..end].ends_with(name))?;
                called(code, name).filter(|word| word.end == end + 1)?
            }
            Word::Call(op) => {
                let explicit = called(code, op.method());
                explicit.or_else(|| if op.is_implicit() { operand(code) } else { None })?
            }
        };
        let start = spot.span.start;
        Some(Spot { span: start + word.start..start + word.end, ..spot })
    }

    /// The position of `site` and the rest of its line.
    pub(super) fn at(&self, site: Site) -> Option<Spot> {
        if site.is_unknown() {
            return None;
        }
        spot(self.text(site.file())?, site.line(), site.column())
    }

    fn text(&self, file: &'static str) -> Option<Rc<str>> {
        let mut files = self.files.borrow_mut();
        files.entry(file).or_insert_with(|| read(file, &self.roots)).clone()
    }
}

/// The word of an attribute that begins with `code`, or of a clause.
fn attribute(code: &str, name: &str) -> Option<Range<usize>> {
    let names = [name, name.strip_prefix("lock_").unwrap_or(name)];
    let in_brackets = code.strip_prefix("#[").and_then(|inner| inner.split([']', '(']).next());
    let word = match in_brackets {
        Some(path) => {
            let path = path.trim_end();
            let start = path.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
            2 + start..2 + path.len()
        }
        None => 0..code.find(|c: char| !is_word(c)).unwrap_or(code.len()),
    };
    names.contains(&&code[word.clone()]).then_some(word)
}

/// Where paths may start. They are relative to the root of the workspace, and a test runs in the
/// root of its package.
fn roots() -> Vec<PathBuf> {
    let cwd = std::env::current_dir().unwrap_or_default();
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let named = std::env::var_os("SYNC_TRACE_SRC").map(PathBuf::from);
    let mut roots = vec![cwd.clone()];
    roots.extend(package.ancestors().filter(|dir| dir.is_absolute()).map(Path::to_owned));
    roots.extend(named);
    roots.extend(cwd.ancestors().skip(1).map(Path::to_owned));
    roots
}

fn read(file: &str, roots: &[PathBuf]) -> Option<Rc<str>> {
    // Anything but a regular file, such as a pipe, could block us.
    let path = roots.iter().map(|root| root.join(file)).find(|path| path.is_file())?;
    let text = std::fs::read_to_string(path).ok()?;
    // The compiler does not count a byte order mark either.
    Some(text.strip_prefix('\u{feff}').unwrap_or(&text).into())
}

/// Columns count characters from 1, as the compiler does; a tab is one of them.
fn spot(text: Rc<str>, line: u32, column: u32) -> Option<Spot> {
    let line = bytes_of(&text, line)?;
    let mut starts = text[line.clone()].char_indices().map(|(start, _)| start);
    let start = line.start + starts.nth((column as usize).checked_sub(1)?)?;
    Some(Spot { span: start..line.end, text })
}

/// The bytes of line `number`, counted from 1, without its line break.
fn bytes_of(text: &str, number: u32) -> Option<Range<usize>> {
    let mut start = 0;
    for (line, n) in text.split_inclusive('\n').zip(1..) {
        if n == number {
            return Some(start..start + line.trim_end_matches(['\n', '\r']).len());
        }
        start += line.len();
    }
    None
}

/// The place, such as `self.shards[_]`, that a method is called on which stands behind `code`.
pub(super) fn place_before(code: &str) -> Option<String> {
    let mut rest = code.trim_end().strip_suffix('.')?;
    let mut parts: Vec<String> = Vec::new();
    loop {
        rest = rest.trim_end();
        while rest.ends_with(']') {
            let open = matching(rest)?;
            rest = rest[..open].trim_end();
            parts.push("[_]".to_owned());
        }
        let start = rest.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
        // A character before may be longer than a byte.
        let start = (start..=rest.len()).find(|&at| rest.is_char_boundary(at))?;
        if start == rest.len() {
            return None;
        }
        parts.push(rest[start..].to_owned());
        rest = rest[..start].trim_end();
        match (rest.strip_suffix("::"), rest.strip_suffix('.')) {
            (Some(before), _) => {
                parts.push("::".to_owned());
                rest = before;
            }
            (None, Some(before)) => {
                parts.push(".".to_owned());
                rest = before;
            }
            (None, None) => break,
        }
    }
    parts.reverse();
    Some(parts.concat())
}

/// Where the bracket opens that `code` ends with.
fn matching(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in code.char_indices().rev() {
        match c {
            ']' => depth += 1,
            '[' if depth == 1 => return Some(at),
            '[' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Finds `text`, or as much of it as stands on this line, where `code` begins; space does not count.
fn written(code: &str, text: &str) -> Option<Range<usize>> {
    let mut wanted = text.chars().filter(|c| !c.is_whitespace());
    let mut end = 0;
    for (at, c) in code.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        match wanted.next() {
            None => break,
            Some(next) if next == c => end = at + c.len_utf8(),
            Some(_) => return None,
        }
    }
    (end > 0).then_some(0..end)
}

/// Finds the call of `method` that `code` begins with: the method itself, a path to it such as
/// `Mutex::lock`, or a macro that expands to it, where the compiler reports the macro's position.
fn called(code: &str, method: &str) -> Option<Range<usize>> {
    let path_end = code.find(|c: char| !(is_word(c) || c == ':')).unwrap_or(code.len());
    if path_end > 0 && code[path_end..].starts_with('!') {
        return Some(0..path_end + 1);
    }
    let is_path = |path: &str| {
        path.is_empty() || path.ends_with("::") && !path.contains(['(', ')', ';', '=', '.'])
    };
    code.match_indices(method)
        .map(|(start, _)| start..start + method.len())
        .find(|word| is_path(&code[..word.start]) && !code[word.end..].starts_with(is_word))
}

/// The place, such as `*CONFIG` or `jobs.iter`, that `code` begins with: what the language itself calls
/// a method of.
fn operand(code: &str) -> Option<Range<usize>> {
    let start = code.find(|c| c != '*' && c != '&')?;
    let is_part = |c: char| is_word(c) || c == ':' || c == '.';
    let end = code[start..].find(|c| !is_part(c)).map_or(code.len(), |length| start + length);
    (start < end).then_some(0..end)
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str, method: &str) -> Option<String> {
        called(code, method).map(|word| code[word].to_owned())
    }

    #[test]
    fn an_attribute_is_found_by_its_word() {
        let word = |code: &'static str, name| attribute(code, name).map(|word| &code[word]);
        assert_eq!(word("#[no_block]", "no_block"), Some("no_block"));
        assert_eq!(word("#[sync_trace::lock_only()] fn f() {", "lock_only"), Some("lock_only"));
        assert_eq!(word("no_block, only(a))]", "no_block"), Some("no_block"));
        assert_eq!(word("only(); {", "lock_only"), Some("only"));
        assert_eq!(word("#[may_block]", "no_block"), None);
        assert_eq!(word("no_blocking()", "no_block"), None);
    }

    #[test]
    fn a_call_is_the_method_a_path_to_it_or_a_macro() {
        assert_eq!(found("lock().unwrap()", "lock").as_deref(), Some("lock"));
        assert_eq!(found("Mutex::<u8>::lock(&m)", "lock").as_deref(), Some("lock"));
        assert_eq!(found("thread::scope(|s| {", "scope").as_deref(), Some("scope"));
        assert_eq!(found("take!(m)", "lock").as_deref(), Some("take!"));
    }

    #[test]
    fn anything_else_is_stale() {
        for code in ["lock_all()", "try_lock()", "f(Mutex::lock(&m))", "!lock()", "clock()", ""] {
            assert_eq!(found(code, "lock"), None, "{code}");
        }
    }

    #[test]
    fn a_declaration_is_found_whatever_the_space_in_it() {
        let check = |code: &str, text, expected| {
            assert_eq!(written(code, text).map(|at| &code[at]), expected, "{code}");
        };
        check("a<b)]", "a < b", Some("a<b"));
        check("a  <  b)]", "a < b", Some("a  <  b"));
        check("a <", "a < b", Some("a <"));
        check("a > b)]", "a < b", None);
        check("", "a < b", None);
    }

    #[test]
    fn a_method_is_called_on_a_place() {
        for (code, expected) in [
            ("let a = self.accounts.", Some("self.accounts")),
            ("    self\n        .accounts\n        .", Some("self.accounts")),
            ("drop(crate::db::POOL.", Some("crate::db::POOL")),
            ("self.shards[i % N[0]].", Some("self.shards[_]")),
            ("(*log.", Some("log")),
            ("self.pool().", None),
            ("é.", Some("é")),
            ("lock(&x)", None),
            ("", None),
        ] {
            assert_eq!(place_before(code).as_deref(), expected, "{code}");
        }
    }

    #[test]
    fn an_implicit_call_shows_what_it_is_called_on() {
        let check = |code: &str, expected| assert_eq!(operand(code).map(|at| &code[at]), expected);
        check("*CONFIG + 1", Some("*CONFIG"));
        check("config::HOST.len()", Some("config::HOST.len"));
        check("&*A;", Some("&*A"));
        check("jobs {", Some("jobs"));
        check("", None);
        check("* (a)", None);
    }

    #[test]
    fn columns_are_characters_and_spans_are_bytes() {
        let text: Rc<str> = "one\r\n\tdéjà.lock();\r\n".into();
        let spot = spot(text.clone(), 2, 7).unwrap();
        assert_eq!(&text[spot.span], "lock();");
    }

    #[test]
    fn a_position_outside_the_file_is_not_found() {
        for (line, column) in [(0, 1), (3, 1), (1, 0), (1, 4), (u32::MAX, u32::MAX)] {
            assert!(spot("one\ntwo".into(), line, column).is_none(), "{line}:{column}");
        }
    }

    #[test]
    fn files_are_read_from_the_first_root_that_has_them() {
        let dir = std::env::temp_dir().join(format!("sync-trace-source-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("in/directory.rs")).unwrap();
        std::fs::write(dir.join("in/a.rs"), "\u{feff}inner").unwrap();
        std::fs::write(dir.join("a.rs"), "outer").unwrap();
        std::fs::write(dir.join("bad.rs"), b"\xff\xfe").unwrap();
        let roots = [dir.join("missing"), dir.join("in"), dir.clone()];
        let read = |file| read(file, &roots);
        assert_eq!(read("a.rs").as_deref(), Some("inner"));
        assert_eq!(read("in/a.rs").as_deref(), Some("inner"));
        assert_eq!([read("bad.rs"), read("none.rs"), read("directory.rs")], [None, None, None]);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
