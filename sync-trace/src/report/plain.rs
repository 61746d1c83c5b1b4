//! The report as plain text: all of it, for builds without source snippets, and a short form.

use super::cast::Cast;
use super::source::Sources;
use super::story::{Story, who_and_what};
use crate::finding::Finding;

/// Renders `finding`.
#[cfg(any(test, not(feature = "pretty")))]
pub(super) fn render(finding: &Finding, sources: &Sources) -> String {
    let cast = Cast::of(finding, sources);
    let story = Story::of(finding, &cast);
    let mut text = head(finding, &story, &cast);
    for (tag, fact) in &story.facts {
        let fact = indented(fact, tag.len() + 6);
        text.push_str(&format!("\n  = {tag}: {}", fact.trim_start()));
    }
    text
}

/// Renders only what happened, for where the whole report follows as a panic message.
pub(super) fn compact(finding: &Finding, sources: &Sources) -> String {
    let cast = Cast::of(finding, sources);
    let mut text = head(finding, &Story::of(finding, &cast), &cast);
    let of_link = finding.links.first().map(|link| &link.agent);
    let of_breach = finding.breach.as_ref().and_then(|breach| breach.agent.as_ref());
    if let Some(agent) = finding.raised_by.as_ref().or(of_link).or(of_breach) {
        let panics = cast.thread(agent);
        text += &format!("\n  = note: the whole report is the panic message of thread {panics}");
    }
    text
}

fn head(finding: &Finding, story: &Story, cast: &Cast<'_>) -> String {
    let rows = indented(&who_and_what(finding, cast), 2);
    format!("{}[{}]: {}{rows}", story.severity.as_str(), finding.code, story.title)
}

/// Each line on a line of its own, behind `depth` spaces.
fn indented(lines: &str, depth: usize) -> String {
    lines.lines().map(|line| format!("\n{:depth$}{line}", "")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cases::{self, at_root, inversions};
    use super::super::cast::held;
    use super::super::words::line_of;
    use super::*;

    /// The alignment depends on the length of the paths, so it is looked at apart.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let starts: Vec<_> = text.lines().filter_map(|line| line.find(" wants `")).collect();
        assert!(starts.windows(2).all(|pair| pair[0] == pair[1]), "not aligned:\n{text}");
        let text = at_root(text);
        let words = |text: &str| text.split(' ').filter(|w| !w.is_empty()).collect::<String>();
        let is_same = words(&text) == words(expected.trim_end());
        assert!(is_same, "rendered:\n{text}\nexpected:\n{expected}");
    }

    #[test]
    fn everything_is_said_without_source_lines() {
        let render = |finding| render(&finding, &Sources::new());
        check(&render(cases::abba()), include_str!("cases/plain_abba.txt"));
        check(&render(cases::ended()), include_str!("cases/plain_ended.txt"));
        check(&render(inversions::both_orders()), include_str!("cases/plain_both_orders.txt"));
    }

    #[test]
    fn the_short_form_says_who_holds_and_who_wants_what() {
        let compact = |finding| compact(&finding, &Sources::new());
        check(&compact(cases::abba()), include_str!("cases/compact_abba.txt"));
        check(&compact(cases::queued_writer()), include_str!("cases/compact_queued_writer.txt"));
        check(&compact(inversions::both_orders()), include_str!("cases/compact_both_orders.txt"));
    }

    #[test]
    fn no_position_and_no_fact_is_lost() {
        for finding in cases::all() {
            let text = render(&finding, &Sources::new());
            let Story { title, facts, .. } =
                Story::of(&finding, &Cast::of(&finding, &Sources::new()));
            let waits = finding.links.iter().map(|link| link.wait.site);
            let holds = finding.links.iter().filter_map(|link| held(&link.blocker));
            let sites = waits.chain(holds.map(|hold| hold.site)).map(line_of);
            let lines = facts.iter().flat_map(|(_, fact)| fact.lines().map(str::to_owned));
            for said in sites.chain(lines).chain([title]) {
                assert!(text.contains(&said), "no {said} in {text}");
            }
        }
    }
}
