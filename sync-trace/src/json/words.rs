//! What small things are called.

use super::{Object, Value};
use crate::finding::{
    Broken, Code, Fingerprint, Level, LockKind, Mode, Op, Outcome, Passage, Site, StartedBy, Stated,
};

macro_rules! words {
    ($($of:ident { $($variant:ident = $word:literal,)* })*) => {$(
        impl Value for $of {
            fn write(&self, out: &mut String) {
                match self {
                    $(Self::$variant => $word,)*
                }
                .write(out);
            }
        }
    )*};
}

words! {
    LockKind {
        Mutex = "mutex",
        RwLock = "rwlock",
        Condvar = "condvar",
        Once = "once",
        OnceLock = "once_lock",
        LazyLock = "lazy_lock",
        Barrier = "barrier",
        Channel = "channel",
        Semaphore = "semaphore",
        Thread = "thread",
    }
    Mode {
        Exclusive = "exclusive",
        Upgradable = "upgradable",
        Read = "read",
        RecursiveRead = "recursive_read",
    }
    Level {
        Actual = "actual",
        Predicted = "predicted",
        Declared = "declared",
        Order = "order",
        Misuse = "misuse",
    }
    Outcome {
        Panicked = "panicked",
        Ended = "ended",
        Logged = "logged",
        Deferred = "deferred",
        Noted = "noted",
    }
    Broken {
        OutOfOrder = "out_of_order",
        NotAfter = "not_after",
        SameElement = "same_element",
        KeysDescend = "keys_descend",
        RankDescends = "rank_descends",
        NotHeld = "not_held",
        NotHeldAtExit = "not_held_at_exit",
        Held = "held",
        HeldAlready = "held_already",
        NotAcquired = "not_acquired",
        NotReleased = "not_released",
        NotAllowed = "not_allowed",
        AfterLeaf = "after_leaf",
        NotFirst = "not_first",
        Blocks = "blocks",
        MayBlock = "may_block",
        WaitedTooLong = "waited_too_long",
        HeldTooLong = "held_too_long",
        HeldAcrossAwait = "held_across_await",
        Contradiction = "contradiction",
        ClassesDiffer = "classes_differ",
    }
}

impl Value for Code {
    fn write(&self, out: &mut String) {
        self.as_str().write(out);
    }
}

impl Value for Op {
    fn write(&self, out: &mut String) {
        self.method().write(out);
    }
}

impl Value for Fingerprint {
    fn write(&self, out: &mut String) {
        (&self.to_string()).write(out);
    }
}

impl Value for Site {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("file", self.file());
            object.member("line", self.line()).member("column", self.column());
        });
    }
}

impl Value for Passage {
    fn write(&self, out: &mut String) {
        let Self { file, line, column, end } = *self;
        Object::write(out, |object| {
            object.member("file", file).member("line", line);
            object.member("column", column).member("end", end);
        });
    }
}

impl Value for &StartedBy {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("id", self.id.get()).maybe("name", self.name.as_deref());
            object.member("site", self.site);
        });
    }
}

impl Value for Stated {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.maybe("level", Some(self.level).filter(|&level| level != 0));
            object.maybe("key", self.key.map(|key| key.to_string()).as_ref());
        });
    }
}

/// The seed of a schedule, as `SYNC_TRACE=perturb=` takes it.
pub(crate) struct Seed(pub(crate) u64);

impl Value for Seed {
    fn write(&self, out: &mut String) {
        (&format!("{:#x}", self.0)).write(out);
    }
}
