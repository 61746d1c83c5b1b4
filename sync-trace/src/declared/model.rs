//! What the attributes say, as their expansions put it into statics.
//!
//! Everything here is constant data: a declaration costs a function nothing until it is entered.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What one item says about locks: an annotated function, a `lock_scope!`, a `lock_hierarchy!`, a type
/// with lock fields.
#[derive(Debug)]
pub struct Declaration {
    pub(crate) item: &'static str,
    pub(crate) file: &'static str,
    pub(crate) name: Span,
    pub(crate) clauses: &'static [Clause],
    /// The item's path with the type that it belongs to, once it has run.
    pub(crate) called: OnceLock<&'static str>,
    /// Whether its places were entered into the book: what they are is known once the item has run.
    pub(crate) has_run: AtomicBool,
    /// What a call has to look at.
    pub(crate) needs: Needs,
}

/// What has to be done in a call, by all of its clauses: known at compile time, because most calls need
/// none of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// To look at what is held at the entry, and by whoever polls.
    pub(crate) holds: bool,
    /// To judge what is held at the entry or the exit.
    pub(crate) borders: bool,
    /// To look at everything that is done inside: also at what is taken while nothing is held, what is
    /// tried, and what is released. Else it is enough to look at requests that nest as none has before.
    pub(crate) everything: bool,
    /// To tell requests inside from others, because what is in order differs.
    pub(crate) number: bool,
    /// To know whether to block is allowed where it is called.
    pub(crate) may_block: bool,
}

impl Needs {
    const fn of(clauses: &[Clause]) -> Self {
        let mut needs = Self {
            holds: false,
            borders: false,
            everything: false,
            number: false,
            may_block: false,
        };
        let mut at = 0;
        while at < clauses.len() {
            match &clauses[at].rule {
                Rule::Order { options, .. } => {
                    needs.number = true;
                    needs.holds |= options.local;
                    needs.everything |= options.strict;
                }
                Rule::Requires { .. }
                | Rule::Excludes { .. }
                | Rule::Acquires { .. }
                | Rule::Releases { .. } => {
                    needs.holds = true;
                    needs.borders = true;
                }
                Rule::Only { .. } => needs.everything = true,
                Rule::NoBlock => {}
                Rule::MayBlock => {
                    needs.holds = true;
                    needs.may_block = true;
                }
                Rule::Budget { hold, await_hold, .. } => {
                    needs.holds |= await_hold.is_some();
                    needs.everything |= hold.is_some();
                }
                Rule::Exempt { .. } => needs.number = true,
            }
            at += 1;
        }
        needs
    }
}

impl Declaration {
    /// Of the item with this path, whose name stands at `name` in `file`.
    pub const fn new(
        item: &'static str,
        file: &'static str,
        name: Span,
        clauses: &'static [Clause],
    ) -> Self {
        let (has_run, needs) = (AtomicBool::new(false), Needs::of(clauses));
        Self { item, file, name, clauses, called: OnceLock::new(), has_run, needs }
    }

    /// Whether it has run.
    pub(crate) fn has_run(&self) -> bool {
        self.has_run.load(Ordering::Relaxed)
    }

    /// The item's path, with the type that it belongs to if that is known.
    pub(crate) fn path(&self) -> &'static str {
        self.called.get().copied().unwrap_or(self.item)
    }

    /// Whether everything that is done inside has to be looked at. In what a thread takes over from the one
    /// that started it, only orders that say so go on.
    pub(crate) fn looks_at_everything(&self, is_inherited: bool) -> bool {
        let goes_on = |clause: &Clause| matches!(clause.rule, Rule::Order { options, .. } if options.strict && options.inherit);
        self.needs.everything && (!is_inherited || self.clauses.iter().any(goes_on))
    }

    /// It has run, with a closure of this type in it.
    pub(crate) fn set_called<F>(&self, _: &F) {
        let closure = std::any::type_name::<F>();
        let item = closure.trim_end_matches("::{{closure}}");
        self.called.get_or_init(|| item);
    }
}

/// Where something stands in the declaration's file: line and column counted from 1, columns in
/// characters. The end is the column behind it on the same line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The line.
    pub line: u32,
    /// The first column.
    pub column: u32,
    /// The column behind the last one.
    pub end: u32,
}

/// One rule of a declaration.
#[derive(Debug)]
pub struct Clause {
    /// What it says.
    pub rule: Rule,
    /// Where its arguments stand, or its word if it has none.
    pub span: Span,
    /// As it was written.
    pub text: &'static str,
}

/// What a clause says.
#[derive(Debug)]
pub enum Rule {
    /// If two of these are held together, they were taken in this order.
    Order {
        /// Each from the one that is taken first to the last one.
        chains: &'static [&'static [Element]],
        /// How far it goes.
        options: Options,
    },
    /// Held at entry and, unless only `entry` is asked for, at the exit.
    Requires {
        /// What.
        locks: &'static [Element],
        /// Not looked at again at the exit.
        entry: bool,
    },
    /// Not held at entry.
    Excludes {
        /// What.
        locks: &'static [Element],
    },
    /// No other locks are taken inside.
    Only {
        /// What may be taken.
        locks: &'static [Element],
    },
    /// Not held at entry, held at the normal exit.
    Acquires {
        /// What.
        locks: &'static [Element],
    },
    /// Held at entry, not held at the normal exit.
    Releases {
        /// What.
        locks: &'static [Element],
    },
    /// Nothing inside blocks.
    NoBlock,
    /// Not entered where nothing may block.
    MayBlock,
    /// Nothing inside lasts longer: nanoseconds.
    Budget {
        /// How long a lock taken inside may be held.
        hold: Option<u64>,
        /// How long a lock may be waited for.
        wait: Option<u64>,
        /// How long a lock may be held by a task that is suspended.
        await_hold: Option<u64>,
    },
    /// What is found inside under these codes is let be.
    Exempt {
        /// Why.
        reason: &'static str,
        /// Such as `ST0102`.
        codes: &'static [&'static str],
    },
}

/// How far a declared order goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// It holds for the whole program.
    pub global: bool,
    /// What comes later in a chain is taken only while what comes before it is held.
    pub strict: bool,
    /// Only what is taken inside counts as held.
    pub local: bool,
    /// It holds for the threads that are started inside, too.
    pub inherit: bool,
}

/// One lock, or several that are one to the rule.
#[derive(Debug)]
pub struct Element {
    /// Which.
    pub what: What,
    /// Only in this mode.
    pub mode: Option<HeldMode>,
    /// Several may be held together, taken in the order of their keys.
    pub ordered: bool,
    /// Where it stands.
    pub span: Span,
    /// As it was written.
    pub text: &'static str,
}

/// A mode that a rule speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldMode {
    /// `read(…)`
    Read,
    /// `write(…)`
    Write,
    /// `upgradable(…)`
    Upgradable,
}

/// By what an element knows its locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The call says it under this number: a place, or a type.
    Slot(usize),
    /// Their name, in which `*` stands for any characters and `?` for any one.
    Name(&'static str),
    /// The name of their class.
    Class(&'static str),
}
