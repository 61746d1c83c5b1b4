//! Silence on standard error while findings are made on purpose.

/// Whatever is printed to standard error goes nowhere until this is dropped.
#[must_use = "silence ends when it is dropped"]
pub struct Quiet {
    /// A copy of the real standard error, unless it could not be copied.
    #[cfg(unix)]
    real: libc::c_int,
}

#[cfg(unix)]
impl Quiet {
    /// Begins the silence. Where it cannot be had, the output stays.
    pub fn begin() -> Self {
        // SAFETY: these calls take descriptors and a constant C string, and no memory of ours.
        unsafe {
            let real = libc::dup(libc::STDERR_FILENO);
            let nowhere = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
            if real >= 0 && nowhere >= 0 {
                libc::dup2(nowhere, libc::STDERR_FILENO);
                libc::close(nowhere);
            }
            Self { real }
        }
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        if self.real >= 0 {
            // SAFETY: `real` is our own copy, and nobody uses it afterwards.
            unsafe {
                libc::dup2(self.real, libc::STDERR_FILENO);
                libc::close(self.real);
            }
        }
    }
}

#[cfg(not(unix))]
impl Quiet {
    /// Does nothing here: the output stays.
    pub fn begin() -> Self {
        Self {}
    }
}
