//! Guesses what a lock is called from the source line that creates it.
//!
//! It reads the code before the call backwards, character by character. That is not a parser, and
//! need not be: the name is only shown, beside the lock's number and position.

use super::source::{Sources, is_word};
use crate::site::Site;

/// The field, static or variable that the lock created at `created` is for.
pub(super) fn name_of(created: Site, sources: &Sources) -> Option<String> {
    let spot = sources.at(created)?;
    if !is_constructor(&spot.text[spot.span.clone()]) {
        return None;
    }
    declared(&without_comments(&spot.text[..spot.span.start]))
}

/// The field or variable that is being initialised at the end of `before`.
fn declared(before: &str) -> Option<String> {
    let before = unwrapped(before);
    match before.strip_suffix(':') {
        Some(before) => field(before),
        None => variable(before.strip_suffix('=')?),
    }
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

/// Cuts off what is only wrapped around the lock: `Arc::new(`, `LazyLock::new(||`, `const {`.
fn unwrapped(mut before: &str) -> &str {
    loop {
        let trimmed = before.trim_end();
        let inner = match trimmed.strip_suffix("||") {
            Some(closure) if closure.trim_end().ends_with("::new(") => closure.trim_end(),
            _ => trimmed,
        };
        let inner = inner.strip_suffix("const {").unwrap_or(inner);
        let call = inner.strip_suffix('(').unwrap_or_default();
        before = match call.trim_end_matches(|c| is_word(c) || c == ':') {
            outside if outside.len() < call.len() => outside,
            _ if inner.len() < before.len() => inner,
            _ => return before,
        };
    }
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
    fn what_has_no_name_of_its_own_is_not_named() {
        for code in ["let (a, b) = ($", "let a = ($", "let v = vec![$", "let v = [f(), $"] {
            check(code, None);
        }
        for code in ["v.push($", "(0..9).map(|_| $", "fn f() -> M {\n $", "a == $", "$", ": $"] {
            check(code, None);
        }
        check("let t = thread::spawn(|| $", None);
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
