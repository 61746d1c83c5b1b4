//! `explain CODE`: what it means, with an example and what to do.

use super::load::quietly;
use crate::cli::ExplainArgs;
use crate::exit::{Exit, Failure};
use crate::explain;
use std::io::Write;

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, Failure> {
    let text = match &args.code {
        None => explain::list().map(|(code, title)| format!("{code}  {title}\n")).collect(),
        Some(text) => explain::meant(text).and_then(explain::plain).ok_or_else(|| {
            let codes: Vec<_> = explain::list().map(|(code, _)| code).collect();
            Failure(format!("`{text}` is no code; there are {}", codes.join(", ")))
        })?,
    };
    quietly(std::io::stdout().lock().write_all(text.as_bytes()))?;
    Ok(Exit::Success)
}
