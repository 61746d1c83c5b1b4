//! The report as plain text, for builds without source snippets.

use super::source::Sources;
use super::story::Story;
use super::words::{columns, place};
use crate::finding::Finding;

/// Renders `finding`.
pub(super) fn render(finding: &Finding, sources: &Sources) -> String {
    let story = Story::of(finding, sources);
    let marks: Vec<_> =
        story.marks.into_iter().map(|mark| [place(mark.site), mark.label]).collect();
    let mut text = format!("error[{}]: {}", finding.code, story.title);
    text.push_str(&indented(&columns(&marks), 2));
    for (tag, fact) in &story.facts {
        let fact = indented(fact, tag.len() + 4);
        text.push_str(&format!("\n  {tag}: {}", fact.trim_start()));
    }
    text
}

/// Each line on a line of its own, behind `depth` spaces.
fn indented(lines: &str, depth: usize) -> String {
    lines.lines().map(|line| format!("\n{:depth$}{line}", "")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cases::{self, at_root};
    use super::*;

    /// The alignment depends on the length of the paths, so it is looked at apart.
    #[track_caller]
    fn check(finding: &Finding, expected: &str) {
        let text = render(finding, &Sources::new());
        let starts: Vec<_> = text.lines().filter_map(|line| line.find("  'transfer-0' ")).collect();
        assert!(starts.windows(2).all(|pair| pair[0] == pair[1]), "not aligned:\n{text}");
        let text = at_root(&text);
        let words = |text: &str| text.split(' ').filter(|w| !w.is_empty()).collect::<String>();
        let is_same = words(&text) == words(expected.trim_end());
        assert!(is_same, "rendered:\n{text}\nexpected:\n{expected}");
    }

    #[test]
    fn everything_is_said_without_source_lines() {
        check(&cases::abba(), include_str!("cases/plain_abba.txt"));
        check(&cases::ended(), include_str!("cases/plain_ended.txt"));
    }

    #[test]
    fn no_fact_is_lost() {
        for finding in cases::all() {
            let text = render(&finding, &Sources::new());
            let Story { title, marks, facts } = Story::of(&finding, &Sources::new());
            let labels = marks.iter().map(|mark| &mark.label);
            let lines = facts.iter().flat_map(|(_, fact)| fact.lines());
            for said in labels.map(String::as_str).chain(lines).chain([&title[..]]) {
                assert!(text.contains(said), "no {said} in {text}");
            }
        }
    }
}
