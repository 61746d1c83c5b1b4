//! Options that several subcommands share.

use crate::format::Format;
use crate::format::colour::ColorChoice;
use crate::level::Deny;
use clap::Args;
use std::path::PathBuf;

/// What fails the run.
#[derive(Debug, Args)]
pub struct Judging {
    /// The run fails, with status 66, because of findings up to this level
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t)]
    pub deny: Deny,
    /// What is accepted, in place of the nearest sync-trace-baseline.toml
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

/// How it is shown.
#[derive(Debug, Args)]
pub struct Showing {
    /// In which form
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
    /// Where to write it [default: the terminal]
    #[arg(long, value_name = "FILE")]
    pub output_path: Option<PathBuf>,
    /// Show the whole of what fails nothing, too
    #[arg(long)]
    pub notes: bool,
    /// Colours: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, hide_possible_values = true)]
    pub color: ColorChoice,
}

/// Where the workspace is.
#[derive(Debug, Default, Args)]
pub struct Place {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// Where artifacts and runs are
    #[arg(long, value_name = "DIR")]
    pub target_dir: Option<PathBuf>,
}
