//! What a file of the run directory consists of, as plain data, and how it is written.
//!
//! `docs/run-directory.md` is the description of all this for those who read such files. What is here may
//! be added to; what changes needs another [`FORMAT`] and a word there.

use std::path::PathBuf;

use crate::finding::{Finding, LockId, LockKind, Mode, Op, Passage, Site, StartedBy, Stated};
use crate::json::{Object, Seed, Value};

/// The version of the format.
pub(crate) const FORMAT: u32 = 1;

/// One line.
pub(crate) trait Record {
    /// Its kind.
    const NAME: &'static str;

    /// What it says.
    fn members(&self, object: &mut Object<'_>);
}

/// Writes `record` as one line behind `out`.
pub(crate) fn line<R: Record>(record: &R, out: &mut String) {
    Object::write(out, |object| {
        object.member("record", R::NAME);
        record.members(object);
    });
    out.push('\n');
}

/// Which process this is.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) pid: u32,
    pub(crate) parent: Option<u32>,
    /// The process that it is a fork of.
    pub(crate) forked_from: Option<u32>,
    pub(crate) started: Started,
    pub(crate) exe: Option<PathBuf>,
    pub(crate) argv0: Option<String>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) manifest_dir: Option<String>,
    pub(crate) package: Option<String>,
    pub(crate) workspace_root: Option<PathBuf>,
    pub(crate) source_dir: Option<String>,
    pub(crate) is_test_harness: bool,
    /// What nextest says, by the names of the members.
    pub(crate) nextest: Vec<(&'static str, String)>,
    pub(crate) settings: Option<String>,
    pub(crate) seed: Option<u64>,
}

/// The moment from which the times of records count, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    /// Since 1970.
    pub(crate) unix: u64,
    /// Since the machine was booted.
    pub(crate) monotonic: Option<u64>,
}

impl Record for Header {
    const NAME: &'static str = "header";

    fn members(&self, object: &mut Object<'_>) {
        let path = |path: &Option<PathBuf>| Some(path.as_ref()?.to_string_lossy().into_owned());
        object.member("format", FORMAT).member("library", env!("CARGO_PKG_VERSION"));
        object.member("pid", self.pid).maybe("parent_pid", self.parent);
        object.maybe("forked_from", self.forked_from);
        object.object("started", |object| {
            object.member("unix_us", self.started.unix);
            object.maybe("monotonic_us", self.started.monotonic);
        });
        object.maybe("exe", path(&self.exe).as_ref()).maybe("argv0", self.argv0.as_ref());
        object.maybe("cwd", path(&self.cwd).as_ref());
        object.maybe("manifest_dir", self.manifest_dir.as_ref());
        object.maybe("package", self.package.as_ref());
        object.maybe("workspace_root", path(&self.workspace_root).as_ref());
        object.maybe("source_dir", self.source_dir.as_ref());
        object.flag("test_harness", self.is_test_harness);
        if !self.nextest.is_empty() {
            object.object("nextest", |object| {
                self.nextest.iter().for_each(|(name, value)| _ = object.member(name, value));
            });
        }
        object.maybe("settings", self.settings.as_ref()).maybe("seed", self.seed.map(Seed));
    }
}

/// The number of a class of locks in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClassNumber(pub(crate) u64);

impl Value for ClassNumber {
    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

/// A class of locks.
#[derive(Debug)]
pub(crate) struct Class<'a> {
    pub(crate) number: ClassNumber,
    pub(crate) key: Option<String>,
    pub(crate) name: Option<&'a str>,
    pub(crate) label: String,
    pub(crate) kind: LockKind,
    pub(crate) type_name: &'a str,
    pub(crate) created: Site,
    pub(crate) level: u32,
    pub(crate) declared: Option<DeclaredClass>,
}

/// What `lock_class!` says.
#[derive(Debug)]
pub(crate) struct DeclaredClass {
    pub(crate) at: Site,
    pub(crate) rank: Option<u32>,
    pub(crate) leaf: bool,
    pub(crate) first: bool,
    pub(crate) multi: bool,
    pub(crate) spin: bool,
}

impl Record for Class<'_> {
    const NAME: &'static str = "class";

    fn members(&self, object: &mut Object<'_>) {
        object.member("class", self.number).maybe("key", self.key.as_ref());
        object.maybe("name", self.name).member("label", &self.label);
        object.member("kind", self.kind).member("type", self.type_name);
        object.member("created", self.created);
        object.maybe("level", Some(self.level).filter(|&level| level != 0));
        if let Some(declared) = &self.declared {
            object.object("declared", |object| {
                object.member("at", declared.at).maybe("rank", declared.rank);
                object.flag("leaf", declared.leaf).flag("first", declared.first);
                object.flag("multi", declared.multi).flag("spin", declared.spin);
            });
        }
    }
}

/// A thread.
#[derive(Debug)]
pub(crate) struct Thread<'a> {
    pub(crate) number: u64,
    pub(crate) name: Option<&'a str>,
    pub(crate) os_id: Option<u64>,
    pub(crate) started_by: Option<&'a StartedBy>,
    pub(crate) root: Option<&'a str>,
}

impl Record for Thread<'_> {
    const NAME: &'static str = "thread";

    fn members(&self, object: &mut Object<'_>) {
        object.member("thread", self.number).maybe("name", self.name);
        object.maybe("os_id", self.os_id).maybe("started_by", self.started_by);
        object.maybe("root", self.root);
    }
}

/// A lock that is held or wanted, by its class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassHold {
    pub(crate) class: ClassNumber,
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    pub(crate) op: Op,
    pub(crate) site: Site,
    pub(crate) stated: Stated,
}

impl Value for &ClassHold {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("class", self.class).member("lock", self.lock.get());
            object.member("mode", self.mode).member("op", self.op).member("site", self.site);
            object.maybe("key", self.stated.key.map(|key| key.to_string()).as_ref());
        });
    }
}

/// A lock was asked for while others were held.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) at: u64,
    pub(crate) thread: u64,
    pub(crate) held: Vec<ClassHold>,
    /// How many more were held.
    pub(crate) left_out: usize,
    pub(crate) wanted: ClassHold,
    /// A lock is said to keep others away, which may not be recorded.
    pub(crate) under: Option<Option<LockId>>,
}

impl Record for Order {
    const NAME: &'static str = "order";

    fn members(&self, object: &mut Object<'_>) {
        object.member("at_us", self.at).member("thread", self.thread);
        object.list("held", &self.held);
        object.maybe("left_out", Some(self.left_out).filter(|&count| count != 0));
        object.member("wanted", &self.wanted);
        if let Some(under) = self.under {
            object.object("under", |object| _ = object.maybe("lock", under.map(LockId::get)));
        }
    }
}

/// A read-write lock was asked for to write it.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) at: u64,
    pub(crate) thread: u64,
    pub(crate) wanted: ClassHold,
}

impl Record for Writer {
    const NAME: &'static str = "writer";

    fn members(&self, object: &mut Object<'_>) {
        object.member("at_us", self.at).member("thread", self.thread);
        object.member("wanted", &self.wanted);
    }
}

/// A clause of a declaration.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) item: &'static str,
    pub(crate) attribute: &'static str,
    pub(crate) text: &'static str,
    pub(crate) at: Passage,
    /// Of an order.
    pub(crate) order: Option<DeclaredOrder>,
}

/// What a clause says of an order.
#[derive(Debug)]
pub(crate) struct DeclaredOrder {
    pub(crate) chains: Vec<Vec<Element>>,
    pub(crate) global: bool,
    pub(crate) strict: bool,
    pub(crate) local: bool,
    pub(crate) inherit: bool,
}

/// What an order speaks of.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) text: &'static str,
    pub(crate) what: Meant,
    pub(crate) mode: Option<&'static str>,
    pub(crate) is_ordered: bool,
}

/// By what a lock is known whose type is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Name(&'static str),
    Created(Site),
}

impl Value for Known {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            match *self {
                Self::Name(name) => object.member("name", name),
                Self::Created(site) => object.member("created", site),
            };
        });
    }
}

/// Which locks are meant.
#[derive(Debug)]
pub(crate) enum Meant {
    Name(&'static str),
    Class(&'static str),
    Place { locks: Vec<Known>, types: Vec<&'static str> },
}

impl Record for Declaration {
    const NAME: &'static str = "declaration";

    fn members(&self, object: &mut Object<'_>) {
        object.member("item", self.item).member("attribute", self.attribute);
        object.member("text", self.text).member("at", self.at);
        if let Some(order) = &self.order {
            object.list("chains", &order.chains);
            object.flag("global", order.global).flag("strict", order.strict);
            object.flag("local", order.local).flag("inherit", order.inherit);
        }
    }
}

impl Value for &Element {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("text", self.text);
            match &self.what {
                Meant::Name(name) => object.member("name", *name),
                Meant::Class(name) => object.member("class_name", *name),
                Meant::Place { locks, types } => {
                    object.list("locks", locks.iter().copied()).list("types", types.iter().copied())
                }
            };
            object.maybe("mode", self.mode).flag("ordered", self.is_ordered);
        });
    }
}

/// Something was found. The JSON of it and its report are rendered elsewhere.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) at: u64,
    pub(crate) finding: Json<'a>,
    pub(crate) report: &'a str,
}

/// A value that is written already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a>(pub(crate) &'a str);

impl Value for Json<'_> {
    fn write(&self, out: &mut String) {
        out.push_str(self.0);
    }
}

impl Record for Found<'_> {
    const NAME: &'static str = "finding";

    fn members(&self, object: &mut Object<'_>) {
        object.member("at_us", self.at).member("finding", self.finding);
        object.member("report", self.report);
    }
}

/// Something is inconsistent, and fails nothing.
#[derive(Debug)]
pub(crate) struct Note<'a>(pub(crate) Found<'a>);

impl Record for Note<'_> {
    const NAME: &'static str = "note";

    fn members(&self, object: &mut Object<'_>) {
        self.0.members(object);
    }
}

/// Something was found, and the allow list accepts it.
#[derive(Debug)]
pub(crate) struct Accepted<'a> {
    pub(crate) at: u64,
    pub(crate) reason: &'a str,
    pub(crate) by: &'a [String],
    pub(crate) finding: Json<'a>,
}

impl Record for Accepted<'_> {
    const NAME: &'static str = "accepted";

    fn members(&self, object: &mut Object<'_>) {
        object.member("at_us", self.at).member("reason", self.reason);
        object.list("by", self.by).member("finding", self.finding);
    }
}

/// The program has taken a finding.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    pub(crate) at: u64,
    pub(crate) finding: &'a Finding,
}

impl Record for Taken<'_> {
    const NAME: &'static str = "taken";

    fn members(&self, object: &mut Object<'_>) {
        object.member("at_us", self.at).member("code", self.finding.code);
        object.member("fingerprint", self.finding.fingerprint);
        object.list("roots", &self.finding.roots);
    }
}

/// How often an order was seen.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) held: Place,
    pub(crate) wanted: Place,
    pub(crate) times: u64,
}

/// A lock of a class, and where it was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) class: ClassNumber,
    pub(crate) site: Site,
}

impl Value for Place {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("class", self.class).member("site", self.site);
        });
    }
}

impl Record for Count {
    const NAME: &'static str = "count";

    fn members(&self, object: &mut Object<'_>) {
        object.member("held", self.held).member("wanted", self.wanted);
        object.member("times", self.times);
    }
}

/// How long was waited for locks of a class, at one line because of another one.
#[derive(Debug)]
pub(crate) struct Contention {
    /// Where it was waited, for what, and where that was held since.
    pub(crate) stack: [String; 3],
    pub(crate) waits: u64,
    pub(crate) wait_ns: u64,
}

impl Record for Contention {
    const NAME: &'static str = "contention";

    fn members(&self, object: &mut Object<'_>) {
        object.list("stack", self.stack.iter().map(String::as_str));
        object.member("waits", self.waits).member("wait_ns", self.wait_ns);
    }
}

/// The process ends.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) at: u64,
    pub(crate) status: Option<i32>,
    pub(crate) findings: usize,
    pub(crate) unwritten: u64,
    pub(crate) limits: Vec<(&'static str, u64)>,
}

impl Record for End {
    const NAME: &'static str = "end";

    fn members(&self, object: &mut Object<'_>) {
        object.member("at_us", self.at).maybe("status", self.status);
        object.member("findings", self.findings);
        object.maybe("unwritten", Some(self.unwritten).filter(|&count| count != 0));
        if !self.limits.is_empty() {
            object.list("limits", &self.limits);
        }
    }
}

impl Value for &(&'static str, u64) {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("what", self.0).member("count", self.1);
        });
    }
}
