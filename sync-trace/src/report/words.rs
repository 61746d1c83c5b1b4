//! Small pieces of text that every renderer needs.

use crate::finding::LockKind;
use crate::op::Op;
use crate::site::Site;
use std::time::Duration;

/// A duration with two or three digits that matter, such as `0.41 ms`.
pub(super) fn duration(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    match us {
        ..1.0 => format!("{} ns", time.as_nanos()),
        ..99.95 => in_unit(us, "us"),
        ..999_500.0 => in_unit(us / 1e3, "ms"),
        _ => in_unit(us / 1e6, "s"),
    }
}

fn in_unit(value: f64, unit: &str) -> String {
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// A seed, and what to do with it.
pub(super) fn seed(seed: u64) -> String {
    format!("seed {seed:#x}; repeat with SYNC_TRACE=perturb={seed:#x}")
}

/// The items as one would say them: ``a, b and c``.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [firsts @ .., last] => format!("{} and {last}", firsts.join(", ")),
    }
}

/// How often, such as `1 204 times`.
pub(super) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{} times", in_thousands(count)),
    }
}

/// With a space between groups of three digits.
pub(super) fn in_thousands(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        _ => format!("{} {:03}", in_thousands(count / 1_000), count % 1_000),
    }
}

/// What a condvar wait is for, as its mutex's name follows it; `None` for other waits.
pub(super) fn signal(op: Op) -> Option<&'static str> {
    match op.is_timed() {
        true => Some("a signal or a timeout and then needs"),
        false => op.is_condvar_wait().then_some("a signal and then needs"),
    }
}

/// What a wait is for, as it follows `waits`, where `name` names something other than a lock.
pub(super) fn aim(op: Op, kind: LockKind, name: &str) -> Option<String> {
    match kind {
        LockKind::Once | LockKind::OnceLock | LockKind::LazyLock => {
            Some(format!("for {name} to be initialised"))
        }
        LockKind::Barrier => Some(format!("for the others at {name}")),
        LockKind::Channel if op == Op::Send => Some(format!("to send to {name}")),
        LockKind::Channel if op.is_timed() => {
            Some(format!("for a message from {name}, or a timeout"))
        }
        LockKind::Channel => Some(format!("for a message from {name}")),
        LockKind::Semaphore => {
            let permits = if op.is_for_many() { "permits" } else { "a permit" };
            let timeout = if op.is_timed() { ", or a timeout" } else { "" };
            Some(format!("for {permits} of {name}{timeout}"))
        }
        LockKind::Condvar => Some(format!("for a signal of {name}")),
        LockKind::Mutex | LockKind::RwLock | LockKind::Thread => None,
    }
}

/// What was done by giving others what they wait for.
pub(super) fn deed(op: Op) -> &'static str {
    match op {
        Op::Send | Op::TrySend => "sent a message",
        Op::Recv | Op::TryRecv | Op::RecvTimeout | Op::Next => "took a message out",
        Op::AddPermits => "added permits",
        _ => "signalled it",
    }
}

/// What it is to have a hold of such a lock, as the lock's name follows it.
pub(super) fn holds(kind: LockKind) -> &'static str {
    match kind {
        kind if kind.is_once() => "initialises",
        LockKind::Semaphore => "holds a permit of",
        _ => "holds",
    }
}

/// The cells of `rows` in aligned columns, a line for each row; columns without text are left out.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).filter(|&(_, width)| width > 0);
        let padded: Vec<_> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `file:line:column`, or words where the caller's own line is not known.
pub(super) fn place(site: Site) -> String {
    if site.is_unknown() { "an unknown line".to_owned() } else { site.to_string() }
}

/// `file:line`, where the column would only be noise.
pub(super) fn line_of(site: Site) -> String {
    if site.is_unknown() { place(site) } else { format!("{}:{}", site.file(), site.line()) }
}

/// A name as given by the user, on one line and without control characters, which could otherwise
/// break the layout or drive the terminal.
pub(super) fn tame(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_or_three_digits_that_matter() {
        let check = |nanos, text: &str| assert_eq!(duration(Duration::from_nanos(nanos)), text);
        check(0, "0 ns");
        check(850, "850 ns");
        check(1_234, "1.23 us");
        check(99_940, "99.9 us");
        check(410_000, "0.41 ms");
        check(9_996_000, "10.0 ms");
        check(123_400_000, "123 ms");
        check(999_600_000, "1.00 s");
        check(75_000_000_000, "75.0 s");
    }

    #[test]
    fn counts_are_words_or_have_their_digits_in_groups() {
        let counts = [1, 2, 3, 1_204, 1_000_000].map(times);
        assert_eq!(counts, ["once", "twice", "3 times", "1 204 times", "1 000 000 times"]);
    }

    #[test]
    fn columns_align_by_characters_and_drop_empty_ones() {
        let row = |a: &str, b: &str, c: &str| [a, b, c].map(str::to_owned);
        let rows = [row("é", "", "x"), row("abc", "", ""), row("ab", "", "y")];
        assert_eq!(columns(&rows), "é    x\nabc\nab   y");
    }

    #[test]
    fn a_position_in_the_standard_library_is_not_shown() {
        let site = super::super::cases::unknown_site();
        assert_eq!([place(site), line_of(site)], ["an unknown line", "an unknown line"]);
    }

    #[test]
    fn names_cannot_break_the_layout() {
        assert_eq!(tame("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
    }
}
