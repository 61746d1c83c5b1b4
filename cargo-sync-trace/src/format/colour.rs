//! Whether to use colour, and colour in what is rendered without.

use clap::ValueEnum;

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Yes
    Always,
    /// No
    Never,
}

impl ColorChoice {
    /// Whether to use colour where it is shown. The order is: the option, `NO_COLOR`, `CLICOLOR_FORCE`,
    /// `CARGO_TERM_COLOR`, and a terminal that is not dumb.
    pub fn is_on(self, terminal: bool) -> bool {
        self.is_on_with(terminal, &|name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })
    }

    fn is_on_with(self, terminal: bool, variable: &dyn Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Always => return true,
            Self::Never => return false,
            Self::Auto => {}
        }
        if variable("NO_COLOR").is_some() {
            return false;
        }
        if variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            return true;
        }
        match variable("CARGO_TERM_COLOR").as_deref() {
            Some("always") => true,
            Some("never") => false,
            _ => terminal && variable("TERM").as_deref() != Some("dumb"),
        }
    }
}

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1m\u{1b}[91m";
const YELLOW: &str = "\u{1b}[1m\u{1b}[33m";
const BLUE: &str = "\u{1b}[1m\u{1b}[94m";
const RESET: &str = "\u{1b}[0m";

/// Colours a report that was rendered without: its heading and its margin. A report that has colours already is
/// left as it is.
pub fn paint(report: &str) -> String {
    if report.contains('\u{1b}') {
        return report.to_owned();
    }
    let mut painted = String::with_capacity(report.len() + 200);
    for (number, line) in report.split_inclusive('\n').enumerate() {
        let (text, end) = match line.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        if number == 0 {
            painted.push_str(&heading(text));
        } else {
            let margin = margin(text);
            let (margin, rest) = text.split_at(margin);
            if !margin.trim().is_empty() {
                painted.push_str(&format!("{BLUE}{margin}{RESET}"));
            } else {
                painted.push_str(margin);
            }
            painted.push_str(rest);
        }
        painted.push_str(end);
    }
    painted
}

/// `error[ST0001]: …`
fn heading(line: &str) -> String {
    let Some((head, title)) = line.split_once(": ") else { return line.to_owned() };
    let colour = if head.starts_with("error") { RED } else { YELLOW };
    format!("{colour}{head}{RESET}{BOLD}: {title}{RESET}")
}

/// How long the margin is: line numbers and what is beside them.
fn margin(line: &str) -> usize {
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    for mark in ["--> ", "::: ", "= ", "| ", "..."] {
        if rest.starts_with(mark) {
            return indent + mark.len();
        }
    }
    if rest == "|" {
        return line.len();
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && rest[digits..].starts_with(" |") { indent + digits + 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_heeded_in_its_order() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, terminal, variables, expected) in [
            (Auto, true, &[][..], true),
            (Auto, false, &[], false),
            (Auto, true, &[("TERM", "dumb")], false),
            (Auto, true, &[("NO_COLOR", "1")], false),
            (Auto, true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Auto, false, &[("CARGO_TERM_COLOR", "always")], true),
            (Auto, true, &[("CARGO_TERM_COLOR", "never")], false),
            (Always, false, &[("NO_COLOR", "1")], true),
            (Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ] {
            let variable = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                choice.is_on_with(terminal, &variable),
                expected,
                "{choice:?} {variables:?}"
            );
        }
    }

    #[test]
    fn colour_changes_nothing_else() {
        let report = "error[ST0001]: two: threads\n  --> a.rs:1:2\n   |\n12 |     x.lock();\n   |       ---- \
                      here\n...\n   = note: n\n           more";
        let painted = paint(report);
        let mut plain = painted.clone();
        for code in [RED, YELLOW, BLUE, BOLD, RESET] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, report);
        assert!(painted.starts_with("\u{1b}[1m\u{1b}[91merror[ST0001]\u{1b}[0m"), "{painted:?}");
        assert_eq!(paint(&painted), painted);
    }
}
