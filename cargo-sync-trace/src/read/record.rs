//! The records of a run directory, as `docs/run-directory.md` describes them.
//!
//! What a reader has no use for is not decoded, so that it may be anything.

use serde::Deserialize;
use serde_json::Value;

/// One line.
#[derive(Clone, Debug)]
pub enum Record {
    /// Which process writes here.
    Header(Box<Header>),
    /// A class of locks.
    Class(Class),
    /// A thread.
    Thread(Thread),
    /// That something was asked for while locks were held.
    Order(Order),
    /// That a read-write lock was asked for to write it.
    Writer(Writer),
    /// A clause of an attribute.
    Declaration(Declaration),
    /// Something was found, and fails something.
    Finding(Box<Told>),
    /// Something is inconsistent, and fails nothing.
    Note(Box<Told>),
    /// Something was found, and is accepted.
    Accepted(Box<Accepted>),
    /// The program has taken a finding.
    Taken(Taken),
    /// How often an order was seen.
    Count(Count),
    /// The process ends.
    End(End),
    /// How long locks were waited for.
    Contention(Contention),
    /// What a later version writes.
    Unknown(String),
}

/// The first record: which process this is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Header {
    /// The version of the format.
    pub format: u64,
    /// The version of sync-trace.
    pub library: String,
    /// The process.
    pub pid: u64,
    /// The program.
    pub exe: Option<String>,
    /// As which it was started.
    pub argv0: Option<String>,
    /// The directory in which it started.
    pub cwd: Option<String>,
    /// The root of the package, if cargo or nextest has told it.
    pub manifest_dir: Option<String>,
    /// The name of the package, likewise.
    pub package: Option<String>,
    /// To what file names are relative.
    pub workspace_root: Option<String>,
    /// Where sources are as well.
    pub source_dir: Option<String>,
    /// Whether it is a test executable.
    pub test_harness: bool,
    /// What nextest says.
    pub nextest: Option<Nextest>,
    /// With which the schedule is perturbed.
    pub seed: Option<String>,
}

/// What nextest says of a process.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Nextest {
    /// The test binary.
    pub binary_id: Option<String>,
    /// The test.
    pub test_name: Option<String>,
}

/// A class of locks.
#[derive(Clone, Debug, Deserialize)]
pub struct Class {
    /// Its number in this file.
    pub class: u64,
    /// The same in every process; a class without one is none outside its process.
    pub key: Option<String>,
    /// The name given.
    pub name: Option<String>,
    /// What reports call it.
    #[serde(default)]
    pub label: String,
    /// Which primitive.
    #[serde(default)]
    pub kind: String,
    /// What it protects.
    #[serde(default, rename = "type")]
    pub type_name: String,
    /// Where the first lock of it was created.
    pub created: Option<Site>,
}

/// A thread.
#[derive(Clone, Debug, Deserialize)]
pub struct Thread {
    /// Its number in this process.
    pub thread: u64,
    /// Its name.
    pub name: Option<String>,
    /// What the operating system calls it.
    pub os_id: Option<u64>,
    /// Who started it; what that says is not needed.
    pub started_by: Option<serde::de::IgnoredAny>,
    /// The name of its oldest known ancestor.
    pub root: Option<String>,
}

/// That something was asked for while locks were held.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    /// Who asked.
    pub thread: u64,
    /// What was held, oldest first.
    pub held: Vec<Hold>,
    /// What was asked for.
    pub wanted: Hold,
}

/// A read-write lock was asked for to write it.
#[derive(Clone, Debug, Deserialize)]
pub struct Writer {
    /// Who asked.
    pub thread: u64,
    /// For what.
    pub wanted: Hold,
}

/// One lock, as it was held or wanted.
#[derive(Clone, Debug, Deserialize)]
pub struct Hold {
    /// The number of its class in this file.
    pub class: u64,
    /// In which mode.
    pub mode: Mode,
    /// The method.
    #[serde(default)]
    pub op: String,
    /// Where that was called.
    pub site: Site,
}

/// How a lock is held or wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Alone.
    Exclusive,
    /// For reading, and maybe for writing later; beside readers.
    Upgradable,
    /// For reading; queues behind a writer that waits.
    Read,
    /// For reading; never queues behind a writer that only waits.
    RecursiveRead,
}

/// A clause of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct Declaration {
    /// The item that says it.
    pub item: String,
    /// The attribute.
    pub attribute: String,
    /// What it says.
    pub text: String,
    /// Where.
    pub at: Option<Site>,
}

/// A finding or note.
#[derive(Clone, Debug, Deserialize)]
pub struct Told {
    /// What was found.
    pub finding: Finding,
    /// The whole report, as plain text.
    #[serde(default)]
    pub report: String,
}

/// What of a finding is judged here; the rest is kept as it is.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// Such as `ST0001`.
    pub code: String,
    /// How sure it is.
    pub level: String,
    /// The same in every run that finds the same.
    pub fingerprint: String,
    /// In one sentence.
    #[serde(default)]
    pub title: String,
    /// What to do.
    #[serde(default)]
    pub help: String,
    /// What was done about it.
    #[serde(default)]
    pub outcome: String,
    /// The names of the root threads.
    #[serde(default)]
    pub roots: Vec<String>,
    /// All other members, as they stand.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// Something was found, and is accepted.
#[derive(Clone, Debug, Deserialize)]
pub struct Accepted {
    /// What was found.
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
    /// The entries that fit, as `file:line`.
    #[serde(default)]
    pub by: Vec<String>,
}

/// The program has taken a finding: it knows of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Taken {
    /// Its code.
    pub code: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The names of the root threads.
    #[serde(default)]
    pub roots: Vec<String>,
}

/// How often an order was seen.
#[derive(Clone, Debug, Deserialize)]
pub struct Count {
    /// What was held.
    pub held: Place,
    /// What was wanted.
    pub wanted: Place,
    /// How often.
    pub times: u64,
}

/// A class at a place.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    /// The number of the class in this file.
    pub class: u64,
    /// The place.
    pub site: Option<Site>,
}

/// The process ends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct End {
    /// With which status, if that is known.
    pub status: Option<i64>,
    /// How many orders were too many to be told.
    pub unwritten: u64,
    /// What was not recorded or not looked at.
    pub limits: Vec<Limit>,
}

/// What a process did not record or not look at.
#[derive(Clone, Debug, Deserialize)]
pub struct Limit {
    /// In words.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// How long locks of a class were waited for. Reserved: what a process will tell is not fixed yet, so only the call
/// stack and the time are looked at, where they are there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Contention {
    /// The frames, outermost first.
    pub stack: Vec<String>,
    /// How long was waited there.
    pub wait_ns: Option<u64>,
}

/// A position in a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize)]
pub struct Site {
    /// The file as rustc was given it.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    #[serde(default = "first")]
    pub column: u32,
}

fn first() -> u32 {
    1
}

impl Site {
    /// Whether the user's own line is not known.
    pub fn is_unknown(&self) -> bool {
        self.file.starts_with("/rustc/") || self.file.starts_with("/rust/")
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The version of the format that is understood.
pub const FORMAT: u64 = 1;

impl Record {
    /// Decodes one line, without its line feed.
    pub fn decode(line: &[u8]) -> Result<Self, Undecoded> {
        #[derive(Deserialize)]
        struct Kind<'a> {
            #[serde(borrow)]
            record: std::borrow::Cow<'a, str>,
        }
        fn of<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Undecoded> {
            serde_json::from_slice(line).map_err(Undecoded::from)
        }
        let kind = of::<Kind<'_>>(line)?.record;
        Ok(match &*kind {
            "header" => {
                // A later format may have other members, so its number is asked first.
                #[derive(Deserialize)]
                struct Format {
                    format: u64,
                }
                match of::<Format>(line)?.format {
                    format if format > FORMAT => return Err(Undecoded::Newer(format)),
                    _ => Self::Header(of(line)?),
                }
            }
            "class" => Self::Class(of(line)?),
            "thread" => Self::Thread(of(line)?),
            "order" => Self::Order(of(line)?),
            "writer" => Self::Writer(of(line)?),
            "declaration" => Self::Declaration(of(line)?),
            "finding" => Self::Finding(of(line)?),
            "note" => Self::Note(of(line)?),
            "accepted" => Self::Accepted(of(line)?),
            "taken" => Self::Taken(of(line)?),
            "count" => Self::Count(of(line)?),
            "end" => Self::End(of(line)?),
            // What it will say is not fixed, so one that is not understood is no damage.
            "contention" => match of(line) {
                Ok(contention) => Self::Contention(contention),
                Err(_) => Self::Unknown(kind.into_owned()),
            },
            other => Self::Unknown(other.to_owned()),
        })
    }
}

/// Why a line is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// It is of a format with this higher number.
    Newer(u64),
    /// It is damaged, from this byte of the line on, for this reason.
    Damaged(usize, String),
}

impl From<serde_json::Error> for Undecoded {
    fn from(error: serde_json::Error) -> Self {
        // There is one line, so that the column is the byte; 0 where serde has no position.
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what).to_owned();
        Self::Damaged(error.column().saturating_sub(1), what)
    }
}
