//! `merge`: several runs in one directory, such as those of the machines of a CI job.

use crate::cli::MergeArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::read;
use crate::words::count;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &MergeArgs) -> Result<Exit, Failure> {
    let mut files = Vec::new();
    for dir in &args.runs {
        let failure = |error| Failure(format!("{} cannot be read: {error}", dir.display()));
        files.extend(read::files(dir).map_err(failure)?);
    }
    let to = &args.output_path;
    std::fs::create_dir_all(to)
        .map_err(|error| Failure(format!("{} cannot be made: {error}", to.display())))?;
    let progress = Progress::new("copying", files.len());
    for file in &files {
        copy(file, to)
            .map_err(|error| Failure(format!("{} cannot be copied: {error}", file.display())))?;
        progress.step();
    }
    progress.end();
    eprintln!(
        "sync-trace: {} of {} in {}",
        count(files.len(), "process"),
        count(args.runs.len(), "run"),
        to.display()
    );
    Ok(Exit::Success)
}

/// Copies a file under its own name, with a number behind it where another one has that.
fn copy(file: &Path, to: &Path) -> io::Result<PathBuf> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    for number in 1.. {
        let name =
            if number == 1 { format!("{stem}.jsonl") } else { format!("{stem}-{number}.jsonl") };
        let path = to.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut out) => {
                io::copy(&mut std::fs::File::open(file)?, &mut out)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("some number is free")
}
