//! Codes of findings.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Ident, LitStr, Result};

use super::did_you_mean;

/// All codes that a finding can have.
const CODES: &[&str] = &[
    "ST0001", "ST0002", "ST0003", "ST0101", "ST0102", "ST0103", "ST0104", "ST0201", "ST0202",
    "ST0203", "ST0204", "ST0301", "ST0302", "ST0303", "ST0401", "ST0402",
];

/// The code of a finding, such as `ST0102`.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) text: &'static str,
    pub(crate) span: Span,
}

impl Code {
    /// Without quotes.
    pub(crate) fn word(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            return Err(input.error("a code is written without quotes: `ST0102`"));
        }
        let word = input.call(Ident::parse_any)?;
        Self::known(&word.to_string(), word.span())
    }

    /// In quotes.
    pub(crate) fn quoted(input: ParseStream<'_>) -> Result<Self> {
        let text: LitStr = input.parse()?;
        Self::known(&text.value(), text.span())
    }

    fn known(word: &str, span: Span) -> Result<Self> {
        match CODES.iter().find(|code| **code == word) {
            Some(text) => Ok(Self { text, span }),
            None => {
                let text = format!("unknown code `{word}`{}", did_you_mean(word, CODES));
                Err(Error::new(span, text))
            }
        }
    }
}
