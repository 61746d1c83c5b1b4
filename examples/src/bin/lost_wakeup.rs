//! A signal that comes before anybody waits for it, and is gone.
//!
//! Run it with `cargo run --bin lost_wakeup`, and the broken variant with
//! `cargo run --bin lost_wakeup wrong`.
//!
//! A server starts as soon as its configuration is loaded. It looks at a flag, and if that is not set yet it
//! waits for the loader's signal. Between the look and the wait there is a moment, and when the loader
//! does all of its work in it, the flag is set too late for the one, and the signal comes too early for the
//! other: a condition variable remembers nothing. The report says who signalled, and that nobody was waiting:
//!
//! ```text
//! error[ST0003]: stuck: a thread waits for a signal that nobody is left to give
//!   --> examples/src/bin/lost_wakeup.rs:68:32
//!    |
//! 60 |         self.loaded.notify_one();
//!    |                     ---------- 'loader' (4312) signalled it here 5.45 ms ago, when nobody was waiting
//! ...
//! 68 |             return self.loaded.wait(text).unwrap().clone().unwrap();
//!    |                                ^^^^ 'main' (4311) would now wait for a signal of `loaded`, and nobody is left who could end that
//!    |
//!    = chain: 'main' -> loaded -> nobody
//!    = locks: loaded  std Condvar  #2, created at examples/src/bin/lost_wakeup.rs:53:21
//!    = threads: 'main'    (4311)
//!               'loader'  (4312)  started by 'main' at examples/src/bin/lost_wakeup.rs:84:12
//!    = because: every thread of the process sleeps until another one wakes it
//!    = note: 'loader', which has ended, was the last that signalled it, 5.45 ms ago at examples/src/bin/lost_wakeup.rs:60, when nobody was waiting
//!    = note: 'main' (4311) panics instead of waiting; unwinding releases its guards
//!    = help: change the condition that `loaded` tells of under its mutex, and look at it there before waiting, as `wait_while` does: a signal that nobody waits for is gone
//!    = note: fingerprint c76071c83454e3f9; SYNC_TRACE=on_violation=log reports without a panic, and the threads hang
//! ```
//!
//! The cure is to change the flag under the mutex and to look at it there: `Settings::wait` does so by
//! `wait_while`, which lets go of the mutex only when it waits already.

use sync_trace::named;
use sync_trace::sync::atomic::{AtomicBool, Ordering};
use sync_trace::sync::{Arc, Condvar, Mutex};
use sync_trace::thread::{self, JoinHandle};
use sync_trace_examples::tell;

struct Settings {
    text: Mutex<Option<String>>,
    /// Of no use but to show the mistake: whether `text` is there.
    is_loaded: AtomicBool,
    loaded: Condvar,
}

impl Settings {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            text: named!("settings", Mutex::new(None)),
            is_loaded: AtomicBool::new(false),
            loaded: named!("loaded", Condvar::new()),
        })
    }

    fn load(&self) {
        *self.text.lock().unwrap() = Some("port = 80".to_owned());
        self.is_loaded.store(true, Ordering::Release);
        self.loaded.notify_one();
    }

    /// The wrong way: what it looks at may change before it waits. `between` runs there.
    fn wait_if_not_loaded(&self, between: impl FnOnce()) -> String {
        if !self.is_loaded.load(Ordering::Acquire) {
            between();
            let text = self.text.lock().unwrap();
            return self.loaded.wait(text).unwrap().clone().unwrap();
        }
        self.text.lock().unwrap().clone().unwrap()
    }

    /// The cure: nobody can load between the look and the wait.
    fn wait(&self) -> String {
        let text = self.text.lock().unwrap();
        let text = self.loaded.wait_while(text, |text| text.is_none()).unwrap();
        text.clone().unwrap()
    }
}

fn start_loader(settings: &Arc<Settings>) -> JoinHandle<()> {
    let settings = Arc::clone(settings);
    let thread = thread::Builder::new().name("loader".to_owned());
    thread.spawn(move || settings.load()).unwrap()
}

fn cure() {
    // The loader is done before anybody waits, and the other way round.
    let settings = Settings::new();
    start_loader(&settings).join().unwrap();
    assert_eq!(settings.wait(), "port = 80");

    let settings = Settings::new();
    let waiting = Arc::clone(&settings);
    let server = thread::spawn(move || waiting.wait());
    start_loader(&settings).join().unwrap();
    assert_eq!(server.join().unwrap(), "port = 80");
    println!("the server has its settings, whoever came first");
}

fn wrong() {
    let settings = Settings::new();
    settings.wait_if_not_loaded(|| start_loader(&settings).join().unwrap());
}

fn main() {
    tell(cure, &[("wrong", wrong)]);
}
