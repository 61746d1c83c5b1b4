//! Tokens as they stand in the source: their text, and where that is.

use proc_macro2::{LineColumn, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Result;
use syn::parse::ParseStream;

/// Tokens of the user's that are kept to be quoted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(pub(crate) TokenStream);

/// Where something is in its file; line and columns are counted from 1, and `end` is exclusive. What goes
/// on in another line ends with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) end: u32,
}

impl Written {
    /// What the source says, with one blank for each gap. Line breaks are none of it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut before: Option<Piece> = None;
        for piece in pieces(self.0.clone()) {
            if before.is_some_and(|before| before.is_apart_from(&piece)) {
                text.push(' ');
            }
            text.push_str(&piece.text);
            before = Some(piece);
        }
        text
    }

    /// Where the tokens are. `None` if there are none.
    pub(crate) fn position(&self) -> Option<Position> {
        let pieces = pieces(self.0.clone());
        let start = pieces.first()?.start;
        let on_the_line = pieces.iter().filter(|piece| piece.end.line == start.line);
        let end = on_the_line.map(|piece| piece.end.column).max().unwrap_or(start.column);
        Some(Position::new(start, end))
    }

    /// Of the first token; that of the macro call if there is none.
    pub(crate) fn first(&self) -> Span {
        pieces(self.0.clone()).first().map_or_else(Span::call_site, |piece| piece.span)
    }

    /// Of the last token; that of the macro call if there is none.
    pub(crate) fn last(&self) -> Span {
        pieces(self.0.clone()).last().map_or_else(Span::call_site, |piece| piece.span)
    }
}

impl ToTokens for Written {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

impl Position {
    fn new(start: LineColumn, end: usize) -> Self {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let column = start.column + 1;
        Self {
            line: number(start.line),
            column: number(column),
            end: number((end + 1).max(column)),
        }
    }

    /// Of one span.
    pub(crate) fn of(span: Span) -> Self {
        let (start, end) = (span.start(), span.end());
        Self::new(start, if end.line == start.line { end.column } else { start.column })
    }
}

/// A token, or one of the two ends of a group.
struct Piece {
    text: String,
    span: Span,
    start: LineColumn,
    end: LineColumn,
}

impl Piece {
    /// Whether a blank belongs between it and `next`.
    fn is_apart_from(&self, next: &Self) -> bool {
        let is_behind = self.end.line == next.start.line && self.end.column <= next.start.column;
        if is_behind {
            return self.end.column < next.start.column;
        }
        // In another line, or put together by another macro.
        let opens = self.text.ends_with(['(', '[', '.', '&']);
        let closes = next.text.starts_with([')', ']', '.', ',', '(', '[']);
        !opens && !closes
    }
}

fn pieces(tokens: TokenStream) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = |text: String, span: Span| {
        pieces.push(Piece { text, span, start: span.start(), end: span.end() });
    };
    flatten(tokens, &mut piece);
    pieces
}

fn flatten(tokens: TokenStream, piece: &mut impl FnMut(String, Span)) {
    for token in tokens {
        let TokenTree::Group(group) = &token else {
            piece(token.to_string(), token.span());
            continue;
        };
        let delimiters = match group.delimiter() {
            proc_macro2::Delimiter::Parenthesis => Some(("(", ")")),
            proc_macro2::Delimiter::Brace => Some(("{", "}")),
            proc_macro2::Delimiter::Bracket => Some(("[", "]")),
            // Around what another macro has handed on; nobody wrote it.
            proc_macro2::Delimiter::None => None,
        };
        if let Some((open, _)) = delimiters {
            piece(open.to_owned(), group.span_open());
        }
        flatten(group.stream(), piece);
        if let Some((_, close)) = delimiters {
            piece(close.to_owned(), group.span_close());
        }
    }
}

/// What `parse` makes of the input, and the tokens that it took.
pub(crate) fn capture<T>(
    input: ParseStream<'_>,
    parse: impl FnOnce(ParseStream<'_>) -> Result<T>,
) -> Result<(T, Written)> {
    let mut cursor = input.cursor();
    let value = parse(input)?;
    let end = input.cursor();
    let mut tokens = quote!();
    while cursor < end {
        let Some((token, next)) = cursor.token_tree() else { break };
        tokens.extend([token]);
        cursor = next;
    }
    Ok((value, Written(tokens)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, text: &str, position: (u32, u32, u32)) {
        let written = Written(source.parse().expect("tokens"));
        let (line, column, end) = position;
        assert_eq!(written.text(), text);
        assert_eq!(written.position(), Some(Position { line, column, end }));
    }

    #[test]
    fn text_is_what_was_written_but_for_the_width_of_gaps() {
        check("self.a   < self.b", "self.a < self.b", (1, 1, 18));
        check("self.shards[_],\"é.*\"", "self.shards[_],\"é.*\"", (1, 1, 21));
        check("each(x by |a| a . id)", "each(x by |a| a . id)", (1, 1, 22));
    }

    #[test]
    fn a_position_ends_with_its_first_line() {
        check("a\n    < (\n    b)", "a < (b)", (1, 1, 2));
        check("  a\n", "a", (1, 3, 4));
    }

    #[test]
    fn what_is_not_there_has_no_position() {
        assert_eq!(Written::default().position(), None);
        assert_eq!(Written::default().text(), "");
    }
}
