//! What the operating system knows or does; the only module that differs between platforms.

use std::io::Write;
use std::sync::OnceLock;

/// Writes to the process's standard error, past libtest's capture and past `std`'s lock on the
/// stream, which a thread of the deadlock may hold.
pub(crate) fn write_stderr(text: &str) {
    // There is nobody left to tell if even this fails.
    let _ = raw_stderr(text.as_bytes());
}

#[cfg(unix)]
fn raw_stderr(bytes: &[u8]) -> std::io::Result<()> {
    use std::os::fd::FromRawFd;
    // SAFETY: descriptor 2 stays open for the life of the process by convention, and ManuallyDrop
    // keeps this handle from closing it.
    let mut stderr =
        std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(libc::STDERR_FILENO) });
    stderr.write_all(bytes)
}

#[cfg(not(unix))]
fn raw_stderr(bytes: &[u8]) -> std::io::Result<()> {
    std::io::stderr().write_all(bytes)
}

/// The id that debuggers and `ps` show for the calling thread.
pub(crate) fn thread_id() -> Option<u64> {
    imp::thread_id()
}

/// Whether the thread `id` of this process sleeps in the kernel now; `None` where that cannot be
/// known. A thread that has been given the lock it waits for does not sleep.
pub(crate) fn is_asleep(id: u64) -> Option<bool> {
    imp::is_asleep(id)
}

/// Whether the thread `id` of this process is gone; `None` where that cannot be known.
pub(crate) fn is_gone(id: u64) -> Option<bool> {
    imp::is_gone(id)
}

/// Decides how the process ends: gets the exit status where the platform tells it, and may return
/// another one.
pub(crate) type ExitHandler = fn(Option<i32>) -> Option<i32>;

static EXIT_HANDLER: OnceLock<ExitHandler> = OnceLock::new();

/// Calls `handler` when the process ends by returning from `main` or by `exit`.
///
/// Such handlers run newest first, so those of profilers and coverage tools, which register when
/// the process starts, run after this one.
pub(crate) fn at_exit(handler: ExitHandler) {
    if EXIT_HANDLER.set(handler).is_ok() {
        imp::register_exit();
    }
}

/// Ends the process without running anything else, and without memory.
pub(crate) fn exit_at_once(status: i32) -> ! {
    #[cfg(unix)]
    // SAFETY: takes a number and does not come back.
    unsafe {
        libc::_exit(status)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        std::process::abort()
    }
}

#[cfg(any(unix, windows))]
fn run_exit_handler(status: Option<i32>) -> Option<i32> {
    EXIT_HANDLER.get().and_then(|handler| handler(status))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    pub(super) use super::unix_exit::register as register_exit;

    pub(super) fn thread_id() -> Option<u64> {
        // SAFETY: takes nothing and cannot fail.
        u64::try_from(unsafe { libc::gettid() }).ok()
    }

    pub(super) fn is_asleep(id: u64) -> Option<bool> {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok()?;
        // `pid (command) state …`, and the command may contain anything, also parentheses.
        let state = stat.rsplit_once(") ")?.1.chars().next()?;
        Some(state == 'S')
    }

    pub(super) fn is_gone(id: u64) -> Option<bool> {
        Some(!std::path::Path::new("/proc/self/task").join(id.to_string()).exists())
    }
}

/// For platforms that do not tell a program about its own threads.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod untold {
    pub(super) fn is_asleep(_: u64) -> Option<bool> {
        None
    }

    pub(super) fn is_gone(_: u64) -> Option<bool> {
        None
    }
}

#[cfg(target_vendor = "apple")]
mod imp {
    pub(super) use super::unix_exit::register as register_exit;
    pub(super) use super::untold::{is_asleep, is_gone};

    pub(super) fn thread_id() -> Option<u64> {
        let mut id = 0;
        // SAFETY: 0 stands for the calling thread, and `id` is ours to write.
        let status = unsafe { libc::pthread_threadid_np(0, &mut id) };
        (status == 0).then_some(id)
    }
}

#[cfg(windows)]
mod imp {
    pub(super) use super::untold::{is_asleep, is_gone};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentThreadId() -> u32;
    }

    unsafe extern "C" {
        fn atexit(function: extern "C" fn()) -> std::ffi::c_int;
        fn _exit(status: std::ffi::c_int) -> !;
    }

    pub(super) fn thread_id() -> Option<u64> {
        // SAFETY: takes nothing and cannot fail.
        Some(u64::from(unsafe { GetCurrentThreadId() }))
    }

    pub(super) fn register_exit() {
        extern "C" fn handler() {
            if let Some(status) = super::run_exit_handler(None) {
                // SAFETY: always sound to call.
                unsafe { _exit(status) }
            }
        }
        // SAFETY: the handler is a plain function.
        unsafe { atexit(handler) };
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows)))]
mod imp {
    #[cfg(unix)]
    pub(super) use super::unix_exit::register as register_exit;
    pub(super) use super::untold::{is_asleep, is_gone};

    pub(super) fn thread_id() -> Option<u64> {
        None
    }

    #[cfg(not(unix))]
    pub(super) fn register_exit() {}
}

#[cfg(unix)]
mod unix_exit {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub(super) fn register() {
        use std::ffi::{c_int, c_void};
        // glibc's own: unlike `atexit` it tells the handler the exit status.
        unsafe extern "C" {
            fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void)
            -> c_int;
        }
        extern "C" fn handler(status: c_int, _: *mut c_void) {
            if let Some(status) = super::run_exit_handler(Some(status)) {
                // glibc goes on with the remaining handlers and takes the new status.
                // SAFETY: always sound to call.
                unsafe { libc::exit(status) }
            }
        }
        // SAFETY: the handler is a plain function and the argument is not used.
        unsafe { on_exit(handler, std::ptr::null_mut()) };
    }

    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    pub(super) fn register() {
        extern "C" fn handler() {
            if let Some(status) = super::run_exit_handler(None) {
                // `exit` must not be called from a handler here, so the ones that were registered
                // earlier do not run.
                // SAFETY: always sound to call.
                unsafe { libc::_exit(status) }
            }
        }
        // SAFETY: the handler is a plain function.
        unsafe { libc::atexit(handler) };
    }
}

/// Starts a thread that prints a dump at each `SIGQUIT`. An error says why it could not.
#[cfg(all(unix, feature = "signal"))]
pub(crate) fn on_sigquit(print: fn()) -> Result<(), String> {
    let mut signals = signal_hook::iterator::Signals::new([libc::SIGQUIT])
        .map_err(|error| format!("cannot listen for SIGQUIT: {error}"))?;
    std::thread::Builder::new()
        .name("sync-trace-dump".to_owned())
        .spawn(move || signals.forever().for_each(|_| print()))
        .map(drop)
        .map_err(|error| format!("cannot start a thread for SIGQUIT: {error}"))
}

/// Starts a thread that prints a dump at each `SIGQUIT`. An error says why it could not.
#[cfg(not(all(unix, feature = "signal")))]
pub(crate) fn on_sigquit(_: fn()) -> Result<(), String> {
    Err("`dump_on=SIGQUIT` needs Unix and the feature `signal` of sync-trace".to_owned())
}

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_parked_thread_sleeps_and_a_joined_one_is_gone() {
        let (send, recv) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            send.send(thread_id().unwrap()).unwrap();
            std::thread::park();
        });
        let id = recv.recv().unwrap();
        while is_asleep(id) != Some(true) {
            std::thread::yield_now();
        }
        assert_eq!(is_gone(id), Some(false));
        assert_eq!(is_asleep(thread_id().unwrap()), Some(false), "the caller runs");
        thread.thread().unpark();
        thread.join().unwrap();
        // The kernel takes the thread off the list a moment after it has told its joiner.
        while is_gone(id) != Some(true) {
            std::thread::yield_now();
        }
        assert_eq!(is_asleep(id), None);
    }
}
