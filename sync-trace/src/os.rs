//! What the operating system knows or does; the only module that differs between platforms.

use std::io::Write;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

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

/// That every thread of the process slept, each for another one to wake it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stillness {
    sleepers: Vec<Sleeper>,
}

#[derive(Debug, PartialEq, Eq)]
struct Sleeper {
    id: u64,
    /// How often it has gone to sleep.
    times: u64,
    /// The address of what it waits at.
    at: usize,
}

impl Stillness {
    /// How many wait at something that lies in this memory: what a primitive is made of.
    pub(crate) fn count_in(&self, memory: &Range<usize>) -> usize {
        self.sleepers.iter().filter(|sleeper| memory.contains(&sleeper.at)).count()
    }
}

/// Threads that are not looked at as the others are.
#[derive(Debug, Default)]
pub(crate) struct Excepted {
    /// These may do what they like.
    pub(crate) servants: Vec<u64>,
    /// These have to sleep as well, but may have a time limit.
    pub(crate) patient: Vec<u64>,
}

/// Whether every thread of this process but the calling one and those `excepted` sleeps now, without a
/// time limit, until another thread of the process wakes it; `None` if one does not, and where that cannot
/// be known.
///
/// Two equal answers, one after the other, mean that nobody ran between them. So there was a moment at
/// which all of them slept, and from which on only the caller could have changed anything.
pub(crate) fn stillness(excepted: &Excepted) -> Option<Stillness> {
    imp::stillness(excepted)
}

/// The id of the thread that runs `main`, where threads and the process share their ids.
pub(crate) fn main_thread() -> Option<u64> {
    imp::main_thread()
}

/// Microseconds since the machine was booted, or since some other moment that all its processes share; `None`
/// where that cannot be asked.
#[cfg(not(loom))]
pub(crate) fn monotonic_us() -> Option<u64> {
    #[cfg(unix)]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is ours to write.
        let status = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
        let part = |part: Result<u64, _>, micros: fn(u64) -> u64| part.ok().map(micros);
        let seconds = part(u64::try_from(time.tv_sec), |seconds| seconds * 1_000_000);
        let rest = part(u64::try_from(time.tv_nsec), |nanos| nanos / 1000);
        (status == 0).then_some(seconds? + rest?)
    }
    #[cfg(not(unix))]
    None
}

/// How long the calling thread has run on a processor; `None` where that cannot be asked. A system call.
pub(crate) fn thread_cpu_ns() -> Option<u64> {
    #[cfg(unix)]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is ours to write.
        let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        let seconds = u64::try_from(time.tv_sec).ok()?;
        let nanos = u64::try_from(time.tv_nsec).ok()?;
        (status == 0).then(|| seconds * 1_000_000_000 + nanos)
    }
    #[cfg(not(unix))]
    None
}

/// The process that started this one; `None` where that cannot be asked.
#[cfg(not(loom))]
pub(crate) fn parent_process() -> Option<u32> {
    #[cfg(unix)]
    return Some(std::os::unix::process::parent_id());
    #[cfg(not(unix))]
    None
}

/// Whether the program is a test or bench executable of Cargo's: they are in its `deps` folder, and programs
/// in the one above.
#[cfg(not(loom))]
pub(crate) fn is_test_harness() -> bool {
    let exe = std::env::current_exe().ok();
    exe.and_then(|exe| Some(exe.parent()?.file_name()? == "deps")).unwrap_or(false)
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

/// Calls `child` in every process that is forked from this one, where that can be had, before anything else runs
/// there.
#[cfg(not(loom))]
pub(crate) fn after_fork(child: extern "C" fn()) {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    // SAFETY: the handler is a plain function that is never unloaded. If there is no memory to note it, a child
    // goes without.
    unsafe {
        libc::pthread_atfork(None, None, Some(child));
    }
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    let _ = child;
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
    use std::sync::atomic::Ordering;

    pub(super) use super::unix_exit::register as register_exit;
    use super::{Excepted, Sleeper, Stillness};

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

    pub(super) fn main_thread() -> Option<u64> {
        Some(u64::from(std::process::id()))
    }

    pub(super) fn stillness(excepted: &Excepted) -> Option<Stillness> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        if catches_signals(&status)? {
            return None;
        }
        let me = thread_id()?;
        let mut sleepers = Vec::new();
        let mut listed = 0_u64;
        for task in std::fs::read_dir("/proc/self/task").ok()? {
            let task = task.ok()?;
            let id = task.file_name().to_str()?.parse().ok()?;
            listed += 1;
            if id != me && !excepted.servants.contains(&id) {
                // First the number: should it go to sleep only now, the next one will be another.
                let times = times_asleep(&task.path())?;
                let at = waits_for_a_thread(&task.path(), excepted.patient.contains(&id))?;
                sleepers.push(Sleeper { id, times, at });
            }
        }
        // While threads end, the list may leave out others.
        let is_complete = field(&status, "Threads:")?.parse() == Ok(listed);
        is_complete.then_some(Stillness { sleepers })
    }

    /// Where the thread waits in the kernel, without a time limit, for a futex of this process alone, or
    /// for the end of one of its threads: that is waited for at a word which contains its number, and
    /// which the kernel clears. A thread that was woken up and has not run yet counts as running.
    ///
    /// One that `is_patient` may have a time limit.
    fn waits_for_a_thread(task: &std::path::Path, is_patient: bool) -> Option<usize> {
        let call = std::fs::read_to_string(task.join("syscall")).ok()?;
        let mut words = call.split_ascii_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let argument = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
        let arguments: Vec<u64> = words.map_while(argument).take(4).collect();
        let [at, operation, value, timeout] = arguments[..] else { return None };
        let operation = i32::try_from(operation & 0xffff_ffff).unwrap_or_default();
        let is_private = operation & libc::FUTEX_PRIVATE_FLAG != 0;
        let command = operation & libc::FUTEX_CMD_MASK;
        let does = number == Some(libc::SYS_futex)
            && (is_private || is_gone(value) == Some(false) && is_private_memory(at)?)
            && [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET].contains(&command)
            && (timeout == 0 || is_patient);
        usize::try_from(at).ok().filter(|_| does)
    }

    /// Whether no other process shares what lies at this address: else the number that a word contains may be
    /// a thread's by chance.
    fn is_private_memory(at: u64) -> Option<bool> {
        let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let access = maps.lines().find_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            (number(start)? <= at && at < number(end)?).then(|| rest.get(..4))?
        })?;
        Some(access.ends_with('p'))
    }

    /// How often the thread, which sleeps, has gone to sleep. One that a debugger has stopped does not sleep,
    /// even in the middle of a wait: it may have been woken up.
    fn times_asleep(task: &std::path::Path) -> Option<u64> {
        let status = std::fs::read_to_string(task.join("status")).ok()?;
        field(&status, "State:")?.starts_with('S').then_some(())?;
        field(&status, "voluntary_ctxt_switches:")?.parse().ok()
    }

    /// Whether a signal could have somebody woken up. The handlers of `std` (for stack overflows) and of
    /// the C library, and the one for our own dump, wake nobody.
    fn catches_signals(status: &str) -> Option<bool> {
        let caught = u64::from_str_radix(field(status, "SigCgt:")?, 16).ok()?;
        let bit = |signal: i32| 1_u64 << (signal - 1);
        // The C library keeps 32 and 33 for itself.
        let harmless = bit(libc::SIGSEGV) | bit(libc::SIGBUS) | bit(32) | bit(33);
        let own = if super::LISTENS.load(Ordering::Relaxed) { bit(libc::SIGQUIT) } else { 0 };
        Some(caught & !(harmless | own) != 0)
    }

    fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
        text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
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

    pub(super) fn stillness(_: &super::Excepted) -> Option<super::Stillness> {
        None
    }

    pub(super) fn main_thread() -> Option<u64> {
        None
    }
}

#[cfg(target_vendor = "apple")]
mod imp {
    pub(super) use super::unix_exit::register as register_exit;
    pub(super) use super::untold::{is_asleep, is_gone, main_thread, stillness};

    pub(super) fn thread_id() -> Option<u64> {
        let mut id = 0;
        // SAFETY: 0 stands for the calling thread, and `id` is ours to write.
        let status = unsafe { libc::pthread_threadid_np(0, &mut id) };
        (status == 0).then_some(id)
    }
}

#[cfg(windows)]
mod imp {
    pub(super) use super::untold::{is_asleep, is_gone, main_thread, stillness};

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
    pub(super) use super::untold::{is_asleep, is_gone, main_thread, stillness};

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

/// Whether `SIGQUIT` is caught for a dump.
static LISTENS: AtomicBool = AtomicBool::new(false);

/// Starts a thread that prints a dump at each `SIGQUIT`. An error says why it could not.
#[cfg(all(unix, feature = "signal"))]
pub(crate) fn on_sigquit(print: fn()) -> Result<(), String> {
    LISTENS.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut signals = signal_hook::iterator::Signals::new([libc::SIGQUIT])
        .map_err(|error| format!("cannot listen for SIGQUIT: {error}"))?;
    std::thread::Builder::new()
        .name("sync-trace-dump".to_owned())
        .spawn(move || {
            #[cfg(not(loom))]
            let _service = crate::stall::serve();
            signals.forever().for_each(|_| print());
        })
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

    /// In a process of its own: other tests run beside this one.
    #[test]
    fn it_is_still_when_all_wait_for_each_other_without_end() {
        if std::env::var_os("STILLNESS").is_none() {
            let exe = std::env::current_exe().unwrap();
            let test = "os::tests::it_is_still_when_all_wait_for_each_other_without_end";
            let mut again = std::process::Command::new(exe);
            let output = again.args(["--exact", test]).env("STILLNESS", "1").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            return;
        }
        let still =
            |harness: &u64| stillness(&Excepted { patient: vec![*harness], ..Excepted::default() });
        let until = |wanted: bool, harness: &u64| {
            while still(harness).is_some() != wanted {
                std::thread::yield_now();
            }
        };
        // The test harness waits with a time limit, or is the caller.
        let harness = main_thread().unwrap();
        until(true, &harness);
        let parked = std::thread::spawn(std::thread::park);
        until(true, &harness);
        let first = still(&harness);
        assert_eq!(first, still(&harness), "nobody ran");
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let timed = std::thread::spawn(move || {
            stopped.recv_timeout(std::time::Duration::from_secs(3600)).unwrap();
        });
        until(false, &harness);
        stop.send(()).unwrap();
        timed.join().unwrap();
        until(true, &harness);
        parked.thread().unpark();
        parked.join().unwrap();
        until(true, &harness);
        assert_ne!(first, still(&harness), "one of them is gone");
    }
}
