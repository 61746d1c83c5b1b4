//! The report in rustc's style, with the source lines it is about.

use super::cast::Cast;
use super::look::Look;
use super::marks::{Mark, Role, marks, thinned};
use super::source::{Sources, Spot};
use super::story::{Story, who_and_what};
use super::verdict::Severity;
use crate::finding::Finding;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Padding, Renderer, Snippet,
};
use std::ops::Range;

/// Wide enough for a usual line with a label behind it, so that code is rarely cut off.
const WIDTH: usize = 200;

/// Renders `finding`.
pub(super) fn render(finding: &Finding, sources: &Sources, look: Look) -> String {
    let cast = Cast::of(finding, sources);
    let Story { severity, title, facts } = Story::of(finding, &cast);
    let all = marks(finding, &cast);
    let marks = thinned(&all);
    let spots: Vec<_> = marks.iter().map(|mark| sources.spot(mark.at)).collect();
    let shown: Vec<_> = marks.iter().zip(&spots).collect();
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(title).id(finding.code.as_str());
    let mut group = Group::with_title(title).elements(heading(&shown));
    group = group.elements(by_file(&shown).iter().filter_map(|file| snippet(file)));
    if marks.len() < all.len() || spots.contains(&None) {
        group = group.element(message("who", who_and_what(finding, &cast)));
    }
    group = group.elements(facts.into_iter().map(|(tag, text)| message(tag, text)));
    renderer(look).render(&[group])
}

/// A mark and, if the source still has it, its place there.
type Shown<'a> = (&'a Mark, &'a Option<Spot>);

fn renderer(look: Look) -> Renderer {
    let renderer = if look.colour { Renderer::styled() } else { Renderer::plain() };
    let decor = if look.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    renderer.decor_style(decor).term_width(WIDTH)
}

/// The position of the closing wait, where no snippet is headed by it.
fn heading<'a>(marks: &[Shown<'a>]) -> Vec<Element<'a>> {
    let closing = marks.iter().find(|(mark, _)| mark.role == Role::Closes);
    match closing {
        Some((mark, None)) if !mark.at.is_unknown() => {
            let (line, column) = (mark.at.line as usize, mark.at.column as usize);
            let origin = Origin::path(mark.at.file).line(line).char_column(column);
            let mut elements = vec![Element::from(origin)];
            if marks.iter().all(|(_, spot)| spot.is_none()) {
                elements.push(Padding.into());
            }
            elements
        }
        _ => Vec::new(),
    }
}

/// The marks of each file, as the files are met.
fn by_file<'a>(marks: &[Shown<'a>]) -> Vec<Vec<Shown<'a>>> {
    let mut files: Vec<Vec<Shown<'a>>> = Vec::new();
    for &shown in marks {
        match files.iter_mut().find(|file| file[0].0.at.file == shown.0.at.file) {
            Some(file) => file.push(shown),
            None => files.push(vec![shown]),
        }
    }
    files
}

/// One file's lines with their labels.
fn snippet<'a>(marks: &[Shown<'a>]) -> Option<Snippet<'a, Annotation<'a>>> {
    let shown: Vec<(&Mark, &Spot)> =
        marks.iter().filter_map(|&(mark, spot)| Some((mark, spot.as_ref()?))).collect();
    let (first, spot) = shown.first()?;
    // The renderer need not see a whole file to show a few of its lines.
    let lines = shown.iter().map(|(_, spot)| whole_lines(&spot.text, &spot.span));
    let (start, end) = lines.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let closing = shown.iter().find(|(mark, _)| mark.role == Role::Closes);
    let annotation = |(mark, spot): &(&'a Mark, &Spot)| {
        // A snippet is headed by its first primary label, and that has to be the closing wait.
        let kind = match mark.role {
            Role::Closes => AnnotationKind::Primary,
            Role::Waits if closing.is_none_or(|(closing, _)| is_before(closing, mark)) => {
                AnnotationKind::Primary
            }
            Role::Waits | Role::Holds | Role::Declares => AnnotationKind::Context,
        };
        kind.span(spot.span.start - start..spot.span.end - start).label(mark.label.as_str())
    };
    let snippet = Snippet::source(spot.text[start..end].to_owned())
        .path(first.at.file)
        .line_start(shown.iter().map(|(mark, _)| mark.at.line).min()? as usize);
    Some(snippet.annotations(shown.iter().map(annotation)))
}

fn is_before(one: &Mark, other: &Mark) -> bool {
    let place = |mark: &Mark| (mark.at.file, mark.at.line, mark.at.column);
    place(one) < place(other)
}

/// Where the lines around `span` begin and end.
fn whole_lines(text: &str, span: &Range<usize>) -> (usize, usize) {
    let start = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |length| span.end + length);
    (start, end)
}

fn message<'a>(tag: &'static str, text: String) -> annotate_snippets::Message<'a> {
    Level::NOTE.with_name(Some(tag)).message(text)
}

#[cfg(test)]
mod tests {
    use super::super::cases::{self, at_root, inversions};
    use super::*;
    use crate::finding::{Blocker, Op, Outcome, Site, Target};

    #[track_caller]
    fn check(finding: &Finding, expected: &str) {
        check_with(&Sources::new(), finding, expected);
    }

    #[track_caller]
    fn check_with(sources: &Sources, finding: &Finding, expected: &str) {
        let text = at_root(&render(finding, sources, Look::default()));
        assert!(text == expected.trim_end(), "rendered:\n{text}\nexpected:\n{expected}");
    }

    #[test]
    fn threads_that_wait_for_each_others_locks() {
        check(&cases::abba(), include_str!("cases/abba.txt"));
        check(&cases::three(), include_str!("cases/three.txt"));
    }

    #[test]
    fn a_crowd_shares_its_labels_and_is_listed() {
        check(&cases::circle(12), include_str!("cases/crowd.txt"));
    }

    #[test]
    fn threads_without_names_of_their_own_are_told_apart() {
        check(&cases::abba_of(None), include_str!("cases/unnamed.txt"));
        let text = render(&cases::abba_of(Some("worker")), &Sources::new(), Look::default());
        assert!(text.contains("'worker' #2 -> Bank.audit -> 'worker' #3"), "{text}");
    }

    #[test]
    fn a_thread_that_waits_for_itself() {
        check(&cases::relock(), include_str!("cases/relock.txt"));
        check(&cases::upgrade(), include_str!("cases/upgrade.txt"));
        check(&cases::downgrade(), include_str!("cases/downgrade.txt"));
        check(&cases::read_again(), include_str!("cases/read_again.txt"));
        check(&cases::join_itself(), include_str!("cases/join_itself.txt"));
    }

    #[test]
    fn a_read_behind_a_queued_writer() {
        check(&cases::queued_writer(), include_str!("cases/queued_writer.txt"));
    }

    #[test]
    fn waits_for_the_end_of_a_thread() {
        check(&cases::unended(Op::Join), include_str!("cases/join.txt"));
        check(&cases::unended(Op::Scope), include_str!("cases/scope.txt"));
    }

    #[test]
    fn waits_for_a_signal() {
        check(&cases::unended(Op::Wait), include_str!("cases/signal.txt"));
        check(&cases::unended(Op::WaitTimeout), include_str!("cases/timeout.txt"));
    }

    #[test]
    fn initialisers_that_wait() {
        check(&cases::initialising(), include_str!("cases/initialising.txt"));
        check(&cases::initialising_each_other(), include_str!("cases/initialising_both.txt"));
        check(&cases::initialising_itself(), include_str!("cases/initialising_itself.txt"));
        check(&cases::joining_in_init(), include_str!("cases/joining_in_init.txt"));
    }

    #[test]
    fn a_holder_that_has_ended() {
        check(&cases::ended(), include_str!("cases/ended.txt"));
    }

    #[test]
    fn locks_that_were_taken_in_both_orders() {
        check(&inversions::both_orders(), include_str!("cases/both_orders.txt"));
        check(&inversions::gate(), include_str!("cases/both_orders_gate.txt"));
        check(&inversions::other_instances(), include_str!("cases/both_orders_classes.txt"));
    }

    #[test]
    fn locks_that_were_taken_in_a_circle() {
        check(&inversions::three_orders(), include_str!("cases/three_orders.txt"));
        check(&inversions::philosophers(12), include_str!("cases/philosophers.txt"));
    }

    #[test]
    fn a_crowd_of_one_thread_is_not_counted_as_many() {
        let mut finding = inversions::philosophers(12);
        let solo = finding.links[0].agent.clone();
        finding.links.iter_mut().for_each(|link| link.agent = solo.clone());
        let text = render(&finding, &Sources::new(), Look::default());
        assert!(text.contains("---- 1 thread took a lock here and held it"), "{text}");
    }

    #[test]
    fn orders_that_need_a_writer() {
        check(&inversions::behind_a_writer(), include_str!("cases/behind_a_writer.txt"));
        check(&inversions::reads_again(), include_str!("cases/reads_again.txt"));
        let unseen = inversions::reads_again_without_a_writer();
        check(&unseen, include_str!("cases/reads_again_unwritten.txt"));
    }

    #[test]
    fn an_initialiser_that_takes_what_is_held_around_its_use() {
        check(&inversions::initialiser(), include_str!("cases/initialiser_order.txt"));
    }

    #[test]
    fn locks_of_one_class() {
        check(&inversions::same_class(Outcome::Noted), include_str!("cases/same_class.txt"));
        check(&inversions::against_keys(), include_str!("cases/against_keys.txt"));
        check(&inversions::levels(), include_str!("cases/levels.txt"));
    }

    #[test]
    fn missing_sources_are_replaced_by_words() {
        check_with(&Sources::below(Vec::new()), &cases::abba(), include_str!("cases/missing.txt"));
    }

    #[test]
    fn edited_sources_are_not_shown_where_they_differ() {
        let name = format!("sync-trace-edited-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let finding = cases::abba();
        let plant = |site: Site, text: &str| {
            let file = root.join(site.file());
            assert!(file.starts_with(&root), "this would overwrite the real file");
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let edited =
            include_str!("cases/bank.rs").replace("self.audit.lock()", "self.audit.rock()");
        plant(finding.links[0].wait.site, &edited);
        plant(finding.links[1].wait.site, include_str!("cases/report.rs"));
        let expected = include_str!("cases/edited.txt");
        check_with(&Sources::below(vec![root.clone()]), &finding, expected);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn odd_input_is_rendered_all_the_same() {
        let mut finding = cases::abba_of(Some("a\n\u{1b}[2Jb"));
        let text = render(&finding, &Sources::new(), Look::default());
        assert!(text.contains("'a\u{fffd}\u{fffd}[2Jb' #2 ") && !text.contains('\u{1b}'), "{text}");

        finding.links[0].wait.site = cases::unknown_site();
        finding.links[0].wait.stack = Some("0: main\n1: start\n".to_owned());
        finding.roots.push("tests::other".to_owned());
        let text = render(&finding, &Sources::new(), Look::default());
        for fact in
            ["wants `Bank.audit` at an unknown line", "0: main\n", "'main' and 'tests::other'"]
        {
            assert!(text.contains(fact), "no {fact} in {text}");
        }

        finding.links.clear();
        assert!(render(&finding, &Sources::new(), Look::default()).starts_with("error[ST0001]"));
    }

    #[test]
    fn odd_inversions_are_rendered_all_the_same() {
        let check = |finding: &Finding| {
            let text = render(finding, &Sources::new(), Look::default());
            assert!(text.starts_with("error[ST01") || text.starts_with("warning[ST01"), "{text}");
            let plain = super::super::plain::render(finding, &Sources::new());
            assert_eq!(plain.lines().next(), text.lines().next());
        };
        let changes: [fn(&mut Finding); 5] = [
            |finding| finding.links.truncate(1),
            |finding| finding.links.clear(),
            |finding| finding.links.iter_mut().for_each(|link| link.wait.target = Target::Scope),
            |finding| finding.links.iter_mut().for_each(|link| link.blocker = Blocker::Runs),
            |finding| finding.links.extend_from_within(..),
        ];
        for finding in inversions::all() {
            for change in changes {
                let mut changed = finding.clone();
                change(&mut changed);
                check(&changed);
                changed.condition = None;
                check(&changed);
            }
        }
    }

    #[test]
    fn colour_and_unicode_come_only_with_the_look() {
        let render =
            |colour, unicode| render(&cases::abba(), &Sources::new(), Look { colour, unicode });
        for (colour, unicode) in [(true, false), (false, true), (true, true)] {
            let text = render(colour, unicode);
            assert_eq!((text.contains("\u{1b}["), text.contains('│')), (colour, unicode));
        }
    }
}
