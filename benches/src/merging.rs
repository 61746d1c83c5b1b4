//! What it takes to merge a run of very many processes, as `cargo sync-trace report` does.
//!
//! The run is made here: each of a thousand processes tells a hundred orders that only it has seen, and as many that
//! others have seen, too, all of them in one random order of ten thousand classes; but for fifty pairs, of which
//! one process tells the one order and another process the other. Each sample is taken in a fresh process, whose memory
//! is what its resident set has grown by.

use crate::many::resident_bytes;
use crate::options::Effort;
use cargo_sync_trace::merge::Gathered;
use cargo_sync_trace::read;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The first argument of a process that is to take one sample.
const FLAG: &str = "--one-merge";
/// How often a run is merged.
const ROUNDS: usize = 5;
const PROCESSES: usize = 1_000;
const CLASSES: u64 = 10_000;
/// Orders that only one process has seen, for each.
const OWN: usize = 100;
/// Orders that others have seen, too.
const SHARED: usize = 100;
/// Pairs of classes that two processes take in different orders.
const SPLIT: usize = 50;

/// What one process measured.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Nanoseconds for all of it.
    pub time: f64,
    /// Bytes of memory for each order of classes.
    pub bytes: f64,
}

/// Merges a run that is made for it, some times.
pub fn measure(effort: Effort) -> Vec<Sample> {
    let run = match Made::new(if effort == Effort::Smoke { 20 } else { PROCESSES }) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("no run to merge: {error}");
            return Vec::new();
        }
    };
    (0..effort.of(ROUNDS)).filter_map(|_| sample_elsewhere(&run.0)).collect()
}

/// Takes a sample and prints it, if this process was started for that.
#[must_use = "it says whether the process has done its work"]
pub fn serve() -> bool {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [flag, dir] = args.as_slice() else { return false };
    if flag != FLAG {
        return false;
    }
    let before = resident_bytes();
    let start = Instant::now();
    let files = read::files(Path::new(dir)).expect("the run is there");
    let mut gathered = Gathered::default();
    files.iter().for_each(|file| gathered.take_in(file));
    let run = gathered.finish();
    let time = start.elapsed().as_secs_f64() * 1e9;
    let bytes = (resident_bytes() - before) / run.orders.len() as f64;
    assert_eq!(run.problems, []);
    assert_eq!(run.inversions.inversions.len(), SPLIT, "all pairs are found, and nothing else");
    println!("{time} {bytes}");
    true
}

fn sample_elsewhere(dir: &Path) -> Option<Sample> {
    let output = Command::new(std::env::current_exe().ok()?)
        .arg(FLAG)
        .arg(dir)
        .stderr(Stdio::inherit())
        .output()
        .inspect_err(|error| eprintln!("no sample of a merge: {error}"))
        .ok()?;
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut values = line.split_whitespace().map(str::parse);
    let mut next = || values.next()?.ok();
    Some(Sample { time: next()?, bytes: next()? })
}

/// A run directory, which goes away with this.
struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Made {
    fn new(processes: usize) -> std::io::Result<Self> {
        let name = format!("sync-trace-merge-{}", std::process::id());
        let made = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&made.0)?;
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut known = BTreeSet::new();
        let mut pair = |random: &mut Random| loop {
            // The last classes are for the pairs in two orders.
            let most = CLASSES - 2 * SPLIT as u64;
            let (one, other) = (random.below(most), random.below(most));
            let pair = (one.min(other), one.max(other));
            if one != other && known.insert(pair) {
                return pair;
            }
        };
        let own: Vec<Vec<(u64, u64)>> =
            (0..processes).map(|_| (0..OWN).map(|_| pair(&mut random)).collect()).collect();
        for process in 0..processes {
            let mut orders = own[process].clone();
            for _ in 0..SHARED {
                let other = &own[random.below(processes as u64) as usize];
                orders.push(other[random.below(OWN as u64) as usize]);
            }
            for split in
                (0..SPLIT).filter(|split| split % (processes / 2).min(SPLIT / 2) == process / 2)
            {
                let (one, other) = (CLASSES - 2 * split as u64 - 2, CLASSES - 2 * split as u64 - 1);
                orders.push(if process % 2 == 0 { (one, other) } else { (other, one) });
            }
            std::fs::write(
                made.0.join(format!("{}-1.jsonl", process + 1)),
                file(process, &orders),
            )?;
        }
        Ok(made)
    }
}

/// What a process writes that has seen these orders.
fn file(process: usize, orders: &[(u64, u64)]) -> String {
    let mut text = format!(
        "{{\"record\":\"header\",\"format\":1,\"library\":\"0.1.0\",\"pid\":{process},\"test_harness\":true,\
         \"nextest\":{{\"binary_id\":\"crate::tests\",\"test_name\":\"test_{process}\"}}}}\n\
         {{\"record\":\"thread\",\"thread\":1,\"name\":\"worker\",\"os_id\":{process},\"started_by\":{{\"id\":0,\
         \"site\":{{\"file\":\"tests/tests.rs\",\"line\":1,\"column\":1}}}},\"root\":\"test_{process}\"}}\n"
    );
    let mut numbers: HashMap<u64, usize> = HashMap::new();
    for (at, &(held, wanted)) in orders.iter().enumerate() {
        let [held, wanted] = [held, wanted].map(|class| {
            let next = numbers.len() + 1;
            let number = *numbers.entry(class).or_insert_with(|| {
                let _ = writeln!(
                    text,
                    "{{\"record\":\"class\",\"class\":{next},\"key\":\"created:src/part_{}.rs:{class}:20:\
                     alloc::vec::Vec<u64>\",\"label\":\"Part.field_{class}\",\"kind\":\"mutex\",\"type\":\
                     \"alloc::vec::Vec<u64>\",\"created\":{{\"file\":\"src/part_{}.rs\",\"line\":{class},\
                     \"column\":20}}}}",
                    class % 100,
                    class % 100
                );
                next
            });
            format!(
                "{{\"class\":{number},\"lock\":{number},\"mode\":\"exclusive\",\"op\":\"lock\",\"site\":{{\"file\":\
                 \"src/part_{}.rs\",\"line\":{class},\"column\":30}}}}",
                class % 100
            )
        });
        let _ = writeln!(
            text,
            "{{\"record\":\"order\",\"at_us\":{at},\"thread\":1,\"held\":[{held}],\"wanted\":{wanted}}}"
        );
    }
    text
}

/// Numbers that look random, and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
