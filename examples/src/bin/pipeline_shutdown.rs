//! A pipeline with small queues whose last stage has had enough, and that does not shut down.
//!
//! Run it with `cargo run --bin pipeline_shutdown`, and the broken variant with
//! `cargo run --bin pipeline_shutdown wrong`.
//!
//! A reader, a filter and a printer are connected by queues, and all three meet at a barrier before they
//! leave, so that none of them cleans up while another one still works. The printer needs only the first few
//! lines. Then it goes to the barrier, and waits there with the receiver of its queue alive. The queue
//! fills up, the filter waits for room in it, the reader waits for room in front of the filter, and none
//! of the two ever comes to the barrier:
//!
//! ```text
//! error[ST0003]: stuck: a thread waits at a barrier for others that cannot come
//!   --> examples/src/bin/pipeline_shutdown.rs:79:13
//!    |
//! 79 |     all_out.wait();
//!    |             ^^^^ 'printer' (4317) would now wait for the others at `all out`, and nobody is left who could end that
//!    |
//!    = chain: 'printer' -> all out -> nobody
//!    = locks: all out  std Barrier  #257, created at examples/src/bin/pipeline_shutdown.rs:92:28
//!    = threads: 'printer'  (4317)  started by 'main' at examples/src/bin/pipeline_shutdown.rs:109:50
//!    = others: 'filter' (4316)  has been waiting 3.96 ms to send to `matches` at examples/src/bin/pipeline_shutdown.rs:60
//!              'reader' (4315)  has been waiting 3.96 ms to send to `lines` at examples/src/bin/pipeline_shutdown.rs:53
//!    = because: every thread of the process sleeps until another one wakes it
//!    = note: `all out` lets its threads go when 3 have come; 1 has
//!    = note: 'printer' (4317) panics instead of waiting; unwinding releases its guards
//!    = help: if 'filter' and 'reader' should come to `all out`, end their waits before this one begins, or else make `all out` for as many threads as come to it
//!    = note: fingerprint 1ac78c4df842f460; SYNC_TRACE=on_violation=log reports without a panic, and the threads hang
//! ```
//!
//! While messages flow, it may be too early to say that nobody will go on. Then a thread of sync-trace's own
//! finds it a moment later, and the process ends, with status 66, instead of a thread that panics.
//!
//! The cure is to hang up first: whoever will receive no more drops its receiver before it waits for others.
//! Then the stage before it is told so by an error of `send`, and does the same.

use sync_trace::finding::Op;
use sync_trace::named;
use sync_trace::sync::mpsc::{Receiver, SyncSender, sync_channel};
use sync_trace::sync::{Arc, Barrier};
use sync_trace::thread::{self, JoinHandle};
use sync_trace_examples::{tell, until_asleep};

const STAGES: usize = 3;
const LINES: usize = 1_000;
const WANTED: usize = 3;

/// What the last stage does with its receiver when it has what it wants: hang up, or keep it.
type Finish = fn(Receiver<String>, &Barrier);

fn read(lines: SyncSender<String>, all_out: &Barrier) {
    // An error says that nobody receives any more.
    _ = (0..LINES).try_for_each(|number| lines.send(format!("line {number}")));
    drop(lines);
    all_out.wait();
}

fn filter(lines: Receiver<String>, matches: SyncSender<String>, all_out: &Barrier) {
    for line in lines.iter().filter(|line| line.ends_with('7')) {
        if matches.send(line).is_err() {
            break;
        }
    }
    drop((lines, matches));
    all_out.wait();
}

fn print(matches: Receiver<String>, all_out: &Barrier, finish: Finish) -> Vec<String> {
    let printed = matches.iter().take(WANTED).collect();
    finish(matches, all_out);
    printed
}

/// The wrong way: the receiver lives until the function ends, behind the barrier.
fn keep(matches: Receiver<String>, all_out: &Barrier) {
    // `main` waits for all, and the two others for room.
    until_asleep(Op::Join, 1);
    until_asleep(Op::Send, STAGES - 1);
    all_out.wait();
    drop(matches);
}

/// The cure.
fn hang_up(matches: Receiver<String>, all_out: &Barrier) {
    drop(matches);
    all_out.wait();
}

fn run(finish: Finish) -> Vec<String> {
    let (lines, line_inbox) = named!("lines", sync_channel(1));
    let (matches, match_inbox) = named!("matches", sync_channel(1));
    let all_out = Arc::new(named!("all out", Barrier::new(STAGES)));
    let barriers = [(); STAGES].map(|()| Arc::clone(&all_out));
    let [first, second, third] = barriers;

    let reader = stage("reader", move || read(lines, &first));
    let filtering = stage("filter", move || filter(line_inbox, matches, &second));
    let printer = stage("printer", move || print(match_inbox, &third, finish));
    let printed = printer.join().unwrap();
    filtering.join().unwrap();
    reader.join().unwrap();
    printed
}

fn stage<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(work).unwrap()
}

fn cure() {
    let printed = run(hang_up);
    assert_eq!(printed, ["line 7", "line 17", "line 27"]);
    println!("{} of {LINES} lines were wanted, and all stages have left", printed.len());
}

fn wrong() {
    run(keep);
}

fn main() {
    tell(cure, &[("wrong", wrong)]);
}
