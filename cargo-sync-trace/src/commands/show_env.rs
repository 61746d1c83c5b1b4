//! `show-env`: for debuggers, IDEs, cargo-llvm-cov and whatever else runs programs.

use super::load::quietly;
use crate::cli::ShowEnvArgs;
use crate::exit::{Exit, Failure};
use crate::workspace::Workspace;
use std::io::Write;

pub(super) fn run(args: &ShowEnvArgs) -> Result<Exit, Failure> {
    let workspace = Workspace::find(&args.place)?;
    let dir = workspace.new_run()?;
    let value = dir.to_str().ok_or_else(|| {
        Failure(format!("{} is no UTF-8, so no shell can be told", dir.display()))
    })?;
    let quoted = |escaped: &str| format!("'{}'", value.replace('\'', escaped));
    let line = if args.pwsh {
        format!("$env:SYNC_TRACE_DIR={}", quoted("''"))
    } else if args.fish {
        format!("set -gx SYNC_TRACE_DIR {}", quoted("\\'"))
    } else if args.sh {
        format!("export SYNC_TRACE_DIR={}", quoted("'\\''"))
    } else {
        format!("SYNC_TRACE_DIR={value}")
    };
    quietly(writeln!(std::io::stdout(), "{line}"))?;
    Ok(Exit::Success)
}
