//! What a person who chooses a lock wants to know of what was measured.

use std::fmt::Write;
use std::time::Duration;

use sync_trace::contention::{Snapshot, Stats};

use crate::counters::{COUNTERS, STRIPES};
use crate::measure::{Entrant, ROUNDS};
use crate::options::Options;
use crate::queues::ROOM;

/// A gain has to be so large to be worth another kind of lock: less comes and goes from run to run.
const WORTH_IT: f64 = 1.1;

/// All that is printed.
pub(crate) fn told(entrants: &[Entrant], mut contention: Snapshot, options: &Options) -> String {
    contention
        .classes
        .retain(|class| entrants.iter().any(|entrant| class.name == Some(entrant.name)));
    let mut text = heading(options);
    for entrants in entrants.chunk_by(|a, b| a.task == b.task) {
        let rows: Vec<Row> =
            entrants.iter().map(|entrant| Row::new(entrant, &entrants[0], &contention)).collect();
        _ = write!(text, "\n{}\n{}", table(entrants[0].task, &rows), verdict(&rows));
    }
    _ = write!(text, "\n{}", fairness(options));
    if sync_trace::is_on() {
        _ = write!(text, "\n{}", contention.table().details(entrants.len()));
    }
    text
}

fn heading(options: &Options) -> String {
    let Options { readers, writers, time, section, pause } = options;
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let build = if cfg!(debug_assertions) { "a debug build" } else { "a release build" };
    let tracing = match sync_trace::is_on() {
        true => "traced, which costs something with each lock",
        false => "not traced, so nothing is known of waits",
    };
    let crowded = match readers + writers > processors {
        true => {
            "more threads than processors: who holds a lock may be off its processor, which makes the longest waits\n"
        }
        false => "",
    };
    format!(
        "{readers} reading and {writers} writing threads on {processors} processors; {section:?} of work with the data, \
         {pause:?} between two operations\n{time:?} for each kind, in {ROUNDS} turns; {build}, {tracing}\n{crowded}",
    )
}

/// What is told of one kind.
struct Row {
    name: &'static str,
    reads: Option<Rate>,
    writes: Option<Rate>,
    waited: Option<Waited>,
}

/// How much was done in a second, also as a multiple of what the first kind did.
#[derive(Clone, Copy)]
struct Rate {
    per_second: f64,
    factor: f64,
}

/// How its locks were waited for.
struct Waited {
    in_a_thousand: f64,
    p50: Duration,
    p99: Duration,
    max: Duration,
}

impl Row {
    fn new(entrant: &Entrant, first: &Entrant, contention: &Snapshot) -> Self {
        let rate = |of: fn(&Entrant) -> u64| {
            let [own, first] =
                [entrant, first].map(|entrant| of(entrant) as f64 / entrant.time.as_secs_f64());
            // Without such threads neither does any.
            (first > 0.0).then(|| Rate { per_second: own, factor: own / first })
        };
        let operations = (entrant.reads + entrant.writes) as f64;
        Self {
            name: entrant.name,
            reads: rate(|entrant| entrant.reads),
            writes: rate(|entrant| entrant.writes),
            waited: Waited::of(entrant.name, operations, contention),
        }
    }

    /// By how much it does more than the first kind, or less: where reads and writes differ, the smaller gain. Who
    /// lets writers starve does many reads.
    fn gain(&self) -> f64 {
        let factors = [self.reads, self.writes].into_iter().flatten().map(|rate| rate.factor);
        factors.fold(f64::INFINITY, f64::min)
    }
}

impl Waited {
    fn of(name: &str, operations: f64, contention: &Snapshot) -> Option<Self> {
        let mut stats = Stats::default();
        // A read-write lock is there twice, by mode.
        let classes = contention.classes.iter().filter(|class| class.name == Some(name));
        classes.for_each(|class| stats.merge(&class.stats));
        let waits = &stats.waits;
        let in_a_thousand = waits.count() as f64 / operations * 1_000.0;
        let (p50, p99, max) = (waits.quantile(0.5)?, waits.quantile(0.99)?, waits.max()?);
        Some(Self { in_a_thousand, p50, p99, max })
    }
}

/// The numbers, flush right.
fn table(task: &str, rows: &[Row]) -> String {
    let mut text =
        format!("{task:<18}{:>10}{:>8}{:>11}{:>8}", "reads/s", "times", "writes/s", "times");
    if sync_trace::is_on() {
        _ = write!(text, "{:>15}{:>10}{:>10}{:>10}", "waits of 1000", "p50", "p99", "max");
    }
    for Row { name, reads, writes, waited } in rows {
        let [[reads, more_reads], [writes, more_writes]] = [reads, writes].map(|rate| match rate {
            Some(rate) => [short(rate.per_second), format!("{:.2}", rate.factor)],
            None => ["-"; 2].map(str::to_owned),
        });
        _ = write!(text, "\n{name:<18}{reads:>10}{more_reads:>8}{writes:>11}{more_writes:>8}");
        if let Some(Waited { in_a_thousand, p50, p99, max }) = waited {
            let [p50, p99, max] = [p50, p99, max].map(|time| format!("{time:.1?}"));
            _ = write!(text, "{in_a_thousand:>15.1}{p50:>10}{p99:>10}{max:>10}");
        }
    }
    text + "\n"
}

/// With three digits.
fn short(number: f64) -> String {
    match number {
        1e6.. => format!("{:.2} M", number / 1e6),
        1e3.. => format!("{:.1} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

/// Which kind the numbers speak for.
fn verdict(rows: &[Row]) -> String {
    let [first, others @ ..] = rows else { return String::new() };
    let best = others.iter().max_by(|a, b| a.gain().total_cmp(&b.gain()));
    match best {
        Some(best) if best.gain() >= WORTH_IT => format!(
            "`{}` does at least {:.2} times what `{}` does, of reads and of writes; see below what it cannot do\n",
            best.name,
            best.gain(),
            first.name
        ),
        _ => format!(
            "nothing else does a tenth more than `{}`, of reads and of writes: here it is the one to use\n",
            first.name
        ),
    }
}

/// What the kinds have in common, and what they have not.
fn fairness(options: &Options) -> String {
    let mut text = format!(
        "the same for all: each operation picks one of {COUNTERS} counters at random, does its work with it, and leaves it or adds one;\n  \
         in the end no addition is missing\n\
         not the same:\n  \
         Mutex, RwLock    hold the lock for the work, so all counters can be seen at one time\n  \
         striped          {STRIPES} mutexes for {} counters each: to see all at one time, all have to be taken\n  \
         atomic           works without a lock, beside the others: right only where no counter has to agree with another one\n",
        COUNTERS / STRIPES
    );
    if options.readers > 0 && options.writers > 0 {
        _ = write!(
            text,
            "  queue            writers put items in and readers take them out, each one once; the work is done outside the lock,\n{:19}\
             and {ROOM} items have room. The side that is too few sets the pace of both; a try in vain does not count\n",
            ""
        );
    } else {
        text.push_str("  queue            is left out: it needs readers and writers\n");
    }
    text
}
