//! The arguments of the table.

use crate::family::{Family, Std, Traced};
use crate::table::Layout;

/// How much of the table is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How carefully it is measured.
    pub effort: Effort,
    /// For whom it is.
    pub layout: Layout,
    /// Who is in it.
    pub peers: Peers,
    filters: Vec<String>,
}

/// How carefully it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// For numbers to compare with.
    Full,
    /// For a look: `--quick`.
    Quick,
    /// Only to see that it runs: without the `--bench` that `cargo bench` passes, as in
    /// `cargo test --benches`.
    Smoke,
}

/// Whether others are measured beside `std` and sync-trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// All that can do the work.
    Beside,
    /// None, which is quicker: `--no-peers`.
    LeftOut,
}

impl Peers {
    /// Whether the family of this name is measured.
    pub fn want(self, name: &str) -> bool {
        self == Self::Beside || [Std::NAME, Traced::NAME].contains(&name)
    }
}

impl Effort {
    /// How many repetitions are made of what is worth `full` of them.
    pub fn of(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full.div_ceil(8),
            Self::Smoke => 2,
        }
    }
}

impl Options {
    /// From the arguments of the process.
    pub fn from_args() -> Self {
        Self::parse(std::env::args().skip(1))
    }

    fn parse(args: impl Iterator<Item = String>) -> Self {
        let (mut bench, mut quick, mut filters) = (false, false, Vec::new());
        let (mut layout, mut peers) = (Layout::Terminal, Peers::Beside);
        for arg in args {
            match arg.as_str() {
                "--bench" => bench = true,
                "--quick" => quick = true,
                "--markdown" => layout = Layout::Markdown,
                "--no-peers" => peers = Peers::LeftOut,
                // What Cargo may pass on for its own harness is none of ours.
                flag if flag.starts_with('-') => {}
                _ => filters.push(arg),
            }
        }
        let effort = match (quick, bench) {
            (true, _) => Effort::Quick,
            (false, true) => Effort::Full,
            (false, false) => Effort::Smoke,
        };
        Self { effort, layout, peers, filters }
    }

    /// Whether the row `name` is wanted: it contains one of the words given, or none was.
    pub fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Options {
        Options::parse(args.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn words_choose_rows_and_flags_choose_the_effort() {
        let options = parse("--bench mutex read");
        assert_eq!(options.effort, Effort::Full);
        assert!(options.wants("contended mutex") && options.wants("rwlock read"));
        assert!(!options.wants("rwlock write"));
        assert_eq!(parse("--quick --bench").effort, Effort::Quick);
        assert_eq!(parse("").effort, Effort::Smoke);
        assert!(parse("").wants("anything"));
        assert_eq!(parse("--markdown").layout, Layout::Markdown);
    }

    #[test]
    fn without_peers_there_are_two() {
        let measured =
            |args| crate::family::peers::names().map(|name| parse(args).peers.want(name));
        assert_eq!(measured(""), [true; 8]);
        let alone = measured("--no-peers");
        assert_eq!(alone.iter().filter(|&&is_measured| is_measured).count(), 2);
        assert!(alone[0] && alone[1]);
    }
}
