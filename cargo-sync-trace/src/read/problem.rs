//! What is wrong with a file of a run, told with its place.

use std::fmt;
use std::path::PathBuf;

/// Something in a file that cannot be read. What comes after it is read all the same, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The byte at which it is, counted from 0.
    pub offset: u64,
    /// What.
    pub mistake: Mistake,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The operating system does not let it be read.
    Unreadable(String),
    /// The last line has no line feed.
    CutOff,
    /// A line is longer than any record.
    TooLong,
    /// A line is no record, for this reason.
    NoRecord(String),
    /// The file is of a format with this number.
    Newer(u64),
    /// The first record is no header.
    NoHeader,
    /// There is a second header.
    SecondHeader,
    /// A record speaks of a class that the file has not introduced.
    NoClass(u64),
    /// There are so many problems in this file that no more are told.
    TooMany,
}

impl Mistake {
    /// What is lost by it.
    fn loss(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "the rest of this file is left out",
            Self::Newer(_) => "this file is left out",
            Self::CutOff => "the line is left out; a process that is killed may leave one",
            Self::NoHeader => "what follows is read, but it is not known which process it is of",
            Self::TooLong | Self::NoRecord(_) | Self::SecondHeader | Self::NoClass(_) => {
                "the line is left out"
            }
            Self::TooMany => "further ones are left out like these",
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "the file cannot be read: {why}"),
            Self::CutOff => write!(f, "the last line is cut off"),
            Self::TooLong => write!(f, "this line is longer than any record"),
            Self::NoRecord(why) => write!(f, "this is no record: {why}"),
            Self::Newer(format) => write!(
                f,
                "the file has format {format}, and this cargo-sync-trace knows formats up to {}; install a \
                 newer one",
                super::record::FORMAT
            ),
            Self::NoHeader => write!(f, "the file does not begin with a header"),
            Self::SecondHeader => write!(f, "a second header"),
            Self::NoClass(class) => write!(f, "class {class} is not known at this place"),
            Self::TooMany => write!(f, "too many problems in this file"),
        }
    }
}

impl fmt::Display for Problem {
    /// With the name of the file and the offset, and what is lost by it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, mistake } = self;
        write!(f, "{}: byte {offset}: {mistake}; {}", file.display(), mistake.loss())
    }
}
