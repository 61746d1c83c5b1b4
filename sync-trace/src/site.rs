//! Where in the source something happened.

use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;

use crate::declared::LockClass;

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
        is_of_std(self.file())
    }
}

/// Whether a file is one of the standard library, by the name that rustc gives it.
pub(crate) fn is_of_std(file: &str) -> bool {
    file.starts_with("/rustc/") || file.starts_with("/rust/")
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

/// Where a lock was created and what it was named there, in one word, so that a name makes no lock
/// larger and no acquisition dearer.
///
/// It is the address of a [`Location`], or that of a [`Label`] plus one: both are aligned to more than
/// one byte.
#[derive(Clone, Copy)]
pub(crate) struct Origin(NonNull<u8>);

// SAFETY: it stands for a `&'static Location` or a `&'static Label`, and both are `Send` and `Sync`.
unsafe impl Send for Origin {}
// SAFETY: as above.
unsafe impl Sync for Origin {}

const _: () = assert!(align_of::<Location<'static>>() > 1 && align_of::<Label>() > 1);

impl Origin {
    /// Of a lock without a name.
    #[inline]
    pub(crate) const fn unnamed(site: Site) -> Self {
        Self(NonNull::from_ref(site.0).cast())
    }

    /// Of a lock with a name.
    pub(crate) const fn named(label: &'static Label) -> Self {
        // SAFETY: a label has more than one byte.
        Self(unsafe { NonNull::from_ref(label).cast::<u8>().add(1) })
    }

    fn label(self) -> Option<&'static Label> {
        let is_label = self.0.addr().get() & 1 == 1;
        // SAFETY: an odd address was made by `named`, from a label.
        is_label.then(|| unsafe { self.0.sub(1).cast::<Label>().as_ref() })
    }

    /// Where the lock was created.
    pub(crate) fn site(self) -> Site {
        match self.label() {
            Some(label) => label.site,
            // SAFETY: an even address was made by `unnamed`, from a location.
            None => Site(unsafe { self.0.cast().as_ref() }),
        }
    }

    /// The class that it was given.
    pub(crate) fn class(self) -> Option<&'static LockClass> {
        self.label().and_then(|label| label.class)
    }

    /// The name it was given.
    pub(crate) fn name(self) -> Option<&'static str> {
        self.label().map(|label| label.name)
    }

    /// As it is kept in an atomic pointer.
    #[inline]
    pub(crate) const fn to_ptr(self) -> *mut u8 {
        self.0.as_ptr()
    }

    /// The inverse of [`to_ptr`](Self::to_ptr); `None` for null.
    ///
    /// # Safety
    ///
    /// `pointer` must be null or come from `to_ptr`.
    pub(crate) unsafe fn from_ptr(pointer: *mut u8) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").field("name", &self.name()).field("site", &self.site()).finish()
    }
}

/// A name that [`named!`](crate::named) gives, and the place of that.
#[derive(Debug)]
pub struct Label {
    name: &'static str,
    class: Option<&'static LockClass>,
    site: Site,
}

impl Label {
    /// A label for the lock that the caller names.
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self { name, class: None, site: Site::caller() }
    }

    /// A label for the lock of `class` that the caller makes.
    #[track_caller]
    pub const fn of_class(class: &'static LockClass) -> Self {
        Self { name: class.name(), class: Some(class), site: Site::caller() }
    }

    /// The class that it stands for.
    #[cfg(any(debug_assertions, feature = "always"))]
    pub(crate) const fn class(&self) -> Option<&'static LockClass> {
        self.class
    }

    /// The same name for a lock of `class`.
    #[must_use]
    pub const fn in_class(self, class: &'static LockClass) -> Self {
        Self { class: Some(class), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_knows_its_site_and_the_name_if_there_is_one() {
        static LABEL: Label = Label::new("accounts");
        let here = Site::caller();
        let unnamed = Origin::unnamed(here);
        assert_eq!((unnamed.site(), unnamed.name()), (here, None));
        let named = Origin::named(&LABEL);
        assert_eq!((named.site().file(), named.name()), (file!(), Some("accounts")));
        for origin in [unnamed, named] {
            // SAFETY: the pointer comes from `to_ptr`.
            let back = unsafe { Origin::from_ptr(origin.to_ptr()) }.unwrap();
            assert_eq!((back.site(), back.name()), (origin.site(), origin.name()));
        }
        // SAFETY: null is allowed.
        assert!(unsafe { Origin::from_ptr(std::ptr::null_mut()) }.is_none());
    }
}
