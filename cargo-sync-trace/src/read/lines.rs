//! A file, line by line, with the place of each.

use std::io::{self, BufRead, Read};

/// No record is longer; what is, is damage, and is not kept in memory.
pub const LONGEST_LINE: usize = 16 << 20;

/// Reads a file by lines, whatever is in it.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    offset: u64,
    line: Vec<u8>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes without the line feed.
    pub bytes: &'a [u8],
    /// How it ends.
    pub end: LineEnd,
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// With a line feed.
    Whole,
    /// With the file: it was cut off.
    CutOff,
    /// It goes on, for too long; the rest of it is left out.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `input`.
    pub fn new(input: R) -> Self {
        Self { input, offset: 0, line: Vec::new() }
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line; `None` at the end.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let offset = self.offset;
        self.line.clear();
        let mut limited = (&mut self.input).take(LONGEST_LINE as u64);
        self.offset += limited.read_until(b'\n', &mut self.line)? as u64;
        let end = match self.line.last() {
            None => return Ok(None),
            Some(b'\n') => {
                self.line.pop();
                LineEnd::Whole
            }
            Some(_) if self.line.len() < LONGEST_LINE => LineEnd::CutOff,
            Some(_) => {
                self.offset += skip_line(&mut self.input)?;
                LineEnd::TooLong
            }
        };
        Ok(Some(Line { offset, bytes: &self.line, end }))
    }
}

/// Skips the rest of a line, and says how long that is.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let (length, is_end) = match input.fill_buf()? {
            [] => (0, true),
            buffer => match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            },
        };
        input.consume(length);
        skipped += length as u64;
        if is_end {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_with_their_places() {
        let mut lines = Lines::new(&b"one\n\ntwo\xff\ncut"[..]);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((line.offset, line.bytes.to_vec(), line.end));
        }
        assert_eq!(
            found,
            [
                (0, b"one".to_vec(), LineEnd::Whole),
                (4, b"".to_vec(), LineEnd::Whole),
                (5, b"two\xff".to_vec(), LineEnd::Whole),
                (10, b"cut".to_vec(), LineEnd::CutOff),
            ]
        );
        assert_eq!(lines.offset(), 13);
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let mut text = vec![b'x'; LONGEST_LINE + 10];
        text.extend(b"\nnext\n");
        let mut lines = Lines::new(&text[..]);
        let line = lines.next_line().unwrap().unwrap();
        assert_eq!((line.offset, line.bytes.len(), line.end), (0, LONGEST_LINE, LineEnd::TooLong));
        let line = lines.next_line().unwrap().unwrap();
        assert_eq!((line.offset, line.bytes), (LONGEST_LINE as u64 + 11, &b"next"[..]));
        assert!(lines.next_line().unwrap().is_none());
    }
}
