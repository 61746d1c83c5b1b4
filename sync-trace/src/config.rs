//! Who reacts how: the `SYNC_TRACE` variable and its builder.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What happens in the thread that would close a deadlock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OnViolation {
    /// It panics with the report as its message; its guards are released, so the others go on.
    #[default]
    Panic = 0,
    /// The report is printed and the thread waits, as it would without sync-trace.
    Log = 1,
    /// The report is printed and the process aborts.
    Abort = 2,
}

impl OnViolation {
    pub(crate) const ALL: [Self; 3] = [Self::Panic, Self::Log, Self::Abort];
}

/// What happens where a panic could free nobody: at the end of a `thread::scope`, and in a thread
/// that is already unwinding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnStuck {
    /// The report is printed and the process ends with status [`EXIT_STATUS`].
    #[default]
    Exit,
    /// The report is printed and the thread waits for ever.
    Wait,
    /// The report is printed and the process aborts.
    Abort,
}

/// Whether the panic that reports a finding poisons the locks its thread holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Poison {
    /// It does not: the other threads go on as if the guards had been dropped. The data may be
    /// half-changed.
    #[default]
    Spare,
    /// It does, as any other panic would.
    Std,
}

/// Whose call stacks a report shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backtrace {
    /// Nobody's; the panic's own obeys `RUST_BACKTRACE` as always.
    #[default]
    Off,
    /// Everybody's: each wait that cannot be served at once captures its stack (some microseconds).
    Waits,
}

/// When a thread dump is printed by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DumpOn {
    /// Never.
    #[default]
    Never,
    /// When the process receives `SIGQUIT` (Ctrl-\ in a terminal). Unix, feature `signal`.
    SigQuit,
}

/// Which contradictory orders of locks count as failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Those that can become a deadlock, as far as was seen.
    #[default]
    Deadlock,
    /// All of them, as in Linux's lockdep: also where one thread alone took the locks in both orders,
    /// where another lock was held around both, and between other locks of the same classes.
    Order,
}

/// What the process says at its end about contradictory orders of locks that did not count as
/// failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Notes {
    /// How many there are, in one line.
    #[default]
    Count,
    /// A report of each.
    List,
    /// Nothing.
    Off,
}

/// Whether it is counted how locks are held and waited for, and whom waits are because of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Contention {
    /// It is; see [`contention`](fn@crate::contention). Some holds are measured, chosen at random.
    #[default]
    On,
    /// It is not.
    Off,
    /// It is, and every hold is measured, which takes some 100 ns for each.
    Full,
}

/// Whether it is printed from time to time what makes threads wait.
///
/// The table of [`contention`](fn@crate::contention), with what was counted since it was printed last, goes to
/// standard error, past any capture by a test harness: nothing where nothing was counted, and what is left when the
/// process ends. A process that was forked prints nothing of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PrintContention {
    /// It is not.
    #[default]
    Off,
    /// It is, each time that so much has passed.
    Every(Duration),
}

/// Whether threads are held up at random, so that rare schedules come up.
///
/// Before acquisitions, notifications, messages, joins and the like a thread yields now and then, or sleeps
/// for up to 100 µs, and a [`Condvar`](crate::sync::Condvar) wait may return although nobody has notified,
/// as `std` permits. Who yields where follows from the seed, the place in the tree of threads (its parent's,
/// and which child it is) and the thread's own count of such operations: not from time, addresses or other
/// threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Perturb {
    /// Not at all.
    #[default]
    Off,
    /// With a seed that is drawn, and printed.
    Random,
    /// With this one.
    Seed(u64),
}

/// Whether a note is printed of waits that last long and keep others waiting.
///
/// A wait for a signal, a message, a permit or an unpark that goes on for so long, while its thread has a lock
/// that another thread has wanted for as long: that is no proof of a deadlock, because any thread might still
/// end that wait. So it fails nothing, and is told once. Idle threads, for which nobody waits, are not told of,
/// nor those that take turns at one place or at one receiver, as the workers of a pool do, nor a wait
/// that was ended the last time by a thread which goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stall {
    /// It is not.
    Off,
    /// It is, if they have lasted as long as this.
    After(Duration),
}

impl Default for Stall {
    /// After 30 seconds.
    fn default() -> Self {
        Self::After(Duration::from_secs(30))
    }
}

/// The exit status of a process that sync-trace ends, or whose finding nobody noticed.
pub const EXIT_STATUS: i32 = 66;

/// How sync-trace reacts.
///
/// The environment variable `SYNC_TRACE` has the last word on every setting it names, so that a
/// person can change one run without changing the program. It is read once, when the first traced
/// lock is used:
///
/// ```text
/// SYNC_TRACE=off                                   trace nothing
/// SYNC_TRACE=on_violation=log,on_stuck=wait        settings, separated by commas
/// SYNC_TRACE=perturb                               hold threads up at random
/// SYNC_TRACE=perturb=0x1f                          the same, as that seed says
/// SYNC_TRACE=stall=10s                             tell of waits that keep others waiting so long
/// SYNC_TRACE=print_contention=10s                  print every ten seconds what made threads wait
/// ```
///
/// # Example
///
/// ```
/// use sync_trace::{Config, OnViolation};
///
/// Config::new().on_violation(OnViolation::Log).install();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a configuration does nothing until it is installed"]
pub struct Config {
    pub(crate) off: bool,
    pub(crate) on_violation: OnViolation,
    pub(crate) on_stuck: OnStuck,
    pub(crate) poison: Poison,
    pub(crate) backtrace: Backtrace,
    pub(crate) dump_on: DumpOn,
    pub(crate) policy: Policy,
    pub(crate) notes: Notes,
    pub(crate) perturb: Perturb,
    pub(crate) contention: Contention,
    pub(crate) print_contention: PrintContention,
    pub(crate) stall: Stall,
    pub(crate) run_dir: Option<&'static PathBuf>,
}

impl Config {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens in the thread that would close a deadlock; by default it panics.
    pub fn on_violation(self, reaction: OnViolation) -> Self {
        Self { on_violation: reaction, ..self }
    }

    /// What happens where a panic could free nobody; by default the process ends with status 66.
    pub fn on_stuck(self, reaction: OnStuck) -> Self {
        Self { on_stuck: reaction, ..self }
    }

    /// Whether the panic that reports a finding poisons locks; by default it does not.
    pub fn poison(self, rule: Poison) -> Self {
        Self { poison: rule, ..self }
    }

    /// Whose call stacks a report shows; by default nobody's.
    pub fn backtrace(self, whose: Backtrace) -> Self {
        Self { backtrace: whose, ..self }
    }

    /// When a thread dump is printed by itself; by default never.
    pub fn dump_on(self, when: DumpOn) -> Self {
        Self { dump_on: when, ..self }
    }

    /// Which contradictory orders of locks count as failures; by default those that can become a
    /// deadlock.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// What the process says at its end about the others; by default how many there are.
    pub fn notes(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// Whether threads are held up at random; by default they are not. A thread that has used a lock
    /// before the configuration is installed may be left alone for some time.
    pub fn perturb(self, perturb: Perturb) -> Self {
        Self { perturb, ..self }
    }

    /// Whether it is counted how locks are held and waited for; by default it is.
    pub fn contention(self, contention: Contention) -> Self {
        Self { contention, ..self }
    }

    /// Whether it is printed from time to time what makes threads wait; by default it is not.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use sync_trace::{Config, PrintContention};
    ///
    /// Config::new().print_contention(PrintContention::Every(Duration::from_secs(10))).install();
    /// ```
    pub fn print_contention(self, when: PrintContention) -> Self {
        Self { print_contention: when, ..self }
    }

    /// Whether a note is printed of waits that last long and keep others waiting; by default after 30 seconds.
    pub fn stall(self, stall: Stall) -> Self {
        Self { stall, ..self }
    }

    /// Where this process writes what it learns about locks, for other programs; by default nowhere.
    ///
    /// It makes a file of its own in there when it has the first thing to say, and the directory if it is not
    /// there. What has been seen before the configuration is installed may be missing. The environment
    /// variable `SYNC_TRACE_DIR` has the last word, and an empty one says nowhere. A few bytes for each
    /// call are never freed. `docs/run-directory.md` in the repository describes the files.
    ///
    /// # Example
    ///
    /// ```no_run
    /// sync_trace::Config::new().run_dir("target/sync-trace").install();
    /// ```
    pub fn run_dir(self, dir: impl AsRef<Path>) -> Self {
        Self { run_dir: Some(kept(dir.as_ref())), ..self }
    }
}

/// The path from wherever the process goes later.
fn kept(dir: &Path) -> &'static PathBuf {
    Box::leak(Box::new(std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned())))
}

/// One setting that the variable may name.
struct Setting {
    key: &'static str,
    values: &'static [&'static str],
    apply: fn(&mut Config, usize),
}

const SETTINGS: [Setting; 8] = [
    Setting {
        key: "on_violation",
        values: &["panic", "log", "abort"],
        apply: |config, which| config.on_violation = OnViolation::ALL[which],
    },
    Setting {
        key: "on_stuck",
        values: &["exit", "wait", "abort"],
        apply: |config, which| {
            config.on_stuck = [OnStuck::Exit, OnStuck::Wait, OnStuck::Abort][which];
        },
    },
    Setting {
        key: "poison",
        values: &["spare", "std"],
        apply: |config, which| config.poison = [Poison::Spare, Poison::Std][which],
    },
    Setting {
        key: "backtrace",
        values: &["off", "waits"],
        apply: |config, which| config.backtrace = [Backtrace::Off, Backtrace::Waits][which],
    },
    Setting {
        key: "dump_on",
        values: &["never", "SIGQUIT"],
        apply: |config, which| config.dump_on = [DumpOn::Never, DumpOn::SigQuit][which],
    },
    Setting {
        key: "policy",
        values: &["deadlock", "order"],
        apply: |config, which| config.policy = [Policy::Deadlock, Policy::Order][which],
    },
    Setting {
        key: "notes",
        values: &["count", "list", "off"],
        apply: |config, which| config.notes = [Notes::Count, Notes::List, Notes::Off][which],
    },
    Setting {
        key: "contention",
        values: &["on", "off", "full"],
        apply: |config, which| {
            config.contention = [Contention::On, Contention::Off, Contention::Full][which];
        },
    },
];

/// What `SYNC_TRACE` says: settings that go over any configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    off: bool,
    /// Indices into [`SETTINGS`] and their values, in the order written.
    chosen: Vec<(usize, usize)>,
    perturb: Option<Perturb>,
    stall: Option<Stall>,
    print_contention: Option<PrintContention>,
    /// What `SYNC_TRACE_DIR` says, which may be that there is none.
    run_dir: Option<Option<&'static PathBuf>>,
}

impl Overrides {
    /// Reads the variable's text. A part that cannot be read is named in an error and left out;
    /// the rest still holds.
    pub(crate) fn parse(text: &str) -> (Self, Vec<SettingError>) {
        let mut overrides = Self::default();
        let mut errors = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                None if part == "off" => overrides.off = true,
                None if part == "on" => overrides.off = false,
                None if part == PERTURB => overrides.perturb = Some(Perturb::Random),
                None => errors.push(SettingError::unknown(part)),
                Some((key, value)) if key.trim() == PERTURB => match seed(value.trim()) {
                    Ok(perturb) => overrides.perturb = Some(perturb),
                    Err(error) => errors.push(error),
                },
                Some((key, value)) if key.trim() == STALL => match time(STALL, value.trim()) {
                    Ok(time) => {
                        overrides.stall = Some(time.map_or(Stall::Off, Stall::After));
                    }
                    Err(error) => errors.push(error),
                },
                Some((key, value)) if key.trim() == PRINT => match time(PRINT, value.trim()) {
                    Ok(time) => {
                        let print = time.map_or(PrintContention::Off, PrintContention::Every);
                        overrides.print_contention = Some(print);
                    }
                    Err(error) => errors.push(error),
                },
                Some((key, value)) => match find(key.trim(), value.trim()) {
                    Ok(chosen) => overrides.chosen.push(chosen),
                    Err(error) => errors.push(error),
                },
            }
        }
        (overrides, errors)
    }

    /// The same, with what `SYNC_TRACE_DIR` says.
    pub(crate) fn with_run_dir(self, dir: Option<OsString>) -> Self {
        let named = |dir: OsString| (!dir.is_empty()).then(|| kept(Path::new(&dir)));
        Self { run_dir: dir.map(named), ..self }
    }

    /// `config` with these settings over it.
    pub(crate) fn over(&self, mut config: Config) -> Config {
        config.off = self.off;
        for &(setting, value) in &self.chosen {
            (SETTINGS[setting].apply)(&mut config, value);
        }
        config.perturb = match self.perturb {
            _ if config.off => Perturb::Off,
            Some(perturb) => perturb,
            None => config.perturb,
        };
        config.stall = self.stall.unwrap_or(config.stall);
        config.print_contention = match self.print_contention {
            _ if config.off => PrintContention::Off,
            Some(print) => print,
            None => config.print_contention,
        };
        config.run_dir = match self.run_dir {
            _ if config.off => None,
            Some(dir) => dir,
            None => config.run_dir,
        };
        config
    }
}

/// The setting that takes a number.
const PERTURB: &str = "perturb";

/// What it may be.
fn seed(value: &str) -> Result<Perturb, SettingError> {
    let hex = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X"));
    let seed = match hex {
        // `from_str_radix` takes a sign.
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    };
    match seed {
        Some(seed) => Ok(Perturb::Seed(seed)),
        None if value.eq_ignore_ascii_case("off") => Ok(Perturb::Off),
        None => Err(SettingError::Value { key: PERTURB, value: value.to_owned() }),
    }
}

/// The settings that take a time.
const STALL: &str = "stall";
const PRINT: &str = "print_contention";

/// What they may be; `None` is never.
fn time(key: &'static str, value: &str) -> Result<Option<Duration>, SettingError> {
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (count, unit) = value.split_at(digits);
    let millis = match unit.trim() {
        "ms" => Some(1),
        "s" => Some(1_000),
        "min" => Some(60_000),
        _ => None,
    };
    let count = count.parse::<u64>().ok().filter(|&count| count > 0);
    match count.zip(millis).and_then(|(count, millis)| count.checked_mul(millis)) {
        Some(millis) => Ok(Some(Duration::from_millis(millis))),
        None if value.eq_ignore_ascii_case("off") => Ok(None),
        None => Err(SettingError::Value { key, value: value.to_owned() }),
    }
}

fn find(key: &str, value: &str) -> Result<(usize, usize), SettingError> {
    let Some(which) = SETTINGS.iter().position(|setting| setting.key == key) else {
        return Err(SettingError::unknown(key));
    };
    let values = SETTINGS[which].values;
    let same = |accepted: &&str| accepted.eq_ignore_ascii_case(value);
    match values.iter().position(same) {
        Some(value) => Ok((which, value)),
        None => Err(SettingError::Value { key: SETTINGS[which].key, value: value.to_owned() }),
    }
}

/// A part of `SYNC_TRACE` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SettingError {
    Key { key: String, similar: Option<&'static str> },
    Value { key: &'static str, value: String },
    NotUnicode,
}

impl SettingError {
    fn unknown(key: &str) -> Self {
        let words =
            SETTINGS.iter().map(|setting| setting.key).chain([PERTURB, STALL, PRINT, "off", "on"]);
        Self::Key { key: key.to_owned(), similar: similar(key, words) }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { key, similar } => {
                write!(f, "unknown setting `{key}` in SYNC_TRACE")?;
                if let Some(similar) = similar {
                    write!(f, "; did you mean `{similar}`?")?;
                }
            }
            Self::Value { key, value } => {
                write!(f, "`{value}` is not a value of `{key}` in SYNC_TRACE")?;
            }
            Self::NotUnicode => write!(f, "SYNC_TRACE is not valid Unicode")?,
        }
        write!(f, "\n  = note: it is ignored; the other settings hold")?;
        write!(f, "\n  = help: accepted, separated by commas: off")?;
        SETTINGS
            .iter()
            .try_for_each(|setting| write!(f, ", {}={}", setting.key, setting.values.join("|")))?;
        write!(f, ", {PERTURB}, {PERTURB}=SEED|off (a number, or 0x and hexadecimal digits)")?;
        write!(f, ", {STALL}=TIME|off, {PRINT}=TIME|off (such as 500ms, 10s or 5min)")
    }
}

/// The one of `words` that was probably meant by `written`.
pub(crate) fn similar(
    written: &str,
    words: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let distance = |word: &&'static str| edit_distance(written, word);
    words.min_by_key(distance).filter(|word| distance(word) * 3 <= word.len())
}

/// How many characters have to be added, dropped or changed (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.chars().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Config, Vec<String>) {
        let (overrides, errors) = Overrides::parse(text);
        let config = overrides.over(Config::new());
        (config, errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_value_of_every_setting_is_understood() {
        for setting in &SETTINGS {
            for value in setting.values {
                let (_, errors) = parse(&format!("{}={value}", setting.key));
                assert_eq!(errors, [""; 0], "{}={value}", setting.key);
            }
        }
        let text = " on_violation = log , on_stuck=abort,,poison=std,dump_on=sigquit";
        let (config, errors) = parse(text);
        assert!(errors.is_empty());
        let expected = Config::new()
            .on_violation(OnViolation::Log)
            .on_stuck(OnStuck::Abort)
            .poison(Poison::Std)
            .dump_on(DumpOn::SigQuit);
        assert_eq!(config, expected);
        assert!(parse("off").0.off && !parse("off,on").0.off && !parse("").0.off);
    }

    #[test]
    fn a_seed_is_a_number_in_either_notation_or_drawn() {
        for (text, expected) in [
            ("perturb", Perturb::Random),
            ("perturb=17", Perturb::Seed(17)),
            (" perturb = 0X1f ", Perturb::Seed(31)),
            ("perturb=0xffffffffffffffff", Perturb::Seed(u64::MAX)),
            ("perturb=3,perturb=Off", Perturb::Off),
            ("perturb=3,off", Perturb::Off),
            ("", Perturb::Off),
        ] {
            let (config, errors) = parse(text);
            assert_eq!((config.perturb, errors.len()), (expected, 0), "{text}");
        }
        for value in ["", "0x", "0x+1", "-1", "1f", "0x10000000000000000"] {
            let (config, errors) = parse(&format!("perturb=5,perturb={value}"));
            assert_eq!(config.perturb, Perturb::Seed(5), "the rest holds");
            let start = format!("`{value}` is not a value of `perturb` in SYNC_TRACE");
            assert!(errors[0].starts_with(&start), "{}", errors[0]);
            assert!(errors[0].contains("perturb, perturb=SEED|off"), "{}", errors[0]);
        }
        let (_, errors) = parse("pertrub");
        assert!(errors[0].contains("did you mean `perturb`?"), "{}", errors[0]);
        let (overrides, _) = Overrides::parse("perturb=1");
        assert_eq!(
            overrides.over(Config::new().perturb(Perturb::Random)).perturb,
            Perturb::Seed(1)
        );
        let (overrides, _) = Overrides::parse("notes=off");
        let program = Config::new().perturb(Perturb::Seed(2));
        assert_eq!(overrides.over(program).perturb, Perturb::Seed(2));
    }

    #[test]
    fn a_stall_is_a_time_with_its_unit_or_off() {
        let after = |millis| Stall::After(Duration::from_millis(millis));
        for (text, expected) in [
            ("", after(30_000)),
            ("stall=10s", after(10_000)),
            (" stall = 250 ms ", after(250)),
            ("stall=5min", after(300_000)),
            ("stall=1s,stall=OFF", Stall::Off),
        ] {
            let (config, errors) = parse(text);
            assert_eq!((config.stall, errors.len()), (expected, 0), "{text}");
        }
        for value in ["", "10", "0s", "s", "-1s", "1.5s", "18446744073709551615min"] {
            let (config, errors) = parse(&format!("stall=2s,stall={value}"));
            assert_eq!(config.stall, after(2_000), "the rest holds");
            let start = format!("`{value}` is not a value of `stall` in SYNC_TRACE");
            assert!(errors[0].starts_with(&start), "{}", errors[0]);
            assert!(errors[0].contains("stall=TIME|off"), "{}", errors[0]);
        }
    }

    #[test]
    fn contention_is_counted_and_printed_by_settings_of_their_own() {
        let every = |millis| PrintContention::Every(Duration::from_millis(millis));
        for (text, expected) in [
            ("", PrintContention::Off),
            ("contention=on,print_contention=10s", every(10_000)),
            ("print_contention = 250 ms , contention=on", every(250)),
            ("print_contention=1s,print_contention=OFF", PrintContention::Off),
            ("print_contention=1s,off", PrintContention::Off),
        ] {
            let (config, errors) = parse(text);
            assert_eq!((config.print_contention, errors.len()), (expected, 0), "{text}");
            assert_eq!((config.contention, config.stall), (Contention::On, Stall::default()));
        }
        for value in ["", "10", "0s", "every 10s"] {
            let (config, errors) = parse(&format!("print_contention=2s,print_contention={value}"));
            assert_eq!(config.print_contention, every(2_000), "the rest holds");
            let start = format!("`{value}` is not a value of `print_contention` in SYNC_TRACE");
            assert!(errors[0].starts_with(&start), "{}", errors[0]);
            assert!(errors[0].contains("print_contention=TIME|off"), "{}", errors[0]);
        }
        let (_, errors) = parse("print_contetion=10s");
        assert!(errors[0].contains("did you mean `print_contention`?"), "{}", errors[0]);
        let (overrides, _) = Overrides::parse("notes=off");
        let program = Config::new().print_contention(every(7));
        assert_eq!(overrides.over(program).print_contention, every(7));
    }

    #[test]
    fn a_mistake_is_named_and_the_rest_holds() {
        let (config, errors) = parse("on_violaton=abort,on_stuck=wait");
        assert_eq!(config.on_stuck, OnStuck::Wait);
        assert_eq!(config.on_violation, OnViolation::Panic);
        assert!(errors[0].starts_with("unknown setting `on_violaton` in SYNC_TRACE"));
        assert!(errors[0].contains("did you mean `on_violation`?"));
        assert!(errors[0].contains("on_violation=panic|log|abort, on_stuck=exit|wait|abort"));

        let (_, errors) = parse("on_stuck=explode,verbose");
        assert!(errors[0].starts_with("`explode` is not a value of `on_stuck`"));
        assert!(errors[1].starts_with("unknown setting `verbose`"));
        assert!(!errors[1].contains("did you mean"));
    }

    #[test]
    fn the_variable_goes_over_the_program() {
        let (overrides, _) = Overrides::parse("on_violation=abort");
        let program = Config::new().on_violation(OnViolation::Log).on_stuck(OnStuck::Wait);
        let merged = overrides.over(program);
        assert_eq!(merged.on_violation, OnViolation::Abort);
        assert_eq!(merged.on_stuck, OnStuck::Wait);
    }
}
