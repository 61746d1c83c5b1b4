//! Programs that have something to say to the run directory; `tests/run_directory.rs` reads what they wrote.

use std::io::Read;
use std::panic::catch_unwind;

use sync_trace::sync::{Arc, Barrier, Condvar, Mutex, RwLock};
use sync_trace::{
    Config, LockFields, OnViolation, lock_class, lock_hierarchy, lock_order, named, order, thread,
};

fn main() {
    sync_trace_tests::end_after(120);
    let mut args = std::env::args().skip(1);
    let scenario = args.next().unwrap_or_default();
    match scenario.as_str() {
        "quiet" => drop(Mutex::new(1).lock()),
        "orders" => orders(),
        "tests" => tests(),
        "deep" => deep(),
        "queue" => queue(),
        "nowhere" => {
            let locks = [1, 2].map(Mutex::new);
            nest(&locks[0], &locks[1]);
        }
        "meanings" => meanings(),
        "declared" => declared(),
        "found" => found(),
        "deferred" => deferred(),
        "noted" => noted(),
        "accepted" => accepted(),
        "killed" => killed(),
        "aborts" => {
            nest(&named!("outer", Mutex::new(0)), &named!("inner", Mutex::new(0)));
            std::process::abort();
        }
        "many" => many(),
        "configured" => {
            Config::new().run_dir(args.next().expect("a directory")).install();
            nest(&Mutex::new(0), &Mutex::new(0));
        }
        "moves" => {
            nest(&Mutex::new(0), &Mutex::new(0));
            std::env::set_current_dir("/").expect("there is a root");
            nest(&Mutex::new(0), &Mutex::new(0));
        }
        #[cfg(unix)]
        "forks" => unix::forks(),
        #[cfg(unix)]
        "closes" => unix::closes(&args.next().expect("a file")),
        other => panic!("no scenario `{other}`"),
    }
}

fn nest<T, U>(outer: &Mutex<T>, inner: &Mutex<U>) {
    let _outer = outer.lock().unwrap();
    drop(inner.lock());
}

/// The same twice by two threads of one root, and a writer.
fn orders() {
    let accounts = Arc::new(named!("bank.accounts", Mutex::new(vec![0_i64])));
    let cache = Arc::new(named!("bank.cache", RwLock::new(0)));
    let audit = Arc::new(Mutex::new(()));
    for name in ["first", "second"] {
        let (accounts, cache, audit) =
            (Arc::clone(&accounts), Arc::clone(&cache), Arc::clone(&audit));
        let all = move || {
            for _ in 0..3 {
                let _accounts = accounts.lock().unwrap();
                let _cache = cache.read().unwrap();
                drop(audit.lock());
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(all);
        thread.unwrap().join().unwrap();
    }
    drop(cache.write());
}

/// The same by threads that a test harness starts.
fn tests() {
    let (outer, inner) = (named!("outer", Mutex::new(0)), named!("inner", Mutex::new(0)));
    for test in ["tests::one", "tests::other"] {
        std::thread::scope(|scope| {
            let named = std::thread::Builder::new().name(test.to_owned());
            named.spawn_scoped(scope, || nest(&outer, &inner)).unwrap();
        });
    }
}

/// One thread waits for what another one holds, and nothing is nested.
fn queue() {
    let pages = named!("pages", Mutex::new(0));
    thread::scope(|scope| {
        let held = pages.lock().unwrap();
        scope.spawn(|| drop(pages.lock()));
        let waits = |agent: &sync_trace::finding::AgentState| agent.wait.is_some();
        while !sync_trace::snapshot().agents.iter().any(waits) {
            std::thread::yield_now();
        }
        drop(held);
    });
}

/// More locks at once than anybody wants to read of.
fn deep() {
    let locks: Vec<_> = (0..100).map(|_| Mutex::new(0)).collect();
    let _guards: Vec<_> = locks
        .iter()
        .enumerate()
        .map(|(level, lock)| order::nested(level as u32, || lock.lock()).unwrap())
        .collect();
}

lock_class!(LEDGERS, "ledgers", rank = 7, multi);

/// Levels, keys, an outer lock, a class with options.
fn meanings() {
    let nodes = [(); 2].map(|()| named!("node", Mutex::new(0)));
    let _parent = nodes[0].lock().unwrap();
    drop(order::nested(1, || nodes[1].lock()));
    let shards = [(); 2].map(|()| named!("shard", Mutex::new(0)));
    let _first = order::keyed(-5, || shards[0].lock()).unwrap();
    drop(order::keyed(u64::MAX, || shards[1].lock()));
    let rows = [(); 2].map(|()| named!(class(LEDGERS), Mutex::new(0)));
    let table = named!("table", Mutex::new(0));
    let table = table.lock().unwrap();
    order::under(&table, || {
        let _row = rows[0].lock().unwrap();
        drop(rows[1].lock());
    });
}

lock_hierarchy!("hall" < class(LEDGERS) < "door.*");

#[derive(LockFields)]
struct House {
    #[lock(before = cellar)]
    attic: Mutex<u32>,
    cellar: Mutex<u32>,
}

/// An order of names, one of fields, and one of places, of which only one function runs.
fn declared() {
    #[lock_order(local, first < read(second))]
    fn runs(first: &Mutex<u32>, second: &RwLock<u32>) {
        let _first = first.lock().unwrap();
        drop(second.read());
    }
    #[lock_order(first < second)]
    #[expect(dead_code, reason = "that it does not run is what it is for")]
    fn never_runs(first: &Mutex<u32>, second: &Mutex<u32>) {
        nest(first, second);
    }
    let house = House { attic: Mutex::new(1), cellar: Mutex::new(2) }.named();
    nest(&house.attic, &house.cellar);
    runs(&named!("named", Mutex::new(1)), &RwLock::new(2));
    runs(&Mutex::new(1), &RwLock::new(2));
}

/// A deadlock of a thread with itself, caught and met again, and one that could happen.
fn found() {
    let lock = named!("relocked", Mutex::new(0));
    for _ in 0..3 {
        let relock = || {
            let _guard = lock.lock().unwrap();
            drop(lock.lock());
        };
        assert!(catch_unwind(std::panic::AssertUnwindSafe(relock)).is_err());
    }
    let (one, other) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    let meet = Arc::new(Barrier::new(2));
    let there = {
        let (one, other, meet) = (Arc::clone(&one), Arc::clone(&other), Arc::clone(&meet));
        thread::spawn(move || {
            meet.wait();
            nest(&one, &other);
        })
    };
    let back = thread::spawn(move || {
        meet.wait();
        nest(&other, &one);
    });
    let ends = [there, back].map(|thread| thread.join().is_ok());
    assert!(!ends[0] || !ends[1], "one of them is told");
    drop(sync_trace::take_findings());
}

/// A deadlock that becomes possible while its thread unwinds, and is raised later.
fn deferred() {
    struct NestsInDrop(Arc<[Mutex<u32>; 3]>);
    impl Drop for NestsInDrop {
        fn drop(&mut self) {
            nest(&self.0[1], &self.0[0]);
        }
    }
    let locks = Arc::new([(); 3].map(|()| Mutex::new(0)));
    let meet = Arc::new(Barrier::new(2));
    let there = {
        let (locks, meet) = (Arc::clone(&locks), Arc::clone(&meet));
        thread::spawn(move || {
            meet.wait();
            nest(&locks[0], &locks[1]);
        })
    };
    let back = thread::spawn(move || {
        meet.wait();
        there_is_nobody_else(&there);
        let late = NestsInDrop(Arc::clone(&locks));
        let unwinds = move || {
            let _late = late;
            panic!("the program's own panic");
        };
        assert!(catch_unwind(std::panic::AssertUnwindSafe(unwinds)).is_err());
        nest(&locks[1], &locks[2]);
    });
    assert!(back.join().is_err(), "it is raised");
    drop(sync_trace::take_findings());
}

/// It has ended, of which the caller shall not hear through us: that would be an order.
fn there_is_nobody_else(other: &thread::JoinHandle<()>) {
    while !std::thread::JoinHandle::is_finished(sync_trace::AsStd::as_std(other)) {
        std::thread::yield_now();
    }
}

/// Both orders by one thread, and a condition variable with two mutexes.
fn noted() {
    let (one, other) = (named!("one", Mutex::new(1)), named!("other", Mutex::new(2)));
    for _ in 0..2 {
        nest(&one, &other);
        nest(&other, &one);
    }
    // Two locks of one class, of which nobody has said anything: no note.
    let alike = [(); 2].map(|()| named!("alike", Mutex::new(0)));
    nest(&alike[0], &alike[1]);
    let condvar = Condvar::new();
    for lock in [&one, &other, &one] {
        let guard = lock.lock().unwrap();
        drop(condvar.wait_timeout(guard, std::time::Duration::ZERO));
    }
}

/// Both orders by one thread, which the program accepts.
fn accepted() {
    use sync_trace::finding::Code;
    let allowed =
        sync_trace::Allow::new(Code::Inversion, "it is one thread").locks(["one", "other"]);
    sync_trace::allow(allowed);
    let (one, other) = (named!("one", Mutex::new(1)), named!("other", Mutex::new(2)));
    nest(&one, &other);
    nest(&other, &one);
}

/// Makes a finding and waits for the end.
fn killed() {
    Config::new().on_violation(OnViolation::Panic).install();
    let relock = || {
        let lock = Mutex::new(0);
        let _guard = lock.lock().unwrap();
        drop(lock.lock());
    };
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        hook(info);
        println!("panics");
        let _ = std::io::stdin().read(&mut [0]);
    }));
    let _ = catch_unwind(relock);
}

/// How many threads, and how many orders of each.
const MANY: [usize; 2] = [8, 200];

/// Many threads at once, each with orders of its own.
fn many() {
    let meet = Arc::new(Barrier::new(MANY[0]));
    let threads: Vec<_> = (0..MANY[0])
        .map(|number| {
            let meet = Arc::clone(&meet);
            let nests = move || {
                let outer = Mutex::new(0);
                let inner: Vec<_> = (0..MANY[1]).map(|_| Mutex::new(0)).collect();
                meet.wait();
                for (level, inner) in inner.iter().enumerate() {
                    let _outer = outer.lock().unwrap();
                    // Each is a class of its own.
                    let level = (number * MANY[1] + level + 1) as u32;
                    drop(order::nested(level, || inner.lock()));
                }
            };
            let named = thread::Builder::new().name(format!("thread \"{number}\"\n"));
            named.spawn(nests).unwrap()
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[cfg(unix)]
mod unix {
    use std::io::{Seek, SeekFrom, Write};
    use std::os::fd::AsRawFd;

    use super::{Mutex, nest};

    unsafe extern "C" {
        fn fork() -> i32;
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        fn close(fd: i32) -> i32;
    }

    /// A child that goes on on its own.
    pub(super) fn forks() {
        nest(&Mutex::new(0), &Mutex::new(0));
        // SAFETY: there is one thread only, so the child may do as it likes.
        match unsafe { fork() } {
            -1 => panic!("no child"),
            0 => nest(&Mutex::new(0), &Mutex::new(0)),
            child => {
                let mut status = 0;
                // SAFETY: `status` is ours to write.
                assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
                assert_eq!(status, 0);
                nest(&Mutex::new(0), &Mutex::new(0));
            }
        }
    }

    /// Closes all that it does not know, as a daemon does, and opens a file of its own.
    pub(super) fn closes(file: &str) {
        nest(&Mutex::new(0), &Mutex::new(0));
        // SAFETY: nobody but the run directory has opened any of these.
        (3..20).for_each(|fd| _ = unsafe { close(fd) });
        let mut own = std::fs::File::create_new(file).unwrap();
        assert!(own.as_raw_fd() < 20, "it has a number that was closed");
        nest(&Mutex::new(0), &Mutex::new(0));
        own.seek(SeekFrom::End(0)).unwrap();
        own.write_all(b"its own\n").unwrap();
    }
}
