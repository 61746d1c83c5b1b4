//! What is ours, and what goes to the inner command.
//!
//! The two are mixed on the command line, as with cargo-llvm-cov. What we know is ours, up to a `--`; `--color` is for
//! both. Everything else is the inner command's, of which we only look at what says where, what and how it builds.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Options that are ours and the inner command's.
const SHARED: [&str; 1] = ["color"];

/// Parts `args` by the options that `ours` knows.
pub fn split(args: Vec<OsString>, ours: &clap::Command) -> (Vec<OsString>, Vec<OsString>) {
    let (mut mine, mut rest) = (Vec::new(), Vec::new());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            rest.push(arg);
            rest.extend(args);
            break;
        }
        let Some((name, takes_value)) = known(&arg, ours) else {
            rest.push(arg);
            continue;
        };
        let mut taken = vec![arg.clone()];
        let has_value = arg.to_string_lossy().contains('=');
        if takes_value && !has_value {
            taken.extend(args.next());
        }
        if SHARED.contains(&name) {
            rest.extend(taken.iter().cloned());
        }
        mine.extend(taken);
    }
    (mine, rest)
}

/// The option of ours that `arg` is, and whether it has a value.
fn known<'c>(arg: &OsStr, ours: &'c clap::Command) -> Option<(&'c str, bool)> {
    let arg = arg.to_str()?;
    if matches!(arg, "-h" | "--help") {
        return Some(("help", false));
    }
    let name = arg.strip_prefix("--")?.split('=').next()?;
    let option = ours.get_arguments().find(|option| option.get_long() == Some(name))?;
    Some((option.get_long()?, option.get_action().takes_values()))
}

/// What the inner command's arguments say that matters to us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// `--manifest-path`
    pub manifest_path: Option<PathBuf>,
    /// `--target-dir`
    pub target_dir: Option<PathBuf>,
    /// `-p`
    pub packages: Vec<String>,
    /// `--workspace`
    pub workspace: bool,
    /// `--exclude`
    pub excluded: Vec<String>,
    /// The profile of cargo's in which it builds, if it is named.
    pub profile: Option<String>,
}

impl Seen {
    /// What is in `args`. Nextest calls cargo's profile `--cargo-profile`, and has a `--profile` of its own.
    pub fn of(args: &[OsString], is_nextest: bool) -> Self {
        let mut seen = Self::default();
        let mut args = args.iter().map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--");
        while let Some(arg) = args.next() {
            let (name, mut value) = match arg.split_once('=') {
                Some((name, value)) if name.starts_with('-') => {
                    (name.to_owned(), Some(value.to_owned()))
                }
                _ => (arg.clone().into_owned(), None),
            };
            let name = match name.strip_prefix("-p") {
                Some(package) if !package.is_empty() && !name.starts_with("--") => {
                    value = Some(package.to_owned());
                    "-p".to_owned()
                }
                _ => name,
            };
            let mut value = || value.take().or_else(|| args.next().map(Into::into));
            match &*name {
                "--manifest-path" => seen.manifest_path = value().map(PathBuf::from),
                "--target-dir" => seen.target_dir = value().map(PathBuf::from),
                "-p" | "--package" => seen.packages.extend(value()),
                "--exclude" => seen.excluded.extend(value()),
                "--workspace" | "--all" => seen.workspace = true,
                "-r" | "--release" => seen.profile = Some("release".to_owned()),
                "--cargo-profile" if is_nextest => seen.profile = value(),
                "--profile" if !is_nextest => seen.profile = value(),
                _ => {}
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use clap::CommandFactory;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn what_is_ours_is_taken_wherever_it_stands_before_two_dashes() {
        let cli = Cli::command();
        let test = cli.find_subcommand("test").unwrap();
        for (args, mine, rest) in [
            ("", "", ""),
            ("--workspace", "", "--workspace"),
            ("--deny order --lib", "--deny order", "--lib"),
            ("--lib --deny=order name", "--deny=order", "--lib name"),
            ("--no-report -p a", "--no-report", "-p a"),
            ("-- --deny order", "", "-- --deny order"),
            ("--color always -q", "--color always", "--color always -q"),
            ("--format json -- --format json", "--format json", "-- --format json"),
            ("-h", "-h", ""),
            ("--formation x", "", "--formation x"),
            ("--deny", "--deny", ""),
        ] {
            let (ours, inner) = split(words(args), test);
            assert_eq!((ours, inner), (words(mine), words(rest)), "{args}");
        }
    }

    #[test]
    fn it_is_seen_what_the_inner_command_builds() {
        let seen = Seen::of(
            &words(
                "-p a -pb --package=c --exclude d --workspace --manifest-path x/Cargo.toml \
                    --target-dir t --profile slow name -- -p z --release",
            ),
            false,
        );
        let expected = Seen {
            manifest_path: Some("x/Cargo.toml".into()),
            target_dir: Some("t".into()),
            packages: ["a", "b", "c"].map(ToOwned::to_owned).into(),
            workspace: true,
            excluded: vec!["d".to_owned()],
            profile: Some("slow".to_owned()),
        };
        assert_eq!(seen, expected);
        assert_eq!(Seen::of(&words("-r"), false).profile.as_deref(), Some("release"));
        assert_eq!(Seen::of(&words("--profile ci"), true).profile, None);
        let seen = Seen::of(&words("--cargo-profile release"), true);
        assert_eq!(seen.profile.as_deref(), Some("release"));
    }

    #[test]
    fn the_command_line_is_put_together_well() {
        Cli::command().debug_assert();
    }
}
