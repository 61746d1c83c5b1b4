//! Programs whose threads wait for what nobody owns, one to a process: those in `stuck` never go on, those
//! in `fine` look as if. `tests/standstill.rs` runs them.

mod condvars;
mod fine;
mod meetings;
mod messages;
mod outsiders;
mod permits;
mod real;
mod short_waits;
mod stalls;

use std::time::Duration;

use sync_trace::finding::Op;
use sync_trace_tests::is_asleep;

type Scene = (&'static str, fn());

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let scenes: [&[Scene]; 9] = [
        condvars::SCENES,
        messages::SCENES,
        meetings::SCENES,
        permits::SCENES,
        fine::SCENES,
        outsiders::SCENES,
        real::SCENES,
        short_waits::SCENES,
        stalls::SCENES,
    ];
    let mut scenes = scenes.iter().copied().flatten();
    let Some((_, play)) = scenes.find(|(scene, _)| *scene == name) else {
        eprintln!("no scene `{name}`");
        std::process::exit(2);
    };
    // Longer than anybody waits for it, and than the waits in it last.
    sync_trace_tests::end_after(300);
    play();
}

/// Returns once so many threads wait by this operation, and sleep.
fn until_asleep(op: Op, count: usize) {
    let is_one = |state: &sync_trace::finding::AgentState| {
        state.wait.as_ref().is_some_and(|(wait, _)| wait.op == op) && is_asleep(&state.agent)
    };
    while sync_trace::snapshot().agents.iter().filter(|state| is_one(state)).count() < count {
        std::thread::sleep(Duration::from_millis(1));
    }
}
