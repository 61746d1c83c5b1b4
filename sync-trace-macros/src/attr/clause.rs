//! The attributes, and the clauses of which each is one or a list.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::token::Paren;
use syn::{Error, Ident, LitStr, Meta, Path, Result, Token, parenthesized};

use super::order::is_assigned;
use super::{
    Code, Lock, Order, Position, Written, capture, comma, crate_option, did_you_mean, duration,
    once,
};

/// An attribute of this crate that states rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    One(Word),
    /// `#[locks(order(..), requires(..))]`.
    Several,
}

/// The word of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Order,
    Requires,
    Excludes,
    Only,
    Acquires,
    Releases,
    NoBlock,
    MayBlock,
    Budget,
    Exempt,
}

/// Each word: inside `locks(..)`, and as an attribute.
const WORDS: &[(Word, &str, &str)] = &[
    (Word::Order, "order", "lock_order"),
    (Word::Requires, "requires", "lock_requires"),
    (Word::Excludes, "excludes", "lock_excludes"),
    (Word::Only, "only", "lock_only"),
    (Word::Acquires, "acquires", "lock_acquires"),
    (Word::Releases, "releases", "lock_releases"),
    (Word::NoBlock, "no_block", "no_block"),
    (Word::MayBlock, "may_block", "may_block"),
    (Word::Budget, "budget", "lock_budget"),
    (Word::Exempt, "exempt", "lock_exempt"),
];

/// One rule with its place in the source.
#[derive(Clone)]
pub(crate) struct Clause {
    pub(crate) word: Word,
    pub(crate) word_span: Span,
    pub(crate) rule: Rule,
    pub(crate) arguments: Written,
    pub(crate) origin: Origin,
}

/// Who the clause was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The function that it stands on.
    Own,
    /// All functions of an `impl` block or module.
    Block,
}

#[derive(Clone)]
pub(crate) enum Rule {
    Order(Order),
    Requires { locks: Vec<Lock>, entry: bool },
    Excludes(Vec<Lock>),
    Only(Vec<Lock>),
    Acquires(Vec<Lock>),
    Releases(Vec<Lock>),
    NoBlock,
    MayBlock,
    Budget(Budget),
    Exempt(Exempt),
}

/// Nanoseconds, and where each is.
#[derive(Clone, Default)]
pub(crate) struct Budget {
    pub(crate) hold: Option<Limit>,
    pub(crate) wait: Option<Limit>,
    pub(crate) await_hold: Option<Limit>,
}

#[derive(Clone)]
pub(crate) struct Limit {
    pub(crate) nanoseconds: u64,
    pub(crate) word: Span,
}

#[derive(Clone)]
pub(crate) struct Exempt {
    pub(crate) reason: String,
    pub(crate) codes: Vec<Code>,
}

/// What one or several attributes say.
#[derive(Clone, Default)]
pub(crate) struct Clauses {
    pub(crate) list: Vec<Clause>,
    /// The path of sync-trace, if `crate = ".."` gives one.
    pub(crate) path: Option<Path>,
}

impl Word {
    pub(crate) fn attribute(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        WORDS.iter().find(|row| row.0 == self).unwrap_or(&WORDS[0])
    }
}

impl Attribute {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One(word) => word.attribute(),
            Self::Several => "locks",
        }
    }
}

/// Which attribute of ours `path` names, by its last segment.
pub(crate) fn attribute_of(path: &Path) -> Option<Attribute> {
    let last = &path.segments.last()?.ident;
    if last == "locks" {
        return Some(Attribute::Several);
    }
    WORDS.iter().find(|row| last == row.2).map(|row| Attribute::One(row.0))
}

impl Clauses {
    /// The arguments of an attribute. `word` is the place of the attribute itself.
    pub(crate) fn parse(attribute: Attribute, word: Span, arguments: TokenStream) -> Result<Self> {
        let parser = |input: ParseStream<'_>| match attribute {
            Attribute::One(kind) => Self::one(kind, word, input),
            Attribute::Several => Self::several(word, input),
        };
        parser.parse2(arguments)
    }

    /// An attribute below the outermost one.
    pub(crate) fn parse_sibling(attribute: Attribute, meta: &Meta) -> Result<Self> {
        let path = meta.path();
        let word = path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
        let arguments = match meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                let text = format!("write it as `#[{}(..)]`", attribute.name());
                return Err(Error::new(pair.eq_token.span, text));
            }
        };
        Self::parse(attribute, word, arguments)
    }

    fn one(kind: Word, word: Span, input: ParseStream<'_>) -> Result<Self> {
        let ((rule, path), arguments) = capture(input, |input| rule(kind, word, input))?;
        // Beside a `crate` there is nothing else to quote.
        let arguments = match rule {
            Rule::NoBlock | Rule::MayBlock => Written::default(),
            _ => arguments,
        };
        let clause = Clause { word: kind, word_span: word, rule, arguments, origin: Origin::Own };
        Ok(Self { list: vec![clause], path })
    }

    /// `order(..), requires(..), crate = ".."`.
    fn several(word: Span, input: ParseStream<'_>) -> Result<Self> {
        let mut all = Self::default();
        while !input.is_empty() {
            match crate_option(input)? {
                Some(path) => all.path = Some(path),
                None => {
                    let clause = Self::clause(input)?;
                    all.path = all.path.or(clause.path);
                    all.list.extend(clause.list);
                }
            }
            comma(input)?;
        }
        if all.list.is_empty() {
            return Err(Error::new(word, "`#[locks]` needs clauses: `#[locks(order(a < b))]`"));
        }
        Ok(all)
    }

    /// `requires(a)` or `no_block`, as in `#[locks(..)]` and `lock_scope!`.
    pub(crate) fn clause(input: ParseStream<'_>) -> Result<Self> {
        let word = input.call(Ident::parse_any).map_err(|error| {
            Error::new(error.span(), "expected a clause such as `order(a < b)`")
        })?;
        let row = WORDS.iter().find(|row| word == row.1 || word == row.2);
        let Some((kind, ..)) = row else {
            let names: Vec<_> = WORDS.iter().map(|row| row.1).collect();
            let near = did_you_mean(&word.to_string(), &names);
            return Err(Error::new(word.span(), format!("unknown clause `{word}`{near}")));
        };
        if !input.peek(Paren) {
            let nothing = |input: ParseStream<'_>| Self::one(*kind, word.span(), input);
            return nothing.parse2(quote!());
        }
        let content;
        parenthesized!(content in input);
        let clause = Self::one(*kind, word.span(), &content)?;
        if !content.is_empty() {
            return Err(content.error("unexpected token"));
        }
        Ok(clause)
    }

    /// All clauses, in order, with a path if there is one.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.path = self.path.or(other.path);
        self.list.extend(other.list);
        self
    }
}

impl Clause {
    /// As quoted in reports: the arguments, or the word.
    pub(crate) fn text(&self) -> String {
        let text = self.arguments.text();
        if text.is_empty() { self.word.attribute().to_owned() } else { text }
    }

    pub(crate) fn position(&self) -> Position {
        self.arguments.position().unwrap_or_else(|| Position::of(self.word_span))
    }

    /// The locks that it names, whatever it says of them.
    pub(crate) fn locks(&self) -> impl Iterator<Item = &Lock> {
        let (chains, list): (&[Vec<Lock>], &[Lock]) = match &self.rule {
            Rule::Order(order) => (&order.chains, &[]),
            Rule::Requires { locks, .. }
            | Rule::Excludes(locks)
            | Rule::Only(locks)
            | Rule::Acquires(locks)
            | Rule::Releases(locks) => (&[], locks),
            Rule::NoBlock | Rule::MayBlock | Rule::Budget(_) | Rule::Exempt(_) => (&[], &[]),
        };
        chains.iter().flatten().chain(list)
    }
}

fn rule(kind: Word, word: Span, input: ParseStream<'_>) -> Result<(Rule, Option<Path>)> {
    if kind == Word::Order {
        let (order, path) = Order::parse(input, word)?;
        return Ok((Rule::Order(order), path));
    }
    let path = crate_option(input)?;
    if path.is_some() {
        comma(input)?;
    }
    let rule = match kind {
        Word::Order | Word::NoBlock | Word::MayBlock => {
            if !input.is_empty() {
                let text = format!("`{}` takes no arguments", kind.attribute());
                return Err(Error::new_spanned(input.parse::<TokenStream>()?, text));
            }
            if kind == Word::NoBlock { Rule::NoBlock } else { Rule::MayBlock }
        }
        Word::Requires => {
            let ahead = input.fork();
            let entry = ahead.parse::<Ident>().is_ok_and(|word| word == "entry")
                && (ahead.is_empty() || ahead.peek(Token![,]));
            if entry {
                input.parse::<Ident>()?;
                comma(input)?;
            }
            Rule::Requires { locks: locks(kind, word, input)?, entry }
        }
        Word::Excludes => Rule::Excludes(locks(kind, word, input)?),
        Word::Only => Rule::Only(locks(kind, word, input)?),
        Word::Acquires => Rule::Acquires(locks(kind, word, input)?),
        Word::Releases => Rule::Releases(locks(kind, word, input)?),
        Word::Budget => Rule::Budget(budget(word, input)?),
        Word::Exempt => Rule::Exempt(exempt(word, input)?),
    };
    Ok((rule, path))
}

fn locks(kind: Word, word: Span, input: ParseStream<'_>) -> Result<Vec<Lock>> {
    let mut locks = Vec::new();
    while !input.is_empty() {
        if is_assigned(input) {
            let name = input.call(Ident::parse_any)?;
            let known: &[_] = if kind == Word::Requires { &["entry", "crate"] } else { &["crate"] };
            let text = match name.to_string().as_str() {
                "crate" => "the option `crate` goes before the locks".to_owned(),
                name => format!("unknown option `{name}`{}", did_you_mean(name, known)),
            };
            return Err(Error::new(name.span(), text));
        }
        let lock: Lock = input.parse()?;
        if kind == Word::Requires && lock.as_word().is_some_and(|word| word == "entry") {
            let text = "the option `entry` goes before the locks";
            return Err(Error::new_spanned(&lock.written, text));
        }
        locks.push(lock);
        if input.peek(Token![<]) {
            let text = format!("`{}` takes a list: `,` and not `<`", kind.attribute());
            return Err(input.error(text));
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected `,`"));
        }
        comma(input)?;
    }
    if locks.is_empty() && kind != Word::Only {
        return Err(Error::new(word, format!("`{}` names no lock", kind.attribute())));
    }
    Ok(locks)
}

fn budget(word: Span, input: ParseStream<'_>) -> Result<Budget> {
    const LIMITS: &[&str] = &["hold", "wait", "await_hold"];
    let mut budget = Budget::default();
    while !input.is_empty() {
        let limit: Ident = input.call(Ident::parse_any)?;
        let slot = match limit.to_string().as_str() {
            "hold" => &mut budget.hold,
            "wait" => &mut budget.wait,
            "await_hold" => &mut budget.await_hold,
            name => {
                let text = format!("unknown limit `{name}`{}", did_you_mean(name, LIMITS));
                return Err(Error::new(limit.span(), text));
            }
        };
        input.parse::<Token![=]>()?;
        if !input.peek(LitStr) {
            return Err(input.error("expected a duration in quotes, as in `\"5ms\"`"));
        }
        let nanoseconds = duration::nanoseconds(&input.parse()?)?;
        let value = Limit { nanoseconds, word: limit.span() };
        once(slot, value, &limit.to_string(), limit.span())?;
        comma(input)?;
    }
    if budget.hold.is_none() && budget.wait.is_none() && budget.await_hold.is_none() {
        let text =
            "`lock_budget` sets no limit: `hold = \"5ms\"`, `wait = ..` or `await_hold = ..`";
        return Err(Error::new(word, text));
    }
    Ok(budget)
}

fn exempt(word: Span, input: ParseStream<'_>) -> Result<Exempt> {
    const NEEDED: &str = "`lock_exempt` needs a reason: `reason = \"..\"`";
    let (mut reason, mut codes) = (None, Vec::<Code>::new());
    while !input.is_empty() {
        if is_assigned(input) {
            let name = input.call(Ident::parse_any)?;
            if name != "reason" {
                let near = did_you_mean(&name.to_string(), &["reason"]);
                return Err(Error::new(name.span(), format!("unknown option `{name}`{near}")));
            }
            input.parse::<Token![=]>()?;
            let text: LitStr = input.parse()?;
            if text.value().trim().is_empty() {
                return Err(Error::new(text.span(), "the reason is empty"));
            }
            once(&mut reason, text.value(), "reason", name.span())?;
        } else {
            let code = Code::word(input)?;
            if codes.iter().any(|earlier| earlier.text == code.text) {
                return Err(Error::new(code.span, format!("`{}` is listed twice", code.text)));
            }
            codes.push(code);
        }
        comma(input)?;
    }
    let reason = reason.ok_or_else(|| Error::new(word, NEEDED))?;
    if codes.is_empty() {
        let text = "`lock_exempt` names no code of a finding, such as `ST0102`";
        return Err(Error::new(word, text));
    }
    Ok(Exempt { reason, codes })
}
