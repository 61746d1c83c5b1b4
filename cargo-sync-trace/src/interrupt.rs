//! Ctrl-C ends the inner command, and not this program: the report on what was recorded until then is what somebody
//! wants whose tests hang.

use std::io;
use std::process::{Command, ExitStatus};

/// Runs `command`. An interrupt meanwhile, which the terminal sends to all its processes, is left to it; one that
/// comes later ends this program as ever.
///
/// Gives with which status the command has ended, and whether it was interrupted.
///
/// # Errors
///
/// If it cannot be run.
#[cfg(unix)]
pub fn leave_to(command: &mut Command) -> io::Result<(ExitStatus, bool)> {
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let [is_interrupted, is_over] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    // A program that is run does not inherit them.
    let handlers = [
        flag::register_conditional_default(SIGINT, Arc::clone(&is_over))?,
        flag::register(SIGINT, Arc::clone(&is_interrupted))?,
    ];
    let status = command.status();
    is_over.store(true, Ordering::SeqCst);
    let was_interrupted = is_interrupted.load(Ordering::SeqCst);
    // The first one stays: where there is none at all, the signal would be ignored from here on.
    signal_hook::low_level::unregister(handlers[1]);
    Ok((status?, was_interrupted))
}

/// The same where an interrupt ends this program as well.
#[cfg(not(unix))]
pub fn leave_to(command: &mut Command) -> io::Result<(ExitStatus, bool)> {
    Ok((command.status()?, false))
}
