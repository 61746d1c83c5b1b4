//! What the stories have in common: how each is told, and how its broken variant comes to hang every time.
//!
//! Without an argument a story runs its cure and ends well. With the name of a broken variant, such as
//! `wrong`, it runs that, which ends with sync-trace's report.

use std::time::Duration;

use sync_trace::finding::Op;

/// Runs `cure`, or the broken variant that the first argument names.
pub fn tell(cure: fn(), broken: &[(&str, fn())]) {
    let Some(wanted) = std::env::args().nth(1) else { return cure() };
    let Some((_, play)) = broken.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<_> = broken.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no variant `{wanted}`, but `{}`", names.join("`, `"));
        std::process::exit(2);
    };
    if !sync_trace::is_on() {
        println!("not tried, because this run is not traced and it would hang for ever");
        return;
    }
    play();
}

/// Returns once so many threads wait by this operation, and sleep. What hangs once in a thousand runs hangs
/// in each, and the same thread comes last, so that the reports of two runs can be compared.
pub fn until_asleep(op: Op, threads: usize) {
    let count = || {
        let agents = sync_trace::snapshot().agents;
        let waiting = agents.iter().filter(|state| {
            state.wait.as_ref().is_some_and(|(wait, _)| wait.op == op)
                && state.agent.os_id.is_none_or(sleeps)
        });
        waiting.count()
    };
    while count() < threads {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the system has put this thread to sleep. Where it does not tell, a thread that waits is taken to
/// sleep.
fn sleeps(os_id: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{os_id}/stat"));
    stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('S')))
        || !cfg!(target_os = "linux")
}
