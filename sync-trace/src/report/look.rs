//! Whether a report is coloured, and which characters draw its lines.

use std::io::IsTerminal;

/// How a report looks where it will be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// With ANSI colours.
    pub(super) colour: bool,
    /// With Unicode lines instead of ASCII ones.
    pub(super) unicode: bool,
}

impl Look {
    /// For text that is captured or sent on, such as a panic message.
    pub(super) fn captured() -> Self {
        Self { colour: forced(&variable).unwrap_or(false), unicode: false }
    }

    /// For standard error.
    pub(super) fn for_stderr() -> Self {
        Self::on(std::io::stderr().is_terminal(), &variable)
    }

    fn on(terminal: bool, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let colour = forced(variable)
            .or_else(|| match variable("CARGO_TERM_COLOR").as_deref() {
                Some("always") => Some(true),
                Some("never") => Some(false),
                _ => None,
            })
            .unwrap_or_else(|| terminal && variable("TERM").as_deref() != Some("dumb"));
        Self { colour, unicode: terminal && is_utf8(variable) }
    }
}

/// What the user insists on. `CARGO_TERM_COLOR` is not asked here: CI sets it for what cargo
/// prints, and it should not put escapes into messages that a test compares.
fn forced(variable: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    if variable("NO_COLOR").is_some() {
        return Some(false);
    }
    variable("CLICOLOR_FORCE").filter(|value| value != "0").map(|_| true)
}

/// The locale of characters is the first of these three that is set.
fn is_utf8(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// The value of an environment variable; all the conventions used here take empty as unset.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(terminal: bool, variables: &[(&str, &str)], colour: bool, unicode: bool) {
        let variable = |name: &str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(Look::on(terminal, &variable), Look { colour, unicode });
    }

    #[test]
    fn a_terminal_gets_colour_unless_told_otherwise() {
        check(true, &[], true, false);
        check(true, &[("TERM", "dumb")], false, false);
        check(true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false, false);
        check(true, &[("CARGO_TERM_COLOR", "never")], false, false);
    }

    #[test]
    fn a_file_gets_colour_only_if_told_so() {
        check(false, &[], false, false);
        check(false, &[("CLICOLOR_FORCE", "0")], false, false);
        check(false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], true, false);
        check(false, &[("CARGO_TERM_COLOR", "always")], true, false);
    }

    #[test]
    fn unicode_lines_need_a_terminal_and_a_utf_8_locale() {
        check(true, &[("LANG", "en_GB.UTF-8")], true, true);
        check(false, &[("LANG", "en_GB.UTF-8")], false, false);
        check(true, &[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")], true, false);
    }
}
