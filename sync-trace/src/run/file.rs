//! The file of one process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is only appended to.
pub(super) struct Appended {
    file: File,
    path: PathBuf,
    #[cfg(unix)]
    identity: (u64, u64),
}

impl Appended {
    /// Makes a new file in `dir`, and `dir` if it is not there, for the process `pid` that has begun then.
    pub(super) fn create(
        dir: &Path,
        pid: u32,
        started_ns: u128,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let in_dir = |error| (dir.to_owned(), error);
        fs::create_dir_all(dir).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => in_dir(io::Error::other("it is not a directory")),
            _ => in_dir(error),
        })?;
        let mut started_ns = started_ns;
        loop {
            let path = dir.join(format!("{pid}-{started_ns}.jsonl"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => return Self::new(file, path.clone()).map_err(|error| (path, error)),
                // Process numbers come again, and in containers the same ones at one time.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => started_ns += 1,
                Err(error) => return Err((path, error)),
            }
        }
    }

    #[cfg(unix)]
    fn new(file: File, path: PathBuf) -> io::Result<Self> {
        let identity = identity(&file)?;
        Ok(Self { file, path, identity })
    }

    #[cfg(not(unix))]
    fn new(file: File, path: PathBuf) -> io::Result<Self> {
        Ok(Self { file, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `text` in one piece.
    pub(super) fn append(&mut self, text: &str) -> io::Result<()> {
        #[cfg(unix)]
        self.find_again()?;
        self.file.write_all(text.as_bytes())
    }

    /// A program that becomes a daemon closes what it does not know, and its next file may get our number.
    /// Then ours is opened once more, and that one is left alone.
    #[cfg(unix)]
    fn find_again(&mut self) -> io::Result<()> {
        if identity(&self.file).ok() == Some(self.identity) {
            return Ok(());
        }
        let again = OpenOptions::new().append(true).open(&self.path)?;
        if identity(&again)? != self.identity {
            return Err(io::Error::other("it is another file now"));
        }
        // Not closed: it is not ours.
        std::mem::forget(std::mem::replace(&mut self.file, again));
        Ok(())
    }
}

/// What tells a file from all others that exist.
#[cfg(unix)]
fn identity(file: &File) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|data| (data.dev(), data.ino()))
}
