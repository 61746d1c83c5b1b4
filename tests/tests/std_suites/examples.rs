//! The examples in `std`'s documentation.
//!
//! They are taken from the documentation's pages of the source, where nothing is hidden: there are
//! the lines that a reader does not see, and whether an example should panic or not compile.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use crate::paths;
use crate::sources::{self, Docs};

/// One example.
pub(crate) struct Example {
    /// The source file that has it, such as `std/sync/mpsc.rs`.
    pub(crate) page: String,
    /// What it documents, and which of that name in the file it is: `recv 2`.
    pub(crate) name: String,
    /// What the fence says beside `rust`, such as `should_panic`.
    attributes: String,
    /// Its lines, those that are not shown too.
    pub(crate) code: String,
}

impl Example {
    pub(crate) fn is_unstable(&self) -> bool {
        self.code.contains("#![feature(")
    }

    pub(crate) fn must_not_compile(&self) -> bool {
        self.attributes.contains("compile_fail")
    }

    /// Its path in [`documented`].
    pub(crate) fn id(&self) -> String {
        format!("{}::{}", self.module(), self.function())
    }

    fn module(&self) -> String {
        self.page.trim_end_matches(".rs").replace(['/', '-'], "_")
    }

    /// With its number, for `impl` alone would be no name.
    fn function(&self) -> String {
        self.name.replace(' ', "_")
    }

    /// What the fence says if this is Rust that can be run here; `None` for a text or a sketch.
    fn rust_attributes(fence: &str) -> Option<String> {
        let words = || fence.split([',', ' ']).filter(|word| !word.is_empty());
        let known = |word: &str| {
            ["rust", "should_panic", "no_run"].contains(&word)
                || ["compile_fail", "edition", "ignore-", "E0"]
                    .iter()
                    .any(|it| word.starts_with(it))
        };
        (words().all(known) || words().any(|word| word == "rust")).then(|| fence.to_owned())
    }
}

/// All examples of `std::sync` and `std::thread`, and of `Arc` and the atomics, which are written in
/// other crates.
pub(crate) fn read(docs: &Docs) -> Vec<Example> {
    let mut pages = sources::files_below(&docs.pages.join("std/sync"), ".rs.html");
    pages.extend(sources::files_below(&docs.pages.join("std/thread"), ".rs.html"));
    pages.extend(["alloc/sync.rs.html", "core/sync/atomic.rs.html"].map(|it| docs.pages.join(it)));
    pages.into_iter().filter(|page| page.exists()).flat_map(|page| of_page(docs, page)).collect()
}

fn of_page(docs: &Docs, file: PathBuf) -> Vec<Example> {
    let page = file.strip_prefix(&docs.pages).expect("a page of the documentation");
    let page = page.to_string_lossy().replace('\\', "/").trim_end_matches(".html").to_owned();
    let html = fs::read_to_string(&file).expect("a page can be read");
    of_source(&page, &source_of(&html))
}

/// The source file that a page shows.
fn source_of(html: &str) -> String {
    let from = html.find("<pre class=\"rust\">").expect("a page shows source");
    let html = &html[from..];
    let html = &html[..html.find("</pre>").expect("an end of it")];
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(tag) = rest.find('<') {
        text.push_str(&rest[..tag]);
        // A line number is a link with a text of its own.
        let end = if rest[tag..].starts_with("<a href=#") { "</a>" } else { ">" };
        let length = rest[tag..].find(end).expect("an end of the tag");
        rest = &rest[tag + length + end.len()..];
    }
    text.push_str(rest);
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'")];
    // An ampersand comes last, or it could become the beginning of another entity.
    let plain = entities.iter().fold(text, |text, (entity, plain)| text.replace(entity, plain));
    plain.replace("&amp;", "&")
}

/// The examples in the doc comments of a source file.
fn of_source(page: &str, source: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut numbers = HashMap::<String, u32>::new();
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let mut at = 0;
    while at < lines.len() {
        let length = lines[at..].iter().take_while(|line| is_in_comment(line)).count();
        let comment = &lines[at..at + length];
        at += length.max(1);
        let Some(fences) = fences(comment) else { continue };
        for (fence, code) in fences {
            let item = if comment.iter().any(|line| line.starts_with("//!")) {
                "module".to_owned()
            } else {
                item_name(&lines[at..])
            };
            let number = numbers.entry(item.clone()).or_default();
            *number += 1;
            let name = format!("{item} {number}");
            if let Some(attributes) = Example::rust_attributes(&fence) {
                found.push(Example { page: page.to_owned(), name, attributes, code });
            }
        }
    }
    found
}

/// Whether a line may belong to a doc comment: an ordinary comment or attribute does not end it.
fn is_in_comment(line: &str) -> bool {
    line.starts_with("//") || line.starts_with("#[doc")
}

/// The fenced parts of a doc comment: what the fence says, and the lines within. `None` if a macro
/// puts it together, so that what it says is not to be seen here.
fn fences(comment: &[&str]) -> Option<Vec<(String, String)>> {
    if comment.iter().any(|line| line.starts_with("#[doc = concat!")) {
        return None;
    }
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    let doc =
        |line: &&str| line.strip_prefix("///").or(line.strip_prefix("//!")).map(str::to_owned);
    for line in comment.iter().filter_map(doc) {
        let line = line.strip_prefix(' ').unwrap_or(&line);
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(fence), None) => open = Some((fence.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some((_, code))) => {
                code.push_str(unhidden(line));
                code.push('\n');
            }
            (None, None) => {}
        }
    }
    // What is not closed ends with the comment.
    found.extend(open);
    Some(found)
}

/// A line of an example without the mark that hides it.
fn unhidden(line: &str) -> &str {
    match line.trim_start() {
        "#" => "",
        hidden if hidden.starts_with("# ") => &hidden[2..],
        escaped if escaped.starts_with("##") => &escaped[1..],
        _ => line,
    }
}

/// The name of the item at the beginning of `lines`, after its attributes.
fn item_name(lines: &[&str]) -> String {
    const KINDS: [&str; 10] =
        ["fn", "struct", "enum", "trait", "type", "macro_rules!", "static", "const", "impl", "mod"];
    let named = lines.iter().filter(|line| !line.starts_with(['#', '/'])).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kind = KINDS.iter().find_map(|kind| {
            words
                .iter()
                .position(|word| word == kind || *kind == "impl" && word.starts_with("impl<"))
        })?;
        let name = words.get(kind + 1).filter(|_| !words[kind].starts_with("impl"));
        let name = name.map_or("impl", |name| name);
        Some(name.split(|c: char| !c.is_alphanumeric() && c != '_').next()?.to_owned())
    });
    named.unwrap_or_else(|| "item".to_owned())
}

/// A library that has the examples in its own documentation, with the paths swapped.
pub(crate) fn documented(examples: &[Example]) -> String {
    let mut text = "#![allow(non_snake_case)]\n".to_owned();
    for page in examples.chunk_by(|a, b| a.page == b.page) {
        text.push_str(&format!("pub mod {} {{\n", page[0].module()));
        for example in page {
            text.push_str(&format!("    /// ````{}\n", example.attributes));
            for line in paths::swapped(&example.code).lines() {
                text.push_str(&format!("    /// {line}\n"));
            }
            text.push_str(&format!("    /// ````\n    pub fn {}() {{}}\n", example.function()));
        }
        text.push_str("}\n");
    }
    text
}

/// An example as a program.
pub(crate) fn in_main(code: &str) -> String {
    if code.contains("fn main(") { code.to_owned() } else { format!("fn main() {{\n{code}\n}}\n") }
}

#[test]
fn an_example_keeps_its_hidden_lines_and_knows_what_it_documents() {
    let html = "<pre class=\"rust\"><code><a href=#1 id=1 data-nosnippet>1</a><span>/// Says.\n\
        <a href=#2 id=2 data-nosnippet>2</a>/// ```should_panic\n/// # let x = &amp;mut 1;\n\
        // not seen\n/// f::&lt;u8&gt;(x);\n/// ```</span>\n#[stable]\npub const fn f&lt;T&gt;() {}\n\
        /// ```text\n/// no Rust\n/// ```\nimpl&lt;T&gt; X {}</code></pre>";
    let found = of_source("std/sync/x.rs", &source_of(html));
    let [example] = found.as_slice() else { panic!("{} examples", found.len()) };
    assert_eq!(example.name, "f 1");
    assert_eq!(example.id(), "std_sync_x::f_1");
    assert_eq!(example.attributes, "should_panic");
    assert_eq!(example.code, "let x = &mut 1;\nf::<u8>(x);\n");
}
