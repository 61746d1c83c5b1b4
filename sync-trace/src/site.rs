//! Where in the source something happened.

use std::fmt;
use std::panic::Location;

/// A source position: where a lock was created, taken or waited for.
///
/// It is what `#[track_caller]` reports, so it points at the method's name in the caller's file.
/// Copying and comparing it is as cheap as for a pair of pointers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site(pub(crate) &'static Location<'static>);

impl Site {
    /// The position of the caller.
    #[inline]
    #[track_caller]
    pub(crate) const fn caller() -> Self {
        Self(Location::caller())
    }

    /// The file as rustc was given it: usually relative to the root of the workspace.
    pub fn file(self) -> &'static str {
        self.0.file()
    }

    /// The line, counted from 1.
    pub fn line(self) -> u32 {
        self.0.line()
    }

    /// The column in characters, counted from 1.
    pub fn column(self) -> u32 {
        self.0.column()
    }

    /// Whether the position lies in the standard library: a function such as `Mutex::lock` was
    /// passed as a value, so the user's own line is not known.
    pub fn is_unknown(self) -> bool {
        self.file().starts_with("/rustc/") || self.file().starts_with("/rust/")
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
