//! The table of costs: `cargo bench -p sync-trace-benches`. See the library's documentation.

use std::time::Duration;

use sync_trace_benches::abba::{self, Latency};
use sync_trace_benches::budget::Budget;
use sync_trace_benches::crowd::{Contended, OwnPairs};
use sync_trace_benches::declared;
use sync_trace_benches::drop_in::{self, Twins};
use sync_trace_benches::each_family;
use sync_trace_benches::family::peers::keep_off_the_network;
use sync_trace_benches::family::{Family, Mutex};
use sync_trace_benches::many::{self, Job, Sample};
use sync_trace_benches::merging;
use sync_trace_benches::options::Options;
use sync_trace_benches::rounds::{Contestant, Measured, Plan, Samples, measure};
use sync_trace_benches::semaphore;
use sync_trace_benches::table::Row;
use sync_trace_benches::work::{
    CreateLockDrop, FourDeep, LockUnlock, NestedPair, NestedRead, Read, Work, Write,
};

/// A thread's own work is the same at once: short turns, and many of them.
const ALONE: Plan = Plan { turn: Duration::from_micros(250), rounds: 300 };
/// Threads first have to come up to speed.
const TOGETHER: Plan = Plan { turn: Duration::from_millis(2), rounds: 120 };
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
    // SAFETY: nothing was done yet, so there is no other thread.
    unsafe { keep_off_the_network() };
    if many::serve() || merging::serve() {
        return;
    }
    let table = Table { options: Options::from_args() };
    table.options.layout.print_head();
    table.alone();
    table.together();
    table.orders();
    table.many();
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
        self.work("mutex nested pair", &NestedPair, ALONE, Budget::ratio(1.4, 1.25));
        self.work("mutex four deep", &FourDeep, ALONE, Budget::ratio(1.5, 1.3));
        self.work("rwlock read", &Read, ALONE, Budget::ratio(1.5, 1.25));
        self.work("rwlock write", &Write, ALONE, Budget::ratio(1.4, 1.25));
        self.work("rwlock read nested in a mutex", &NestedRead, ALONE, Budget::ratio(1.5, 1.25));
        self.work("mutex create+lock+drop", &CreateLockDrop, ALONE, Budget::ratio(2.0, 1.5));
    }

    fn together(&self) {
        for threads in [1, 2, 4, 8] {
            // Flat: with any number of threads, the budget of the nested pair above.
            let budget = Budget::throughput(1.0 / 1.4, 1.0 / 1.25);
            let plural = if threads == 1 { "" } else { "s" };
            let name = format!("throughput, own nested pair, {threads} thread{plural}");
            self.work(&name, &OwnPairs { threads }, TOGETHER, budget);
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

    /// Locks that live shortly, and no orders.
    fn many(&self) {
        self.order(
            Job::Alive,
            &[
                ("many, 100000 at a time, each taken once", FIRST, Budget::ratio(2.0, 1.5)),
                ("many, at a time, memory for a lock", BYTES, Budget::bytes(48.0, 41.0)),
            ],
        );
        self.order(
            Job::OneByOne,
            &[
                ("many, 100000 one by one, each taken once", FIRST, Budget::ratio(2.0, 1.5)),
                ("many, one by one, memory that stays", BYTES, Budget::bytes(4.0, 1.5)),
            ],
        );
    }

    /// One job, from whose samples several rows are made.
    fn order(&self, job: Job, rows: &[(&str, Part, Budget)]) {
        if !rows.iter().any(|(name, ..)| self.options.wants(name)) {
            return;
        }
        let samples = many::measure(job, &self.options);
        for &(name, part, budget) in rows {
            let shown = |(of, samples): &(&'static str, Vec<Sample>)| {
                Measured::new(of, samples.iter().map(part).collect())
            };
            self.row(name, &samples.iter().map(shown).collect::<Vec<_>>(), budget);
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
        self.contest("condvar ping-pong", Contestant::ping_pong(), SLEEPY, budget);
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
            contestants.retain(|contestant| self.options.peers.want(contestant.name));
            let plan = Plan { rounds: self.options.effort.of(plan.rounds), ..plan };
            self.row(name, &measure(&mut contestants, plan), budget);
        }
    }

    /// `measured` is what `std`, sync-trace and the peers took.
    fn row(&self, name: &str, measured: &[Measured], budget: Budget) {
        if let ([std, traced, peers @ ..], true) = (measured, self.options.wants(name)) {
            let (std, traced) = (Some(&std.samples), &traced.samples);
            self.options.layout.print_row(&Row { name, budget, std, traced, peers });
        }
    }

    /// A row that only sync-trace has.
    fn own_row(&self, name: &str, samples: Vec<f64>, budget: Budget) {
        if self.options.wants(name) {
            let traced = &Samples::new(samples);
            self.options.layout.print_row(&Row { name, budget, std: None, traced, peers: &[] });
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
            self.own_row(name, latencies.iter().map(ns).collect(), budget);
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
            self.own_row(name, samples.iter().map(part).collect(), budget);
        }
    }

    fn sizes(&self) {
        self.size("size of Mutex<u64>", Budget::bytes(48.0, 40.0), |sizes| sizes.mutex);
        self.size("size of MutexGuard<u64>", Budget::bytes(32.0, 24.0), |sizes| sizes.guard);
    }

    fn size(&self, name: &str, budget: Budget, part: fn(Sizes) -> usize) {
        let sizes = each_family!(F => Measured::new(F::NAME, vec![part(Sizes::of::<F>()) as f64]));
        let wanted = sizes.into_iter().filter(|it| self.options.peers.want(it.name));
        self.row(name, &wanted.collect::<Vec<_>>(), budget);
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
