//! Silence on standard output or error, for what others would print.

#[cfg(unix)]
use std::io::Write;

/// Whatever is printed to one of the two goes nowhere until this is dropped.
#[must_use = "silence ends when it is dropped"]
pub struct Quiet {
    /// Where it would have been printed.
    #[cfg(unix)]
    silenced: libc::c_int,
    /// A copy of that, unless it could not be copied.
    #[cfg(unix)]
    real: libc::c_int,
}

#[cfg(unix)]
impl Quiet {
    /// Begins the silence on standard error. Where it cannot be had, the output stays.
    pub fn stderr() -> Self {
        Self::on(libc::STDERR_FILENO)
    }

    /// Begins the silence on standard output. Where it cannot be had, the output stays.
    pub fn stdout() -> Self {
        flush_stdout();
        Self::on(libc::STDOUT_FILENO)
    }

    fn on(silenced: libc::c_int) -> Self {
        // SAFETY: these calls take descriptors and a constant C string, and no memory of ours.
        unsafe {
            let real = libc::dup(silenced);
            let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
            if real >= 0 && nowhere >= 0 {
                libc::dup2(nowhere, silenced);
                libc::close(nowhere);
            }
            Self { silenced, real }
        }
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        // What is still in the buffer belongs to the silence.
        flush_stdout();
        if self.real >= 0 {
            // SAFETY: `real` is our own copy, and nobody uses it afterwards.
            unsafe {
                libc::dup2(self.real, self.silenced);
                libc::close(self.real);
            }
        }
    }
}

#[cfg(not(unix))]
impl Quiet {
    /// Does nothing here: the output stays.
    pub fn stderr() -> Self {
        Self {}
    }

    /// Does nothing here: the output stays.
    pub fn stdout() -> Self {
        Self {}
    }
}

/// A reader who has gone is no error.
#[cfg(unix)]
fn flush_stdout() {
    let _ = std::io::stdout().flush();
}
