//! The language of the scripts.

/// One step: who does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The thread's name.
    pub thread: String,
    /// What it does.
    pub op: Op,
}

/// What a thread does; the names are those of locks, condvars and threads.
#[expect(missing_docs, reason = "the table in the crate's documentation says what each does")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Lock(String),
    TryLock(String),
    Read(String),
    TryRead(String),
    Write(String),
    TryWrite(String),
    Downgrade(String),
    Release(String),
    Forget(String),
    Give(String, String),
    Wait(String, String),
    WaitTimeout(String, String),
    Notify(String),
    Init(String),
    Done(String),
    Use(String),
    Await(String),
    Recv(String),
    Park,
    Join(String),
    End,
    EndHolding,
}

/// The steps of `script`, in order.
///
/// # Panics
///
/// If a step is malformed; the message shows it.
#[track_caller]
pub fn parse(script: &str) -> Vec<Step> {
    script.split(';').map(str::trim).filter(|step| !step.is_empty()).map(parse_step).collect()
}

#[track_caller]
fn parse_step(text: &str) -> Step {
    let (thread, op) = text.split_once(':').unwrap_or_else(|| panic!("no thread in `{text}`"));
    let words: Vec<&str> = op.split_whitespace().collect();
    let one = |make: fn(String) -> Op| match words[1..] {
        [name] => make(name.to_owned()),
        _ => panic!("`{text}` needs one name"),
    };
    let two = |make: fn(String, String) -> Op| match words[1..] {
        [first, second] => make(first.to_owned(), second.to_owned()),
        _ => panic!("`{text}` needs two names"),
    };
    let op = match words.first().copied() {
        Some("lock") => one(Op::Lock),
        Some("try_lock") => one(Op::TryLock),
        Some("read") => one(Op::Read),
        Some("try_read") => one(Op::TryRead),
        Some("write") => one(Op::Write),
        Some("try_write") => one(Op::TryWrite),
        Some("downgrade") => one(Op::Downgrade),
        Some("release") => one(Op::Release),
        Some("forget") => one(Op::Forget),
        Some("give") => two(Op::Give),
        Some("wait") => two(Op::Wait),
        Some("wait_timeout") => two(Op::WaitTimeout),
        Some("notify") => one(Op::Notify),
        Some("init") => one(Op::Init),
        Some("done") => one(Op::Done),
        Some("use") => one(Op::Use),
        Some("await") => one(Op::Await),
        Some("recv") => one(Op::Recv),
        Some("park") => Op::Park,
        Some("join") => one(Op::Join),
        Some("end") => Op::End,
        Some("end_holding") => Op::EndHolding,
        _ => panic!("`{text}` is no step"),
    };
    Step { thread: thread.trim().to_owned(), op }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_in_order() {
        let steps = parse("t1: lock a; main: join t1;");
        let step = |thread: &str, op| Step { thread: thread.to_owned(), op };
        let expected =
            [step("t1", Op::Lock("a".to_owned())), step("main", Op::Join("t1".to_owned()))];
        assert_eq!(steps, expected);
    }

    #[test]
    #[should_panic(expected = "`t1: lok a` is no step")]
    fn a_misspelt_step_is_shown() {
        parse("t1: lok a");
    }
}
