//! Guesses what a lock is called from the source line that creates it.
//!
//! It reads the code before the call backwards, character by character. That is not a parser, and
//! need not be: the name is only shown, beside the lock's number and position.

use super::source::{Sources, is_word};
use crate::site::Site;

/// What stands behind the name of a collection to name any lock in it.
pub(super) const ELEMENT: &str = "[_]";

/// The field, static or variable that the lock created at `created` is for.
pub(super) fn name_of(created: Site, sources: &Sources) -> Option<String> {
    let spot = sources.at(created)?;
    if !is_constructor(&spot.text[spot.span.clone()]) {
        return None;
    }
    declared(&without_comments(&spot.text[..spot.span.start]))
}

/// The field or variable that is being initialised at the end of `before`: by the lock itself, by
/// something around it such as an `Arc`, or by a collection of locks.
fn declared(before: &str) -> Option<String> {
    let before = before.trim_end();
    if let Some(before) = before.strip_suffix(':') {
        return field(before);
    }
    if let Some(before) = before.strip_suffix('=') {
        return variable(before);
    }
    let open = open_brackets(before).next()?;
    let (outer, inner) = (before[..open].trim_end(), before[open + 1..].trim());
    match &before[open..=open] {
        "[" => element(declared(outer.strip_suffix("vec!").unwrap_or(outer))),
        "(" => argument(outer, inner),
        // The last expression of a block that gives its value to what is around it.
        _ if inner.is_empty() || inner.ends_with([';', '}']) => {
            declared(match outer.strip_suffix("const") {
                Some(outer) => outer,
                None => outer.ends_with('|').then_some(outer)?,
            })
        }
        _ => None,
    }
}

/// What a call is for whose arguments, as far as they are written in `inner`, end with the lock or
/// with the head of a closure that makes it.
fn argument(callee: &str, inner: &str) -> Option<String> {
    let callee = without_generics(callee);
    let method = last_word(callee);
    let path = &callee[..callee.len() - method.len()];
    let is_closure = inner.ends_with('|');
    match method {
        "push" | "push_back" | "resize_with" if path.ends_with('.') => element(
            Some(last_word(&path[..path.len() - 1]).to_owned()).filter(|name| is_identifier(name)),
        ),
        "map" | "flat_map" | "repeat_with" | "from_fn" if is_closure => {
            element(declared(before_expression(path)))
        }
        "new" if is_closure && path.ends_with("::") => declared(before_expression(path)),
        "" => None,
        _ if inner.is_empty() && !path.ends_with('.') => declared(before_expression(path)),
        _ => None,
    }
}

fn element(collection: Option<String>) -> Option<String> {
    collection.map(|name| name + ELEMENT)
}

/// Cuts off the expression that `code` ends with, such as `NAMES.iter()`.
fn before_expression(code: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth > 0 => depth -= 1,
            ':' if code[..at].ends_with(':') || code[at + 1..].starts_with(':') => {}
            '(' | '[' | '{' | '=' | ':' | ',' | ';' | '|' if depth == 0 => return &code[..=at],
            _ => {}
        }
    }
    ""
}

/// Whether the source still has a call there that may create a lock.
fn is_constructor(code: &str) -> bool {
    let path = &code[..code.find('(').unwrap_or(0)];
    let method = last_word(path);
    matches!(method, "new" | "default" | "from") && path.starts_with(is_word)
}

/// Line comments could hold brackets and words that are not code.
fn without_comments(code: &str) -> String {
    let lines = code.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// `let a`, `pub static POOL: Mutex<u8>`: the identifier that is declared.
fn variable(before: &str) -> Option<String> {
    let mut words = statement(before).split_whitespace();
    words.find(|word| matches!(*word, "let" | "static" | "const"))?;
    let rest = words.collect::<Vec<_>>().join(" ");
    let rest = rest.trim_start_matches("mut ").trim_start_matches("ref ");
    let pattern = rest.split_once(':').map_or(rest, |(pattern, _)| pattern).trim();
    is_identifier(pattern).then(|| pattern.to_owned())
}

/// `Bank { audit: .., accounts`: the field and, where it can be found, its struct.
fn field(before: &str) -> Option<String> {
    let field = last_word(before.trim_end());
    if !is_identifier(field) {
        return None;
    }
    Some(match owner(before) {
        Some(owner) => format!("{owner}.{field}"),
        None => field.to_owned(),
    })
}

/// The struct whose initialiser is open at the end of `before`.
fn owner(before: &str) -> Option<&str> {
    let mut open = open_brackets(before);
    let literal = before[..open.next()?].trim_end();
    match last_word(without_generics(literal)) {
        "Self" => open.find_map(|brace| implemented(&before[..brace])),
        name => name.starts_with(char::is_uppercase).then_some(name),
    }
}

/// The brackets that are not closed at the end of `code`, from the innermost outwards.
fn open_brackets(code: &str) -> impl Iterator<Item = usize> {
    let mut closed = 0;
    code.char_indices().rev().filter_map(move |(at, c)| match c {
        '}' | ')' | ']' => {
            closed += 1;
            None
        }
        '{' | '(' | '[' if closed == 0 => Some(at),
        '{' | '(' | '[' => {
            closed -= 1;
            None
        }
        _ => None,
    })
}

/// The type of an `impl` block whose head `code` ends with.
fn implemented(code: &str) -> Option<&str> {
    let head = statement(code);
    let head = head.split(" where").next()?.split("\nwhere").next()?.trim_end();
    let is_impl = head.split(|c: char| !is_word(c)).find(|word| matches!(*word, "impl" | "fn"));
    if is_impl != Some("impl") {
        return None;
    }
    let name = last_word(without_generics(head));
    is_identifier(name).then_some(name)
}

/// The unfinished statement or item that `code` ends with.
fn statement(code: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' => depth = depth.saturating_sub(1),
            ';' | '{' | '}' if depth == 0 => return &code[at + 1..],
            _ => {}
        }
    }
    code
}

/// Without a last `<..>` or `::<..>`.
fn without_generics(path: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in path.char_indices().rev() {
        match c {
            '>' => depth += 1,
            '<' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return if c == '<' { path[..at].trim_end_matches(':') } else { path };
        }
    }
    path
}

fn last_word(code: &str) -> &str {
    &code[code.trim_end_matches(is_word).len()..]
}

fn is_identifier(word: &str) -> bool {
    !word.is_empty() && word.chars().all(is_word) && !word.starts_with(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `$` marks where the lock is created.
    #[track_caller]
    fn check(code: &str, expected: Option<&str>) {
        let before = &code[..code.find('$').unwrap()];
        assert_eq!(declared(&without_comments(before)).as_deref(), expected, "{code}");
    }

    #[test]
    fn a_field_is_named_with_its_struct() {
        check("let b = Bank { audit: $", Some("Bank.audit"));
        check(
            "Ok(Arc::new(a::Bank::<T> { x: f(1, |_| {}), audit:\n Arc::new($",
            Some("Bank.audit"),
        );
        check(
            "impl Bank { // {\n pub fn new() -> Self { Self { a: 1, audit: $",
            Some("Bank.audit"),
        );
        check(
            "impl<T: A<B>> Default for x::Bank<T>\nwhere T: C {\n fn d() { Self { a: $",
            Some("Bank.a"),
        );
        check("fn f(a: impl B) -> Self { Self { a: $", Some("a"));
        check("m! { a: $", Some("a"));
    }

    #[test]
    fn a_variable_or_static_is_named() {
        check("let a = $", Some("a"));
        check("let mut a: Arc<Mutex<u8>> =\n    Arc::new(Box::new($", Some("a"));
        check("}\n#[x]\npub static POOL: Mutex<[u8; 4]> = $", Some("POOL"));
        check("static A: LazyLock<Mutex<u8>> = LazyLock::new(|| $", Some("A"));
        check("static A: Mutex<u8> = const { $", Some("A"));
        check("lazy_static! { static ref A: Mutex<u8> = $", Some("A"));
    }

    #[test]
    fn an_element_is_named_after_its_collection() {
        for code in [
            "let v: Arc<Vec<Mutex<Fork>>> =\n    Arc::new(NAMES.iter().map(|_| $",
            "let v = vec![$",
            "static v: [Mutex<u8>; 2] = [f(), $",
            "let v = [const { $",
            "let v = (0..n).map(|i| { f(i); $",
            "let v: Vec<_> = iter::repeat_with(|| Arc::new($",
            "let v = std::array::from_fn::<_, 4, _>(|_| $",
            "v.push($",
            "self.v.resize_with(9, || $",
        ] {
            check(code, Some("v[_]"));
        }
        check("Self { a: (0, 1), v: (0..n).map(move |_| $", Some("v[_]"));
        check("impl P { fn f() { P { v: a::b().map(|x: (u8, u8)| $", Some("P.v[_]"));
        check("let v = vec![vec![$", Some("v[_][_]"));
        check("let v = (0..n).map(|_| Shard { lock: $", Some("Shard.lock"));
    }

    #[test]
    fn what_has_no_name_of_its_own_is_not_named() {
        for code in ["let (a, b) = ($", "let a = ($", "f().push($", "let a = v.insert($", ""] {
            check(&format!("{code}$"), None);
        }
        for code in ["f(|_| $", "fn f() -> M {\n $", "a == $", "$", ": $", "let a = f(1, $", ") $"]
        {
            check(code, None);
        }
        for code in ["let t = thread::spawn(|| $", "if a { $", "x => $", "map(|_| { f() $"] {
            check(code, None);
        }
    }

    #[test]
    fn only_a_constructor_is_looked_at() {
        for code in ["Mutex::new(0)", "std::sync::Mutex::<u8>::new(0)", "Default::default()"] {
            assert!(is_constructor(code), "{code}");
        }
        for code in ["named!(\"a\", 0)", "Mutex::get(&m)", "}", "", "(new(0))"] {
            assert!(!is_constructor(code), "{code}");
        }
    }
}
