//! From directories to a report.

use crate::cli::options::{Judging, Showing};
use crate::exit::{Exit, Failure};
use crate::format::{self, Format, Style};
use crate::merge::{Gathered, Run};
use crate::progress::Progress;
use crate::read;
use crate::report::Report;
use crate::report::accepted::Files;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Reads and merges the runs in `dirs`.
pub(super) fn merged(dirs: &[PathBuf]) -> Result<Run, Failure> {
    let mut files = Vec::new();
    for dir in dirs {
        let found = read::files(dir);
        let failure = |error| Failure(format!("{} cannot be read: {error}", dir.display()));
        files.extend(found.map_err(failure)?);
    }
    let progress = Progress::new("merging", files.len());
    let mut gathered = Gathered::default();
    for file in &files {
        gathered.take_in(file);
        progress.step();
    }
    progress.end();
    Ok(gathered.finish())
}

/// The report on the runs in `dirs`. `root` is where files are looked for that hold whoever has run.
pub(super) fn report(
    dirs: Vec<PathBuf>,
    root: &Path,
    judging: &Judging,
) -> Result<Report, Failure> {
    let run = merged(&dirs)?;
    let baseline = judging.baseline.as_deref().map(std::path::absolute).transpose()?;
    let files = Files::of(&run, root, baseline.as_deref());
    Ok(Report::new(dirs, run, files, judging.deny))
}

/// Where a report goes that has no file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Shows a report, and says how the program ends.
pub(super) fn show(report: &Report, showing: &Showing, stream: Stream) -> Result<Exit, Failure> {
    let style = |terminal| Style { colour: showing.color.is_on(terminal), notes: showing.notes };
    match (&showing.output_path, stream) {
        (Some(path), _) => {
            let failure = |error| Failure(format!("{} cannot be written: {error}", path.display()));
            let mut out = BufWriter::new(File::create(path).map_err(failure)?);
            let written = format::write(showing.format, report, style(false), &mut out);
            written.and_then(|()| out.flush()).map_err(failure)?;
            if showing.format != Format::Term {
                eprintln!("{}", format::term::summary(report));
            }
        }
        (None, Stream::Out) => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            let style = style(std::io::stdout().is_terminal());
            quietly(format::write(showing.format, report, style, &mut out))?;
            quietly(out.flush())?;
        }
        (None, Stream::Err) => {
            let mut out = BufWriter::new(std::io::stderr().lock());
            let style = style(std::io::stderr().is_terminal());
            quietly(format::write(showing.format, report, style, &mut out))?;
            quietly(out.flush())?;
        }
    }
    Ok(if report.fails() { Exit::Findings } else { Exit::Success })
}

/// A reader who has gone, as in `| head`, is no error.
pub(super) fn quietly(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
