//! Paths in Rust source, exchanged token by token: strings and comments stay as they are.

use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What sync-trace stands in for.
const DROPPED_IN: [&str; 3] = ["sync", "thread", "thread_local"];

/// `source` with `std::sync` and `std::thread` exchanged for sync-trace's, also in grouped imports.
pub(crate) fn swapped(source: &str) -> String {
    rewritten(source, &|edits, tokens, at| match (&tokens[at], after_colons(tokens, at)) {
        (TokenTree::Ident(root), Some(TokenTree::Ident(name)))
            if root == "std" && is_dropped_in(&name.to_string()) =>
        {
            edits.push((root.span().byte_range(), "sync_trace".to_owned()));
        }
        (TokenTree::Ident(root), Some(TokenTree::Group(group)))
            if root == "std" && group.delimiter() == Delimiter::Brace =>
        {
            let range = root.span().byte_range().start..group.span().byte_range().end;
            edits.push((range, divided(source, group)));
        }
        _ => {}
    })
}

/// `source`, which is a module of `std` below `parent`, as a crate that uses `std` would write it.
///
/// What `std` keeps for its own tests is left to be found in that crate.
pub(crate) fn out_of_std(source: &str, parent: &str) -> String {
    rewritten(source, &|edits, tokens, at| {
        let TokenTree::Ident(root) = &tokens[at] else { return };
        let Some(next) = after_colons(tokens, at) else { return };
        if root == "super" {
            edits.push((root.span().byte_range(), parent.to_owned()));
        } else if root == "crate" && next.to_string() != "test_helpers" {
            edits.push((root.span().byte_range(), "std".to_owned()));
        }
    })
}

/// `source` with the stable names of what `std` also calls `std::sync::poison`.
pub(crate) fn stable(source: &str) -> String {
    rewritten(source, &|edits, tokens, at| {
        if let (TokenTree::Ident(sync), Some(poison @ TokenTree::Ident(name))) =
            (&tokens[at], after_colons(tokens, at))
            && sync == "sync"
            && name == "poison"
        {
            edits.push((
                sync.span().byte_range().end..poison.span().byte_range().end,
                String::new(),
            ));
        }
    })
}

/// An exchange of some bytes of the source for a text.
type Edit = (Range<usize>, String);
/// Notes the edits that are due at one token among its neighbours.
type Rule<'a> = &'a dyn Fn(&mut Vec<Edit>, &[TokenTree], usize);

fn rewritten(source: &str, rule: Rule<'_>) -> String {
    let tokens = TokenStream::from_str(source).expect("Rust source");
    let mut edits = Vec::new();
    collect(&mut edits, tokens, rule);
    let mut text = source.to_owned();
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, replacement) in edits {
        text.replace_range(range, &replacement);
    }
    text
}

fn collect(edits: &mut Vec<Edit>, tokens: TokenStream, rule: Rule<'_>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for at in 0..tokens.len() {
        rule(edits, &tokens, at);
        if let TokenTree::Group(group) = &tokens[at] {
            collect(edits, group.stream(), rule);
        }
    }
}

/// The token after `::`, if that follows the token `at`.
fn after_colons(tokens: &[TokenTree], at: usize) -> Option<&TokenTree> {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':');
    let [first, second, next] = tokens.get(at + 1..at + 4)? else { return None };
    (is_colon(first) && is_colon(second)).then_some(next)
}

/// What to import in place of `std::{…}`: its parts, divided between `std` and sync-trace.
fn divided(source: &str, group: &Group) -> String {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
    let (mut std, mut traced) = (Vec::new(), Vec::new());
    for part in tokens.split(is_comma) {
        // After a last comma there is nothing.
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        let side = if is_dropped_in(&first.to_string()) { &mut traced } else { &mut std };
        side.push(source[first.span().byte_range().start..last.span().byte_range().end].to_owned());
    }
    format!("{{std::{{{}}}, sync_trace::{{{}}}}}", std.join(", "), traced.join(", "))
}

fn is_dropped_in(name: &str) -> bool {
    DROPPED_IN.contains(&name)
}

#[test]
fn paths_are_swapped_wherever_they_stand_in_code() {
    for (with_std, traced) in [
        ("use std::sync::Mutex;", "use sync_trace::sync::Mutex;"),
        ("::std::thread::park()", "::sync_trace::thread::park()"),
        ("std::thread_local!(static X: u8 = 1)", "sync_trace::thread_local!(static X: u8 = 1)"),
        ("f(|| std::sync::Once::new())", "f(|| sync_trace::sync::Once::new())"),
        ("use std::{mem, thread};", "use {std::{mem}, sync_trace::{thread}};"),
        (
            "use std::{thread::{self, Scope}, mem, sync::Arc,};",
            "use {std::{mem}, sync_trace::{thread::{self, Scope}, sync::Arc}};",
        ),
        ("// std::sync\nf(\"std::sync\", std::mem::take)", ""),
        ("my::sync::Mutex; sync::Mutex; core::sync::atomic", ""),
    ] {
        let expected = if traced.is_empty() { with_std } else { traced };
        assert_eq!(swapped(with_std), expected);
    }
}

#[test]
fn a_module_of_std_is_written_as_its_users_would() {
    let inside = "use crate::{mem, sync::Arc}; super::spawn(crate::test_helpers::rng)";
    let outside = "use std::{mem, sync::Arc}; std::thread::spawn(crate::test_helpers::rng)";
    assert_eq!(out_of_std(inside, "std::thread"), outside);
}

#[test]
fn locks_with_poison_have_a_stable_name() {
    let stable = stable("use std::sync::poison::{Mutex, Condvar}; use std::sync::poison as locks;");
    assert_eq!(stable, "use std::sync::{Mutex, Condvar}; use std::sync as locks;");
}
