//! With which status the program ends.

use std::process::ExitCode;

/// All went well, and nothing was found that fails the run.
pub const SUCCESS: u8 = 0;
/// What was asked for could not be done: there is no run, a file cannot be written.
pub const FAILURE: u8 = 1;
/// The arguments make no sense.
pub const USAGE: u8 = 2;
/// Findings reach the level of `--deny`. It is the same status with which a process ends that sync-trace
/// ends.
pub const FINDINGS: u8 = sync_trace::EXIT_STATUS as u8;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// See [`SUCCESS`].
    Success,
    /// See [`FINDINGS`].
    Findings,
    /// The inner command failed, with this status.
    Inner(u8),
}

impl Exit {
    /// The status.
    pub fn status(self) -> u8 {
        match self {
            Self::Success => SUCCESS,
            Self::Findings => FINDINGS,
            Self::Inner(status) => status,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.status().into()
    }
}

/// Why something could not be done, in one message.
#[derive(Debug)]
pub struct Failure(pub String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The status of an inner command. One that was ended by a signal has 128 more than its number, as in a shell.
pub fn of(status: std::process::ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128u8.saturating_add(signal as u8);
    }
    match status.code() {
        Some(code) => u8::try_from(code & 0xff).unwrap_or(FAILURE),
        None => FAILURE,
    }
}
