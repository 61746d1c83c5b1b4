//! `cargo sync-trace`.

use cargo_sync_trace::commands::{self, Stop};
use cargo_sync_trace::exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::run(std::env::args_os().skip(1)) {
        Ok(exit) => exit.into(),
        Err(Stop::Clap(error)) => {
            // Nobody may be listening any more.
            let _ = error.print();
            if error.use_stderr() { exit::USAGE.into() } else { exit::SUCCESS.into() }
        }
        Err(Stop::Failed(failure)) => {
            eprintln!("error: {}", failure.0);
            exit::FAILURE.into()
        }
    }
}
