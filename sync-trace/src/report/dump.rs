//! Everything that is held and waited for, in the manner of a thread dump.

use super::names::{self, LockNames};
use super::source::Sources;
use super::threads::ThreadNames;
#[cfg(not(loom))]
use super::words::list;
use super::words::{aim, deed, duration, holds, place, signal, tame};
#[cfg(not(loom))]
use crate::finding::Stalled;
use crate::finding::{
    AgentState, Dump, Hold, Lock, LockKind, Mode, Participant, Perturbed, Signal, Target, Wait,
};

/// How many idle threads are named.
const IDLE_NAMED: usize = 5;

/// Renders `dump`.
pub(super) fn render(dump: &Dump, sources: &Sources) -> String {
    let scribe = Scribe {
        threads: ThreadNames::of(dump.agents.iter().flat_map(people)),
        locks: LockNames::shared(dump.agents.iter().flat_map(locks_of), sources),
    };
    let (busy, idle): (Vec<_>, Vec<_>) =
        dump.agents.iter().partition(|state| !state.holds.is_empty() || state.wait.is_some());
    let mut paragraphs: Vec<String> = busy.into_iter().map(|state| scribe.thread(state)).collect();
    if paragraphs.is_empty() {
        paragraphs.push("no thread holds or waits for a traced lock\n".to_owned());
    }
    paragraphs.extend(scribe.idle(&idle));
    paragraphs.extend(limits(&dump.limits));
    paragraphs.extend(dump.perturbed.map(perturbed));
    paragraphs.join("\n")
}

/// Renders `stall`.
#[cfg(not(loom))]
pub(super) fn stalled(stall: &Stalled, sources: &Sources) -> String {
    let Stalled { core, is_circle, behind, threshold } = stall;
    let scribe = Scribe {
        threads: ThreadNames::of(core.iter().flat_map(people).chain(behind)),
        locks: LockNames::shared(core.iter().flat_map(locks_of), sources),
    };
    let goes_on = match is_circle {
        true => "each would have to be ended by the next one, and the last by the first",
        false => "each would have to be ended by the next one, and the last by nobody who is known",
    };
    let mut text = format!(
        "note: stalled: {} threads have waited for more than {}; as far as is known, {goes_on}
",
        core.len(),
        duration(*threshold),
    );
    let blocks: String = core.iter().map(|state| scribe.thread(state)).collect();
    text.extend(blocks.lines().map(|line| {
        format!(
            "  {line}
"
        )
    }));
    let names: Vec<_> = behind.iter().map(|thread| scribe.threads.full_name(thread)).collect();
    if !names.is_empty() {
        text += &format!(
            "  = others: {} behind them: {}
",
            count(names.len()),
            list(&names)
        );
    }
    text += "  = note: another thread may still end that, so nothing fails; it is told once\n";
    text += "  = help: give up the lock before such a wait; to be told later or never: SYNC_TRACE=stall=5min, \
             stall=off\n";
    text
}

#[cfg(not(loom))]
fn count(waiting: usize) -> String {
    if waiting == 1 { "1 thread waits".to_owned() } else { format!("{waiting} threads wait") }
}

fn people(state: &AgentState) -> impl Iterator<Item = &Participant> {
    let target = state.wait.iter().filter_map(|(wait, _)| match &wait.target {
        Target::Thread(thread) => Some(thread),
        _ => None,
    });
    let blockers = state.wait.iter().flat_map(|(_, blockers)| blockers);
    let giver = state.given.iter().map(|given| &given.by);
    std::iter::once(&state.agent).chain(target).chain(blockers).chain(giver)
}

fn locks_of(state: &AgentState) -> impl Iterator<Item = &Lock> {
    let wanted = state.wait.iter().filter_map(|(wait, _)| match &wait.target {
        Target::Lock(lock, _) => Some(lock),
        _ => None,
    });
    state.holds.iter().map(|hold| &hold.lock).chain(wanted)
}

struct Scribe {
    threads: ThreadNames,
    locks: LockNames,
}

impl Scribe {
    fn thread(&self, state: &AgentState) -> String {
        let mut block = self.heading(&state.agent, state.ended);
        state.holds.iter().for_each(|hold| block.push_str(&self.hold(hold)));
        if let Some((wait, blockers)) = &state.wait {
            block.push_str(&self.wait(wait, blockers));
        }
        block.extend(state.given.iter().map(|given| self.given(given)));
        block
    }

    fn heading(&self, thread: &Participant, ended: bool) -> String {
        let name = match thread.name.as_deref() {
            Some(name) => format!("\"{}\"", tame(name)),
            None => "<unnamed>".to_owned(),
        };
        let mut parts = vec![format!("{name} {}", thread.id)];
        if let Some(id) = thread.os_id {
            parts[0].push_str(&format!(" (os {id})"));
        }
        parts.extend(Some(self.threads.origin(thread)).filter(|origin| !origin.is_empty()));
        if ended {
            parts.push("ended without releasing what it holds".to_owned());
        }
        parts.join(", ") + "\n"
    }

    fn hold(&self, hold: &Hold) -> String {
        let holds = holds(hold.lock.kind);
        let lock = self.lock(&hold.lock, hold.mode);
        let time = hold.at_least.map(|time| format!(", at least {}", duration(time)));
        format!("  {holds} {lock} since {}{}\n", place(hold.site), time.unwrap_or_default())
    }

    fn wait(&self, wait: &Wait, blockers: &[Participant]) -> String {
        let age = wait.age.map(|age| format!("{} ", duration(age))).unwrap_or_default();
        let (goal, by) = match &wait.target {
            Target::Lock(lock, mode) => {
                let name = self.lock(lock, *mode);
                match (aim(wait.op, lock.kind, &name), signal(wait.op)) {
                    (Some(aim), _) if lock.kind == LockKind::Semaphore => (aim, "held by"),
                    (Some(aim), _) => (aim, "by"),
                    (None, Some(signal)) => (format!("for {signal} {name}"), "held by"),
                    (None, None) => (format!("for {name}"), "held by"),
                }
            }
            Target::Thread(thread) => (format!("for {} to end", self.threads.name(thread.id)), ""),
            Target::Scope => ("for the threads of its scope to end".to_owned(), "still running:"),
            Target::Unpark if wait.op.is_timed() => {
                ("to be unparked, or for a timeout".to_owned(), "")
            }
            Target::Unpark => ("to be unparked".to_owned(), ""),
            Target::Time => ("for its sleep to end".to_owned(), ""),
        };
        let names: Vec<_> = blockers.iter().map(|blocker| self.threads.name(blocker.id)).collect();
        let by = match names.join(", ") {
            names if names.is_empty() || by.is_empty() => String::new(),
            names => format!(", {by} {names}"),
        };
        let stack = wait.stack.iter().flat_map(|stack| stack.lines());
        let stack: String = stack.map(|frame| format!("    {frame}\n")).collect();
        format!("  waits {age}{goal} at {}{by}\n{stack}", place(wait.site))
    }

    /// Who might end a wait that anybody may, as it did before.
    fn given(&self, given: &Signal) -> String {
        let Signal { by, has_ended, op, site, age, in_vain } = given;
        format!(
            "    {}{} {} {} ago at {}{}\n",
            self.threads.name(by.id),
            if *has_ended { ", which has ended," } else { "" },
            deed(*op),
            duration(*age),
            place(*site),
            if *in_vain { ", when nobody was waiting" } else { "" },
        )
    }

    fn lock(&self, lock: &Lock, mode: Mode) -> String {
        let (name, kind) = (self.locks.of(lock), names::kind(lock));
        match names::mode(lock, mode) {
            "" => format!("{name} ({kind} {})", lock.id),
            mode => format!("{name} ({kind} {}, {mode})", lock.id),
        }
    }

    fn idle(&self, idle: &[&AgentState]) -> Option<String> {
        let named = idle.iter().take(IDLE_NAMED).map(|state| self.threads.full_name(&state.agent));
        let mut names: Vec<_> = named.collect();
        if idle.len() > IDLE_NAMED {
            names.push(format!("and {} more", idle.len() - IDLE_NAMED));
        }
        let count = match idle.len() {
            0 => return None,
            1 => "1 thread neither holds nor waits".to_owned(),
            n => format!("{n} threads neither hold nor wait"),
        };
        Some(format!("{count}: {}\n", names.join(", ")))
    }
}

fn limits(limits: &[(&'static str, u64)]) -> Option<String> {
    let lines = limits.iter().map(|(what, count)| format!("limit: {what}: {count}\n"));
    (!limits.is_empty()).then(|| lines.collect())
}

fn perturbed(perturbed: Perturbed) -> String {
    let Perturbed { seed, decisions, digest } = perturbed;
    format!("perturbed with seed {seed:#x}; decisions: {decisions}, digest {digest:016x}\n")
}

#[cfg(test)]
mod tests {
    use super::super::cases::{self, at_root};
    use super::*;

    #[track_caller]
    fn check(dump: &Dump, expected: &str) {
        let text = at_root(&render(dump, &Sources::new()));
        assert!(text == expected, "rendered:\n{text}\nexpected:\n{expected}");
    }

    #[test]
    fn a_block_for_each_thread_that_holds_or_waits() {
        check(&cases::dump(), include_str!("cases/dump.txt"));
    }

    #[test]
    fn waits_without_a_holder_say_what_they_are_for() {
        check(&cases::signals(), include_str!("cases/signals.txt"));
    }

    #[test]
    fn what_the_schedule_was_perturbed_with_is_said_last() {
        let mut dump = cases::dump();
        dump.agents.clear();
        dump.limits.clear();
        dump.perturbed = Some(Perturbed { seed: 31, decisions: 7, digest: 0xabc });
        check(
            &dump,
            "no thread holds or waits for a traced lock\n\n\
             perturbed with seed 0x1f; decisions: 7, digest \
             0000000000000abc\n",
        );
    }

    #[test]
    fn many_idle_threads_are_counted() {
        let mut dump = cases::dump();
        let idle = dump.agents.swap_remove(0);
        dump.agents = vec![idle; 12];
        dump.limits.clear();
        let names = "'main' (21851), ".repeat(IDLE_NAMED);
        check(
            &dump,
            &format!(
                "no thread holds or waits for a traced lock\n\n\
                 12 threads neither hold nor wait: {names}and 7 more\n"
            ),
        );
    }
}
