//! `order`: options, then chains `a < b < c`, or a plain list that is one chain.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Ident, Path, Result, Token};

use super::{Lock, Target, comma, crate_option, did_you_mean, similar};

#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) options: Options,
    pub(crate) chains: Vec<Vec<Lock>>,
    /// Whether it was written as a list, without `<`.
    pub(crate) is_list: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) global: bool,
    pub(crate) strict: bool,
    pub(crate) local: bool,
    pub(crate) inherit: bool,
}

const OPTIONS: &[&str] = &["global", "strict", "local", "inherit"];
const ALL_OPTIONS: &[&str] = &["global", "strict", "local", "inherit", "crate"];

impl Order {
    /// The order, and the value of `crate = ".."`. `word` is where to say that nothing is there.
    pub(crate) fn parse(input: ParseStream<'_>, word: Span) -> Result<(Self, Option<Path>)> {
        let (options, path) = options(input)?;
        let mut chains: Vec<Vec<Lock>> = Vec::new();
        while !input.is_empty() {
            let mut chain = vec![next(input)?];
            while input.peek(Token![<]) && !input.peek(Token![<=]) && !input.peek(Token![<<]) {
                let less: Token![<] = input.parse()?;
                if input.is_empty() {
                    return Err(Error::new(less.span, "no lock comes behind this"));
                }
                chain.push(next(input)?);
            }
            if !input.is_empty() && !input.peek(Token![,]) {
                return Err(neither(input));
            }
            comma(input)?;
            chains.push(chain);
        }
        let is_list = chains.iter().all(|chain| chain.len() == 1);
        if is_list {
            let list: Vec<Lock> = chains.into_iter().flatten().collect();
            check_list(&list, word)?;
            chains = vec![list];
        } else {
            check_chains(&chains)?;
        }
        Ok((Self { options, chains, is_list }, path))
    }
}

fn options(input: ParseStream<'_>) -> Result<(Options, Option<Path>)> {
    let (mut options, mut path) = (Options::default(), None);
    loop {
        if let Some(found) = crate_option(input)? {
            path = Some(found);
            comma(input)?;
            continue;
        }
        if is_assigned(input) {
            let word = input.call(Ident::parse_any)?;
            let near = did_you_mean(&word.to_string(), ALL_OPTIONS);
            return Err(Error::new(word.span(), format!("unknown option `{word}`{near}")));
        }
        let ahead = input.fork();
        let Ok(word) = ahead.parse::<Ident>() else { break };
        if !(ahead.is_empty() || ahead.peek(Token![,])) {
            break;
        }
        let option = match word.to_string().as_str() {
            "global" => &mut options.global,
            "strict" => &mut options.strict,
            "local" => &mut options.local,
            "inherit" => &mut options.inherit,
            _ => break,
        };
        if std::mem::replace(option, true) {
            return Err(Error::new(word.span(), format!("`{word}` is given twice")));
        }
        input.parse::<Ident>()?;
        comma(input)?;
    }
    Ok((options, path))
}

/// Whether `word =` is next.
pub(super) fn is_assigned(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==])
}

/// A lock; a hint if it is missing behind `<` or `,`.
fn next(input: ParseStream<'_>) -> Result<Lock> {
    if is_assigned(input) {
        let word = input.call(Ident::parse_any)?;
        let text = match ALL_OPTIONS.iter().find(|option| word == option) {
            Some(_) => format!("the option `{word}` goes before the locks"),
            None => {
                format!("unknown option `{word}`{}", did_you_mean(&word.to_string(), ALL_OPTIONS))
            }
        };
        return Err(Error::new(word.span(), text));
    }
    input.parse()
}

fn neither(input: ParseStream<'_>) -> Error {
    if input.peek(Token![>]) || input.peek(Token![>=]) || input.peek(Token![<=]) {
        return input.error("an order is written with `<`: what is taken first comes first");
    }
    input.error("expected `<` or `,`")
}

fn check_list(list: &[Lock], word: Span) -> Result<()> {
    for lock in list {
        let late = lock.as_word().filter(|word| OPTIONS.iter().any(|option| word == option));
        if let Some(word) = late {
            let text = format!("the option `{word}` goes before the locks");
            return Err(Error::new(word.span(), text));
        }
    }
    match list {
        [] => Err(Error::new(word, "an order needs locks: `a < b`")),
        [Lock { target: Target::Each(_), .. }] => Ok(()),
        [one] => {
            let text = format!("an order needs two locks: `{one} < ..`");
            Err(Error::new_spanned(&one.written, text))
        }
        _ => Ok(()),
    }
}

fn check_chains(chains: &[Vec<Lock>]) -> Result<()> {
    let alone = chains.iter().filter_map(|chain| match chain.as_slice() {
        [Lock { target: Target::Each(_), .. }] => None,
        [one] => Some(one),
        _ => None,
    });
    super::combined(alone.map(|lock| {
        let option = lock.as_word().and_then(|word| similar(&word.to_string(), OPTIONS));
        let text = match option {
            Some(option) if lock.as_word().is_some_and(|word| word == option) => {
                format!("the option `{option}` goes before the locks")
            }
            Some(option) => format!("`{lock}` is in no chain; did you mean the option `{option}`?"),
            None => format!("`{lock}` is in no chain: where there is a `<`, every lock needs one"),
        };
        Error::new_spanned(&lock.written, text)
    }))
}
