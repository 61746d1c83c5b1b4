//! What a finding comes to, in words.

use super::advice;
use super::cast::Cast;
use super::declared;
use super::giving;
use super::inversion;
use super::pairing;
use crate::finding::{Finding, Level, Outcome};

/// What a finding comes to.
pub(super) struct Verdict {
    /// What was found, in one sentence.
    pub(super) title: String,
    /// Why it can happen though it has not, each reason under a tag.
    pub(super) reasons: Vec<(&'static str, String)>,
    /// What is done about it now.
    pub(super) outcome: String,
    /// One thing to do about it.
    pub(super) help: String,
    /// How not to be told of it again.
    pub(super) silencing: String,
}

impl Verdict {
    /// The verdict on `finding`.
    pub(super) fn on(finding: &Finding, cast: &Cast<'_>) -> Self {
        if let Some(breach) = &finding.breach {
            return declared::on(finding, breach, cast);
        }
        if let Some(pairing) = &finding.pairing {
            return pairing::on(finding, pairing, cast);
        }
        if giving::takes_part(finding) {
            return giving::on(finding, cast);
        }
        match finding.has_happened() {
            true => advice::on(finding, cast),
            false => inversion::on(finding, cast),
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// It fails something.
    Error,
    /// Nothing fails because of it.
    Warning,
}

impl Severity {
    /// An inconsistent order that did no harm is an error only where somebody asked for that.
    pub(super) fn of(finding: &Finding) -> Self {
        match (finding.level, finding.outcome) {
            (Level::Order | Level::Misuse, Outcome::Noted) => Self::Warning,
            _ => Self::Error,
        }
    }

    /// The word that a report begins with.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}
