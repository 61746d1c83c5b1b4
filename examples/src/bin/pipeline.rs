//! A pipeline of three stages over bounded channels, and what a waiting stage looks like from outside.
//!
//! Run it with `cargo run --bin pipeline`. Text goes in as lines; one stage splits lines into words, one
//! measures the words, one counts the lengths. Each stage ends when the one before it has hung up, and
//! a barrier lets all of them leave together.
//!
//! A thread that waits for a message is no deadlock: somebody may still send one. So nothing is found
//! here; but `snapshot` gives what is held and waited for as data, and `dump` prints it.

use std::collections::BTreeMap;

use sync_trace::finding::{AgentState, Op, Target};
use sync_trace::named;
use sync_trace::sync::mpsc::{Receiver, SyncSender, sync_channel};
use sync_trace::sync::{Arc, Barrier};
use sync_trace::thread::{self, JoinHandle};

const TEXT: [&str; 4] = [
    "the quick brown fox jumps over the lazy dog",
    "pack my box with five dozen liquor jugs",
    "how vexingly quick daft zebras jump",
    "sphinx of black quartz judge my vow",
];

fn main() {
    // Small bounds, so that a fast stage has to wait for a slow one.
    let (lines, line_inbox) = named!("lines", sync_channel::<&str>(2));
    let (words, word_inbox) = named!("words", sync_channel(4));
    let (lengths, length_inbox) = named!("lengths", sync_channel(4));
    let all_done = Arc::new(named!("all done", Barrier::new(3)));

    let done = Arc::clone(&all_done);
    let splitter = stage("splitter", move || {
        split(line_inbox, words);
        done.wait();
    });
    let done = Arc::clone(&all_done);
    let measurer = stage("measurer", move || {
        measure(word_inbox, lengths);
        done.wait();
    });
    let counter = stage("counter", move || {
        let counts = count(length_inbox);
        all_done.wait();
        counts
    });

    show_who_waits(3);

    for line in TEXT {
        lines.send(line).unwrap();
    }
    // Hangs up: the first stage ends, and then each after the one before it.
    drop(lines);

    splitter.join().unwrap();
    measurer.join().unwrap();
    let counts = counter.join().unwrap();
    for (length, count) in &counts {
        println!("{count:2} words of {length} letters");
    }
    let sent: usize = TEXT.iter().map(|line| line.split(' ').count()).sum();
    assert_eq!(counts.values().sum::<usize>(), sent);
    assert!(sync_trace::findings().is_empty());
}

fn split(lines: Receiver<&'static str>, words: SyncSender<&'static str>) {
    for line in lines {
        line.split(' ').for_each(|word| words.send(word).unwrap());
    }
}

fn measure(words: Receiver<&'static str>, lengths: SyncSender<usize>) {
    for word in words {
        lengths.send(word.len()).unwrap();
    }
}

fn count(lengths: Receiver<usize>) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for length in lengths {
        *counts.entry(length).or_default() += 1;
    }
    counts
}

fn stage<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(work).unwrap()
}

/// Waits until all stages have nothing to do, says in one line each what it waits for, and prints the
/// whole dump.
fn show_who_waits(stages: usize) {
    let waits_for_next =
        |state: &AgentState| state.wait.as_ref().is_some_and(|(wait, _)| wait.op == Op::Next);
    if !sync_trace::is_on() {
        println!("nothing is traced in this run: there is no record of who waits");
        return;
    }
    let waiting = loop {
        let mut agents = sync_trace::snapshot().agents;
        agents.retain(waits_for_next);
        if agents.len() == stages {
            break agents;
        }
        thread::yield_now();
    };
    for stage in &waiting {
        let (name, Some((wait, _))) = (stage.agent.name.as_deref(), &stage.wait) else { continue };
        let Target::Lock(channel, _) = &wait.target else { panic!("a message comes by a channel") };
        println!("{} waits for `{}`", name.unwrap_or("?"), channel.name.unwrap_or("?"));
    }
    sync_trace::dump();
}
