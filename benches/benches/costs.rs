//! The table of costs: `cargo bench -p sync-trace-benches`. See the library's documentation.

use std::time::Duration;

use sync_trace_benches::abba::{self, Latency};
use sync_trace_benches::budget::Budget;
use sync_trace_benches::crowd::{Contended, OwnPairs, PingPong};
use sync_trace_benches::declared;
use sync_trace_benches::drop_in::{self, Twins};
use sync_trace_benches::family::{Deloxide, Family, Mutex, ParkingLot, Std, Traced, TracingMutex};
use sync_trace_benches::merging;
use sync_trace_benches::options::Options;
use sync_trace_benches::order::{self, Job, Sample};
use sync_trace_benches::rounds::{Contestant, Plan, Samples, measure};
use sync_trace_benches::semaphore;
use sync_trace_benches::table::{Row, print_head, print_row};
use sync_trace_benches::work::{
    CreateLockDrop, FourDeep, LockUnlock, NestedPair, NestedRead, Read, Work, Write,
};

/// A thread's own work is the same at once: short turns, and many of them.
const ALONE: Plan = Plan { turn: Duration::from_micros(250), rounds: 300 };
/// Threads first have to come up to speed.
const TOGETHER: Plan = Plan { turn: Duration::from_millis(2), rounds: 120 };
/// The same in fewer rounds, where a peer takes thirty times as long as `std`.
const TOGETHER_SLOWLY: Plan = Plan { rounds: 60, ..TOGETHER };
/// So long that more threads than processors do get in each other's way.
const CONTENDED: Plan = Plan { turn: Duration::from_millis(5), rounds: 80 };
/// A few dozen system calls.
const SLEEPY: Plan = Plan { turn: Duration::from_millis(1), rounds: 200 };
/// Some thousand threads.
const CROWDED: Plan = Plan { turn: Duration::from_millis(40), rounds: 15 };
/// How many deadlocks are made.
const DEADLOCKS: usize = 400;

/// What a row shows of a sample.
type Part = fn(&Sample) -> f64;
const FIRST: Part = |sample| sample.first;
const AGAIN: Part = |sample| sample.again;
const BYTES: Part = |sample| sample.bytes;

fn main() {
    if order::serve() || merging::serve() {
        return;
    }
    let table = Table { options: Options::from_args() };
    print_head();
    table.alone();
    table.together();
    table.orders();
    table.declared();
    table.once();
    table.messages();
    table.threads();
    table.permits();
    table.findings();
    table.merging();
    table.sizes();
}

struct Table {
    options: Options,
}

impl Table {
    fn alone(&self) {
        self.work("mutex lock+unlock", &LockUnlock, ALONE, Budget::ratio(1.35, 1.2));
        self.checked("mutex nested pair", &NestedPair, ALONE, Budget::ratio(1.4, 1.25));
        self.checked("mutex four deep", &FourDeep, ALONE, Budget::ratio(1.5, 1.3));
        self.work("rwlock read", &Read, ALONE, Budget::ratio(1.5, 1.25));
        self.checked("rwlock write", &Write, ALONE, Budget::ratio(1.4, 1.25));
        self.checked("rwlock read nested in a mutex", &NestedRead, ALONE, Budget::ratio(1.5, 1.25));
        self.work("mutex create+lock+drop", &CreateLockDrop, ALONE, Budget::ratio(2.0, 1.5));
    }

    fn together(&self) {
        for threads in [1, 2, 4, 8] {
            // Flat: with any number of threads, the budget of the nested pair above.
            let budget = Budget::throughput(1.0 / 1.4, 1.0 / 1.25);
            let name = format!("throughput, own nested pair, {threads} threads");
            self.checked(&name, &OwnPairs { threads }, TOGETHER_SLOWLY, budget);
        }
        for threads in [2, 4, 8] {
            let budget = Budget::throughput(0.95, 1.0);
            let name = format!("throughput, contended mutex, {threads} threads");
            self.work(&name, &Contended { threads }, CONTENDED, budget);
        }
    }

    fn orders(&self) {
        self.order(
            Job::Pairs,
            &[
                ("order, 100000 random pairs, first sight", FIRST, Budget::microseconds(1.0, 0.4)),
                ("order, 100000 random pairs, again", AGAIN, Budget::ANY_TIME),
            ],
        );
        self.order(
            Job::Chain,
            &[
                ("order, 10000 from the inner end, first", FIRST, Budget::microseconds(10.0, 2.0)),
                ("order, 10000 from the inner end, again", AGAIN, Budget::ANY_TIME),
            ],
        );
        self.order(
            Job::Windows,
            &[
                ("order, 131072 locks in windows of 5", FIRST, Budget::microseconds(5e6, 1e6)),
                ("order, windows of 5, memory for a lock", BYTES, Budget::ANY_SIZE),
            ],
        );
        self.order(
            Job::Root,
            &[
                ("order, 100000 locks once under a root", FIRST, Budget::ratio(5.0, 3.0)),
                ("order, under a root, memory for a lock", BYTES, Budget::bytes(200.0, 200.0)),
            ],
        );
    }

    /// One job, from whose samples several rows are made.
    fn order(&self, job: Job, rows: &[(&str, Part, Budget)]) {
        if !rows.iter().any(|(name, ..)| self.options.wants(name)) {
            return;
        }
        let samples = order::measure(job, self.options.effort);
        for &(name, part, budget) in rows {
            if self.options.wants(name) {
                let shown = |of: &Vec<Sample>| Samples::new(of.iter().map(part).collect());
                self.row(name, &samples.iter().map(shown).collect::<Vec<_>>(), budget);
            }
        }
    }

    fn declared(&self) {
        let budget = Budget::microseconds(0.1, 0.05);
        self.twins("declared order, enter+leave", declared::EMPTY, ALONE, budget);
        self.twins("declared order, one lock inside", declared::ONE, ALONE, Budget::ANY_TIME);
        self.twins("declared order, a pair inside", declared::BOTH, ALONE, Budget::ANY_TIME);
    }

    fn once(&self) {
        let budget = Budget::ratio(1.05, 1.0);
        self.twins("LazyLock in a static, 16 uses", drop_in::LAZY_STATIC, ALONE, budget);
        self.twins("LazyLock in a local, 16 uses", drop_in::LAZY_LOCAL, ALONE, budget);
        self.twins("OnceLock get, 16 times", drop_in::ONCE_GET, ALONE, budget);
        self.twins("OnceLock get_or_init, 16 times", drop_in::ONCE_GET_OR_INIT, ALONE, budget);
        let first = Budget::ANY_RATIO;
        self.twins("OnceLock create+get_or_init+drop", drop_in::ONCE_FIRST, ALONE, first);
    }

    fn messages(&self) {
        let budget = Budget::ratio(1.3, 1.1);
        self.twins("mpsc send+recv, one thread", drop_in::SEND_RECV, ALONE, budget);
        self.twins("mpsc stream, unbounded", drop_in::STREAM, TOGETHER, budget);
        self.twins("mpsc stream, bound 64", drop_in::STREAM_OF_64, TOGETHER, budget);
        self.twins("mpsc ping-pong, bound 0", drop_in::RENDEZVOUS, SLEEPY, budget);
    }

    fn threads(&self) {
        let budget = Budget::ratio(1.3, 1.1);
        self.twins("thread spawn+join", drop_in::SPAWN_JOIN, SLEEPY, budget);
        self.twins("thread, 1000 at once, lock once", drop_in::CROWD, CROWDED, budget);
        // Only now, so that a thousand threads have come and gone.
        self.work("condvar ping-pong", &PingPong, SLEEPY, budget);
        self.twins("park+unpark ping-pong", drop_in::PARK, SLEEPY, budget);
        self.twins("barrier of 2", drop_in::BARRIER, SLEEPY, budget);
    }

    fn permits(&self) {
        let budget = Budget::ANY_RATIO;
        self.twins("semaphore acquire+drop", semaphore::ALONE, ALONE, budget);
        self.twins("semaphore, 2 threads, 2 permits", semaphore::SHARED, TOGETHER, budget);
        self.twins("semaphore, 2 threads, 1 permit", semaphore::CONTENDED, TOGETHER, budget);
    }

    fn work(&self, name: &str, work: &impl Work, plan: Plan, budget: Budget) {
        self.contest(name, Contestant::families(work), plan, budget);
    }

    /// Work on nested locks, whose order is checked by more families.
    fn checked(&self, name: &str, work: &impl Work, plan: Plan, budget: Budget) {
        self.contest(name, Contestant::all_families(work), plan, budget);
    }

    fn twins(&self, name: &str, work: Twins, plan: Plan, budget: Budget) {
        self.contest(name, Contestant::twins(work), plan, budget);
    }

    fn contest(
        &self,
        name: &str,
        mut contestants: Vec<Contestant<'_>>,
        plan: Plan,
        budget: Budget,
    ) {
        if self.options.wants(name) {
            let plan = Plan { rounds: self.options.effort.of(plan.rounds), ..plan };
            self.row(name, &measure(&mut contestants, plan), budget);
        }
    }

    /// `samples` are `std`'s, sync-trace's, and those of the peers.
    fn row(&self, name: &str, samples: &[Samples], budget: Budget) {
        if let [std, traced, peers @ ..] = samples {
            print_row(&Row { name, budget, std: Some(std), traced, peers });
        }
    }

    fn findings(&self) {
        let report = Budget::microseconds(10_000.0, 2_000.0);
        let finding = Budget::microseconds(200.0, 30.0);
        type Part = fn(&Latency) -> Duration;
        let rows: [(&str, Part, Budget); 3] = [
            ("ABBA: last lock to finding", |it| it.to_finding, finding),
            ("ABBA: last lock to handler, report printed", |it| it.to_handler, report),
            ("ABBA: finding to rendered report", |it| it.to_text, report),
        ];
        if !rows.iter().any(|(name, ..)| self.options.wants(name)) {
            return;
        }
        let latencies = abba::measure(self.options.effort.of(DEADLOCKS));
        for (name, part, budget) in rows {
            let ns = |latency| part(latency).as_secs_f64() * 1e9;
            let traced = &Samples::new(latencies.iter().map(ns).collect());
            if self.options.wants(name) {
                print_row(&Row { name, budget, std: None, traced, peers: &[] });
            }
        }
    }

    /// What the command line does with a run of 1 000 processes, 10 000 classes and 100 000 orders.
    fn merging(&self) {
        type Part = fn(&merging::Sample) -> f64;
        let rows: [(&str, Part, Budget); 2] = [
            ("merge of 1000 processes", |it| it.time, Budget::microseconds(10e6, 3e6)),
            ("merge, memory for an order", |it| it.bytes, Budget::bytes(2_000.0, 1_000.0)),
        ];
        if !rows.iter().any(|(name, ..)| self.options.wants(name)) {
            return;
        }
        let samples = merging::measure(self.options.effort);
        for (name, part, budget) in rows {
            let traced = &Samples::new(samples.iter().map(part).collect());
            if self.options.wants(name) {
                print_row(&Row { name, budget, std: None, traced, peers: &[] });
            }
        }
    }

    fn sizes(&self) {
        self.size("size of Mutex<u64>", Budget::bytes(48.0, 40.0), |sizes| sizes.mutex);
        self.size("size of MutexGuard<u64>", Budget::bytes(32.0, 24.0), |sizes| sizes.guard);
    }

    fn size(&self, name: &str, budget: Budget, part: fn(Sizes) -> usize) {
        if self.options.wants(name) {
            let families = [
                Sizes::of::<Std>(),
                Sizes::of::<Traced>(),
                Sizes::of::<ParkingLot>(),
                Sizes::of::<TracingMutex>(),
                Sizes::of::<Deloxide>(),
            ];
            let samples = families.map(|sizes| Samples::new(vec![part(sizes) as f64]));
            self.row(name, &samples, budget);
        }
    }
}

struct Sizes {
    mutex: usize,
    guard: usize,
}

impl Sizes {
    fn of<F: Family>() -> Self {
        Self {
            mutex: size_of::<F::Mutex>(),
            guard: size_of::<<F::Mutex as Mutex>::Guard<'static>>(),
        }
    }
}
