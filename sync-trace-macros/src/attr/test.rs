//! `#[sync_trace::test(tokio::test, expect = "ST0101", deadline = "10s")]`.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::token::Bracket;
use syn::{Error, Ident, LitStr, Meta, Path, Result, Token, bracketed};

use super::{Code, comma, crate_option, did_you_mean, duration, list, once};

#[derive(Default)]
pub(crate) struct TestArguments {
    /// The attribute that makes the function a test.
    pub(crate) stacked: Option<Meta>,
    /// The codes of the findings that have to be made.
    pub(crate) expect: Option<Vec<Code>>,
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) path: Option<Path>,
}

const OPTIONS: &[&str] = &["expect", "deadline", "crate"];

impl Parse for TestArguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self::default();
        while !input.is_empty() {
            if let Some(path) = crate_option(input)? {
                arguments.path = Some(path);
            } else if super::order::is_assigned(input) {
                let word = input.call(Ident::parse_any)?;
                input.parse::<Token![=]>()?;
                match word.to_string().as_str() {
                    "expect" => once(&mut arguments.expect, codes(input)?, "expect", word.span())?,
                    "deadline" => {
                        let deadline = milliseconds(&input.parse()?)?;
                        once(&mut arguments.deadline_ms, deadline, "deadline", word.span())?;
                    }
                    name => {
                        let near = did_you_mean(name, OPTIONS);
                        return Err(Error::new(
                            word.span(),
                            format!("unknown option `{name}`{near}"),
                        ));
                    }
                }
            } else {
                let stacked: Meta = input.parse().map_err(|error| {
                    let text = "expected a test attribute such as `tokio::test`, `expect = \"ST0101\"` or \
                                `deadline = \"10s\"`";
                    Error::new(error.span(), text)
                })?;
                arguments.stack(stacked)?;
            }
            comma(input)?;
        }
        Ok(arguments)
    }
}

impl TestArguments {
    fn stack(&mut self, stacked: Meta) -> Result<()> {
        let span: Span = stacked.path().segments[0].ident.span();
        if let Some(word) = stacked.path().get_ident() {
            let word = word.to_string();
            if OPTIONS.contains(&word.as_str()) {
                return Err(Error::new(span, format!("`{word}` needs a value: `{word} = \"..\"`")));
            }
            if word == "test" {
                let text = "`#[sync_trace::test]` makes this a test anyway";
                return Err(Error::new(span, text));
            }
        }
        if self.stacked.is_some() {
            return Err(Error::new_spanned(stacked, "one test attribute is enough"));
        }
        self.stacked = Some(stacked);
        Ok(())
    }
}

fn codes(input: ParseStream<'_>) -> Result<Vec<Code>> {
    if !input.peek(Bracket) {
        return Ok(vec![Code::quoted(input)?]);
    }
    let content;
    let bracket = bracketed!(content in input);
    let codes: Vec<Code> = list(&content, Code::quoted)?.into_iter().collect();
    if codes.is_empty() {
        return Err(Error::new(bracket.span.join(), "no code is expected: leave `expect` out"));
    }
    Ok(codes)
}

fn milliseconds(text: &LitStr) -> Result<u64> {
    match duration::nanoseconds(text)? / 1_000_000 {
        0 => Err(Error::new(text.span(), "a deadline has at least `\"1ms\"`")),
        milliseconds => Ok(milliseconds),
    }
}
